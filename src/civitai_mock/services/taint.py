"""Write down what a consumer found wrong with jobs.

A taint is shown with the job (`detailed`) and changes nothing else: neither the job nor its resources.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace

from civitai_mock.domain.job import Job
from civitai_mock.domain.json_types import ReadOnlyJson
from civitai_mock.domain.search import JobCriteria, Position, property_paths
from civitai_mock.domain.tokens import position_of
from civitai_mock.ports import JobSearch, JobStore
from civitai_mock.services.query import QueryJobs

BATCH = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class TaintJobs:
    """`owner` is as in `QueryJobs`; the answers are how many jobs there were."""

    jobs: JobStore
    search: JobSearch

    async def by_id(self, job_id: str, taint: ReadOnlyJson, *, owner: str | None) -> None:
        """Raise `NotFoundError` for an unknown job."""
        job = await QueryJobs(jobs=self.jobs).by_id(job_id, owner=owner)
        await self.jobs.set_taint([job.id], taint)

    async def by_token(
        self, token: str, taint: ReadOnlyJson, *, owner: str | None, properties: ReadOnlyJson | None = None
    ) -> int:
        """With `properties`, only those jobs of the token that have them."""
        wanted = property_paths(properties or {})
        jobs = await QueryJobs(jobs=self.jobs).by_token(token, owner=owner)
        return await self.jobs.set_taint([job.id for job in jobs if wanted <= property_paths(job.properties)], taint)

    async def by_properties(self, properties: ReadOnlyJson, taint: ReadOnlyJson, *, owner: str | None) -> int:
        tainted = 0
        async for jobs in self._batches(JobCriteria(issued_by=owner, property_paths=property_paths(properties))):
            tainted += await self.jobs.set_taint([job.id for job in jobs], taint)
        return tainted

    async def _batches(self, criteria: JobCriteria) -> AsyncIterator[Sequence[Job]]:
        before: Position | None = None
        while jobs := await self.search.find(replace(criteria, before=before), limit=BATCH):
            yield jobs
            before = position_of(jobs[-1])
