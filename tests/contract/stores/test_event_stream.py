"""Streams over each store: who is cut off again and again, and comes back, has been told of every event in the end."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from random import Random

import orjson

from civitai_mock.clock import VirtualClock
from civitai_mock.domain.events import JobEvent
from civitai_mock.domain.job import Job
from civitai_mock.domain.json_types import JsonObject
from civitai_mock.domain.namespaces import FIRST_EPOCH
from civitai_mock.domain.stages import Outcome, Stage
from civitai_mock.ports import Stores
from civitai_mock.services.event_bus import EventBus
from civitai_mock.services.event_feed import FollowEvents
from civitai_mock.services.event_stream.costs import CostSource
from civitai_mock.services.event_stream.feed_readers import FeedScope
from civitai_mock.services.event_stream.messages import MessageType, StreamWords
from civitai_mock.services.event_stream.reader import EventReader
from civitai_mock.services.event_stream.streams import After, EventStreams, StreamSources
from civitai_mock.services.queue_position import GetQueuePositions
from tests.support.dates import START
from tests.support.jobs import LEASE, add_jobs, make_claim
from tests.support.scripted_provider import ScriptedProvider

JOBS, CHANGES = 20, 6
CUTS, ON_A_SERVER = 100, 30  # as each takes 30 ms there
PATIENCE_SECONDS = 60


def render(_: Job, event: JobEvent) -> bytes:
    return orjson.dumps({"seq": event.seq})


WORDS = StreamWords(render=render, url_of=lambda slot: slot.blob_key, now=lambda: START)


async def no_costs() -> JsonObject:
    return {}


def open_streams(stores: Stores, bus: EventBus, clock: VirtualClock) -> EventStreams:
    """Open the streams of a process; another one has nothing of what this knows."""
    event_feed = FollowEvents(feed=stores.feed, namespace_feed=stores.namespace_feed, clock=clock)
    event_feed.add(FIRST_EPOCH, bus)
    return EventStreams(
        StreamSources(
            epoch=FIRST_EPOCH,
            jobs=stores.jobs,
            feed=stores.feed,
            namespace_events=stores.namespace_events,
            namespace_feed=stores.namespace_feed,
            event_bus=bus,
            event_feed=event_feed,
            clock=clock,
            system_clock=clock,
            provider=ScriptedProvider(),
            get_positions=GetQueuePositions(queue=stores.queue, clock=clock, system_clock=clock),
            render=render,
            costs=CostSource(is_fleet=lambda: False, read=no_costs),
            kept=timedelta(days=1),
        )
    )


async def change_all(stores: Stores, bus: EventBus, jobs: Sequence[Job], random: Random) -> None:
    """Change the jobs in any order, each to its end."""
    left = {job.id: (job, CHANGES) for job in jobs}
    while left:
        job, changes = left.pop(random.choice(list(left)))
        if changes == CHANGES:
            after = job.entered(Stage.CLAIMED, at=START, until=START + LEASE, context={})
        elif changes:
            after = job.progressed(at=START, context={"left": changes}, slots=job.slots)
        else:
            after = job.ended(Outcome.FAILED, at=START, context={})
        assert await stores.jobs.replace(job, after)
        bus.publish_changes([after])
        if changes:
            left[job.id] = (after, changes - 1)
        await asyncio.sleep(0)


class CutOff:
    """Listens, is cut off within what it is sent, and comes back with the last cursor that it was sent."""

    def __init__(self, random: Random, cuts: int) -> None:
        self.seqs: dict[str, list[int]] = {}
        self.ended: set[str] = set()
        self.cuts = cuts
        self._random = random
        self._cursor: str | None = None

    @property
    def after(self) -> After | None:
        return None if self._cursor is None else After("after", self._cursor)

    async def listen(self, reader: EventReader) -> None:
        """Return when this is cut off, or has heard the end of all jobs."""
        try:
            await reader.begin()
            while len(self.ended) < JOBS:
                messages = (await reader.next()).messages
                is_cut = self.cuts > 0 and self._random.random() < 0.7
                for message in messages[: self._random.randrange(len(messages) + 1) if is_cut else None]:
                    self._hear(message.type, orjson.loads(message.data))
                if is_cut:
                    self.cuts -= 1
                    return
        finally:
            reader.close()

    def _hear(self, kind: MessageType, data: dict[str, object]) -> None:
        self._cursor = str(data["cursor"]) if "cursor" in data else self._cursor
        job_id = str(data["jobId"])
        if kind is MessageType.JOB:
            self.seqs.setdefault(job_id, []).append(int(str(data["seq"])))
        elif kind is MessageType.GENERATION_FAILED:
            self.ended.add(job_id)


async def test_who_is_cut_off_again_and_again_has_been_told_all_in_the_end(stores: Stores, clock: VirtualClock) -> None:
    random, bus = Random(7), EventBus()
    peer = CutOff(random, ON_A_SERVER if "MongoDB" in stores.health.description else CUTS)
    streams = open_streams(stores, bus, clock)
    reader = streams.follow_namespace(FeedScope(epoch=FIRST_EPOCH), words=WORDS, after=None)
    await reader.begin()
    await add_jobs(stores.jobs, JOBS)
    jobs = await stores.queue.claim(make_claim(), limit=JOBS)
    changing = asyncio.create_task(change_all(stores, bus, jobs, random))
    async with asyncio.timeout(PATIENCE_SECONDS):
        while len(peer.ended) < JOBS:
            await peer.listen(reader)
            if peer.cuts % 10 == 0:  # now and then by a process that knows nothing
                streams = open_streams(stores, bus, clock)
            reader = streams.follow_namespace(FeedScope(epoch=FIRST_EPOCH), words=WORDS, after=peer.after)
        reader.close()
        await changing
    assert {tuple(dict.fromkeys(seqs)) for seqs in peer.seqs.values()} == {tuple(range(CHANGES + 2))}
    assert len(peer.seqs) == JOBS
