"""Start servers as processes of their own."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from civitai_mock.settings import Settings

MOCK = ("-m", "civitai_mock")
PATIENCE_SECONDS = 60.0
LOG_NAME = "server.log"


@dataclass(frozen=True, kw_only=True)
class Server:
    """Is a server that runs; its data and its log are in `folder`."""

    process: subprocess.Popen[bytes]
    port: int
    folder: Path
    start_seconds: float

    @property
    def address(self) -> tuple[str, int]:
        return "127.0.0.1", self.port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        return (self.folder / LOG_NAME).read_text("utf-8")

    def kill(self) -> None:
        """Kill it, so that it can finish nothing."""
        self.process.kill()
        self.process.wait(PATIENCE_SECONDS)

    def stop(self) -> int:
        """Stop it as `docker stop` would, and return the exit status; a process that hangs is made to say where."""
        self.process.terminate()
        try:
            return self.process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired as error:
            self.process.send_signal(signal.SIGABRT)
            self.process.wait(PATIENCE_SECONDS)
            raise AssertionError(f"it did not stop:\n{self.log}") from error


@contextmanager
def running(
    folder: Path,
    environment: Mapping[str, str],
    *,
    command: Sequence[str] = MOCK,
    path: str = "/health",
    port: int | None = None,
) -> Iterator[Server]:
    """Start a server with its data in `folder`, and wait until it answers at `path`; any `port` will do by default."""
    port, started = port or free_port(), time.perf_counter()
    process = start(folder, {"PORT": str(port), **environment}, command=command)
    try:
        wait_for(f"http://127.0.0.1:{port}{path}", process, started)
        yield Server(process=process, port=port, folder=folder, start_seconds=time.perf_counter() - started)
    finally:
        process.kill()
        process.wait(PATIENCE_SECONDS)


def start(
    folder: Path, environment: Mapping[str, str], *, command: Sequence[str] = MOCK, before: Sequence[str] = ()
) -> "subprocess.Popen[bytes]":
    """Start a command without the settings of the caller's environment; `before` is a program that runs it."""
    own = {name: value for name, value in os.environ.items() if name.lower() not in Settings.model_fields}
    variables = {**own, "DATA_DIR": str(folder / "data"), "NODE_ENV": "production", "PYTHONFAULTHANDLER": "1"}
    variables |= environment
    with (folder / LOG_NAME).open("ab") as log:
        return subprocess.Popen([*before, sys.executable, *command], env=variables, stdout=log, stderr=log, cwd=folder)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def wait_for(url: str, process: "subprocess.Popen[bytes]", started: float) -> None:
    """Wait until there is a good answer."""
    while time.perf_counter() - started < PATIENCE_SECONDS and process.poll() is None:
        try:
            with urlopen(url, timeout=PATIENCE_SECONDS):
                return
        except (URLError, ConnectionError):
            time.sleep(0.005)  # a connection that is refused has no event to wait for
    raise RuntimeError(f"no answer from {url}; exit status {process.poll()}")


def poll_until(condition: Callable[[], bool], *, pause: float = 0.005) -> None:
    """Ask again after each pause: what another process does has no event to wait for."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(pause)


def short_leases(*, lease_ms: int, prompt_ms: int) -> Mapping[str, str]:
    """Return the settings of a simulation in which each job takes `prompt_ms`, and nothing else takes any time."""
    return {
        "SIMULATION_LOAD_MS": "0",
        "SIMULATION_PROMPT_MS": str(prompt_ms),
        "SIMULATION_STEP_MS": "0",
        "SIMULATION_CONVERT_MS": "0",
        "SIMULATION_PICTURES": "blank",
        "SCHEDULER_LEASE_MS": str(lease_ms),
        "SCHEDULER_POLL_MS": "200",
    }
