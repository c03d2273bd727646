"""The stand-in as a whole: the state that lasts, and the server life that a restart ends."""

import asyncio
import uuid

from civitai_mock.comfyui_standin import messages
from civitai_mock.comfyui_standin.execution.worker import PromptWorker
from civitai_mock.comfyui_standin.fault_rules import StandinRules
from civitai_mock.comfyui_standin.faults import FaultControl
from civitai_mock.comfyui_standin.options import ModelNames, StandinOptions
from civitai_mock.comfyui_standin.socket_hub import SocketHub
from civitai_mock.comfyui_standin.state.disk_files import DiskFileStore
from civitai_mock.comfyui_standin.state.installation import Installation
from civitai_mock.comfyui_standin.state.log import ServerLog
from civitai_mock.comfyui_standin.state.prompt_stats import PromptFacts, PromptStats
from civitai_mock.comfyui_standin.state.queue import History, PromptQueue, foreign_item
from civitai_mock.comfyui_standin.state.standin_state import StandinState
from civitai_mock.comfyui_standin.state.user_data import UserData
from civitai_mock.domain.json_types import JsonObject
from civitai_mock.drawing.drawn_images import Draw
from civitai_mock.ports import Clock


class ServerLife:
    """Is the server from one start to the next: queue, history, sockets, and what nodes have made."""

    def __init__(self, state: StandinState) -> None:
        self.hub = SocketHub(state.faults)
        self.queue = PromptQueue(on_change=self._broadcast_status)
        self.history = History(limit=state.options.max_history)
        self.log = ServerLog(hub=self.hub, now=state.clock.now)
        self.worker = PromptWorker(state=state, queue=self.queue, history=self.history, hub=self.hub, log=self.log)
        self._worker_task = asyncio.create_task(self.worker.run(), name=f"stand-in worker {uuid.uuid4().hex[:8]}")
        self._foreign_task = asyncio.create_task(self._queue_foreign_prompts(state.faults), name="foreign prompts")

    async def _queue_foreign_prompts(self, faults: FaultControl) -> None:
        """Put somebody else's prompt before all others when `foreign_prompt` is set; it ends with the fault."""
        while True:
            await faults.until(lambda current: current.foreign_prompt)
            self.queue.put(foreign_item())
            await faults.until(lambda current: not current.foreign_prompt)

    def stop(self) -> None:
        """Stop at once, whatever is running; sockets get no close frame."""
        self._worker_task.cancel()
        self._foreign_task.cancel()
        self.hub.drop_all()

    def _broadcast_status(self) -> None:
        self.hub.broadcast(messages.status(self.queue.remaining))


class Standin:
    """Is a whole stand-in; in the same process set faults and read facts here."""

    def __init__(self, *, clock: Clock, models: ModelNames, draw: Draw, options: StandinOptions) -> None:
        self.state = StandinState(
            clock=clock,
            installation=Installation(models=models, options=options, now=clock.now()),
            draw=draw,
            options=options,
            faults=FaultControl(),
            files=DiskFileStore(max_bytes=options.max_stored_bytes, directories=options.directories.files),
            stats=PromptStats(),
            user_data=UserData(max_bytes=options.max_stored_bytes, multi_user=options.multi_user),
        )
        self.rules = StandinRules(self.state.faults)
        self._life: ServerLife | None = None

    @property
    def faults(self) -> FaultControl:
        return self.state.faults

    @property
    def life(self) -> ServerLife:
        if self._life is None:
            raise RuntimeError("the stand-in has not been started")
        return self._life

    def start(self) -> None:
        """Begin a life with an empty temp folder."""
        self.state.files.clear("temp")
        self._life = ServerLife(self.state)

    def stop(self) -> None:
        self.rules.clear()
        self.life.stop()

    def restart(self) -> None:
        """Lose queue, history and temp files, and count prompts from 0 again; output files stay."""
        self.life.stop()
        self.state.stats.restarts += 1
        self.start()

    def drop_sockets(self) -> None:
        """Drop all sockets without a close frame."""
        self.life.hub.drop_all()

    def forget_files(self, folder: str = "output") -> None:
        """Empty a folder as if somebody else had done it."""
        self.state.files.clear(folder)

    def prompt(self, prompt_id: str) -> PromptFacts:
        """Return what happened to a prompt, over all restarts."""
        return self.state.stats.prompts.get(prompt_id, PromptFacts())

    @property
    def facts(self) -> JsonObject:
        return {**self.state.stats.wire, "clients": [*self.life.hub.client_ids]}
