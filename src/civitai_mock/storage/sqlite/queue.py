"""The queue of jobs in SQLite: who may claim which job, and whose lease or time is over."""

import asyncio
import sqlite3
from collections.abc import Collection, Sequence
from datetime import datetime

from civitai_mock.domain.claims import Claim, process_worker_of
from civitai_mock.domain.job import Job
from civitai_mock.domain.micros import from_micros, to_micros
from civitai_mock.domain.namespaces import Epoch
from civitai_mock.domain.search import Backlog, QueuedJob, QueueState
from civitai_mock.storage.sqlite.database import Database
from civitai_mock.storage.sqlite.encoding import Row, Value, to_json
from civitai_mock.storage.sqlite.errors import disk_errors
from civitai_mock.storage.sqlite.fresh_jobs import FreshJobs
from civitai_mock.storage.sqlite.job_rows import jobs_from
from civitai_mock.storage.sqlite.process_locks import ProcessLocks
from civitai_mock.storage.sqlite.schema import TableNames, filled

CLAIM = """
    UPDATE "{jobs}" SET provider = ?, worker_id = ?, claimed_at = ?, lease_until = ?
    WHERE number IN (
        SELECT number FROM "{jobs}"
        WHERE epoch = ? AND worker_id IS NULL AND outcome IS NULL AND waits = 0 AND {moved}
        ORDER BY priority DESC, created_at, id LIMIT max(?, 0))
    RETURNING number, id, seq, priority, keep_until, taint, faults
"""
CLAIM_THESE = """
    UPDATE "{jobs}" SET provider = ?, worker_id = ?, claimed_at = ?, lease_until = ?
    WHERE epoch = ? AND id IN (SELECT value FROM json_each(?))
        AND worker_id IS NULL AND outcome IS NULL AND waits = 0 AND {moved}
    RETURNING number, id, seq, priority, keep_until, taint, faults
"""
BY_NUMBERS = """SELECT {job} FROM "{jobs}" WHERE number IN (SELECT value FROM json_each(?))"""
NOT_BY_REQUESTS, BY_TIME = "moved_by IS NOT 'REQUESTS'", "moved_by = 'TIME'"
RENEW = """
    UPDATE "{jobs}" SET lease_until = max(lease_until, ?)
    WHERE epoch = ? AND id IN (SELECT value FROM json_each(?)) AND worker_id = ? AND outcome IS NULL
    RETURNING id
"""
SET_PRIORITY = """UPDATE "{jobs}" SET priority = ? WHERE epoch = ? AND id = ? AND outcome IS NULL"""
WORKERS = """
    SELECT DISTINCT worker_id FROM "{jobs}" WHERE epoch = ? AND worker_id IS NOT NULL AND outcome IS NULL
"""
WITH_EXPIRED_LEASE = """
    SELECT {job} FROM "{jobs}" WHERE epoch = ? AND worker_id IS NOT NULL AND outcome IS NULL AND lease_until < ?
    ORDER BY lease_until LIMIT ?
"""
HELD_BY = """
    SELECT {job} FROM "{jobs}"
    WHERE epoch = ? AND outcome IS NULL AND worker_id IN (SELECT value FROM json_each(?)) LIMIT ?
"""
PAST_DEADLINE = """
    SELECT {job} FROM "{jobs}" WHERE epoch = ? AND outcome IS NULL AND expire_at <= ? ORDER BY expire_at LIMIT ?
"""
BLOCKED = """SELECT {job} FROM "{jobs}" WHERE epoch = ? AND waits = 1 AND id > ? ORDER BY id LIMIT max(?, 0)"""
# INDEXED BY, as SQLite would take the index of all jobs by age, those that have ended among them.
TO_CLAIM = """
    "{jobs}" INDEXED BY "{jobs} to claim"
    WHERE epoch = ? AND worker_id IS NULL AND outcome IS NULL AND waits = 0 AND moved_by IS NOT 'REQUESTS'
"""
QUEUED = "SELECT -priority, created_at, id, cost FROM {to_claim} ORDER BY priority DESC, created_at, id"
IS_STALLED = """
    SELECT EXISTS (SELECT 1 FROM {to_claim} AND created_at < ?) AND NOT EXISTS (
        SELECT 1 FROM "{jobs}" WHERE epoch = ? AND worker_id IS NOT NULL AND outcome IS NULL AND lease_until > ?)
"""
BACKLOG = "SELECT count(*), min(created_at) FROM {to_claim}"
RECENT = """SELECT count(*) FROM "{jobs}" WHERE epoch = ? AND outcome IS NOT NULL AND changed_at >= ?"""


class QueueStatements:
    """The statements with the names of the tables filled in."""

    def __init__(self, names: TableNames) -> None:
        self.claim = names.fill(CLAIM.replace("{moved}", NOT_BY_REQUESTS))
        self.claim_timed = names.fill(CLAIM.replace("{moved}", BY_TIME))
        self.claim_these = names.fill(CLAIM_THESE.replace("{moved}", NOT_BY_REQUESTS))
        self.by_numbers = names.fill(BY_NUMBERS)
        self.renew = names.fill(RENEW)
        self.set_priority = names.fill(SET_PRIORITY)
        self.workers = names.fill(WORKERS)
        self.with_expired_lease = names.fill(WITH_EXPIRED_LEASE)
        self.held_by = names.fill(HELD_BY)
        self.past_deadline = names.fill(PAST_DEADLINE)
        self.blocked = names.fill(BLOCKED)
        self.queued = names.fill(QUEUED.replace("{to_claim}", TO_CLAIM))
        self.is_stalled = names.fill(IS_STALLED.replace("{to_claim}", TO_CLAIM))
        self.recent = names.fill(RECENT)
        self.backlog = names.fill(BACKLOG.replace("{to_claim}", TO_CLAIM))


