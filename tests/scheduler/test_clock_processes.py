"""Moved time with several processes on one SQLite file: one leads, and another takes over when that is killed."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.support.process import LOG_NAME, MOCK, PATIENCE_SECONDS, poll_until, running, start
from tests.support.served_app import JOBS, template

if TYPE_CHECKING:
    import subprocess

CLOCK, ADVANCE = "/_mock/clock", "/_mock/clock/advance"
NEW_YEAR, TEN_MINUTES_LATER = "2027-01-01T00:00:00.0000000Z", "2027-01-01T00:10:00.0000000Z"
ENVIRONMENT = {"SIMULATION_PROFILE": "realistic", "ADMIN": "open"}

pytestmark = [pytest.mark.slow, pytest.mark.long]


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """Is an API and schedulers, each a process, on one file; `client` asks the API."""

    client: httpx.Client
    schedulers: Sequence["subprocess.Popen[bytes]"]
    folders: Sequence[Path]

    def change(self, path: str, body: Mapping[str, Any], *, method: str = "PUT") -> Any:
        answer = self.client.request(method, path, json=body)
        assert answer.is_success, answer.text
        return answer.json()

    def submit(self, count: int) -> list[str]:
        return [self.client.post(JOBS, json=template()).json()["jobId"] for _ in range(count)]

    def events(self, job_id: str) -> Sequence[Mapping[str, Any]]:
        events: Sequence[Mapping[str, Any]] = self.client.get(f"/_mock/jobs/{job_id}").json()["events"]
        return events

    def leader(self) -> "subprocess.Popen[bytes]":
        """Return the scheduler that has worked on a job."""
        logs = [(folder / LOG_NAME).read_text("utf-8") for folder in self.folders]
        (leader,) = [process for process, log in zip(self.schedulers, logs, strict=True) if '"job done"' in log]
        return leader


@contextmanager
def open_cluster(folder: Path, *, schedulers: int) -> Iterator[Cluster]:
    names = [f"scheduler {number}" for number in range(schedulers)]
    for name in ("api", *names):
        (folder / name).mkdir()
    environment = {**ENVIRONMENT, "DATA_DIR": str(folder / "data")}
    with running(folder / "api", environment, command=[*MOCK, "api"]) as api:
        processes = [start(folder / name, environment, command=[*MOCK, "scheduler"]) for name in names]
        try:
            with httpx.Client(base_url=api.url, timeout=PATIENCE_SECONDS) as client:
                yield Cluster(client=client, schedulers=processes, folders=[folder / name for name in names])
        finally:
            for process in processes:
                process.kill()
                process.wait(PATIENCE_SECONDS)


def _prepare(cluster: Cluster, *, shortest: str) -> None:
    stages = {"SENT_TO_COMFY": {"min": shortest, "max": "10m"}}
    cluster.change("/_mock/progress", {"mode": "time", "stages": stages})
    cluster.change(CLOCK, {"mode": "frozen", "now": NEW_YEAR})


def _check(cluster: Cluster, job_ids: Sequence[str]) -> None:
    """Check that all jobs have succeeded in ten minutes of their time, which never went back for any of them."""
    for job_id in job_ids:
        events = cluster.events(job_id)
        dates = [event["dateTime"] for event in events]
        assert [event["type"] for event in events].count("Succeeded") == 1
        assert events[-1]["type"] == "Succeeded"
        assert dates == sorted(dates)
        assert NEW_YEAR <= dates[0] <= dates[-1] <= TEN_MINUTES_LATER


def test_one_of_two_schedulers_does_all_the_work_of_an_advance(tmp_path: Path) -> None:
    with open_cluster(tmp_path, schedulers=2) as cluster:
        _prepare(cluster, shortest="1s")
        job_ids = cluster.submit(60)
        clock = cluster.change(ADVANCE, {"by": "10m"}, method="POST")
        assert (clock["now"], clock["status"]) == (TEN_MINUTES_LATER, "ready")
        _check(cluster, job_ids)
        assert len({cluster.events(job_id)[-1]["workerId"] for job_id in job_ids}) == 1


def test_another_scheduler_carries_an_advance_on_when_the_leader_is_killed(tmp_path: Path) -> None:
    with open_cluster(tmp_path, schedulers=2) as cluster:
        _prepare(cluster, shortest="1s")
        job_ids = cluster.submit(400)
        with ThreadPoolExecutor(1) as pool:
            advancing = pool.submit(cluster.change, ADVANCE, {"by": "10m"}, method="POST")
            poll_until(lambda: any('"job done"' in (folder / LOG_NAME).read_text() for folder in cluster.folders))
            cluster.leader().kill()
            clock = advancing.result(PATIENCE_SECONDS)
        assert (clock["now"], clock["status"]) == (TEN_MINUTES_LATER, "ready")
        _check(cluster, job_ids)


def test_a_clock_stays_as_it_was_set_when_all_processes_begin_again(tmp_path: Path) -> None:
    for _ in range(2):
        with (
            running(tmp_path, ENVIRONMENT) as server,
            httpx.Client(base_url=server.url, timeout=PATIENCE_SECONDS) as client,
        ):
            if client.get(CLOCK).json()["mode"] == "real":
                assert client.put(CLOCK, json={"mode": "frozen", "now": NEW_YEAR}).is_success
            shown = client.get(CLOCK).json()
            assert (shown["mode"], shown["now"]) == ("frozen", NEW_YEAR)
            server.kill()
    with (
        running(tmp_path, ENVIRONMENT) as server,
        httpx.Client(base_url=server.url, timeout=PATIENCE_SECONDS) as client,
    ):
        assert client.post(ADVANCE, json={"by": "1m"}).json()["now"] == "2027-01-01T00:01:00.0000000Z"
