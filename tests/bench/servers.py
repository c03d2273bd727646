"""Servers as processes: ours on each store, the references, and the MongoDB stand-in."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from socket import create_server
from typing import Any, TypeAlias

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from tests.bench.load import HOST
from tests.bench.process_usage import Usage, usage_of
from tests.bench.revisions import PACKAGE, ROOT, Revision

PATIENCE_SECONDS = 60.0
POLL_SECONDS = 0.002
REST_SECONDS, RESTING_CPU_SECONDS = 0.5, 0.005
# A setting of the caller's own must change nothing.
INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
QUIET: Mapping[str, str] = {"LOG_LEVEL": "warning"}
STATEMENTS = re.compile(r"^civitai_mock_store_statements_total(?:{[^}]*})? (\S+)", re.MULTILINE)


ChildProcess: TypeAlias = subprocess.Popen[bytes]


class UnmeasuredError(Exception):
    """A server that could not be started, or that ended or failed while it was measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where ours runs: its store, and in how many processes (2 are an API and a scheduler)."""

    store: str
    processes: int = 1

    @property
    def is_possible(self) -> bool:
        return self.store != "memory" or self.processes == 1

    @property
    def text(self) -> str:
        return f"{self.store}, {self.processes} process{'es' if self.processes > 1 else ''}"


@dataclass(frozen=True, kw_only=True)
class StandIn:
    """SecantusDB in place of a MongoDB."""

    uri: str
    client: MongoClient[dict[str, Any]]

    def commands(self) -> float:
        """How many it has been sent; this question is one of them."""
        requests: int = self.client.admin.command("serverStatus")["network"]["numRequests"]
        return requests


@dataclass(frozen=True, kw_only=True)
class Server:
    """One server, in one process or several; the first answers HTTP at `port`, the second at most with its metrics."""

    port: int
    scheduler_port: int | None = None
    processes: Sequence[ChildProcess]
    folder: Path
    start_seconds: float
    mongo: StandIn | None = None

    def usage(self) -> Usage:
        return usage_of(process.pid for process in self.processes)

    def await_rest(self) -> None:
        """Return when all is loaded that comes after the first answer: it belongs to no request."""
        deadline, used = time.perf_counter() + PATIENCE_SECONDS, -1.0
        while (now := self.usage().cpu_seconds) - used > RESTING_CPU_SECONDS:
            if time.perf_counter() > deadline:
                raise UnmeasuredError("the server does not come to rest")
            used = now
            time.sleep(REST_SECONDS)  # of what a process does not do there is no event

    def statements(self) -> float | None:
        """How many statements or commands the store was sent; None where nobody counts them."""
        if self.mongo is not None:
            return self.mongo.commands()
        ports = [self.port] if self.scheduler_port is None else [self.port, self.scheduler_port]
        counts = [_statements_at(port) for port in ports]
        return None if None in counts else sum(filter(None, counts))

    def disk_bytes(self) -> int:
        """What the files of the store take."""
        return sum(path.stat().st_blocks * 512 for path in (self.folder / "data").rglob("*") if path.is_file())


@contextmanager
def running_ours(
    revision: Revision, place: Place, settings: Mapping[str, str], *, runs_jobs: bool = True
) -> Iterator[Server]:
    """Start a revision on an empty store; without jobs to run, one process is the API alone."""
    with _folder() as folder, ExitStack() as stack:
        mongo = _stand_in(stack, folder) if place.store == "mongo" else None
        port = free_port()
        environment = {"PORT": str(port), **QUIET, **_store_settings(place.store, folder, mongo), **settings}
        environment["PYTHONPATH"] = str(revision.source)
        scheduler_port = free_port() if place.processes > 1 else None
        if scheduler_port is not None:
            environment["METRICS_PORT"] = str(scheduler_port)
        first = () if place.processes == 1 and runs_jobs else ("api",)
        commands = [first, ("scheduler",)][: place.processes]
        started = time.perf_counter()
        processes = [_ours(stack, folder, environment, command) for command in commands]
        seconds = await_health(port, processes[0], folder, started)
        yield Server(
            port=port,
            scheduler_port=scheduler_port,
            processes=processes,
            folder=folder,
            start_seconds=seconds,
            mongo=mongo,
        )


@contextmanager
def running_reference(name: str, answers: Path) -> Iterator[Server]:
    """Start a server of `references.py`."""
    with _folder() as folder, ExitStack() as stack:
        port, started = free_port(), time.perf_counter()
        environment = {"PORT": str(port), "ANSWERS": str(answers), "PYTHONPATH": str(ROOT)}
        process = spawn(folder, (sys.executable, "-m", "tests.bench.references", name), environment)
        stack.callback(end, process)
        seconds = await_health(port, process, folder, started)
        yield Server(port=port, processes=[process], folder=folder, start_seconds=seconds)


def _ours(stack: ExitStack, folder: Path, environment: Mapping[str, str], command: Sequence[str]) -> ChildProcess:
    process = spawn(folder, (sys.executable, "-m", PACKAGE, *command), environment)
    stack.callback(end, process)
    return process


def _store_settings(store: str, folder: Path, mongo: StandIn | None) -> Mapping[str, str]:
    if mongo is not None:
        return {"MONGODB_URI": mongo.uri, "SEED_RESOURCES": "true", "DATA_DIR": str(folder / "data")}
    return {"MONGODB_URI": "memory://"} if store == "memory" else {"DATA_DIR": str(folder / "data")}


def spawn_stand_in(folder: Path, port: int) -> ChildProcess:
    """Start the MongoDB stand-in on the files in `folder`; it can be killed, and started on them again."""
    storage = ("--storage-path", str(folder / "mongo"), "--sync-on-commit")
    return spawn(folder, (sys.executable, "-m", "secantus", "--host", HOST, "--port", str(port), *storage))


def _stand_in(stack: ExitStack, folder: Path) -> StandIn:
    port = free_port()
    stack.callback(end, spawn_stand_in(folder, port))
    uri = f"mongodb://{HOST}:{port}/"
    client: MongoClient[dict[str, Any]] = MongoClient(uri, serverSelectionTimeoutMS=PATIENCE_SECONDS * 1000)
    stack.callback(client.close)
    try:
        client.admin.command("ping")
    except PyMongoError as error:
        raise UnmeasuredError(f"no MongoDB stand-in: {error}") from error
    return StandIn(uri=uri, client=client)


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="civitai-mock-bench-") as folder:
        yield Path(folder)


def spawn(folder: Path, command: Sequence[str], environment: Mapping[str, str] | None = None) -> ChildProcess:
    """Start a process in `folder`, with its output in `output.txt` there."""
    variables = {name: os.environ[name] for name in INHERITED if name in os.environ} | dict(environment or {})
    with (folder / "output.txt").open("ab") as output:
        return subprocess.Popen(command, env=variables, stdout=output, stderr=output, cwd=folder)


def end(process: ChildProcess) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait(PATIENCE_SECONDS)


def await_health(port: int, process: ChildProcess, folder: Path, started: float) -> float:
    """Return how long it took from `started` to the first healthy answer."""
    while (seconds := time.perf_counter() - started) < PATIENCE_SECONDS and process.poll() is None:
        try:
            if exchange(port, "GET", "/health")[0] == 200:
                return time.perf_counter() - started
        except OSError:
            time.sleep(POLL_SECONDS)  # a connection that is refused has no event to wait for
    output = " ".join((folder / "output.txt").read_text("utf-8", "replace").split())
    raise UnmeasuredError(f"no healthy answer after {seconds:.1f} s: {output[-300:]}")


def exchange(port: int, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
    """Send one request; return the status and the body of its answer."""
    connection = HTTPConnection(HOST, port, timeout=PATIENCE_SECONDS)
    try:
        connection.request(method, path, body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def _statements_at(port: int) -> float | None:
    """Return what one process says; None if it does not count, or answers no HTTP."""
    try:
        status, text = exchange(port, "GET", "/metrics")
    except OSError:
        return None
    counts = STATEMENTS.findall(text.decode()) if status == 200 else []
    return sum(map(float, counts)) if counts else None


def read_json(port: int, path: str) -> Any:
    status, body = exchange(port, "GET", path)
    if status not in {200, 202}:  # the latter for a workflow that is not over
        raise UnmeasuredError(f"status {status} of {path}: {body[:500]!r}")
    return json.loads(body)


def free_port() -> int:
    with create_server((HOST, 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
