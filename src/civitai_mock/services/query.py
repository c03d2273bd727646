"""Look jobs up by id, by what they are like, and by the request that made them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby

from civitai_mock.domain.blob import Slot
from civitai_mock.domain.errors import NotFoundError
from civitai_mock.domain.events import JobEvent
from civitai_mock.domain.job import Job
from civitai_mock.domain.search import JobCriteria, Position
from civitai_mock.domain.tokens import decode_cursor, decode_token, encode_cursor, position_of
from civitai_mock.ports import JobSearch, JobStore

PAGE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPage:
    """`cursor` leads to the next page, where there is one."""

    jobs: Sequence[Job]
    cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryJobs:
    """`owner` is whose jobs may be seen, None for everybody's; those of others are not there."""

    jobs: JobStore

    async def by_id(self, job_id: str, *, owner: str | None = None) -> Job:
        """The id may be in any case; raise `NotFoundError` for one that is unknown or past its time."""
        job = await self.jobs.get(job_id.lower())
        if job is None or not _is_seen_by(owner, job):
            raise NotFoundError(f"The job '{job_id}' does not exist.")
        return job

    async def by_ids(self, job_ids: Sequence[str], *, owner: str | None = None) -> Sequence[Job]:
        """The jobs that are still there."""
        return [job for job in await self.jobs.get_many(job_ids) if _is_seen_by(owner, job)]

    async def by_token(self, token: str, *, owner: str | None = None) -> Sequence[Job]:
        """The jobs of a token that are still there; raise `InvalidRequestError` for a token that is none."""
        return await self.by_ids(decode_token(token), owner=owner)

    async def events(self, job_id: str, *, owner: str | None = None) -> Sequence[JobEvent]:
        """The oldest first."""
        job = await self.by_id(job_id, owner=owner)
        return await self.jobs.events(job.id)

    async def asset(self, job_id: str, name: str, *, owner: str | None = None) -> Slot:
        """Raise `NotFoundError` for a name that the job does not have, or not yet."""
        job = await self.by_id(job_id, owner=owner)
        for slot in job.slots:
            if slot.name == name and slot.available:
                return slot
        raise NotFoundError(f"The job '{job_id}' has no asset '{name}'.")


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchJobs:
    """Find jobs by what they have in common, page by page."""

    search: JobSearch

    async def __call__(self, criteria: JobCriteria, *, cursor: str | None = None) -> JobPage:
        """Return the youngest first; raise `InvalidRequestError` for a cursor that is not one of this owner's."""
        owner = criteria.issued_by
        before = decode_cursor(cursor, owner=owner) if cursor else None
        jobs = await self.search.find(replace(criteria, before=before), limit=PAGE)
        if not jobs or not await self.search.find(replace(criteria, before=position_of(jobs[-1])), limit=1):
            return JobPage(jobs=jobs, cursor=None)
        return JobPage(jobs=jobs, cursor=encode_cursor(position_of(jobs[-1]), owner=owner))


def _is_seen_by(owner: str | None, job: Job) -> bool:
    return owner is None or job.issued_by == owner


BATCH = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestSummary:
    at: datetime
    jobs: Sequence[Job]


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestPage:
    """`cursor` leads to the next page, where there is one."""

    requests: Sequence[RequestSummary]
    cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRequests:
    search: JobSearch

    async def __call__(self, *, owner: str | None, cursor: str | None, take: int) -> RequestPage:
        """The youngest first; raise `InvalidRequestError` for a cursor that is none of this owner's."""
        before = decode_cursor(cursor, owner=owner) if cursor else None
        jobs, are_all = await self._jobs_of(take, JobCriteria(issued_by=owner, before=before))
        groups = [list(group) for _, group in groupby(jobs, key=lambda job: job.submission_id)]
        whole = groups if are_all else groups[:-1]
        requests = [RequestSummary(at=group[0].created_at, jobs=group) for group in whole[:take]]
        if len(groups) == len(requests):
            return RequestPage(requests=requests, cursor=None)
        return RequestPage(requests=requests, cursor=encode_cursor(_end_of(requests[-1]), owner=owner))

    async def _jobs_of(self, take: int, criteria: JobCriteria) -> tuple[Sequence[Job], bool]:
        """Return the jobs of `take` whole requests and a part of the next one, and whether these are all.

        Of large jobs those of one whole request will do.
        """
        jobs: list[Job] = []
        are_large = False
        while found := await self.search.find(criteria, limit=BATCH):
            jobs += found
            if len({job.submission_id for job in jobs}) > (1 if are_large else take):
                return jobs, False
            are_large = len(found) < BATCH  # if there are more
            criteria = JobCriteria(issued_by=criteria.issued_by, before=position_of(jobs[-1]))
        return jobs, True


def _end_of(request: RequestSummary) -> Position:
    """After the last of its jobs, whatever its id."""
    return Position(request.at, request.jobs[0].submission_id, "")
