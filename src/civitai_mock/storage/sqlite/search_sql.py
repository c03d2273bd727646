"""The statement that answers a search, made of what it asks for."""

from collections.abc import Iterable
from typing import TypeAlias

from civitai_mock.domain.search import JobCriteria, Position
from civitai_mock.storage.sqlite.job_rows import leaf_digests
from civitai_mock.storage.sqlite.jobs_sql import JOB
from civitai_mock.storage.sqlite.names import TableNames
from civitai_mock.storage.sqlite.rows import Value, to_json, to_micros

Condition: TypeAlias = tuple[str, tuple[Value, ...]]

POSITION = "(created_at, submission_id, id)"
LEAF_POSITION = "(found.born, found.submission, found.job)"
BY_AGE = """
    SELECT {job} FROM "{jobs}" WHERE {where}
    ORDER BY created_at DESC, submission_id DESC, id DESC LIMIT max(?, 0)
"""
# CROSS JOIN: the leaves come first, for they are in the order that is asked for.
BY_LEAF = """
    SELECT {job} FROM "{jobs} leaves" AS found CROSS JOIN "{jobs}" ON id = found.job WHERE {where}
    ORDER BY found.born DESC, found.submission DESC, found.job DESC LIMIT max(?, 0)
"""
# However many leaves are asked for, the statement stays the same.
HAS_LEAVES = """
    NOT EXISTS (
        SELECT 1 FROM json_each(?) AS wanted WHERE NOT EXISTS (
            SELECT 1 FROM "{jobs} leaves" AS other WHERE other.leaf = wanted.value
            AND other.born = found.born AND other.submission = found.submission AND other.job = found.job))
"""


class SearchStatement:
    """With the names of the tables put in, and `jobs_sql.JOB` for `{job}`."""

    def __init__(self, names: TableNames) -> None:
        self._names = names

    def of(self, search: JobCriteria, *, limit: int) -> tuple[str, tuple[Value, ...]]:
        """The statement and its parameters."""
        frame, position = (BY_LEAF, LEAF_POSITION) if search.property_paths else (BY_AGE, POSITION)
        conditions = [*_of_leaves(search.property_paths), *_of_job(search), *_before(search.before, position)]
        where = " AND ".join(sql for sql, _ in conditions) or "TRUE"
        sql = frame.replace("{job}", JOB).replace("{where}", where)
        return self._names.fill(sql), (*(value for _, values in conditions for value in values), limit)


def _of_leaves(leaves: Iterable[str]) -> list[Condition]:
    digests = leaf_digests(sorted(leaves))
    first: list[Condition] = [("found.leaf = ?", (digest,)) for digest in digests[:1]]
    others: list[Condition] = [(HAS_LEAVES, (to_json(digests[1:]),))] if digests[1:] else []
    return [*first, *others]


def _of_job(search: JobCriteria) -> list[Condition]:
    columns = {"issued_by": search.issued_by, "type": search.job_type}
    return [(f"{column} = ?", (value,)) for column, value in columns.items() if value is not None]


def _before(place: Position | None, position: str) -> list[Condition]:
    if place is None:
        return []
    return [(f"{position} < (?, ?, ?)", (to_micros(place.created_at), place.submission_id, place.job_id))]
