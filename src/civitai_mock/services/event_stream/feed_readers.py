"""Readers of the feed: they tell what happens to all jobs of a namespace, or of all namespaces."""

import time
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from datetime import datetime

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import NamespaceResetError
from civitai_mock.domain.events import JobEvent
from civitai_mock.domain.job import Job
from civitai_mock.domain.namespace_events import LoggedEvent
from civitai_mock.domain.search import FeedEntry
from civitai_mock.ports import EventFeed, JobStore, NamespaceEventFeed, Progress
from civitai_mock.services.event_stream.cursors import FeedCursor
from civitai_mock.services.event_stream.messages import MessageType, StreamMessage, StreamWords
from civitai_mock.services.event_stream.namespace_log import NamespaceLog
from civitai_mock.services.event_stream.reader import MOST_MESSAGES, Batch, End, EventReader, ReaderHost

PAGE = 20  # entries
MOST_TOLD = 10_000
MOST_IN_CURSOR = 8
MOST_PASSING = 100
AWAY_SECONDS = 1.0  # who takes longer for what it was given does not read


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedScope:
    """Says of which jobs a reader hears: those of one `epoch`, or of all (None), and of one `owner`, or everybody's.

    Of the messages, only those of the `types` are for it, if there are any.
    """

    epoch: int | None
    owner: str | None = None
    types: Collection[MessageType] = ()

    def wants(self, message: StreamMessage) -> bool:
        return not self.types or message.type in self.types


@dataclass(frozen=True, slots=True, kw_only=True)
class Tellable:
    """Is what is needed to tell of the jobs of an epoch."""

    jobs: JobStore
    words: StreamWords


FindEpoch = Callable[[int], Awaitable[Tellable | None]]


