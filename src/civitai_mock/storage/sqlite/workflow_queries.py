"""Lists of workflows in SQLite, which an index has in order."""

import json
from collections.abc import Mapping, Sequence

from civitai_mock.domain.micros import from_micros, to_micros
from civitai_mock.domain.namespaces import Epoch
from civitai_mock.domain.search import MOST_BYTES_FOUND
from civitai_mock.domain.workflow_search import (
    MOST_LOOKED_AT,
    FoundWorkflows,
    WorkflowCriteria,
    WorkflowPosition,
    query_text,
    workflow_position,
)
from civitai_mock.services.threads import in_thread_if_large
from civitai_mock.storage.sqlite.database import Database
from civitai_mock.storage.sqlite.encoding import Row, Value, text_size
from civitai_mock.storage.sqlite.schema import TableNames
from civitai_mock.storage.sqlite.workflow_rows import workflow_from

PROBE = 100  # workflows of a tag: that of several tags is the rarest where so many go furthest
PROBE_TAG = """
    SELECT born FROM "{jobs} tags" WHERE epoch = ? AND owner = ? AND tag = ?
    AND (born, workflow) > (?, ?) AND (born, workflow) < (?, ?)
    ORDER BY born {order}, workflow {order} LIMIT 1 OFFSET ?
"""
BY_AGE = """
    SELECT {columns} FROM "{jobs} workflows" AS found
    WHERE found.epoch = ? AND owner = ? AND is_listed = 1 AND {where}
    ORDER BY found.created_at {order}, found.id {order} LIMIT ?
"""
# CROSS JOIN makes SQLite begin with the tags, which are in the order that is asked for.
BY_TAG = """
    SELECT {columns} FROM "{jobs} tags" AS tagged CROSS JOIN "{jobs} workflows" AS found
    ON found.epoch = tagged.epoch AND found.id = tagged.workflow
    WHERE tagged.epoch = ? AND tagged.owner = ? AND tagged.tag = ? AND {where}
    ORDER BY tagged.born {order}, tagged.workflow {order} LIMIT ?
"""
# The statement is the same for any number of tags.
HAS_TAGS = """
    NOT EXISTS (
        SELECT 1 FROM json_each(?) AS wanted WHERE NOT EXISTS (
            SELECT 1 FROM "{jobs} tags" AS other WHERE other.epoch = tagged.epoch AND other.owner = tagged.owner
            AND other.tag = wanted.value AND other.born = tagged.born AND other.workflow = tagged.workflow))
"""
AGE, TAG = "(found.created_at, found.id)", "(tagged.born, tagged.workflow)"
COLUMNS = "found.version, found.body"
POSITION = "found.created_at, found.id"
SEARCHED = "found.number AS number, coalesce(found.search, '') AS text"
# CROSS JOIN again, so that only what matches is read whole, and no more than is asked for.
MATCHING = """
    SELECT matching.version, matching.body FROM ({listed}) AS searched CROSS JOIN "{jobs} workflows" AS matching
    ON matching.number = searched.number WHERE instr(searched.text, ?) LIMIT ?
"""
LAST_LOOKED_AT = "SELECT created_at, id FROM ({listed}) LIMIT 1 OFFSET ?"
EARLIEST, LATEST = -(2**63), 2**63 - 1
BEFORE_ALL, AFTER_ALL = "", "\U0010ffff"  # ids


