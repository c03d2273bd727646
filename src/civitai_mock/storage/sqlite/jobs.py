"""Jobs and their events in SQLite."""

import asyncio
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import partial

from civitai_mock.domain.claims import Claim
from civitai_mock.domain.errors import ConflictError, InsufficientBuzzError
from civitai_mock.domain.events import JobEvent
from civitai_mock.domain.job import Job
from civitai_mock.domain.json_types import ReadOnlyJson
from civitai_mock.domain.search import Budget, DueWebhook, JobCriteria, QueueState, Spending
from civitai_mock.domain.stages import Outcome
from civitai_mock.storage.sqlite.callbacks import Callbacks
from civitai_mock.storage.sqlite.database import Database
from civitai_mock.storage.sqlite.errors import disk_errors
from civitai_mock.storage.sqlite.job_rows import (
    event_from,
    event_row,
    job_changes,
    job_from,
    job_row,
    jobs_from,
    leaf_rows,
    stored_leaf_rows,
)
from civitai_mock.storage.sqlite.jobs_sql import JobStatements
from civitai_mock.storage.sqlite.presence import Presence
from civitai_mock.storage.sqlite.questions import Questions
from civitai_mock.storage.sqlite.rows import Row, to_json, to_micros

SWEEP_BATCH = 100  # a few milliseconds each, with others' turns in between


