"""The queue of jobs in SQLite: who may claim which job, and whose lease or time is over."""

import asyncio
from collections.abc import Collection, Sequence
from datetime import datetime

from civitai_mock.domain.claims import Claim
from civitai_mock.domain.errors import TransientError
from civitai_mock.domain.job import Job
from civitai_mock.domain.search import Backlog, QueuedJob, QueueState
from civitai_mock.storage.sqlite.database import Database
from civitai_mock.storage.sqlite.encoding import from_micros, to_json, to_micros
from civitai_mock.storage.sqlite.errors import disk_errors
from civitai_mock.storage.sqlite.job_rows import jobs_from
from civitai_mock.storage.sqlite.process_locks import ProcessLocks
from civitai_mock.storage.sqlite.schema import TableNames

CLAIM = """
    UPDATE "{jobs}" SET provider = ?, worker_id = ?, claimed_at = ?, lease_until = ?
    WHERE number IN (
        SELECT number FROM "{jobs}" WHERE worker_id IS NULL AND outcome IS NULL AND waits = 0
        ORDER BY priority DESC, created_at, id LIMIT max(?, 0))
    RETURNING {job}
"""
RENEW = """
    UPDATE "{jobs}" SET lease_until = max(lease_until, ?)
    WHERE id IN (SELECT value FROM json_each(?)) AND worker_id = ? AND outcome IS NULL
    RETURNING id
"""
WORKERS = """SELECT DISTINCT worker_id FROM "{jobs}" WHERE worker_id IS NOT NULL AND outcome IS NULL"""
WITH_EXPIRED_LEASE = """
    SELECT {job} FROM "{jobs}" WHERE worker_id IS NOT NULL AND outcome IS NULL AND lease_until < ?
    ORDER BY lease_until LIMIT ?
"""
HELD_BY = (
    """SELECT {job} FROM "{jobs}" WHERE outcome IS NULL AND worker_id IN (SELECT value FROM json_each(?)) LIMIT ?"""
)
PAST_DEADLINE = """SELECT {job} FROM "{jobs}" WHERE outcome IS NULL AND expire_at <= ? ORDER BY expire_at LIMIT ?"""
BLOCKED = """SELECT {job} FROM "{jobs}" WHERE waits = 1 AND id > ? ORDER BY id LIMIT max(?, 0)"""
TO_CLAIM = """
    SELECT id, priority, created_at, cost FROM "{jobs}"
    WHERE worker_id IS NULL AND outcome IS NULL AND waits = 0 ORDER BY priority DESC, created_at, id
"""
# INDEXED BY, as SQLite would take the index of all jobs by age, those that have ended among them.
IS_STALLED = """
    SELECT EXISTS (SELECT 1 FROM "{jobs}" INDEXED BY "{jobs} to claim"
                   WHERE worker_id IS NULL AND outcome IS NULL AND waits = 0 AND created_at < ?)
        AND NOT EXISTS (SELECT 1 FROM "{jobs}" WHERE worker_id IS NOT NULL AND outcome IS NULL AND lease_until > ?)
"""
BACKLOG = """
    SELECT count(*), min(created_at) FROM "{jobs}" INDEXED BY "{jobs} to claim"
    WHERE worker_id IS NULL AND outcome IS NULL AND waits = 0
"""
RECENT = """SELECT count(*) FROM "{jobs}" WHERE outcome IS NOT NULL AND changed_at >= ?"""


class QueueStatements:
    """The statements with the names of the tables filled in."""

    def __init__(self, names: TableNames) -> None:
        self.claim = names.fill(CLAIM)
        self.renew = names.fill(RENEW)
        self.workers = names.fill(WORKERS)
        self.with_expired_lease = names.fill(WITH_EXPIRED_LEASE)
        self.held_by = names.fill(HELD_BY)
        self.past_deadline = names.fill(PAST_DEADLINE)
        self.blocked = names.fill(BLOCKED)
        self.to_claim = names.fill(TO_CLAIM)
        self.is_stalled = names.fill(IS_STALLED)
        self.recent = names.fill(RECENT)
        self.backlog = names.fill(BACKLOG)


class SqliteJobQueue:
    """Hands out jobs; `workers` knows whose process is gone, or is None if no other process can see the store."""

    def __init__(self, *, database: Database, names: TableNames, workers: ProcessLocks | None) -> None:
        self._database = database
        self._sql = QueueStatements(names)
        self._workers = workers

    async def claim(self, claim: Claim, *, limit: int, only_timed: bool = False) -> Sequence[Job]:  # noqa: ARG002
        """Claim jobs; raise `ConflictError` if a worker with this id lives in another process."""
        if self._workers and not self._workers.holds(claim.worker_id):
            with disk_errors(self._database.description):
                await asyncio.to_thread(self._workers.hold, claim.worker_id)
        parameters = (claim.provider, claim.worker_id, to_micros(claim.at), to_micros(claim.until), limit)
        rows = await self._database.write(lambda db: db.execute(self._sql.claim, parameters).fetchall())
        # Sorted again, as RETURNING keeps no order.
        return sorted(await jobs_from(rows), key=lambda job: (-job.priority, job.created_at, job.id))

    async def claim_one(self, claim: Claim, job_id: str) -> Job | None:
        raise TransientError("not there yet", claim=claim, job_id=job_id)

    async def renew(self, worker_id: str, job_ids: Collection[str], until: datetime) -> frozenset[str]:
        parameters = (to_micros(until), to_json(list(job_ids)), worker_id)
        rows = await self._database.write(lambda db: db.execute(self._sql.renew, parameters).fetchall())
        return frozenset(job_id for (job_id,) in rows)

    async def with_expired_lease(self, now: datetime, *, limit: int) -> Sequence[Job]:
        return await jobs_from(self._database.read(self._sql.with_expired_lease, (to_micros(now), limit)))

    async def held_by_dead(self, *, limit: int) -> Sequence[Job]:
        if self._workers is None:
            return []
        workers = {worker_id for (worker_id,) in self._database.read(self._sql.workers)}
        others = [worker_id for worker_id in workers if not self._workers.holds(worker_id)]
        if not others:
            return []
        with disk_errors(self._database.description):
            dead = await asyncio.to_thread(self._workers.gone, others)
        return await jobs_from(self._database.read(self._sql.held_by, (to_json(dead), limit)))

    async def past_deadline(self, now: datetime, *, limit: int) -> Sequence[Job]:
        return await jobs_from(self._database.read(self._sql.past_deadline, (to_micros(now), limit)))

    async def blocked(self, *, after: str, limit: int) -> Sequence[Job]:
        return await jobs_from(self._database.read(self._sql.blocked, (after, limit)))

    async def snapshot(self, *, recent_since: datetime) -> QueueState:
        """Read the queue, then what has ended; the two are not of one instant."""
        rows = await self._database.scan(self._sql.to_claim)
        ((recent,),) = await self._database.scan(self._sql.recent, (to_micros(recent_since),))
        jobs = [
            QueuedJob(job_id, priority, from_micros(created_at), cost) for job_id, priority, created_at, cost in rows
        ]
        return QueueState(jobs=jobs, recent=recent)

    async def backlog(self) -> Backlog:
        ((jobs, oldest),) = await self._database.scan(self._sql.backlog)
        return Backlog(jobs=jobs, oldest=None if oldest is None else from_micros(oldest))

    async def is_stalled(self, *, since: datetime, now: datetime) -> bool:
        ((stalled,),) = await self._database.scan(self._sql.is_stalled, (to_micros(since), to_micros(now)))
        return bool(stalled)
