"""Kills, pauses and stores that go away, one after the other, while jobs keep coming: none is lost, none ends twice."""

import json
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import httpx
import pytest

from civitai_mock.storage.sqlite.open import FILE_NAME
from tests.support.job_client import JOBS, TEMPLATE
from tests.support.process import PATIENCE_SECONDS, free_port, short_leases, start, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.long]

LEASE_SECONDS = 2.0
TROUBLE_SECONDS = 1.5 * LEASE_SECONDS
PAUSE_SECONDS = 0.1
QUIET_SECONDS = 60.0
SETTINGS: Mapping[str, str] = {
    **short_leases(lease_ms=int(LEASE_SECONDS * 1000), prompt_ms=300),
    "LOG_LEVEL": "warning",
    "SHUTDOWN_GRACE_MS": "500",
}


class Store(Protocol):
    """Is what the processes share, and can be taken away for a while."""

    @property
    def environment(self) -> Mapping[str, str]: ...

    def away(self) -> AbstractContextManager[None]: ...


@dataclass
class SqliteFile:
    """Is a database file in the folder of the processes."""

    folder: Path

    @property
    def environment(self) -> Mapping[str, str]:
        return {}

    @contextmanager
    def away(self) -> Iterator[None]:
        with closing(sqlite3.connect(self.folder / "data" / FILE_NAME, isolation_level=None, timeout=20)) as holder:
            holder.execute("BEGIN IMMEDIATE")
            yield
            holder.execute("ROLLBACK")


@dataclass
class Mongo:
    """Is a MongoDB server in a process of its own."""

    process: Any

    @property
    def environment(self) -> Mapping[str, str]:
        return {"MONGODB_URI": self.process.uri, "SEED_RESOURCES": "true"}

    @contextmanager
    def away(self) -> Iterator[None]:
        self.process.kill()
        yield
        self.process.start()


@dataclass(kw_only=True)
class Site:
    """Runs an API and as many schedulers as are wanted, or both in one process."""

    folder: Path
    store: Store
    commands: Sequence[str]
    port: int = field(default_factory=free_port)
    processes: dict[int, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, place: int) -> None:
        environment = {**SETTINGS, **self.store.environment, "PORT": str(self.port)}
        command = ("-m", "civitai_mock", *self.commands[place].split())
        self.processes[place] = start(self.folder, environment, command=command)
        if self.commands[place] != "scheduler":
            wait_for(f"{self.url}/health", self.processes[place], time.perf_counter())

    def kill(self, place: int) -> None:
        self.processes[place].kill()
        self.processes[place].wait()
        self.start(place)

    def freeze(self, place: int) -> None:
        self.processes[place].send_signal(signal.SIGSTOP)
        time.sleep(TROUBLE_SECONDS)
        self.processes[place].send_signal(signal.SIGCONT)

    def close(self) -> None:
        for process in self.processes.values():
            process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait()


