"""Look jobs up."""

from collections.abc import Sequence
from dataclasses import dataclass

from civitai_mock.domain.errors import NotFoundError
from civitai_mock.domain.events import JobEvent
from civitai_mock.domain.job import Job
from civitai_mock.domain.token import decode_token
from civitai_mock.ports import JobStore


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryJobs:
    jobs: JobStore

    async def by_id(self, job_id: str) -> Job:
        """Raise `NotFoundError` for one that is unknown or past its time."""
        job = await self.jobs.get(job_id)
        if job is None:
            raise NotFoundError(f"The job '{job_id}' does not exist.")
        return job

    async def by_token(self, token: str) -> Sequence[Job]:
        """The jobs of a token that are still there; raise `InvalidRequestError` for a token that is none."""
        return await self.jobs.get_many(decode_token(token))

    async def events(self, job_id: str) -> Sequence[JobEvent]:
        await self.by_id(job_id)
        return await self.jobs.events(job_id)