class SqliteJobQueue:
    """Hands out jobs; `workers` knows whose process is gone, or is None if no other process can see the store."""

    def __init__(
        self,
        *,
        database: Database,
        names: TableNames,
        epoch: Epoch,
        workers: ProcessLocks | None,
        fresh: FreshJobs | None = None,
    ) -> None:
        self._database = database
        self._fresh = fresh or FreshJobs()
        self._epoch = epoch
        self._sql = filled(QueueStatements, names)
        self._workers = workers

    async def claim(self, claim: Claim, *, limit: int, only_timed: bool = False) -> Sequence[Job]:
        """Claim jobs; raise `ConflictError` if a worker with this id lives in another process."""
        sql = self._sql.claim_timed if only_timed else self._sql.claim
        return await self._claim(claim, sql, limit)

    async def claim_jobs(self, claim: Claim, job_ids: Collection[str]) -> Sequence[Job]:
        return await self._claim(claim, self._sql.claim_these, to_json(list(job_ids)))

    async def _claim(self, claim: Claim, sql: str, which: Value) -> Sequence[Job]:
        await self._hold(claim.process_worker_id)
        parameters = (*_columns(claim), self._epoch.number, which)

        def claim_jobs(connection: sqlite3.Connection) -> tuple[list[Job], list[Row]]:
            claimed = connection.execute(sql, parameters).fetchall()
            jobs, others = self._fresh.claimed(claimed, claim)
            if not others:
                return jobs, []
            return jobs, connection.execute(self._sql.by_numbers, (to_json(others),)).fetchall()

        jobs, rows = await self._database.write(claim_jobs, epoch=self._epoch)
        jobs += await jobs_from(rows)
        return sorted(jobs, key=lambda job: (-job.priority, job.created_at, job.id))  # as RETURNING keeps no order

    async def _hold(self, worker_id: str) -> None:
        if self._workers and not self._workers.holds(worker_id):
            with disk_errors(self._database.description):
                await asyncio.to_thread(self._workers.hold, worker_id)

    async def set_priority(self, job_id: str, priority: int) -> bool:
        parameters = (priority, self._epoch.number, job_id)
        return await self._database.write(
            lambda db: db.execute(self._sql.set_priority, parameters).rowcount == 1, epoch=self._epoch
        )

    async def renew(self, worker_id: str, job_ids: Collection[str], until: datetime) -> frozenset[str]:
        parameters = (to_micros(until), self._epoch.number, to_json(list(job_ids)), worker_id)
        rows = await self._database.write(
            lambda db: db.execute(self._sql.renew, parameters).fetchall(), epoch=self._epoch
        )
        return frozenset(job_id for (job_id,) in rows)

    async def with_expired_lease(self, now: datetime, *, limit: int) -> Sequence[Job]:
        parameters = (self._epoch.number, to_micros(now), limit)
        return await jobs_from(self._database.read(self._sql.with_expired_lease, parameters))

    async def held_by_dead(self, *, limit: int) -> Sequence[Job]:
        if self._workers is None:
            return []
        workers = {worker_id for (worker_id,) in self._database.read(self._sql.workers, (self._epoch.number,))}
        processes = {process_worker_of(worker_id) for worker_id in workers}
        others = [worker_id for worker_id in processes if not self._workers.holds(worker_id)]
        if not others:
            return []
        with disk_errors(self._database.description):
            gone = await asyncio.to_thread(self._workers.gone, others)
        dead = [worker_id for worker_id in workers if process_worker_of(worker_id) in gone]
        return await jobs_from(self._database.read(self._sql.held_by, (self._epoch.number, to_json(dead), limit)))

    async def past_deadline(self, now: datetime, *, limit: int) -> Sequence[Job]:
        parameters = (self._epoch.number, to_micros(now), limit)
        return await jobs_from(self._database.read(self._sql.past_deadline, parameters))

    async def blocked(self, *, after: str, limit: int) -> Sequence[Job]:
        return await jobs_from(self._database.read(self._sql.blocked, (self._epoch.number, after, limit)))

    async def snapshot(self, *, recent_since: datetime) -> QueueState:
        """Read the queue, then what has ended; the two are not of one instant."""
        rows = await self._database.scan(self._sql.queued, (self._epoch.number,))
        ((recent,),) = await self._database.scan(self._sql.recent, (self._epoch.number, to_micros(recent_since)))
        return QueueState(jobs=list(map(QueuedJob._make, rows)), recent=recent)

    async def backlog(self) -> Backlog:
        ((jobs, oldest),) = await self._database.scan(self._sql.backlog, (self._epoch.number,))
        return Backlog(jobs=jobs, oldest=None if oldest is None else from_micros(oldest))

    async def is_stalled(self, *, since: datetime, now: datetime) -> bool:
        parameters = (self._epoch.number, to_micros(since), self._epoch.number, to_micros(now))
        ((stalled,),) = await self._database.scan(self._sql.is_stalled, parameters)
        return bool(stalled)


def _columns(claim: Claim) -> tuple[Value, ...]:
    return (claim.provider, claim.worker_id, to_micros(claim.at), to_micros(claim.until))
