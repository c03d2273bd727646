"""The streams of one namespace: who reads which, and what wakes them."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import fault
from civitai_mock.domain.events import JobEvent
from civitai_mock.domain.job import Job
from civitai_mock.domain.json_types import JsonObject
from civitai_mock.domain.namespace_events import LoggedEvent
from civitai_mock.domain.search import FeedEntry
from civitai_mock.ports import Clock, EventFeed, JobStore, NamespaceEventFeed, NamespaceEventStore, Progress
from civitai_mock.services.event_bus import EventBus
from civitai_mock.services.event_feed import FollowEvents
from civitai_mock.services.event_stream.costs import CostSource, TellCosts
from civitai_mock.services.event_stream.cursors import (
    NOT_OURS,
    FeedCursor,
    JobsCursor,
    decode_feed_cursor,
    decode_jobs_cursor,
)
from civitai_mock.services.event_stream.faulty_readers import DeafReader
from civitai_mock.services.event_stream.feed_readers import FeedReader, FeedScope, FindEpoch, Tellable
from civitai_mock.services.event_stream.job_readers import GetPositions, JobReader
from civitai_mock.services.event_stream.messages import MessageType, StreamWords
from civitai_mock.services.event_stream.progress import TellProgress
from civitai_mock.services.event_stream.reader import EventReader, ReaderHost
from civitai_mock.services.running_progress import KnowsProgress

LATENCY = timedelta(milliseconds=500)  # of what other processes do


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamSources:
    """Is what streams of one epoch are read from; `render` words an event as a callback does."""

    epoch: int
    jobs: JobStore
    feed: EventFeed
    namespace_events: NamespaceEventStore
    namespace_feed: NamespaceEventFeed
    event_bus: EventBus
    event_feed: FollowEvents
    clock: Clock
    system_clock: Clock
    provider: KnowsProgress
    get_positions: GetPositions
    render: Callable[[Job, JobEvent], bytes]
    costs: CostSource
    kept: timedelta  # after which jobs, and so their events, may be gone


@dataclass(frozen=True, slots=True)
class After:
    """Is a cursor as it was sent, by `name`."""

    name: str
    cursor: str


class EventStreams:
    """Opens streams, and wakes their readers; without any it does nothing."""

    def __init__(self, sources: StreamSources) -> None:
        self._sources = sources
        self.epoch = sources.epoch
        self.render = sources.render
        self._host = ReaderHost(system_clock=sources.system_clock, has_begun=self._has_begun, forget=self._forget)
        self._readers: set[EventReader] = set()
        self._feed_readers: set[FeedReader] = set()
        self._by_job: dict[str, set[JobReader]] = {}
        self._is_stopped = self._is_begun = False
        self._progress = TellProgress(
            provider=sources.provider, clock=sources.clock, is_heard=self._is_heard, tell=self._tell_progress
        )
        self._costs = TellCosts(
            source=sources.costs,
            clock=sources.system_clock,
            is_heard=lambda: bool(self._feed_readers),
            tell=self._tell_costs,
        )
        sources.event_bus.subscribe_to_changes(self._on_changes)
        sources.event_bus.subscribe_to_changes_elsewhere(self._on_changes_elsewhere)
        sources.event_bus.subscribe_to_namespace_events(self._on_namespace_event)

    @property
    def count(self) -> int:
        return len(self._readers)

    def follow_jobs(self, jobs: Sequence[Job], *, words: StreamWords, after: After | None) -> JobReader | None:
        """Return a reader of these jobs; None if they have ended, and their reader knows that.

        Raise `InvalidRequestError` for a cursor that is not one of their stream.
        """
        sources, job_ids = self._sources, [job.id for job in jobs]
        start = JobsCursor(epoch=sources.epoch, job_ids=job_ids, seqs=[-1] * len(jobs), logged=0)
        is_new_epoch = False
        if after is not None:
            known = decode_jobs_cursor(after.cursor, name=after.name, job_ids=job_ids)
            is_new_epoch = known.epoch != sources.epoch
            start = start if is_new_epoch else known
        if any(seq > job.seq for seq, job in zip(start.seqs, jobs, strict=True)):
            raise fault(after.name if after else "after", NOT_OURS)
        if all(job.outcome is not None and job.seq == seq for seq, job in zip(start.seqs, jobs, strict=True)):
            return None
        reader = JobReader(
            self._host,
            start,
            jobs=sources.jobs,
            namespace_events=sources.namespace_events,
            words=words,
            get_positions=sources.get_positions,
            is_new_epoch=is_new_epoch,
        )
        for job_id in job_ids:
            self._by_job.setdefault(job_id, set()).add(reader)
        self._add(reader)
        for job in jobs:
            self._progress.follow(job)
        return reader

    def follow_namespace(
        self, scope: FeedScope, *, words: StreamWords, after: After | None, find_epoch: FindEpoch | None = None
    ) -> FeedReader:
        """Return a reader of what the scope says: of this namespace, unless `find_epoch` knows all of them.

        Raise `InvalidRequestError` for a cursor that is not one of such a stream.
        """
        sources, own = self._sources, self.tellable(words)

        async def find_own(_: int) -> Tellable:
            return own

        start = None
        if after is not None:
            start = decode_feed_cursor(after.cursor, name=after.name, is_of_all=scope.epoch is None)
        reader = FeedReader(
            self._host,
            scope,
            feed=sources.feed,
            namespace_feed=sources.namespace_feed,
            start=start,
            is_too_old=start is not None and self._is_too_old(start, scope, words.now()),
            find_epoch=find_epoch or find_own,
            words=words,
        )
        self._feed_readers.add(reader)
        self._add(reader)
        self.begin_costs()
        return reader

    def follow_nothing(self) -> DeafReader:
        """Return a reader that is told nothing, as a fault wants it."""
        reader = DeafReader(self._host)
        self._add(reader)
        return reader

    def tellable(self, words: StreamWords) -> Tellable:
        return Tellable(jobs=self._sources.jobs, words=words)

    def tell_passing(self, kind: MessageType, *, at: datetime, **members: object) -> None:
        """Tell something about the namespace that is not stored to who follows all of it in this process."""
        for reader in self._feed_readers:
            reader.pass_on(kind, at, members)

    def begin_costs(self) -> None:
        """Tell what a fleet costs, as there is a reader, or a fleet, since now."""
        if not self._is_stopped:
            self._costs.begin()

    def stop(self) -> None:
        """End all streams now, and those that begin later at once."""
        self._is_stopped = True
        self._costs.stop()
        for reader in self._readers:
            reader.stop()

    def _is_too_old(self, start: FeedCursor, scope: FeedScope, now: datetime) -> bool:
        """Return whether what came after a cursor may be gone: with its epoch, or by the clock of its namespace."""
        return start.epoch != scope.epoch or start.at < (now - self._sources.kept).timestamp()

    def _add(self, reader: EventReader) -> None:
        self._readers.add(reader)
        if len(self._readers) == 1:
            self._sources.event_feed.add_waker(self._on_news)
            self._sources.event_feed.follow(self, every=LATENCY)
        if self._is_stopped:
            reader.stop()

    def _forget(self, reader: EventReader) -> None:
        if reader not in self._readers:
            return
        self._readers.discard(reader)
        if isinstance(reader, JobReader):
            for job_id in reader.job_ids:
                others = self._by_job[job_id]
                others.discard(reader)
                if not others:
                    del self._by_job[job_id]
        elif isinstance(reader, FeedReader):
            self._feed_readers.discard(reader)
            if not self._feed_readers:
                self._costs.stop()
        if not self._readers:
            self._sources.event_feed.remove_waker(self._on_news)
            self._sources.event_feed.unfollow(self)
            self._is_begun = False
            self._progress.stop()

    def _on_changes(self, jobs: Sequence[Job]) -> None:
        for job in jobs if self._readers else ():
            self._progress.on_changed(job)  # first, as the last step comes before the end
            for reader in tuple(self._by_job.get(job.id, ())):
                reader.on_changed(job)

    def _is_heard(self, job: Job) -> bool:
        return bool(self._feed_readers) or job.id in self._by_job

    def _tell_progress(self, job: Job, found: Progress, at: datetime) -> None:
        for reader in (*self._by_job.get(job.id, ()), *self._feed_readers):
            reader.on_progress(job, found, at)

    def _tell_costs(self, costs: JsonObject) -> None:
        self.tell_passing(MessageType.COST, at=self._sources.clock.now(), **costs)

    def _on_changes_elsewhere(self, entries: Sequence[FeedEntry]) -> None:
        for entry in entries if self._by_job else ():
            for reader in tuple(self._by_job.get(entry.job_id, ())):
                reader.on_changed_elsewhere(entry.job_id, entry.seq)

    def _on_namespace_event(self, logged: LoggedEvent) -> None:
        heard = [self._by_job[job_id] for job_id in logged.event.job_ids or () if job_id in self._by_job]
        for reader in set[JobReader]().union(*heard):
            reader.on_namespace_event(logged)

    def _has_begun(self) -> bool:
        return self._sources.event_feed.has_begun and self._sources.event_feed.namespace_events.has_begun

    def _on_news(self) -> None:
        """Wake who reads the feed, and all when it is heard for the first time what others do."""
        readers = self._feed_readers if self._is_begun else self._readers
        self._is_begun = True
        for reader in readers:
            reader.ring()
