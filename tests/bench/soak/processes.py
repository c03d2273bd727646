"""The processes of the soak, and who starts them again whenever they end."""

import asyncio
import signal
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.revisions import PACKAGE, ROOT
from tests.bench.servers import ChildProcess, free_port, spawn

API = "api"
# The commands of the processes by their names, by how many they are.
COMMANDS: Mapping[int, Mapping[str, Sequence[str]]] = {
    1: {API: ()},
    3: {API: ("api",), "scheduler-1": ("scheduler",), "scheduler-2": ("scheduler",)},
}
WATCH_SECONDS = 0.1
PAUSE_SECONDS = 0.5  # before one is started again that has ended by itself
STOP_SECONDS = 15.0
GOOD_ENDS = frozenset({0, 128 + signal.SIGTERM, -signal.SIGTERM})  # the others are of one that was still starting
KEPT_JOBS = 1
LEASE_MS = 3000
SETTINGS: Mapping[str, str] = {
    "NODE_ENV": "production",
    "ADMIN": "open",
    "LOG_FORMAT": "json",
    "SCHEDULER_LEASE_MS": str(LEASE_MS),
    "SCHEDULER_POLL_MS": "500",
    "SHUTDOWN_GRACE_MS": "2000",
    "WAIT_LIMIT_S": "10",
    "SIMULATION_LOAD_MS": "50",
    "SIMULATION_PROMPT_MS": "200",
    "SIMULATION_STEP_MS": "0",
    "SIMULATION_CONVERT_MS": "0",
    "PROGRESS_INTERVAL_MS": "100",
}


@dataclass(kw_only=True)
class Site:
    """Processes on one store; each has a folder of its own, with its output.

    `may_keep_jobs` says that the store may be too slow for a process that stops to give all of its jobs back. It ends
    with status 1 then, and the jobs come back when their leases end.
    """

    folder: Path
    commands: Mapping[str, Sequence[str]]
    settings: Mapping[str, str]
    may_keep_jobs: bool
    port: int = field(default_factory=free_port)
    running: dict[str, ChildProcess] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    _store_was_away_at: float = 0.0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start_all(self) -> None:
        for name in self.commands:
            (self.folder / name).mkdir()
            self._start(name)

    def output_of(self, name: str) -> Path:
        return self.folder / name / "output.txt"

    def kill(self, name: str) -> None:
        """Kill it with -9; the watch starts it again."""
        self.counts["killed with -9"] += 1
        self._end(name, signal.SIGKILL)
        self._start(name)

    async def restart(self, name: str) -> None:
        """Stop it as an operator would; it must end in time, with status 0."""
        self.counts["stopped and started"] += 1
        await self._stop(name)
        self._start(name)

    async def freeze(self, name: str, seconds: float) -> None:
        """Let it stand still for longer than its leases last."""
        self.counts["frozen"] += 1
        process = self.running[name]
        process.send_signal(signal.SIGSTOP)
        try:
            await asyncio.sleep(seconds)
        finally:
            process.send_signal(signal.SIGCONT)

    async def watch(self) -> None:
        """Start again what ends by itself, as it may while the store cannot be opened."""
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            for name, process in list(self.running.items()):
                if (status := process.poll()) is not None:
                    self._note_end(name, status)
                    await asyncio.sleep(PAUSE_SECONDS)
                    if self.running.get(name) is process:
                        self._start(name)

    def note_store_away(self) -> None:
        self._store_was_away_at = time.monotonic()

    async def stop_all(self) -> None:
        await asyncio.gather(*(self._stop(name) for name in self.commands))

    def close(self) -> None:
        for process in self.running.values():
            process.send_signal(signal.SIGCONT)
            with suppress(ProcessLookupError):
                process.kill()
            process.wait()

    def pids(self) -> Mapping[str, int]:
        return {name: process.pid for name, process in self.running.items()}

    def _start(self, name: str) -> None:
        environment = {**SETTINGS, **self.settings, "PORT": str(self.port), "PYTHONPATH": str(ROOT / "src")}
        command = (sys.executable, "-m", PACKAGE, *self.commands[name])
        self.running[name] = spawn(self.folder / name, command, environment)

    def _end(self, name: str, number: signal.Signals) -> None:
        process = self.running.pop(name)
        process.send_signal(number)
        process.wait()

    async def _stop(self, name: str) -> None:
        process = self.running.pop(name)
        process.terminate()
        try:
            status = await asyncio.wait_for(asyncio.to_thread(process.wait), STOP_SECONDS)
        except TimeoutError:
            process.kill()
            self.faults.append(f"{name} did not stop within {STOP_SECONDS:g} s of SIGTERM")
        else:
            if status == KEPT_JOBS and self.may_keep_jobs:
                self.counts["stopped before all jobs were given back"] += 1
            elif status not in GOOD_ENDS and not self._store_was_just_away():
                self.faults.append(f"{name} ended with status {status} after SIGTERM")

    def _note_end(self, name: str, status: int) -> None:
        self.counts["ended without a store, and started again"] += 1
        if not self._store_was_just_away():
            self.faults.append(f"{name} ended by itself, with status {status}, while the store was there")

    def _store_was_just_away(self) -> bool:
        return time.monotonic() - self._store_was_away_at < STOP_SECONDS
