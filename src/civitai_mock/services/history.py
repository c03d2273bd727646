"""List a consumer's requests, each with the jobs that it made."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from civitai_mock.domain.job import Job
from civitai_mock.domain.search import JobCriteria, Position
from civitai_mock.domain.tokens import decode_cursor, encode_cursor, position_of
from civitai_mock.ports import JobSearch

BATCH = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class PastRequest:
    at: datetime
    jobs: Sequence[Job]


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestPage:
    """`cursor` leads to the next page, where there is one."""

    requests: Sequence[PastRequest]
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
        requests = [PastRequest(at=group[0].created_at, jobs=group) for group in whole[:take]]
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


def _end_of(request: PastRequest) -> Position:
    """After the last of its jobs, whatever its id."""
    return Position(request.at, request.jobs[0].submission_id, "")
