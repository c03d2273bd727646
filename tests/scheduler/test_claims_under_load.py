"""Claims of a process that is killed, frozen or cut off from its store, while other jobs keep coming."""

import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from civitai_mock.storage.sqlite.open import FILE_NAME
from tests.support.process import PATIENCE_SECONDS, Server, running
from tests.support.short_leases import JOBS, TEMPLATE, short_leases

LEASE_MS = 1000
LONGER_THAN_A_LEASE = 2.5

pytestmark = pytest.mark.slow


def submit(server: Server, count: int) -> list[str]:
    answer = httpx.post(f"{server.url}{JOBS}", json={"jobs": [TEMPLATE] * count}, timeout=PATIENCE_SECONDS)
    return [job["jobId"] for job in answer.raise_for_status().json()["jobs"]]


def status_of(server: Server, job_id: str) -> Mapping[str, Any]:
    answer = httpx.get(f"{server.url}{JOBS}/{job_id}", timeout=PATIENCE_SECONDS)
    status: Mapping[str, Any] = answer.raise_for_status().json()
    return status


def events_of(server: Server, job_id: str) -> list[str]:
    answer = httpx.get(f"{server.url}/v1/producer/jobs/{job_id}/events", timeout=PATIENCE_SECONDS)
    return [event["type"] for event in answer.raise_for_status().json()]


def wait_until_ended(server: Server, job_ids: Sequence[str]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    for job_id in job_ids:
        while not status_of(server, job_id)["lastEvent"]["jobHasCompleted"]:
            assert time.monotonic() < deadline, (status_of(server, job_id), server.log[-5000:])


@contextmanager
def other_jobs_coming(server: Server, *, every: float = 0.1) -> Iterator[list[str]]:
    """One more job at a time, for as long as the block lasts: an idle worker hides the faults that are looked for."""
    over, coming = threading.Event(), []

    def submit_more() -> None:
        while not over.wait(every):
            coming.extend(submit(server, 1))

    thread = threading.Thread(target=submit_more, daemon=True)
    thread.start()
    try:
        yield coming
    finally:
        over.set()
        thread.join(PATIENCE_SECONDS)


def wait_until_claimed(server: Server, job_ids: Sequence[str]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while status_of(server, job_ids[-1])["lastEvent"]["type"] == "Initialized":
        assert time.monotonic() < deadline


@pytest.mark.parametrize("count", [20, pytest.param(200, marks=pytest.mark.long)])
def test_every_job_of_a_killed_process_goes_on_while_others_come(tmp_path: Path, count: int) -> None:
    with running(tmp_path, short_leases(lease_ms=LEASE_MS, prompt_ms=60_000)) as server:
        job_ids = submit(server, count)
        wait_until_claimed(server, job_ids)
        server.kill()
    with (
        running(tmp_path, short_leases(lease_ms=LEASE_MS, prompt_ms=400)) as server,
        other_jobs_coming(server) as others,
    ):
        wait_until_ended(server, job_ids)
        for job_id in job_ids:
            told = events_of(server, job_id)
            assert (told[-1], told.count("Succeeded"), told.count("ClaimExpired")) == ("Succeeded", 1, 1)
            assert status_of(server, job_id)["lastEvent"]["retryAttempt"] <= 1
    assert others


@contextmanager
def frozen(server: Server) -> Iterator[None]:
    """As a laptop that sleeps, or a paused container."""
    server.process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        server.process.send_signal(signal.SIGCONT)


@contextmanager
def store_away(server: Server) -> Iterator[None]:
    """Nobody else can write to a SQLite file while a transaction is held open."""
    with closing(sqlite3.connect(server.folder / "data" / FILE_NAME, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        yield
        holder.execute("ROLLBACK")


@pytest.mark.parametrize("trouble", [frozen, store_away])
def test_a_worker_keeps_what_it_held_after_trouble_for_longer_than_a_lease(
    tmp_path: Path, trouble: Callable[[Server], AbstractContextManager[None]]
) -> None:
    environment = short_leases(lease_ms=LEASE_MS, prompt_ms=3_000)
    with running(tmp_path, environment) as server:
        job_ids = submit(server, 20)
        wait_until_claimed(server, job_ids)
        with trouble(server):
            time.sleep(LONGER_THAN_A_LEASE)
        with other_jobs_coming(server) as others:
            wait_until_ended(server, job_ids)
            for job_id in job_ids:
                assert events_of(server, job_id) == ["Initialized", "Claimed", "Updated", "Updated", "Succeeded"]
        assert others
