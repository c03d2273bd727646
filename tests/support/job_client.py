"""A client of a server in another process: it submits jobs, and asks until they have ended."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from tests.support.process import PATIENCE_SECONDS, Server, poll_until

JOBS = "/v1/consumer/jobs"
TEMPLATE: Mapping[str, Any] = {
    "model": "urn:air:sd1:checkpoint:civitai:4384@128713",
    "params": {"prompt": "a fox", "width": 64, "height": 64},
}
PAUSE_SECONDS = 0.005


@dataclass(frozen=True, slots=True)
class JobClient:
    """Asks one server; the HTTP client may serve several, as each new one reads the certificates anew."""

    http: httpx.Client
    server: Server

    def submit(self, count: int = 1, *, templates: Sequence[Mapping[str, Any]] = ()) -> list[str]:
        """Return the ids of the jobs: of these templates or, without any, of `count` plain ones."""
        body = {"jobs": list(templates) or [TEMPLATE] * count}
        answer = self.http.post(f"{self.server.url}{JOBS}", json=body)
        assert answer.status_code == 202, answer.text
        return [job["jobId"] for job in answer.json()["jobs"]]

    def status(self, job_id: str) -> dict[str, Any]:
        status: dict[str, Any] = self.http.get(f"{self.server.url}{JOBS}/{job_id}").raise_for_status().json()
        return status

    def event_types(self, job_id: str) -> list[str]:
        """Return the types of a job's events, in order."""
        answer = self.http.get(f"{self.server.url}/v1/producer/jobs/{job_id}/events")
        return [event["type"] for event in answer.raise_for_status().json()]

    def wait_until_claimed(self, job_id: str) -> None:
        poll_until(lambda: self.status(job_id)["lastEvent"]["type"] != "Initialized")

    def wait_until_ended(self, job_ids: Sequence[str]) -> list[dict[str, Any]]:
        """Return the statuses of the jobs once all have ended, in the time that one wait may take."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        statuses = []
        for job_id in job_ids:
            while not (status := self.status(job_id))["lastEvent"]["jobHasCompleted"]:
                assert time.monotonic() < deadline, (status, self.server.log[-5000:])
                time.sleep(PAUSE_SECONDS)
            statuses.append(status)
        return statuses