class WorkflowSearch:
    """Finds workflows in a thread, as a query is looked for in many rows."""

    def __init__(self, *, database: Database, names: TableNames, epoch: Epoch) -> None:
        self._database = database
        self._epoch = epoch
        self._names = names

    async def find(self, criteria: WorkflowCriteria, *, limit: int) -> FoundWorkflows:
        """Ask for one more than is returned, to know whether there is one."""
        if limit < 1:
            return FoundWorkflows(workflows=(), reached=criteria.after)
        tags = self._rarest_first(criteria)
        if criteria.query:
            return await self._find_query(criteria, tags, query_text(criteria.query), limit)
        sql, parameters = listing_statements(criteria, tags, self._names)["plain"], self._parameters(criteria, tags)
        rows = await self._database.scan(sql, (*parameters, limit + 1), most_bytes=MOST_BYTES_FOUND)
        return await _page(rows, limit, end=None)

    async def _find_query(
        self, criteria: WorkflowCriteria, tags: Sequence[str], query: str, limit: int
    ) -> FoundWorkflows:
        sql = listing_statements(criteria, tags, self._names)
        looked_at = (*self._parameters(criteria, tags), MOST_LOOKED_AT)
        rows = await self._database.scan(sql["query"], (*looked_at, query, limit + 1), most_bytes=MOST_BYTES_FOUND)
        if len(rows) > limit:
            return await _page(rows, limit, end=None)
        last = await self._database.scan(sql["end"], (*looked_at, MOST_LOOKED_AT - 1))
        end = WorkflowPosition(from_micros(last[0][0]), last[0][1]) if last else None
        return await _page(rows, limit, end=end)

    def _rarest_first(self, criteria: WorkflowCriteria) -> Sequence[str]:
        """Return the tags with the one first that the fewest workflows have from the beginning of the page on."""
        if len(criteria.tags) < 2:
            return list(criteria.tags)
        sql, bounds = probe_statement(criteria, self._names), _bounds(criteria)
        probes: dict[str, tuple[int, int]] = {}
        for tag in criteria.tags:
            found = self._database.read(sql, (self._epoch.number, criteria.owner, tag, *bounds[0], *bounds[1], PROBE))
            probes[tag] = (1, -found[0][0] if criteria.ascending else found[0][0]) if found else (0, 0)
        return sorted(probes, key=lambda tag: (probes[tag], tag))

    def _parameters(self, criteria: WorkflowCriteria, tags: Sequence[str]) -> tuple[Value, ...]:
        lower, upper = _bounds(criteria)
        others = (json.dumps(tags[1:]),) if tags[1:] else ()  # which can write half a surrogate pair
        return (self._epoch.number, criteria.owner, *tags[:1], *lower, *upper, *others)


async def _page(rows: Sequence[Row], limit: int, *, end: WorkflowPosition | None) -> FoundWorkflows:
    """Return a page of rows, of which one more than `limit` means that there are more; else the list goes on at `end`.

    Rows that were too large to read all of them mean that, too.
    """
    size = sum(map(text_size, rows))
    workflows = await in_thread_if_large(lambda: [workflow_from(row) for row in rows[:limit]], size=size)
    if workflows and (len(rows) > limit or size >= MOST_BYTES_FOUND):
        return FoundWorkflows(workflows=workflows, reached=workflow_position(workflows[-1]))
    return FoundWorkflows(workflows=workflows, reached=end)


def probe_statement(criteria: WorkflowCriteria, names: TableNames) -> str:
    """Return the statement that finds how far the next workflows with a tag go."""
    return names.fill(_ordered(PROBE_TAG, criteria))


def _ordered(sql: str, criteria: WorkflowCriteria) -> str:
    return sql.replace("{order}", "ASC" if criteria.ascending else "DESC")


def listing_statements(criteria: WorkflowCriteria, tags: Sequence[str], names: TableNames) -> Mapping[str, str]:
    """Return the statements that list what matches: all of it, what has a query, and the place where that ends.

    Each takes the parameters of the criteria and a limit; the second a query and another limit, too, the third an
    offset.
    """
    frame, position = (BY_TAG, TAG) if tags else (BY_AGE, AGE)
    conditions = [f"{position} > (?, ?) AND {position} < (?, ?)"]
    if not criteria.failed:
        conditions.append("found.has_failed = 0")
    if tags[1:]:
        conditions.append(HAS_TAGS)
    listed = _ordered(frame.replace("{where}", " AND ".join(conditions)), criteria)
    searched, positions = listed.replace("{columns}", SEARCHED), listed.replace("{columns}", POSITION)
    return {
        "plain": names.fill(listed.replace("{columns}", COLUMNS)),
        "query": names.fill(MATCHING.replace("{listed}", searched)),
        "end": names.fill(LAST_LOOKED_AT.replace("{listed}", positions)),
    }


def _bounds(criteria: WorkflowCriteria) -> tuple[tuple[int, str], tuple[int, str]]:
    """Return the places after and before which all stands that matches."""
    lower = (to_micros(criteria.since) if criteria.since else EARLIEST, BEFORE_ALL)
    upper = (to_micros(criteria.until) if criteria.until else LATEST, AFTER_ALL)
    if criteria.after is None:
        return lower, upper
    place = (to_micros(criteria.after.created_at), criteria.after.workflow_id)
    return (max(lower, place), upper) if criteria.ascending else (lower, min(upper, place))
