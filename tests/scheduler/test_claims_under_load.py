"""Claims of a process that is killed, frozen or cut off from its store, while other jobs keep coming."""

import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

import httpx
import pytest

from civitai_mock.storage.sqlite.open import FILE_NAME
from tests.support.job_client import JobClient
from tests.support.process import PATIENCE_SECONDS, Server, running, short_leases

LEASE_MS = 1000
LONGER_THAN_A_LEASE = 2.5

pytestmark = [pytest.mark.slow, pytest.mark.long]


@contextmanager
def simulation(folder: Path, *, prompt_ms: int) -> Iterator[JobClient]:
    with (
        running(folder, short_leases(lease_ms=LEASE_MS, prompt_ms=prompt_ms)) as server,
        httpx.Client(timeout=PATIENCE_SECONDS) as http,
    ):
        yield JobClient(http, server)


@contextmanager
def other_jobs_coming(client: JobClient, *, every: float = 0.1) -> Iterator[list[str]]:
    """Submit one more job at a time while the block lasts: an idle worker hides the faults that are looked for."""
    over, coming = threading.Event(), []

    def submit_more() -> None:
        while not over.wait(every):
            coming.extend(client.submit())

    thread = threading.Thread(target=submit_more, daemon=True)
    thread.start()
    try:
        yield coming
    finally:
        over.set()
        thread.join(PATIENCE_SECONDS)


@pytest.mark.parametrize("count", [20, pytest.param(200, marks=pytest.mark.long)])
def test_every_job_of_a_killed_process_goes_on_while_others_come(tmp_path: Path, count: int) -> None:
    with simulation(tmp_path, prompt_ms=60_000) as client:
        job_ids = client.submit(count)
        client.wait_until_claimed(job_ids[-1])
        client.server.kill()
    with simulation(tmp_path, prompt_ms=400) as client, other_jobs_coming(client) as others:
        for status in client.wait_until_ended(job_ids):
            types = client.event_types(status["jobId"])
            assert (types[-1], types.count("Succeeded"), types.count("ClaimExpired")) == ("Succeeded", 1, 1)
            assert status["lastEvent"]["retryAttempt"] <= 1
    assert others


@contextmanager
def frozen(server: Server) -> Iterator[None]:
    """Stop the process as a laptop that sleeps does, or a paused container."""
    server.process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        server.process.send_signal(signal.SIGCONT)


@contextmanager
def store_away(server: Server) -> Iterator[None]:
    """Hold a transaction open: nobody else can write to the SQLite file."""
    with closing(sqlite3.connect(server.folder / "data" / FILE_NAME, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        yield
        holder.execute("ROLLBACK")


@pytest.mark.parametrize("trouble", [frozen, store_away])
def test_a_worker_keeps_what_it_held_after_trouble_for_longer_than_a_lease(
    tmp_path: Path, trouble: Callable[[Server], AbstractContextManager[None]]
) -> None:
    with simulation(tmp_path, prompt_ms=3_000) as client:
        job_ids = client.submit(20)
        client.wait_until_claimed(job_ids[-1])
        with trouble(client.server):
            time.sleep(LONGER_THAN_A_LEASE)
        with other_jobs_coming(client) as others:
            client.wait_until_ended(job_ids)
            for job_id in job_ids:
                assert client.event_types(job_id) == ["Initialized", "Claimed", "Updated", "Updated", "Succeeded"]
        assert others
