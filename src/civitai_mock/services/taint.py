"""Taint jobs: store what a consumer found wrong with them.

A taint is shown with the job (`detailed`). It changes neither the job nor its resources.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.job import Job
from civitai_mock.domain.json_types import ReadOnlyJson
from civitai_mock.domain.search import JobCriteria, Position, property_paths
from civitai_mock.domain.tokens import position_of
from civitai_mock.ports import JobSearch, JobStore
from civitai_mock.services.query import QueryJobs

BATCH_SIZE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class TaintJobs:
    """Stores the taints of jobs; `owner` is as in `QueryJobs`."""

    jobs: JobStore
    query: QueryJobs
    search: JobSearch

    async def by_id(self, job_id: str, taint: ReadOnlyJson, *, owner: str | None) -> None:
        """Taint one job; raise `NotFoundError` if it does not exist."""
        job = await self.query.by_id(job_id, owner=owner)
        await self.jobs.set_taint([job.id], taint)

    async def by_token(
        self, token: str, taint: ReadOnlyJson, *, owner: str | None, properties: ReadOnlyJson | None = None
    ) -> int:
        """Taint the jobs of a token that have all of these `properties`, and return how many these are."""
        wanted = property_paths(properties or {})
        jobs = await self.query.by_token(token, owner=owner)
        return await self.jobs.set_taint([job.id for job in jobs if wanted <= property_paths(job.properties)], taint)

    async def by_properties(self, properties: ReadOnlyJson, taint: ReadOnlyJson, *, owner: str | None) -> int:
        """Taint all jobs that have these properties, and return how many these are."""
        tainted = 0
        async for jobs in self._batches(JobCriteria(issued_by=owner, property_paths=property_paths(properties))):
            tainted += await self.jobs.set_taint([job.id for job in jobs], taint)
        return tainted

    async def _batches(self, criteria: JobCriteria) -> AsyncIterator[Sequence[Job]]:
        before: Position | None = None
        while jobs := await self.search.find(replace(criteria, before=before), limit=BATCH_SIZE):
            yield jobs
            before = position_of(jobs[-1])
