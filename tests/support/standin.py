"""A running stand-in for ComfyUI, on a port of its own in the test's process and event loop."""

import asyncio
import struct
import zlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import uvicorn
from starlette.applications import Starlette
from uvicorn.server import ServerState

from civitai_mock.clock import SystemClock, VirtualClock
from civitai_mock.comfyui_standin.app import make_app
from civitai_mock.comfyui_standin.options import ModelNames, StandinOptions
from civitai_mock.comfyui_standin.standin import Standin
from civitai_mock.drawing.drawn_images import Draw
from civitai_mock.generation.graph_reader.output_images import OutputImages
from civitai_mock.ports import Clock
from civitai_mock.services.origin_policy import OriginPolicy
from tests.support.dates import START

MODELS: ModelNames = {
    "checkpoints": ["sd15.safetensors", "sdxl.safetensors", "sub/other.safetensors"],
    "loras": ["style.safetensors"],
    "vae": ["ae.safetensors"],
}
DEFAULT_OPTIONS = StandinOptions()


class RunningStandin:
    """Serves a stand-in; `server` sets faults and has the facts, without HTTP in between."""

    def __init__(self, app: Starlette) -> None:
        self._app = app
        self.port = 0
        self.socket_path = "/ws"
        self._config = uvicorn.Config(app, log_config=None, access_log=False, ws_ping_interval=None, lifespan="on")
        self._config.load()
        self._lifespan = self._config.lifespan_class(self._config)
        self._state = ServerState()
        self._listener: asyncio.Server | None = None

    @property
    def server(self) -> Standin:
        standin: Standin = self._app.state.standin
        return standin

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def socket_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}{self.socket_path}"

    async def start(self) -> None:
        await self._lifespan.startup()
        await self._listen()

    async def stop(self) -> None:
        self.server.stop()
        self._hang_up()
        await self._lifespan.shutdown()

    def go_down(self) -> None:
        """Break every connection and refuse others until `come_back`, as if the process had been killed."""
        self.server.restart()
        self._hang_up()

    async def come_back(self) -> None:
        """Listen on the same port again."""
        await self._listen()

    async def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(self._protocol, "127.0.0.1", self.port)
        self.port = self._listener.sockets[0].getsockname()[1]

    def _protocol(self) -> asyncio.Protocol:
        make: Callable[..., asyncio.Protocol] = self._config.http_protocol_class
        return make(config=self._config, server_state=self._state, app_state=self._lifespan.state)

    def _hang_up(self) -> None:
        if self._listener is not None:
            self._listener.close()
        for connection in list(self._state.connections):
            if connection.transport is not None:
                connection.transport.abort()


@asynccontextmanager
async def running_standin(
    *,
    models: ModelNames = MODELS,
    clock: Clock | None = None,
    draw: Draw | None = None,
    options: StandinOptions = DEFAULT_OPTIONS,
) -> AsyncIterator[RunningStandin]:
    """Run a stand-in; with a manual clock and durations, simulated work waits until the test moves the clock."""
    standin = Standin(clock=clock or SystemClock(), models=models, draw=draw or draw_plain, options=options)
    async with running_app(make_app(standin, command_origins=OriginPolicy(hosts=["standin.example"]))) as running:
        yield running


@asynccontextmanager
async def running_app(app: Starlette) -> AsyncIterator[RunningStandin]:
    """Run the app of a stand-in, such as that of the command."""
    running = RunningStandin(app)
    await running.start()
    try:
        yield running
    finally:
        await running.stop()


def draw_plain(output_images: OutputImages, index: int, texts: Mapping[str, str]) -> bytes:
    """Draw a grey image of the right size, whatever else the graph says."""
    return plain_png(output_images.batch.width, output_images.batch.height, texts=texts)


def plain_png(width: int = 64, height: int = 64, *, tone: int = 128, texts: Mapping[str, str] | None = None) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress((b"\0" + bytes([tone]) * width) * height)
    chunks = [(b"tEXt", f"{key}\0{text}".encode("latin-1")) for key, text in (texts or {}).items()]
    parts = [_chunk(kind, content) for kind, content in [(b"IHDR", header), *chunks, (b"IDAT", rows), (b"IEND", b"")]]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


class PermitClock(VirtualClock):
    """A clock whose sleeps end when the test allows it, before or after they begin; for work in steps."""

    def __init__(self, now: datetime = START) -> None:
        super().__init__(now)
        self._permits = asyncio.Semaphore(0)

    async def sleep(self, seconds: float) -> None:
        await self._permits.acquire()
        self._now += timedelta(seconds=seconds)

    def allow(self, sleeps: int) -> None:
        for _ in range(sleeps):
            self._permits.release()