class FeedReader(EventReader):
    """Reads the feed of the store by itself, from a cursor or from now on, as fast as it is read itself.

    A job is told of from its first event on that the reader does not know.
    """

    def __init__(
        self,
        host: ReaderHost,
        scope: FeedScope,
        *,
        feed: EventFeed,
        namespace_feed: NamespaceEventFeed,
        start: FeedCursor | None,
        is_too_old: bool,
        find_epoch: FindEpoch,
        words: StreamWords,
    ) -> None:
        """Begin at `start`, or now if there is none, or if it `is_too_old`: the reader is told that."""
        super().__init__(host)
        self._scope = scope
        self._feed = feed
        self._find_epoch = find_epoch
        self._words = words
        # What is of an epoch that is over is left out, unless that is the only one.
        self._passed_over = (NamespaceResetError,) if scope.epoch is None else ()
        self._misses = is_too_old
        known = None if is_too_old else start
        self._position = known.position if known else ""
        self._settled = self._position  # from where whoever comes back goes on
        self._log = NamespaceLog(namespace_feed, known.logged if known else 0)
        told = known.told if known else {}
        self._told: OrderedDict[str, int] = OrderedDict(told)
        self._unfinished = dict.fromkeys(told)
        self._pending: list[StreamMessage] = []  # of the page that is being read
        self._passing: deque[StreamMessage] = deque(maxlen=MOST_PASSING)
        self._given_at: float | None = None

    def on_progress(self, job: Job, found: Progress, at: datetime) -> None:
        """Take notice of how far a job is; who does not read is told the newest."""
        message = self._words.progress(job, found, at)
        if self._scope.owner in {None, job.issued_by} and self._scope.wants(message):
            self._passing.append(message)
            self.ring()

    def pass_on(self, kind: MessageType, at: datetime, members: Mapping[str, object]) -> None:
        """Take notice of something about the namespace that is not stored; who does not read is told the newest."""
        message = self._words.message(kind, at=at, **members)
        if self._scope.wants(message):
            self._passing.append(message)
            self.ring()

    async def begin(self) -> None:
        if not self._position:
            await self._log.begin()
            self._position = self._settled = await self._feed.last_position()

    async def _ready(self) -> Batch | None:
        if self._misses:
            self._misses = False
            return Batch([self._words.resync()])
        given_at, self._given_at = self._given_at, None
        is_late = given_at is not None and time.monotonic() - given_at > AWAY_SECONDS
        if is_late and not (await self._feed.after(self._position, limit=MOST_MESSAGES)).is_last:
            return Batch([self._words.resync()], End.OVERRUN)
        is_last = False
        while not is_last:
            await self._log.settle()
            page = await self._feed.after(self._position, limit=PAGE)
            for entry in page.entries:
                reached = min(entry.position, page.settled)
                await self._of_entry(entry, reached)
                self._settled = reached
            while page.is_last and (logged := self._log.next_settled()) is not None:
                await self._of_namespace(logged)
            messages, self._pending = self._pending, []
            self._position, is_last = page.position, page.is_last and not self._log.has_left
            self._settled = min(page.position, page.settled)
            wanted = [message for message in messages if self._scope.wants(message)]
            if wanted:
                *first, last = wanted
                self._given_at = time.monotonic()
                return Batch([*first, last.without_cursor().at(self._cursor())])
        passing = tuple(self._passing)
        self._passing.clear()
        return Batch(passing) if passing else None

    async def _of_entry(self, entry: FeedEntry, reached: str) -> None:
        """Tell what an entry has for this reader: the events up to its own, and what was before them.

        With its last message this has `reached` a position.
        """
        if entry.seq <= self._told.get(_key(entry), -1):
            return
        found = await self._find_tellable(entry.epoch)
        if found is None:
            return
        with suppress(*self._passed_over):
            job = await found.jobs.get(entry.job_id)
            if job is None or self._scope.owner not in {None, job.issued_by}:
                return
            for event in await self._new_events(found.jobs, job, entry):
                while (logged := await self._log.next_before(event.at, entry.position)) is not None:
                    await self._of_namespace(logged)
                *first, last = found.words.told(job, event)
                self._pending += [message.at(self._cursor()) for message in first]
                self._note(_key(entry), event)
                if event.seq == entry.seq:
                    self._settled = reached
                self._pending.append(last.at(self._cursor()))

    async def _of_namespace(self, logged: LoggedEvent) -> None:
        """Tell the next event of the log, with those of its jobs that this reader may know of."""
        found, job_ids, owner = await self._find_tellable(logged.epoch), logged.event.job_ids, self._scope.owner
        if found is not None and owner is not None and job_ids:
            job_ids = [job.id for job in await found.jobs.get_many(job_ids) if job.issued_by == owner]
        self._log.hand_out()
        if found is not None:
            self._pending.append(found.words.of_namespace(logged.event, job_ids).at(self._cursor()))

    async def _find_tellable(self, epoch: int) -> Tellable | None:
        return await self._find_epoch(epoch) if self._scope.epoch in {None, epoch} else None

    def _note(self, key: str, event: JobEvent) -> None:
        """Note that the reader knows an event with the next message."""
        self._told[key] = event.seq
        self._told.move_to_end(key)
        self._unfinished.pop(key, None)
        if not event.job_has_completed:
            self._unfinished[key] = None
        if len(self._told) > MOST_TOLD:
            self._unfinished.pop(self._told.popitem(last=False)[0], None)

    async def _new_events(self, jobs: JobStore, job: Job, entry: FeedEntry) -> Sequence[JobEvent]:
        """Return the events of a job that its reader does not know yet."""
        told = self._told.get(_key(entry), -1)
        events = [job.last_event] if job.seq == entry.seq == told + 1 else await jobs.events(job.id)
        return [event for event in events if told < event.seq <= entry.seq]

    def _cursor(self) -> str:
        recent = list(self._unfinished)[-MOST_IN_CURSOR:]
        return FeedCursor(
            epoch=self._scope.epoch,
            at=int(self._words.now().timestamp()),
            position=self._settled,
            logged=self._log.position,
            told={key: self._told[key] for key in recent},
        ).encoded()


def _key(entry: FeedEntry) -> str:
    """Return what tells a job from that of the same id in another namespace."""
    return f"{entry.epoch}/{entry.job_id}"