class SqliteJobs:
    """`presence` tells of workers whose process is gone; None where no other process can see this store."""

    def __init__(
        self,
        *,
        database: Database,
        statements: JobStatements,
        questions: Questions,
        callbacks: Callbacks,
        presence: Presence | None,
    ) -> None:
        self._database = database
        self._sql = statements
        self._questions = questions
        self._callbacks = callbacks
        self._presence = presence

    async def add(self, jobs: Sequence[Job], *, budget: Budget | None = None) -> None:
        """Raise `ConflictError` if there is a job with one of the ids already."""
        rows = [job_row(job) for job in jobs]
        events = [event_row(job.last_event) for job in jobs]
        leaves = [row for job in jobs for row in leaf_rows(job)]

        def insert(connection: sqlite3.Connection) -> None:
            try:
                connection.executemany(self._sql.insert, rows)
                connection.executemany(self._sql.insert_event, events)
                connection.executemany(self._sql.insert_leaf, leaves)
            except sqlite3.IntegrityError as error:
                raise ConflictError("A job with this id is there already.") from error
            if budget:
                self._check(budget, connection)

        await self._database.write(insert)

    def _check(self, budget: Budget, connection: sqlite3.Connection) -> None:
        """The new jobs are there already; if they cost too much, the error takes them back."""
        ((cost,),) = connection.execute(self._sql.charged, (budget.issued_by,)).fetchall()
        if cost > budget.limit:
            raise InsufficientBuzzError(f"The jobs would cost {cost:g} Buzz in all, more than {budget.limit:g}.")

    async def get(self, job_id: str) -> Job | None:
        rows = self._rows(job_id)
        return job_from(rows[0]) if rows else None

    async def get_many(self, job_ids: Sequence[str]) -> Sequence[Job]:
        found = [await jobs_from(self._rows(job_id)) for job_id in job_ids]
        return [job for jobs in found for job in jobs]

    def _rows(self, job_id: str) -> Sequence[Row]:
        return self._database.read(self._sql.get, (job_id,))

    async def claim(self, claim: Claim, *, limit: int) -> Sequence[Job]:
        """Raise `ConflictError` if a worker of the same id lives in another process."""
        if self._presence and not self._presence.holds(claim.worker_id):
            with disk_errors(self._database.description):
                await asyncio.to_thread(self._presence.hold, claim.worker_id)
        parameters = (claim.provider, claim.worker_id, to_micros(claim.at), to_micros(claim.until), limit)
        rows = await self._database.write(lambda db: db.execute(self._sql.claim, parameters).fetchall())
        # RETURNING keeps no order.
        return sorted(await jobs_from(rows), key=lambda job: (-job.priority, job.created_at, job.id))

    async def replace(self, before: Job, after: Job, *, if_not_renewed: bool = False) -> bool:
        worker_id = before.claim.worker_id if before.claim else None
        lease = to_micros(before.claim.until) if before.claim and if_not_renewed else None
        changes = (*job_changes(after), before.id, before.seq, worker_id, lease)
        event = event_row(after.last_event)

        def update(connection: sqlite3.Connection) -> bool:
            held = connection.execute(self._sql.replace, changes).rowcount == 1
            if held:
                connection.execute(self._sql.insert_event, event)
            return held

        return await self._database.write(update)

    async def renew(self, worker_id: str, job_ids: Collection[str], until: datetime) -> frozenset[str]:
        parameters = (to_micros(until), to_json(list(job_ids)), worker_id)
        rows = await self._database.write(lambda db: db.execute(self._sql.renew, parameters).fetchall())
        return frozenset(job_id for (job_id,) in rows)

    async def with_expired_lease(self, now: datetime, *, limit: int) -> Sequence[Job]:
        return await jobs_from(self._database.read(self._sql.with_expired_lease, (to_micros(now), limit)))

    async def held_by_dead(self, *, limit: int) -> Sequence[Job]:
        if self._presence is None:
            return []
        workers = {worker_id for (worker_id,) in self._database.read(self._sql.workers)}
        others = [worker_id for worker_id in workers if not self._presence.holds(worker_id)]
        if not others:
            return []
        with disk_errors(self._database.description):
            dead = await asyncio.to_thread(self._presence.gone, others)
        return await jobs_from(self._database.read(self._sql.held_by, (to_json(dead), limit)))

    async def past_deadline(self, now: datetime, *, limit: int) -> Sequence[Job]:
        return await jobs_from(self._database.read(self._sql.past_deadline, (to_micros(now), limit)))

    async def events(self, job_id: str) -> Sequence[JobEvent]:
        return [event_from(row) for row in self._database.read(self._sql.events, (job_id,))]

    async def search(self, search: JobCriteria, *, limit: int) -> Sequence[Job]:
        return await self._questions.search(search, limit=limit)

    async def waiting(self, *, after: str, limit: int) -> Sequence[Job]:
        return await self._questions.waiting(after=after, limit=limit)

    async def outcomes(self, job_ids: Sequence[str]) -> Mapping[str, Outcome | None]:
        return self._questions.outcomes(job_ids)

    async def set_taint(self, job_ids: Sequence[str], taint: ReadOnlyJson) -> int:
        text = to_json(dict(taint))
        rows = [(text, job_id) for job_id in set(job_ids)]
        return await self._database.write(lambda db: db.executemany(self._sql.set_taint, rows).rowcount)

    async def spending(self, issued_by: str | None, *, since: datetime | None, until: datetime | None) -> Spending:
        return await self._questions.spending(issued_by, since=since, until=until)

    async def queue(self, *, recent_since: datetime) -> QueueState:
        return await self._questions.queue(recent_since=recent_since)

    async def stands_still(self, *, since: datetime, now: datetime) -> bool:
        return await self._questions.stands_still(since=since, now=now)

    async def due_callbacks(self, now: datetime, *, hold_until: datetime, limit: int) -> Sequence[DueWebhook]:
        return await self._callbacks.due(now, hold_until=hold_until, limit=limit)

    async def told(self, job_id: str, *, seq: int) -> None:
        await self._callbacks.told(job_id, seq=seq)

    async def not_told(self, job_id: str, *, again_at: datetime | None) -> None:
        await self._callbacks.not_told(job_id, again_at=again_at)

    async def sweep(self, now: datetime) -> int:
        swept, batch = 0, SWEEP_BATCH
        while batch == SWEEP_BATCH:
            batch = await self._database.write(partial(self._sweep_batch, to_micros(now)))
            swept += batch
        return swept

    def _sweep_batch(self, now: int, connection: sqlite3.Connection) -> int:
        swept = connection.execute(self._sql.sweep, (now, SWEEP_BATCH)).fetchall()
        connection.execute(self._sql.sweep_events, (to_json([job_id for _, _, job_id, _ in swept]),))
        connection.executemany(self._sql.sweep_leaf, stored_leaf_rows(swept))
        return len(swept)
