"""Show the graphs of jobs: of those that are kept, and of those that a template would make."""

from collections.abc import Callable, Mapping, Sequence

import orjson

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import ConflictError, JobError, NotFoundError
from civitai_mock.domain.events import GRAPH_MEMBER
from civitai_mock.domain.job import Job
from civitai_mock.domain.json_types import JsonObject
from civitai_mock.generation.graph import Skeleton, graph_text
from civitai_mock.generation.graph_diff import GraphChange, graph_changes
from civitai_mock.generation.job_types import job_work, runs_graphs
from civitai_mock.generation.work import GraphWork
from civitai_mock.ports import JobStore
from civitai_mock.services.build_jobs import BuildJobs
from civitai_mock.services.consumers import Caller
from civitai_mock.services.job_template import JobTemplate
from civitai_mock.services.query import QueryJobs
from civitai_mock.services.threads import in_thread_if_large

JOB_ID = "{jobId}"  # in the place of the id of the job itself


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowGraphs:
    """Returns complete ComfyUI node maps, as they are sent to a provider; `load_skeletons` is called at first use.

    What `build` draws is not counted as a request.
    """

    jobs: JobStore
    query: QueryJobs
    build: BuildJobs
    load_skeletons: Callable[[], Mapping[str, Skeleton]]

    async def of_job(self, job_id: str) -> JsonObject:
        """Return the graph that was sent last, or else the one that will be.

        Raise `NotFoundError` for an unknown job, and for one that runs no graph.
        """
        return await self._of(await self.query.by_id(job_id))

    async def changes(self, first_id: str, second_id: str) -> Sequence[GraphChange]:
        """Return what differs in the graphs of two jobs, apart from their ids, which stand in names of files."""
        first, second = await self.query.by_id(first_id), await self.query.by_id(second_id)
        before, after = [_with_any_id(job, await self._of(job)) for job in (first, second)]
        return list(graph_changes(before, after))

    async def _of(self, job: Job) -> JsonObject:
        if not runs_graphs(job):
            raise NotFoundError(f"The job '{job.id}' is a {job.type}, which runs no graph.")
        for event in reversed(await self.jobs.events(job.id)):
            text = event.context.get(GRAPH_MEMBER)
            if isinstance(text, str):
                sent: JsonObject = orjson.loads(text)
                return sent
        return self._built(job)

    async def of_template(self, template: JobTemplate, caller: Caller, *, size: int) -> JsonObject:
        """Return the graph that a submission would run; nothing is stored.

        Raise what a submission would raise, and `ConflictError` for a type of job that runs no graph.
        """
        (job,) = (await self.build([template], caller, charged=False, size=size)).jobs
        if not runs_graphs(job):
            raise ConflictError(f"A {job.type} runs no graph.")
        return await in_thread_if_large(lambda: self._built(job), size=size)

    def _built(self, job: Job) -> JsonObject:
        """Raise `ConflictError` for a job of which no graph can be made: it would fail."""
        try:
            work = job_work(job, self.load_skeletons())
        except JobError as error:
            raise ConflictError(error.message) from error
        if not isinstance(work, GraphWork):
            raise ConflictError(f"The job '{job.id}' runs no graph.")
        return dict(work.graph)


def _with_any_id(job: Job, graph: JsonObject) -> JsonObject:
    """Return a graph that does not say which job it is of."""
    text: JsonObject = orjson.loads(graph_text(graph).replace(job.id, JOB_ID))
    return text
