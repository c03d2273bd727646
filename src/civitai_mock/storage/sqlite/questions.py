"""Questions about many jobs, answered by SQLite."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from civitai_mock.domain.job import Job
from civitai_mock.domain.search import MOST_BYTES_FOUND, JobCriteria, QueuedJob, QueueState, Spending
from civitai_mock.domain.stages import Outcome
from civitai_mock.storage.sqlite.database import Database
from civitai_mock.storage.sqlite.job_rows import jobs_from
from civitai_mock.storage.sqlite.questions_sql import QuestionStatements
from civitai_mock.storage.sqlite.rows import from_micros, to_micros
from civitai_mock.storage.sqlite.search_sql import SearchStatement

EARLIEST, LATEST = -(2**63), 2**63 - 1


class Questions:
    def __init__(self, *, database: Database, statements: QuestionStatements, searches: SearchStatement) -> None:
        self._database = database
        self._sql = statements
        self._searches = searches

    async def search(self, search: JobCriteria, *, limit: int) -> Sequence[Job]:
        """In a thread: where one leaf is on many jobs and another on few, many are looked through."""
        sql, parameters = self._searches.of(search, limit=limit)
        return await jobs_from(await self._database.scan(sql, parameters, most_bytes=MOST_BYTES_FOUND))

    async def waiting(self, *, after: str, limit: int) -> Sequence[Job]:
        return await jobs_from(self._database.read(self._sql.waiting, (after, limit)))

    def outcomes(self, job_ids: Sequence[str]) -> Mapping[str, Outcome | None]:
        found = {job_id: self._database.read(self._sql.outcome, (job_id,)) for job_id in job_ids}
        return {job_id: Outcome(rows[0][0]) if rows[0][0] else None for job_id, rows in found.items() if rows}

    async def spending(self, issued_by: str | None, *, since: datetime | None, until: datetime | None) -> Spending:
        times = (to_micros(since) if since else EARLIEST, to_micros(until) if until else LATEST)
        if issued_by is None:
            rows = await self._database.scan(self._sql.spending, times)
        else:
            rows = await self._database.scan(self._sql.spending_of, (*times, issued_by))
        images, cost = rows[0] if rows else (0, 0.0)
        return Spending(images=images, cost=cost)

    async def stands_still(self, *, since: datetime, now: datetime) -> bool:
        ((still,),) = await self._database.scan(self._sql.stands_still, (to_micros(since), to_micros(now)))
        return bool(still)

    async def queue(self, *, recent_since: datetime) -> QueueState:
        """The queue and what has ended are read one after the other, not at one instant."""
        rows = await self._database.scan(self._sql.to_claim)
        ((recent,),) = await self._database.scan(self._sql.recent, (to_micros(recent_since),))
        jobs = [
            QueuedJob(id=job_id, priority=priority, created_at=from_micros(created_at), cost=cost)
            for job_id, priority, created_at, cost in rows
        ]
        return QueueState(jobs=jobs, recent=recent)
