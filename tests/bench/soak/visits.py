"""Steady load: visits that submit jobs, wait for them, look at them, download images, cancel and taint."""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import httpx

from tests.bench.soak.client import SoakClient, UnansweredError
from tests.bench.soak.ledger import Answer, Ledger, Submission

JOBS = "/v1/consumer/jobs"
MOST_VISITS = 200
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 3.0  # of a client that waits for a job; it grows by half each time
SHARE_OF_CALLBACKS, SHARE_OF_WAITS, SHARE_OF_CANCELS, SHARE_OF_TAINTS = 0.3, 0.3, 0.1, 0.1
READS = (
    "/v1/consumer/requests?take=5",
    "/health",
    "/openapi.json",
    "/v1/consumer/consumption",
    "/docs",
    "/v2/resources/urn:air:sd1:checkpoint:civitai:4384@128713",
)


@dataclass(kw_only=True)
class Visits:
    """Sends `rate` visits a second, in a steady stream; one that finds too many under way does not begin."""

    client: SoakClient
    ledger: Ledger
    callback_url: str
    rate: float
    rng: Random

    async def run(self, seconds: float) -> None:
        """Begin visits for so long, and wait until all are over."""
        loop = asyncio.get_running_loop()
        ends_at, under_way = loop.time() + seconds, set[asyncio.Task[None]]()
        while loop.time() < ends_at:
            await asyncio.sleep(self.rng.expovariate(self.rate))
            if len(under_way) >= MOST_VISITS:
                self.ledger.counts["visits not begun: too many under way"] += 1
                continue
            task = asyncio.create_task(self._visit(Random(self.rng.random())))
            under_way.add(task)
            task.add_done_callback(under_way.discard)
        if under_way:
            await asyncio.wait(under_way)

    async def _visit(self, rng: Random) -> None:
        try:
            if rng.random() < 0.1:
                await self.client.repeat("GET", rng.choice(READS))
            else:
                await self._order(rng)
        except UnansweredError as error:
            self.ledger.fault(str(error))
        except Exception as error:  # noqa: BLE001 - whatever it is, the soak goes on, and it is told at the end
            self.ledger.fault(f"a visit broke off: {error!r}")

    async def _order(self, rng: Random) -> None:
        submission = self.ledger.order(has_callback=rng.random() < SHARE_OF_CALLBACKS)
        waits = rng.random() < SHARE_OF_WAITS
        await self._submit(submission, waits=waits)
        if submission.answer is not Answer.ACCEPTED:
            return
        if rng.random() < SHARE_OF_CANCELS:
            await asyncio.sleep(rng.uniform(0, 0.4))
            submission.cancel_asked = True
            await self.client.repeat("DELETE", f"{JOBS}/{submission.job_ids[0]}")
        for job_id in submission.job_ids:
            status = await self._await_end(job_id)
            await self._download(submission, status["result"], rng)
        if rng.random() < SHARE_OF_TAINTS:
            await self._taint(submission)

    async def _submit(self, submission: Submission, *, waits: bool) -> None:
        callback_url = self.callback_url if submission.has_callback else None
        body = {"jobs": [order.template(callback_url) for order in submission.orders]}
        answer = await self.client.send("POST", JOBS, json=body, params={"wait": "true"} if waits else {})
        if answer is None:
            submission.answer = Answer.LOST
        elif answer.status_code == 503:
            submission.answer = Answer.REFUSED
        else:
            submission.job_ids = [job["jobId"] for job in answer.raise_for_status().json()["jobs"]]
            submission.answer = Answer.ACCEPTED

    async def _await_end(self, job_id: str) -> Mapping[str, Any]:
        pause = FIRST_PAUSE
        while True:
            status: Mapping[str, Any] = await self.client.get_json(f"{JOBS}/{job_id}")
            if status["lastEvent"]["jobHasCompleted"]:
                return status
            await asyncio.sleep(pause)
            pause = min(1.5 * pause, LONGEST_PAUSE)

    async def _download(self, submission: Submission, result: Sequence[Mapping[str, Any]], rng: Random) -> None:
        for image in result:
            if image["available"]:
                content = await download(self.client, image["blobUrl"], in_parts=rng.random() < 0.5)
                submission.digests[image["blobKey"]] = hashlib.sha256(content).hexdigest()

    async def _taint(self, submission: Submission) -> None:
        reason = f"taint of {submission.orders[0].number}"
        answer = await self.client.repeat("PUT", f"{JOBS}/{submission.job_ids[0]}", json={"reason": reason})
        answer.raise_for_status()
        submission.taint = reason


async def download(client: SoakClient, url: str, *, in_parts: bool) -> bytes:
    """Download an image, at once or its two halves by Range."""
    path = httpx.URL(url).raw_path.decode()
    if not in_parts:
        return (await client.repeat("GET", path)).raise_for_status().content
    head = (await client.repeat("GET", path, headers={"Range": "bytes=0-999"})).raise_for_status()
    size = int(head.headers["content-range"].rpartition("/")[2])
    if size <= len(head.content):
        return head.content
    condition = {"Range": f"bytes={len(head.content)}-", "If-Range": head.headers["etag"]}
    rest = (await client.repeat("GET", path, headers=condition)).raise_for_status()
    return head.content + rest.content if rest.status_code == 206 else rest.content
