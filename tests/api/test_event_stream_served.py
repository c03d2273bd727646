"""The stream of events of real processes: they are killed, and who listened comes back to the next one."""

from pathlib import Path

import httpx
import pytest

from tests.support.listener import Told, parse
from tests.support.process import Server, running, short_leases
from tests.support.served_app import JOBS, template

MANY, KILLS = 500, 2
SETTINGS = {**short_leases(lease_ms=1000, prompt_ms=20), "SCHEDULER_MAX_IN_FLIGHT": "20"}


def listen(server: Server, *, most: int, ended: set[object], cursor: str | None) -> list[Told]:
    """Return what is told until so many messages came, or all jobs have ended."""
    told: list[Told] = []
    text, has_begun = "", False
    headers = {"Last-Event-ID": cursor} if cursor else {}
    with httpx.stream("GET", f"{server.url}/v1/consumer/events", headers=headers, timeout=60) as answer:
        for part in answer.iter_text():
            if not has_begun and cursor is None:  # whoever has the first part is told all that comes now
                jobs = {"jobs": [template() for _ in range(MANY)]}
                httpx.post(server.url + JOBS, json=jobs, timeout=60).raise_for_status()
            has_begun = True
            whole, _, text = (text + part).rpartition("\n\n")
            new = parse(whole)
            told += new
            ended |= {message.data["jobId"] for message in new if message.type == "generation_complete"}
            if len(told) >= most or len(ended) == MANY:
                break
    return told


@pytest.mark.long
def test_a_server_is_killed_twice_and_who_listens_misses_nothing_of_500_jobs(tmp_path: Path) -> None:
    told: list[Told] = []
    ended: set[object] = set()
    for kills in range(KILLS + 1):
        with running(tmp_path, SETTINGS) as server:
            cursor = next((message.id for message in reversed(told) if message.id), None)
            told += listen(server, most=700 if kills < KILLS else 100 * MANY, ended=ended, cursor=cursor)
            if kills < KILLS:
                server.kill()
                continue
            found = [httpx.get(f"{server.url}/v1/producer/jobs/{job_id}/events", timeout=60).json() for job_id in ended]
    assert len(ended) == MANY
    for events in found:
        mine = [message for message in told if message.data.get("jobId") == events[0]["jobId"]]
        by_seq = {message.seq: message.data["event"] for message in mine if message.type == "job"}
        assert list(by_seq) == list(range(len(events)))
        assert list(by_seq.values()) == events
