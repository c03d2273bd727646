"""Ask for every job in the end: one final event each, its images, its taint and its webhooks."""

import asyncio
import hashlib
import io
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from PIL import Image

from tests.bench.soak.client import SoakClient
from tests.bench.soak.ledger import PROPERTY, Answer, Ledger, Order, Submission
from tests.bench.soak.receiver import WebhookReceiver
from tests.bench.soak.visits import JOBS, download

END_SECONDS = 120.0
POLL_SECONDS = 0.3
AT_ONCE = 8
SUCCEEDED, DELETED = "Succeeded", "Deleted"
FOUND_BY_PROPERTY = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A job that the server has, with what was ordered."""

    job_id: str
    order: Order
    submission: Submission


@dataclass(kw_only=True)
class JobChecks:
    """`counts` says what was looked at; faults go into the ledger."""

    client: SoakClient
    ledger: Ledger
    receiver: WebhookReceiver
    end_seconds: float = END_SECONDS  # for a job to end, and for its last webhook to arrive
    counts: Counter[str] = field(default_factory=Counter)

    async def run(self) -> None:
        stored = await self._match(await self._listed())
        await self._find_lost(stored)
        limit = asyncio.Semaphore(AT_ONCE)

        async def check(each: Stored) -> None:
            async with limit:
                await self._check(each)

        await asyncio.gather(*(check(each) for each in stored))

    async def _listed(self) -> Mapping[str, Sequence[str]]:
        """Return the ids of all jobs that the server has, by the number of their order."""
        found: dict[str, list[str]] = {}
        async for job in self._pages():
            found.setdefault(job["properties"][PROPERTY], []).append(job["jobId"])
        return found

    async def _pages(self) -> AsyncIterator[Mapping[str, Any]]:
        cursor: str | None = None
        while True:
            body = {"cursor": cursor} if cursor else {}
            page = (await self.client.repeat("POST", f"{JOBS}/query", json=body)).raise_for_status().json()
            for job in page["jobs"]:
                yield job
            if (cursor := page.get("cursor")) is None:
                return

    async def _match(self, listed: Mapping[str, Sequence[str]]) -> Sequence[Stored]:
        """Compare what the server has with what the client knows; return the jobs that are there."""
        stored = list[Stored]()
        for submission in self.ledger.submissions:
            ids = [listed.get(str(order.number), ()) for order in submission.orders]
            self.counts[f"submissions: {submission.answer}"] += 1
            self._match_one(submission, ids)
            stored += [
                Stored(job_id=job_id, order=order, submission=submission)
                for order, found in zip(submission.orders, ids, strict=True)
                for job_id in found[:1]
            ]
        known = {str(order.number) for _, order in self.ledger.orders()}
        self._expect(known.issuperset(listed), f"jobs that nobody ordered: {sorted(set(listed) - known)[:5]}")
        self.counts["jobs that the server has"] = len(stored)
        return stored

    def _match_one(self, submission: Submission, ids: Sequence[Sequence[str]]) -> None:
        number, present = submission.orders[0].number, [found for found in ids if found]
        self._expect(all(len(found) <= 1 for found in ids), f"order {number} became several jobs: {ids}")
        self._expect(
            len(present) in (0, len(ids)),
            f"of submission {number} ({submission.answer}) only some jobs are there: {ids}",
        )
        if submission.answer is Answer.ACCEPTED:
            there = [found[0] for found in present]
            self._expect(there == list(submission.job_ids), f"submission {number} was accepted, but has jobs {there}")
        elif present:
            self.counts[f"carried out all the same: {submission.answer}"] += 1

    async def _find_lost(self, stored: Sequence[Stored]) -> None:
        """Find some of the jobs whose answer was lost as their client would."""
        lost = [each for each in stored if each.submission.answer is Answer.LOST]
        for each in lost[:FOUND_BY_PROPERTY]:
            body = {"properties": {PROPERTY: str(each.order.number)}}
            page = (await self.client.repeat("POST", f"{JOBS}/query", json=body)).raise_for_status().json()
            found = [job["jobId"] for job in page["jobs"]]
            self._expect(found == [each.job_id], f"order {each.order.number} is {each.job_id}, but found as {found}")

    async def _check(self, each: Stored) -> None:
        status = await self._ended(each)
        if status is None:
            return
        events = await self.client.get_json(f"/v1/producer/jobs/{each.job_id}/events", params={"take": 1000})
        self._check_events(each, status, events)
        if status["lastEvent"]["type"] == SUCCEEDED:
            await self._check_images(each, status)
        if each.submission.taint is not None and each.job_id == each.submission.job_ids[0]:
            taint = status["job"].get("taint", {}).get("reason")
            self._expect(taint == each.submission.taint, f"job {each.job_id} has taint {taint!r}")
            self.counts["taints"] += 1
        if each.submission.has_callback:
            await self._check_webhooks(each, events)

    async def _ended(self, each: Stored) -> Mapping[str, Any] | None:
        deadline = time.monotonic() + self.end_seconds
        while time.monotonic() < deadline:
            path = f"{JOBS}/{each.job_id}"
            status: Mapping[str, Any] = await self.client.get_json(path, params={"detailed": "true"})
            if status["lastEvent"]["jobHasCompleted"]:
                return status
            await asyncio.sleep(POLL_SECONDS)
        self.ledger.fault(f"job {each.job_id} did not end within {self.end_seconds:g} s: {status['lastEvent']}")
        return None

    def _check_events(self, each: Stored, status: Mapping[str, Any], events: Sequence[Mapping[str, Any]]) -> None:
        types = [event["type"] for event in events]
        final = [event for event in events if event["jobHasCompleted"]]
        about = f"job {each.job_id} (order {each.order.number}): {types}"
        self._expect(len(final) == 1 and final[0] == events[-1], f"not exactly one final event, at the end: {about}")
        self._expect(types[0] == "Initialized", f"it does not begin as Initialized: {about}")
        self._expect(status["lastEvent"] == events[-1], f"its status shows another last event: {about}")
        allowed = {SUCCEEDED, DELETED} if each.submission.cancel_asked else {SUCCEEDED}
        self._expect(types[-1] in allowed, f"it ended as {types[-1]}: {about} {events[-1]['context']}")
        self.counts[f"jobs: {types[-1]}"] += 1
        self.counts["claims that expired"] += types.count("ClaimExpired")

    async def _check_images(self, each: Stored, status: Mapping[str, Any]) -> None:
        result = status["result"]
        about = f"job {each.job_id}"
        self._expect(len(result) == each.order.quantity, f"{about} has {len(result)} images")
        for image in result:
            if not image["available"]:
                self.ledger.fault(f"{about} has succeeded, but the image {image['blobKey']} is not available")
                continue
            whole = await download(self.client, image["blobUrl"], in_parts=False)
            again = await download(self.client, image["blobUrl"], in_parts=True)
            self._expect(whole == again, f"{about}: a whole download and one in parts differ")
            before = each.submission.digests.get(image["blobKey"])
            digest = hashlib.sha256(whole).hexdigest()
            self._expect(before in (None, digest), f"{about}: the image {image['blobKey']} has changed")
            self._check_content(each, whole)
            self.counts["images"] += 1

    def _check_content(self, each: Stored, content: bytes) -> None:
        order = each.order
        try:
            with Image.open(io.BytesIO(content)) as image:
                image.load()
                size, graph = image.size, json.loads(str(image.info["prompt"]))
        except (OSError, SyntaxError, ValueError, KeyError) as error:
            self.ledger.fault(f"job {each.job_id}: an image of {len(content)} bytes cannot be decoded: {error!r}")
            return
        found = {value for node in graph.values() for value in node["inputs"].values() if isinstance(value, str | int)}
        self._expect(size == (order.width, order.height), f"job {each.job_id}: an image of {size} for {order}")
        self._expect({order.prompt, order.seed} <= found, f"job {each.job_id}: another image for {order}: {found}")

    async def _check_webhooks(self, each: Stored, events: Sequence[Mapping[str, Any]]) -> None:
        expected, deadline = list(range(len(events))), time.monotonic() + self.end_seconds
        while (found := self.receiver.seqs.get(each.job_id, [])) != expected and time.monotonic() < deadline:
            await asyncio.sleep(POLL_SECONDS)
        self._expect(found == expected, f"job {each.job_id} has {len(events)} events, its receiver knows {found}")
        last = self.receiver.last_types.get(each.job_id)
        self._expect(last == events[-1]["type"], f"the receiver of job {each.job_id} heard {last} last")
        self.counts["jobs whose receiver knows all"] += 1

    def _expect(self, is_true: bool, fault: str) -> None:
        if not is_true:
            self.ledger.fault(fault)
