"""Search of jobs in SQLite: which jobs match, how they ended, and what they cost."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TypeAlias

from civitai_mock.domain.job import Job
from civitai_mock.domain.micros import to_micros
from civitai_mock.domain.namespaces import Epoch
from civitai_mock.domain.search import MOST_BYTES_FOUND, JobCriteria, Position, Spending
from civitai_mock.domain.stages import Outcome
from civitai_mock.storage.sqlite.database import Database
from civitai_mock.storage.sqlite.encoding import Value, to_json
from civitai_mock.storage.sqlite.job_rows import jobs_from, leaf_digests
from civitai_mock.storage.sqlite.schema import TableNames, filled

Condition: TypeAlias = tuple[str, tuple[Value, ...]]

EARLIEST, LATEST = -(2**63), 2**63 - 1
OUTCOMES = """SELECT id, outcome FROM "{jobs}" WHERE epoch = ? AND id IN (SELECT value FROM json_each(?))"""
SPENDING = """
    SELECT
        coalesce(sum((SELECT count(*) FROM json_each(slots)
            WHERE json_extract(value, '$[2]') OR json_extract(value, '$[5].lost')))
            FILTER (WHERE outcome = 'SUCCEEDED'), 0),
        coalesce(sum(cost) FILTER (
            WHERE charged = 2 OR (charged = 1 AND (outcome IS NULL OR outcome = 'SUCCEEDED'))), 0.0)
    FROM "{jobs}" WHERE epoch = ? AND created_at >= ? AND created_at < ?
"""
POSITION = "(created_at, submission_id, id)"
LEAF_POSITION = "(found.born, found.submission, found.job)"
BY_AGE = """
    SELECT {job} FROM "{jobs}" WHERE {where}
    ORDER BY created_at DESC, submission_id DESC, id DESC LIMIT max(?, 0)
"""
# CROSS JOIN makes SQLite begin with the leaves, which are in the order that is asked for.
BY_LEAF = """
    SELECT {job} FROM "{jobs} leaves" AS found CROSS JOIN "{jobs}"
    ON "{jobs}".epoch = found.epoch AND id = found.job WHERE {where}
    ORDER BY found.born DESC, found.submission DESC, found.job DESC LIMIT max(?, 0)
"""
# The statement is the same for any number of leaves.
HAS_LEAVES = """
    NOT EXISTS (
        SELECT 1 FROM json_each(?) AS wanted WHERE NOT EXISTS (
            SELECT 1 FROM "{jobs} leaves" AS other WHERE other.epoch = found.epoch AND other.leaf = wanted.value
            AND other.born = found.born AND other.submission = found.submission AND other.job = found.job))
"""


class SearchStatements:
    """The statements with the names of the tables filled in."""

    def __init__(self, names: TableNames) -> None:
        self.outcomes = names.fill(OUTCOMES)
        self.spending = names.fill(SPENDING)
        self.spending_of = names.fill(f"{SPENDING} AND issued_by = ?")


class SqliteJobSearch:
    """Implements `JobSearch` with queries that an index answers."""

    def __init__(self, *, database: Database, names: TableNames, epoch: Epoch) -> None:
        self._database = database
        self._names = names
        self._epoch = epoch
        self._sql = filled(SearchStatements, names)

    async def find(self, criteria: JobCriteria, *, limit: int) -> Sequence[Job]:
        """Search in a thread, as many rows are read where one leaf is on many jobs and another on few."""
        sql, parameters = find_statement(criteria, epoch=self._epoch.number, limit=limit, names=self._names)
        return await jobs_from(await self._database.scan(sql, parameters, most_bytes=MOST_BYTES_FOUND))

    async def outcomes(self, job_ids: Sequence[str]) -> Mapping[str, Outcome | None]:
        """Ask with one statement: of thousands who wait it is asked twice a second."""
        ids = json.dumps(list(job_ids))  # which can write half a surrogate pair
        rows = self._database.read(self._sql.outcomes, (self._epoch.number, ids))
        return {job_id: Outcome(outcome) if outcome else None for job_id, outcome in rows}

    async def spending(self, issued_by: str | None, *, since: datetime | None, until: datetime | None) -> Spending:
        first, last = to_micros(since) if since else EARLIEST, to_micros(until) if until else LATEST
        parameters = (self._epoch.number, first, last)
        if issued_by is None:
            rows = await self._database.scan(self._sql.spending, parameters)
        else:
            rows = await self._database.scan(self._sql.spending_of, (*parameters, issued_by))
        images, cost = rows[0] if rows else (0, 0.0)
        return Spending(images=images, cost=cost)


def find_statement(
    criteria: JobCriteria, *, epoch: int, limit: int, names: TableNames
) -> tuple[str, tuple[Value, ...]]:
    """Return the statement that finds matching jobs, and its parameters."""
    frame, table, position = (
        (BY_LEAF, "found", LEAF_POSITION) if criteria.property_paths else (BY_AGE, '"{jobs}"', POSITION)
    )
    of_epoch: Condition = (f"{table}.epoch = ?", (epoch,))
    conditions = [
        of_epoch,
        *_of_leaves(criteria.property_paths),
        *_of_job(criteria),
        *_before(criteria.before, position),
    ]
    where = " AND ".join(sql for sql, _ in conditions)
    sql = names.fill(frame.replace("{where}", where))
    return sql, (*(value for _, values in conditions for value in values), limit)


def _of_leaves(leaves: Iterable[str]) -> list[Condition]:
    digests = leaf_digests(sorted(leaves))
    first: list[Condition] = [("found.leaf = ?", (digest,)) for digest in digests[:1]]
    others: list[Condition] = [(HAS_LEAVES, (to_json(digests[1:]),))] if digests[1:] else []
    return [*first, *others]


def _of_job(criteria: JobCriteria) -> list[Condition]:
    columns = {"issued_by": criteria.issued_by, "type": criteria.job_type}
    return [(f"{column} = ?", (value,)) for column, value in columns.items() if value is not None]


def _before(place: Position | None, position: str) -> list[Condition]:
    if place is None:
        return []
    return [(f"{position} < (?, ?, ?)", (to_micros(place.created_at), place.submission_id, place.job_id))]
