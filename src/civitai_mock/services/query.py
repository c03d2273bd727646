"""Query jobs: by id, by token, by criteria page by page, and grouped by the requests that submitted them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from itertools import groupby
from typing import TypeVar

from civitai_mock.domain.blob import Slot
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import NotFoundError
from civitai_mock.domain.events import JobEvent
from civitai_mock.domain.job import Job, JobSummary
from civitai_mock.domain.namespaces import DEFAULT
from civitai_mock.domain.search import JobCriteria, Position
from civitai_mock.domain.tokens import decode_cursor, decode_token, encode_cursor, position_of
from civitai_mock.ports import JobSearch, JobStore

J = TypeVar("J", bound=JobSummary)
PAGE_SIZE = 100
BATCH_SIZE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryJobs:
    """Looks up jobs that `owner` may see, which are its own; for owner None, these are all jobs."""

    jobs: JobStore
    namespace: str = DEFAULT

    async def by_id(self, job_id: str, *, owner: str | None = None) -> Job:
        """Return the job with this id, in any case; raise `NotFoundError` if it does not exist (any more)."""
        return _found(await self.jobs.get(job_id.lower()), job_id, owner)

    async def summary(self, job_id: str, *, owner: str | None = None) -> JobSummary:
        """Return a job as `by_id` does, but no more of one that has ended than its summary, which is cheaper."""
        return _found(await self.jobs.get_summary(job_id.lower()), job_id, owner)

    async def settled_at(self, job_id: str) -> datetime | None:
        """Return when the job with this id ended, if it has not been tainted or deleted since; None for any other."""
        return await self.jobs.settled_at(job_id.lower())

    async def by_ids(self, job_ids: Sequence[str], *, owner: str | None = None) -> Sequence[Job]:
        """Return those of the jobs that still exist."""
        return [job for job in await self.jobs.get_many(job_ids) if _is_visible(job, owner)]

    async def by_token(self, token: str, *, owner: str | None = None) -> Sequence[Job]:
        """Return the jobs of a token that still exist.

        Raise `InvalidRequestError` for an invalid token, and `NotFoundError` for one of another namespace. One that
        names none is of any namespace that has a job of it, or else of the default one.
        """
        job_ids, namespace = decode_token(token)
        jobs = () if (namespace or self.namespace) != self.namespace else await self.by_ids(job_ids, owner=owner)
        if not jobs and (namespace or DEFAULT) != self.namespace:
            raise NotFoundError("There are no jobs with this token in this namespace.")
        return jobs

    async def events(self, job_id: str, *, owner: str | None = None) -> Sequence[JobEvent]:
        """Return the events of a job, the oldest first."""
        job = await self.by_id(job_id, owner=owner)
        return await self.jobs.events(job.id)

    async def asset(self, job_id: str, name: str, *, owner: str | None = None) -> Slot:
        """Return an available slot by its name; raise `NotFoundError` for a name that the job does not have (yet)."""
        job = await self.by_id(job_id, owner=owner)
        for slot in job.slots:
            if slot.name == name and slot.available:
                return slot
        raise NotFoundError(f"The job '{job_id}' has no asset '{name}'.")


def _found(job: J | None, job_id: str, owner: str | None) -> J:
    if job is None or not _is_visible(job, owner):
        raise NotFoundError(f"The job '{job_id}' does not exist.")
    return job


def _is_visible(job: JobSummary, owner: str | None) -> bool:
    return owner is None or job.issued_by == owner


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPage:
    """Holds one page of jobs; `cursor` leads to the next page, if there is one."""

    jobs: Sequence[Job]
    cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchJobs:
    """Finds jobs that match criteria, page by page."""

    search: JobSearch

    async def __call__(self, criteria: JobCriteria, *, cursor: str | None = None) -> JobPage:
        """Return the youngest jobs first; raise `InvalidRequestError` for a cursor that this owner was not given."""
        owner = criteria.issued_by
        before = decode_cursor(cursor, owner=owner) if cursor else None
        jobs = await self.search.find(replace(criteria, before=before), limit=PAGE_SIZE)
        if not jobs or not await self.search.find(replace(criteria, before=position_of(jobs[-1])), limit=1):
            return JobPage(jobs=jobs, cursor=None)
        return JobPage(jobs=jobs, cursor=encode_cursor(position_of(jobs[-1]), owner=owner))


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestSummary:
    """Describes one submission: its time and the jobs that it made."""

    at: datetime
    jobs: Sequence[Job]


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestPage:
    """Holds one page of submissions; `cursor` leads to the next page, if there is one."""

    requests: Sequence[RequestSummary]
    cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRequests:
    """Lists submissions with their jobs, page by page."""

    search: JobSearch

    async def __call__(self, *, owner: str | None, cursor: str | None, take: int) -> RequestPage:
        """Return the youngest `take` first; raise `InvalidRequestError` for a cursor that this owner was not given."""
        before = decode_cursor(cursor, owner=owner) if cursor else None
        jobs, are_all = await self._jobs_of(take, JobCriteria(issued_by=owner, before=before))
        groups = [list(group) for _, group in groupby(jobs, key=lambda job: job.submission_id)]
        complete = groups if are_all else groups[:-1]
        requests = [RequestSummary(at=group[0].created_at, jobs=group) for group in complete[:take]]
        if len(groups) == len(requests):
            return RequestPage(requests=requests, cursor=None)
        return RequestPage(requests=requests, cursor=encode_cursor(_end_of(requests[-1]), owner=owner))

    async def _jobs_of(self, take: int, criteria: JobCriteria) -> tuple[Sequence[Job], bool]:
        """Return the jobs of `take` complete submissions and part of the next one, and whether these are all jobs.

        If jobs are so large that a batch is cut short, one complete submission is enough.
        """
        jobs: list[Job] = []
        are_large = False
        while found := await self.search.find(criteria, limit=BATCH_SIZE):
            jobs += found
            if len({job.submission_id for job in jobs}) > (1 if are_large else take):
                return jobs, False
            are_large = len(found) < BATCH_SIZE  # if there are more
            criteria = JobCriteria(issued_by=criteria.issued_by, before=position_of(jobs[-1]))
        return jobs, True


def _end_of(request: RequestSummary) -> Position:
    """Return the position after the last of its jobs, whatever their ids are."""
    return Position(request.at, request.jobs[0].submission_id, "")
