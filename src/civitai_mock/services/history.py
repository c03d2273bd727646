"""List a consumer's requests, each with the jobs that it made."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from civitai_mock.domain.job import Job
from civitai_mock.domain.search import JobSearch, Position
from civitai_mock.ports import JobStore
from civitai_mock.services.cursor import decode_cursor, encode_cursor, position_of

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
    jobs: JobStore

    async def __call__(self, *, owner: str | None, cursor: str | None, take: int) -> RequestPage:
        """The youngest first; raise `InvalidRequestError` for a cursor that is none of this owner's."""
        before = decode_cursor(cursor, owner=owner) if cursor else None
        jobs = await self._jobs_of(take, JobSearch(issued_by=owner, before=before))
        groups = [list(group) for _, group in groupby(jobs, key=lambda job: job.submission_id)]
        requests = [PastRequest(at=group[0].created_at, jobs=group) for group in groups[:take]]
        if len(groups) == len(requests):
            return RequestPage(requests=requests, cursor=None)
        return RequestPage(requests=requests, cursor=encode_cursor(_end_of(requests[-1]), owner=owner))

    async def _jobs_of(self, take: int, search: JobSearch) -> Sequence[Job]:
        """Those of `take` whole requests at least, and of a part of the next one, if there are as many."""
        jobs: list[Job] = []
        while True:
            found = await self.jobs.search(search, limit=BATCH)
            jobs += found
            if len(found) < BATCH or len({job.submission_id for job in jobs}) > take:
                return jobs
            search = JobSearch(issued_by=search.issued_by, before=position_of(jobs[-1]))


def _end_of(request: PastRequest) -> Position:
    """After the last of its jobs, whatever its id."""
    return Position(request.at, request.jobs[0].submission_id, "")
