"""Readers of single jobs: they tell all that happens to them, from the beginning or from a cursor, to their end."""

from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import TypeAlias

from civitai_mock.domain.events import JobEvent
from civitai_mock.domain.job import Job
from civitai_mock.domain.namespace_events import LoggedEvent
from civitai_mock.domain.stages import Stage
from civitai_mock.ports import JobStore, NamespaceEventStore, Progress, Timer
from civitai_mock.services.event_stream.cursors import JobsCursor
from civitai_mock.services.event_stream.messages import StreamMessage, StreamWords
from civitai_mock.services.event_stream.reader import MOST_BYTES, MOST_MESSAGES, Batch, End, EventReader, ReaderHost
from civitai_mock.services.queue_position import QueuePosition

QUEUE_SECONDS = 1.0

GetPositions: TypeAlias = Callable[[Sequence[Job]], Awaitable[Mapping[str, QueuePosition]]]


class JobReader(EventReader):
    """Tells of a few jobs.

    What this process does to them comes by the event bus, and waits until it is read, as long as there is room for it.
    Jobs of which it missed something are `_behind`: of these it reads in the store, and takes nothing else meanwhile.
    So it does with the events of the namespace that name its jobs, in their order (`_logged`), until it has told those.
    """

    def __init__(
        self,
        host: ReaderHost,
        start: JobsCursor,
        *,
        jobs: JobStore,
        namespace_events: NamespaceEventStore,
        words: StreamWords,
        get_positions: GetPositions,
        is_new_epoch: bool,
    ) -> None:
        """Begin at `start`; a reader that knew jobs of an earlier epoch is told that these are others."""
        super().__init__(host)
        self.job_ids = start.job_ids
        self._epoch = start.epoch
        self._jobs = jobs
        self._words = words
        self._told = dict(zip(start.job_ids, start.seqs, strict=True))
        self._heard: dict[str, int] = {}  # the last events of those that are behind
        self._behind = dict.fromkeys(start.job_ids)
        self._unfinished = set(start.job_ids)
        self._namespace_events = namespace_events
        self._known = start.logged
        self._logged: dict[int, LoggedEvent] = {}  # by position
        self._knows_logged = False
        self._queued: dict[str, Job] = {}
        self._places: dict[str, int] = {}
        self._get_positions = get_positions
        self._asking: Timer | None = None  # until it is asked again
        self._inbox: deque[StreamMessage] = deque()
        self._bytes = 0
        self._is_overrun = False
        if is_new_epoch:
            self._inbox.append(words.resync())

    async def begin(self) -> None:
        """Do nothing, as all is read from the beginning."""

    def on_progress(self, job: Job, found: Progress, at: datetime) -> None:
        """Take notice of how far one of the jobs is; who is behind with its events is not told."""
        if job.id not in self._behind:
            self._keep([self._words.progress(job, found, at)])

    def on_changed(self, job: Job) -> None:
        """Take notice of a new event of one of the jobs."""
        if job.id not in self._behind and job.seq == self._told[job.id] + 1:
            self._keep(self._tell(job, [job.last_event]))
        else:
            self.on_changed_elsewhere(job.id, job.seq)

    def on_namespace_event(self, logged: LoggedEvent) -> None:
        """Take notice of an event of the namespace that names one of the jobs."""
        if self._behind or self._logged or not self._knows_logged:
            self._logged[logged.position] = logged
            self.ring()
        elif logged.position > self._known:
            self._keep([self._of_namespace(logged)])

    def on_changed_elsewhere(self, job_id: str, seq: int) -> None:
        """Take notice that a job has events up to `seq`."""
        if seq > self._told[job_id]:
            self._heard[job_id] = max(seq, self._heard.get(job_id, -1))
            self._behind[job_id] = None
            self.ring()

    async def _ready(self) -> Batch | None:
        if self._is_overrun:
            return Batch([self._words.resync()], End.OVERRUN)
        if self._inbox:
            messages: Sequence[StreamMessage] = tuple(self._inbox)
            self._inbox.clear()
            self._bytes = 0
            return Batch(messages, self._end)
        if not self._knows_logged:
            earlier = await self._namespace_events.of_jobs(self.job_ids, after=self._known)
            self._logged |= {logged.position: logged for logged in earlier}
            self._knows_logged = True
        while self._behind:
            if messages := await self._catch_up(next(iter(self._behind))):
                return Batch(messages, self._end)
        if messages := self._logged_until(None):
            return Batch(messages, self._end)
        if self._end is not None:
            return Batch(end=self._end)
        moved = await self._moved_in_queue()
        return Batch(moved) if moved else None

    def close(self) -> None:
        super().close()
        if self._asking is not None:
            self._asking.cancel()

    def _ask_again(self) -> None:
        self._asking = None
        self.ring()

    async def _moved_in_queue(self) -> Sequence[StreamMessage]:
        """Return where jobs are in the queue that have another place than their reader knows, and look again later."""
        if not self._queued or self._asking is not None:
            return ()
        self._asking = self._host.system_clock.call_later(QUEUE_SECONDS, self._ask_again)
        queued = list(self._queued.values())
        positions = await self._get_positions(queued)
        places = {job.id: positions[job.id].preceding_jobs for job in queued if job.id in positions}
        moved = [job for job in queued if places.get(job.id) != self._places.get(job.id)]
        self._places = places
        return [self._words.queued(job, positions[job.id]) for job in moved if job.id in self._queued.keys() & places]

    @property
    def _end(self) -> End | None:
        return None if self._unfinished or self._behind or self._inbox or self._logged else End.TOLD

    async def _catch_up(self, job_id: str) -> Sequence[StreamMessage]:
        """Return what the reader does not know of a job, as it is stored; one that is gone has no more to tell."""
        self._heard.pop(job_id, None)
        job = await self._jobs.get(job_id)
        if job is None:
            self._behind.pop(job_id)
            self._unfinished.discard(job_id)
            return ()
        told = self._told[job_id]
        events = [job.last_event] if job.seq <= told + 1 else await self._jobs.events(job_id)
        # What came between the two questions is told with the job as it was then.
        if max(events[-1].seq, self._heard.get(job_id, -1)) <= job.seq:
            self._behind.pop(job_id)
        if job.outcome is not None:
            self._unfinished.discard(job_id)
        return self._tell(job, [event for event in events if told < event.seq <= job.seq])

    def _tell(self, job: Job, events: Sequence[JobEvent]) -> Sequence[StreamMessage]:
        """Return what is told of the next events of a job.

        Who comes back with the cursor of the first of several messages about one event gets all of them again.
        """
        messages: list[StreamMessage] = []
        self._queued.pop(job.id, None)
        if job.stage is Stage.QUEUED and job.outcome is None:
            self._queued[job.id] = job
        for event in events:
            messages += self._logged_until(event.at)
            *first, last = self._words.told(job, event)
            messages += [message.at(self._cursor()) for message in first]
            self._told[job.id] = event.seq
            messages.append(last.at(self._cursor()))
            if event.job_has_completed:
                self._unfinished.discard(job.id)
        return messages

    def _logged_until(self, at: datetime | None) -> Sequence[StreamMessage]:
        """Return what is told of the events of the namespace up to a time, or of all."""
        messages = list[StreamMessage]()
        for position in sorted(self._logged):
            if at is not None and self._logged[position].event.at > at:
                break
            logged = self._logged.pop(position)
            if position > self._known:
                messages.append(self._of_namespace(logged))
        return messages

    def _of_namespace(self, logged: LoggedEvent) -> StreamMessage:
        self._known = logged.position
        job_ids = [job_id for job_id in logged.event.job_ids or () if job_id in self._told]
        return self._words.of_namespace(logged.event, job_ids).at(self._cursor())

    def _keep(self, messages: Sequence[StreamMessage]) -> None:
        """Keep messages until they are read, unless there are too many already: then the stream ends."""
        self._bytes += sum(len(message.data) for message in messages)
        self._inbox.extend(messages)
        if len(self._inbox) > MOST_MESSAGES or self._bytes > MOST_BYTES:
            self._is_overrun = True
            self._inbox.clear()
            self.close()
        self.ring()

    def _cursor(self) -> str:
        return JobsCursor(
            epoch=self._epoch, job_ids=self.job_ids, seqs=[*self._told.values()], logged=self._known
        ).encoded()
