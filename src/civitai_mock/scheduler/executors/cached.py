"""Give a job the results that an equal request has made before; who is the first makes them."""

from dataclasses import field

from civitai_mock.domain.blob import Slot
from civitai_mock.domain.changed import changed
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import NotFoundError
from civitai_mock.domain.events import GRAPH_MEMBER
from civitai_mock.domain.job import Job
from civitai_mock.scheduler.executors.context import Executor, JobContext, PutBackError
from civitai_mock.services.find_results import FindResults

CACHED = "cached"  # the member of events that says so
GONE = "The results of an equal request were deleted meanwhile."


@dataclass(slots=True, kw_only=True)
class CachedExecutor(Executor):
    """Has the `maker` do the work unless its results are there already, under the `key`."""

    maker: Executor
    find: FindResults
    key: str
    spreads_time: bool = field(init=False)
    _source: Job | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.spreads_time = self.maker.spreads_time

    async def prepare(self, context: JobContext) -> None:
        """Take no time any more once there are results, whatever the plan of the job says."""
        source = self._source = await self.find(context.job, self.key, context.hold)
        if source is None:
            await self.maker.prepare(context)
            return
        context.plan, context.is_cached = None, True
        context.event_context[CACHED] = True
        events = await context.services.jobs.events(source.id)
        graphs = [event.context[GRAPH_MEMBER] for event in events if GRAPH_MEMBER in event.context]
        context.event_context |= {GRAPH_MEMBER: graphs[-1]} if graphs else {}

    async def send(self, context: JobContext) -> None:
        if self._source is None:
            await self.maker.send(context)

    async def collect(self, context: JobContext) -> None:
        """Copy the bytes, drawn now if nobody has asked for them before: all have the same, whatever becomes of one."""
        if self._source is None:
            await self.maker.collect(context)
            await self.find.keep(context.job, self.key, seed=context.slots[0].seed)
            return
        pairs = zip(context.job.slots, self._source.slots, strict=True)
        try:
            context.slots = tuple([await _copied(context, empty, source) for empty, source in pairs])
        except NotFoundError as error:
            raise PutBackError(lambda job, at: job.released(at=at, reason=GONE)) from error
        context.result = self._source.result


async def _copied(context: JobContext, empty: Slot, source: Slot) -> Slot:
    opened = await context.services.blob_access.open(source.blob_key, owner=None)
    facts = (
        empty.facts
        and source.facts
        and changed(source.facts, job_id=empty.facts.job_id, workflow_id=empty.facts.workflow_id)
    )
    slot = changed(empty, seed=source.seed, facts=facts)
    return await context.fill_slot(slot, opened.content(), opened.blob.content_type)
