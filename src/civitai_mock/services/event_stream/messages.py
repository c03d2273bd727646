"""The messages of a stream of events, as JSON."""

from collections.abc import Callable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

import orjson

from civitai_mock.domain.blob import Slot
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.dotnet import format_date
from civitai_mock.domain.events import JobEvent
from civitai_mock.domain.job import Job
from civitai_mock.domain.json_types import as_text
from civitai_mock.domain.namespace_events import NamespaceEvent
from civitai_mock.domain.stages import JobEventType
from civitai_mock.ports import Progress
from civitai_mock.services.queue_position import QueuePosition


class MessageType(StrEnum):
    """Names what a message tells."""

    JOB = "job"
    QUEUE_POSITION = "queue_position"
    GENERATION_PROGRESS = "generation_progress"
    GENERATION_COMPLETE = "generation_complete"
    GENERATION_FAILED = "generation_failed"
    POD_BOOTING = "pod_booting"
    POD_READY = "pod_ready"
    POD_IDLE = "pod_idle"
    POD_SHUTDOWN = "pod_shutdown"
    POD_PREEMPTION_WARNING = "pod_preemption_warning"
    FALLBACK_ACTIVATED = "fallback_activated"
    COST = "cost"
    RESYNC = "resync"


class StreamMessage(NamedTuple):
    """Is one message: `data` is its JSON; who comes back with its `cursor`, if it has one, goes on behind it."""

    type: MessageType
    data: bytes
    cursor: str | None = None

    def at(self, cursor: str) -> "StreamMessage":
        """Return the message with a cursor, which is in its JSON as well: a WebSocket has no other place for it."""
        return StreamMessage(self.type, b'%s,"cursor":"%s"}' % (self.data[:-1], cursor.encode()), cursor)

    def without_cursor(self) -> "StreamMessage":
        """Return the same, for who is not to go on behind it."""
        data, _, _ = self.data.rpartition(b',"cursor":"')
        return StreamMessage(self.type, data + b"}")


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamWords:
    """Words what happens to the jobs of one namespace for one reader.

    `render` words an event as a callback does, and `url_of` makes a link to a file that the reader can follow. Only
    where a reader hears of several namespaces a message says of which it is.
    """

    render: Callable[[Job, JobEvent], bytes]
    url_of: Callable[[Slot], str]
    now: Callable[[], datetime]
    namespace: str | None = None

    def told(self, job: Job, event: JobEvent) -> Sequence[StreamMessage]:
        """Return what is told of an event: the event, and if that ends the job, what has become of it."""
        rendered = orjson.Fragment(self.render(job, event))
        told = self.message(MessageType.JOB, at=event.at, jobId=job.id, seq=event.seq, event=rendered)
        if not event.job_has_completed:
            return (told,)
        return (told, self._complete(job, event) if event.type is JobEventType.SUCCEEDED else self._failed(job, event))

    def queued(self, job: Job, position: QueuePosition) -> StreamMessage:
        """Return what is told of a place in the queue, in which 1 is the next."""
        return self.message(
            MessageType.QUEUE_POSITION,
            at=self.now(),
            jobId=job.id,
            position=position.preceding_jobs + 1,
            estimatedStartDate=format_date(position.estimated_start_at),
        )

    def progress(self, job: Job, found: Progress, at: datetime) -> StreamMessage:
        """Return what is told of a job that runs; its pictures come to their end one after the other."""
        total = max(len(job.slots), 1)
        fraction = round(found.step / max(found.steps, 1), 4)
        return self.message(
            MessageType.GENERATION_PROGRESS,
            at=at,
            jobId=job.id,
            current=min(int(fraction * total) + 1, total),
            total=total,
            step=found.step,
            steps=found.steps,
            progress=fraction,
        )

    def of_namespace(self, event: NamespaceEvent, job_ids: Sequence[str] | None) -> StreamMessage:
        """Return what is told of an event that is about no single job; its reader may know of these jobs."""
        named = {} if job_ids is None else {"jobIds": job_ids}
        return self.message(MessageType(event.type), at=event.at, **event.body, **named)

    def resync(self) -> StreamMessage:
        """Return what tells a reader that it missed something, and has to read the state anew."""
        return self.message(MessageType.RESYNC, at=self.now())

    def message(self, kind: MessageType, *, at: datetime, **members: object) -> StreamMessage:
        place = {} if self.namespace is None else {"namespace": self.namespace}
        return StreamMessage(kind, orjson.dumps({"type": kind, "at": format_date(at), **place, **members}))

    def _complete(self, job: Job, event: JobEvent) -> StreamMessage:
        slots = [slot for slot in job.slots if slot.available]
        urls = [self.url_of(slot) for slot in slots]
        first: dict[str, object] = {"imageUrl": urls[0]} if urls else {}
        seed = next((slot.seed for slot in slots if slot.seed is not None), None)
        return self.message(
            MessageType.GENERATION_COMPLETE,
            at=event.at,
            jobId=job.id,
            seq=event.seq,
            **first,
            imageUrls=urls,
            **({} if seed is None else {"seed": seed}),
        )

    def _failed(self, job: Job, event: JobEvent) -> StreamMessage:
        context = event.context
        return self.message(
            MessageType.GENERATION_FAILED,
            at=event.at,
            jobId=job.id,
            seq=event.seq,
            error=as_text(context.get("error")) or event.type.lower(),
            message=as_text(context.get("message"))
            or as_text(context.get("reason"))
            or f"The job ended: {event.type}.",
        )