@dataclass(kw_only=True)
class Soak:
    """Submits jobs all the time, and makes trouble now and then."""

    site: Site
    seconds: float
    rng: random.Random = field(default_factory=lambda: random.Random(8))
    submitted: list[str] = field(default_factory=list)
    troubles: Counter[str] = field(default_factory=Counter)

    def run(self) -> None:
        submitter = subprocess.Popen(
            [sys.executable, "-c", SUBMITTER, self.site.url + JOBS, json.dumps(TEMPLATE), str(PAUSE_SECONDS)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        ends_at = time.monotonic() + self.seconds
        while time.monotonic() < ends_at:
            time.sleep(self.rng.uniform(0.2, TROUBLE_SECONDS))
            self._make_trouble()
        output, _ = submitter.communicate(b"stop\n", timeout=PATIENCE_SECONDS)
        self.submitted = output.decode().split()

    def _make_trouble(self) -> None:
        trouble = self.rng.choice(["kill", "kill", "freeze", "store away"])
        place = self.rng.randrange(len(self.site.commands))
        self.troubles[trouble] += 1
        if trouble == "kill":
            self.site.kill(place)
        elif trouble == "freeze":
            self.site.freeze(place)
        else:
            with self.site.store.away():
                time.sleep(TROUBLE_SECONDS)

    def ended(self) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        """Return the events of each job, once all have ended."""
        deadline = time.monotonic() + QUIET_SECONDS
        events: dict[str, Sequence[Mapping[str, Any]]] = {}
        with httpx.Client(base_url=self.site.url, timeout=PATIENCE_SECONDS) as client:
            for job_id in self.submitted:
                while True:
                    with suppress(httpx.HTTPError):
                        events[job_id] = client.get(f"/v1/producer/jobs/{job_id}/events").raise_for_status().json()
                        if events[job_id][-1]["jobHasCompleted"]:
                            break
                    assert time.monotonic() < deadline, f"{job_id} is stranded: {events.get(job_id)}"
                    time.sleep(0.05)
        return events


# Answers that get lost may have been carried out: only ids that came back are asked for in the end.
SUBMITTER = """
import json, sys, threading, time, urllib.request
url, body, pause = sys.argv[1], sys.argv[2].encode(), float(sys.argv[3])
over = threading.Event()
threading.Thread(target=lambda: (sys.stdin.readline(), over.set()), daemon=True).start()
while not over.wait(pause):
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    try:
        print(json.load(urllib.request.urlopen(request, timeout=10))["jobId"], flush=True)
    except (OSError, ValueError):
        pass
"""


def sqlite_alone(folder: Path) -> Site:
    return Site(folder=folder, store=SqliteFile(folder), commands=[""])


def sqlite_shared(folder: Path) -> Site:
    return Site(folder=folder, store=SqliteFile(folder), commands=["api", "scheduler", "scheduler"])


@contextmanager
def mongo_shared(folder: Path) -> Iterator[Site]:
    mongo = pytest.importorskip("tests.support.mongo").new_process()
    mongo.start()
    try:
        yield Site(folder=folder, store=Mongo(mongo), commands=["api", "scheduler", "scheduler"])
    finally:
        mongo.remove()


@contextmanager
def site_of(kind: str, folder: Path) -> Iterator[Site]:
    if kind == "mongo":
        with mongo_shared(folder) as site:
            yield from started(site)
    else:
        yield from started({"alone": sqlite_alone, "shared": sqlite_shared}[kind](folder))


def started(site: Site) -> Iterator[Site]:
    try:
        for place in range(len(site.commands)):
            site.start(place)
        yield site
    finally:
        site.close()


@pytest.mark.parametrize("kind", ["alone", "shared", "mongo"])
def test_no_job_is_lost_or_ends_twice_in_a_long_time_of_trouble(
    kind: str, tmp_path: Path, soak_seconds: float, record_property: Any
) -> None:
    with site_of(kind, tmp_path) as site:
        soak = Soak(site=site, seconds=soak_seconds)
        soak.run()
        jobs = soak.ended()
    types = {job_id: [event["type"] for event in events] for job_id, events in jobs.items()}
    ends = Counter(kinds[-1] for kinds in types.values())
    figures = {
        "jobs": len(jobs),
        "ends": dict(ends),
        "troubles": dict(soak.troubles),
        "claims expired": sum(kinds.count("ClaimExpired") for kinds in types.values()),
        "retries used": sum(events[-1]["retryAttempt"] for events in jobs.values()),
        "most retries of a job": max(events[-1]["retryAttempt"] for events in jobs.values()),
    }
    record_property("soak", figures)
    print(f"soak, {kind}: {figures}")  # noqa: T201 - shown with -s, for whoever runs it by hand
    assert jobs
    assert ends["Succeeded"] == len(jobs), figures
    assert all(kinds.count("Succeeded") == 1 for kinds in types.values())
