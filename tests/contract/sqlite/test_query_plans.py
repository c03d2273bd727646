"""Every statement finds its rows through an index, and sorts nothing that an index has in order."""

import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing

import pytest

from civitai_mock.domain.search import JobCriteria, Position
from civitai_mock.domain.workflow_search import WorkflowCriteria, WorkflowPosition
from civitai_mock.storage.sqlite import TableNames, blobs, health, secrets
from civitai_mock.storage.sqlite.connections import connect_memory
from civitai_mock.storage.sqlite.event_feed import FeedStatements
from civitai_mock.storage.sqlite.job_events import EventStatements
from civitai_mock.storage.sqlite.job_queries import SearchStatements, find_statement
from civitai_mock.storage.sqlite.jobs import JobStatements
from civitai_mock.storage.sqlite.new_jobs import InsertStatements
from civitai_mock.storage.sqlite.queue import QueueStatements
from civitai_mock.storage.sqlite.resources import ResourceStatements
from civitai_mock.storage.sqlite.spending import SPENT
from civitai_mock.storage.sqlite.webhook_outbox import OutboxStatements
from civitai_mock.storage.sqlite.workflow_outbox import AnnouncementStatements
from civitai_mock.storage.sqlite.workflow_queries import listing_statements, probe_statement
from civitai_mock.storage.sqlite.workflow_sweep import SweepStatements
from civitai_mock.storage.sqlite.workflows import WorkflowStatements
from tests.support.dates import START

NAMES = TableNames()
NUMBERED = re.compile(r"\?(\d+)")
PLACE = Position(created_at=START, submission_id="", job_id="")
LEAVES = frozenset({"a", "b", "c"})
SEARCHES: Mapping[str, JobCriteria] = {
    "all": JobCriteria(),
    "type": JobCriteria(job_type="x", before=PLACE),
    "consumer": JobCriteria(issued_by="x", before=PLACE),
    "consumer and type": JobCriteria(issued_by="x", job_type="x"),
    "leaf": JobCriteria(property_paths=frozenset({"a"}), before=PLACE),
    "everything": JobCriteria(issued_by="x", job_type="x", property_paths=LEAVES, before=PLACE),
}
LISTED_AFTER = WorkflowPosition(START, "")
LISTS: Mapping[str, tuple[WorkflowCriteria, list[str]]] = {
    "all": (WorkflowCriteria(owner="x", after=LISTED_AFTER), []),
    "dates": (WorkflowCriteria(owner="x", since=START, until=START, ascending=True), []),
    "without failures": (WorkflowCriteria(owner="x", failed=False), []),
    "tag": (WorkflowCriteria(owner="x", after=LISTED_AFTER), ["a"]),
    "tags": (WorkflowCriteria(owner="x", after=LISTED_AFTER, failed=False, ascending=True), ["a", "b", "c"]),
}
STATEMENTS: Mapping[str, str] = {
    **{f"jobs.{name}": sql for name, sql in vars(JobStatements(NAMES)).items()},
    **{f"jobs.{name}": sql for name, sql in vars(InsertStatements(NAMES)).items() if isinstance(sql, str)},
    "spent": NAMES.fill(SPENT),
    **{f"workflows.{name}": sql for name, sql in vars(WorkflowStatements(NAMES)).items()},
    **{f"workflows.{name}": sql for name, sql in vars(SweepStatements(NAMES)).items()},
    **{f"announcements.{name}": sql for name, sql in vars(AnnouncementStatements(NAMES)).items()},
    **{
        f"list.{name}.{use}": sql
        for name, (criteria, tags) in LISTS.items()
        for use, sql in listing_statements(criteria, tags, NAMES).items()
    },
    **{f"list.{name}.probe": probe_statement(criteria, NAMES) for name, (criteria, _) in LISTS.items()},
    **{f"events.{name}": sql for name, sql in vars(EventStatements(NAMES)).items()},
    **{f"feed.{name}": sql for name, sql in vars(FeedStatements(NAMES)).items()},
    **{f"queue.{name}": sql for name, sql in vars(QueueStatements(NAMES)).items()},
    **{f"search.{name}": sql for name, sql in vars(SearchStatements(NAMES)).items()},
    **{f"webhooks.{name}": sql for name, sql in vars(OutboxStatements(NAMES)).items()},
    **{f"find.{name}": find_statement(criteria, limit=1, names=NAMES)[0] for name, criteria in SEARCHES.items()},
    **{f"resources.{name}": sql for name, sql in vars(ResourceStatements(NAMES)).items()},
    **{f"blobs.{name}": getattr(blobs, name) for name in ("GET", "PUT", "PUT_NEW", "FILL", "DELETE", "EXPIRED")},
    **{f"secrets.{name}": getattr(secrets, name) for name in ("SELECT", "INSERT_MISSING")},
    **{f"health.{name}": getattr(health, name) for name in ("TOUCH", "LOOK")},
}
INSERTS = frozenset(
    {
        "jobs.insert",
        "jobs.insert_leaf",
        "jobs.insert_request",
        "workflows.insert",
        "workflows.insert_tag",
        "announcements.begin",
        "announcements.insert",
        "events.insert_texts",
        "events.put_texts",
        "blobs.PUT",
        "blobs.PUT_NEW",
        "secrets.INSERT_MISSING",
        "health.TOUCH",
    }
)
BETWEEN = "(created_at,id)>(?,?) AND (created_at,id)<(?,?)"
PROBE_INDEX = "PRIMARY KEY (owner=? AND tag=? AND (born,workflow)>(?,?) AND (born,workflow)<(?,?))"
LIST_INDEXES: Mapping[str, str] = {
    "all": f"jobs workflows by age (owner=? AND {BETWEEN})",
    "dates": f"jobs workflows by age (owner=? AND {BETWEEN})",
    "without failures": f"jobs workflows that did not fail (owner=? AND {BETWEEN})",
    "tag": PROBE_INDEX,
    "tags": "PRIMARY KEY (owner=? AND tag=? AND born=? AND workflow=?)",
}
# A query is looked for anywhere in the text, which no index can answer; `search` walks one in the order of its pages.
SCANS = frozenset({"resources.count", "resources.search"})
INDEXES: Mapping[str, str] = {
    "jobs.get": "sqlite_autoindex_jobs_1",
    "jobs.get_summary": "sqlite_autoindex_jobs_1",
    "jobs.settled_at": "sqlite_autoindex_jobs_1",
    "queue.claim": "jobs to claim",
    "jobs.replace": "sqlite_autoindex_jobs_1",
    "queue.renew": "jobs by worker",
    "queue.workers": "jobs by worker",
    "queue.with_expired_lease": "jobs by lease",
    "queue.held_by": "jobs by worker",
    "queue.past_deadline": "jobs by deadline",
    "events.events": "PRIMARY KEY (job=?)",
    "events.insert": "jobs jobEvent by position (position>?)",
    "events.texts": "INTEGER PRIMARY KEY (rowid=?)",
    "jobs.insert_place": "sqlite_autoindex_jobs workflows_1",
    "spent": "COVERING INDEX jobs workflows by charge (owner=?)",
    "workflows.by_external_id": "jobs workflows by external id (owner=? AND external_id=?)",
    "workflows.delete_tag": "PRIMARY KEY (owner=? AND tag=? AND born=? AND workflow=?)",
    "workflows.get": "sqlite_autoindex_jobs workflows_1",
    "workflows.jobs": "PRIMARY KEY (workflow=?)",
    "workflows.jobs_of_many": "PRIMARY KEY (workflow=?)",
    "workflows.replace": "sqlite_autoindex_jobs workflows_1",
    "workflows.delete": "sqlite_autoindex_jobs workflows_1",
    "workflows.settled_version": "sqlite_autoindex_jobs workflows_1",
    "workflows.has_job": "sqlite_autoindex_jobs_1",
    "workflows.unfinished": "jobs workflows that run (id>?)",
    "workflows.is_unfinished": "jobs workflows that run",
    "workflows.has_announcement": "jobs to announce",
    "workflows.expired": "jobs workflows to sweep",
    "workflows.expire_jobs": "PRIMARY KEY (workflow=?)",
    "workflows.sweep_tags": "PRIMARY KEY (owner=? AND tag=? AND born=? AND workflow=?)",
    "workflows.sweep": "INTEGER PRIMARY KEY (rowid=?)",
    "workflows.sweep_places": "PRIMARY KEY (workflow=?)",
    "workflows.sweep_announcements": "PRIMARY KEY (workflow=?)",
    "workflows.sweep_deliveries": "INTEGER PRIMARY KEY (rowid=?)",
    "announcements.number": "sqlite_autoindex_jobs workflows_1",
    "announcements.go_on": "INTEGER PRIMARY KEY (rowid=?)",
    "announcements.announced": "PRIMARY KEY (workflow=?)",
    "announcements.is_due": "jobs to announce (due_at<?)",
    "announcements.due": "jobs to announce (due_at<?)",
    "announcements.next_due": "jobs to announce",
    "announcements.hold": "INTEGER PRIMARY KEY (rowid=?)",
    "announcements.told": "INTEGER PRIMARY KEY (rowid=?)",
    "announcements.try_again": "INTEGER PRIMARY KEY (rowid=?)",
    **{f"list.{name}.{use}": index for name, index in LIST_INDEXES.items() for use in ("plain", "query", "end")},
    **{f"list.{name}.probe": PROBE_INDEX for name in LIST_INDEXES},
    "jobs.set_taint": "sqlite_autoindex_jobs_1",
    "jobs.expired": "jobs to sweep",
    "jobs.sweep": "INTEGER PRIMARY KEY (rowid=?)",
    "jobs.sweep_request": "INTEGER PRIMARY KEY (rowid=?)",
    "jobs.sweep_texts": "INTEGER PRIMARY KEY (rowid=?)",
    "jobs.sweep_events": "PRIMARY KEY (job=?)",
    "jobs.sweep_leaf": "PRIMARY KEY (leaf=? AND born=? AND submission=? AND job=?)",
    "feed.last": "jobs jobEvent by position",
    "feed.after": "jobs jobEvent by position (position>?)",
    "queue.blocked": "jobs that wait (id>?)",
    "search.outcomes": "sqlite_autoindex_jobs_1",
    "search.spending": "jobs by age (created_at>? AND created_at<?)",
    "search.spending_of": "jobs by consumer (issued_by=? AND created_at>? AND created_at<?)",
    "queue.to_claim": "jobs to claim",
    "queue.backlog": "jobs to claim",
    "queue.is_stalled": "jobs to claim",
    "queue.recent": "jobs by end (changed_at>?)",
    "webhooks.is_due": "jobs to tell of (callback_due_at<?)",
    "webhooks.due": "jobs to tell of (callback_due_at<?)",
    "webhooks.next_due": "jobs to tell of",
    "webhooks.hold": "sqlite_autoindex_jobs_1",
    "webhooks.delivered": "sqlite_autoindex_jobs_1",
    "webhooks.try_again": "sqlite_autoindex_jobs_1",
    "webhooks.give_up": "sqlite_autoindex_jobs_1",
    "find.all": "jobs by age",
    "find.type": "jobs by age",
    "find.consumer": "jobs by consumer",
    "find.consumer and type": "jobs by consumer",
    "find.leaf": "PRIMARY KEY (leaf=? AND (born,submission,job)<(?,?,?))",
    "find.everything": "PRIMARY KEY (leaf=? AND born=? AND submission=? AND job=?)",
    "resources.find_spelled": "sqlite_autoindex_resources_1",
    "resources.find_version": "resources by version (source=? AND version=?)",
    "resources.insert_missing": "resources by version (source=? AND version=?)",
    "resources.find_model": "resources by model (source=? AND id=?)",
    "resources.replace": "sqlite_autoindex_resources_1",
    "resources.delete": "sqlite_autoindex_resources_1",
    "blobs.GET": "sqlite_autoindex_blobs_1",
    "blobs.FILL": "sqlite_autoindex_blobs_1",
    "blobs.DELETE": "sqlite_autoindex_blobs_1",
    "blobs.EXPIRED": "blobs to sweep",
    "secrets.SELECT": "sqlite_autoindex_secrets_1",
    "health.LOOK": "sqlite_autoindex_secrets_1",
}


@pytest.fixture(scope="module")
def connection() -> Iterator[sqlite3.Connection]:
    with closing(connect_memory(NAMES)) as connections:
        yield connections.writer


def plan(connection: sqlite3.Connection, sql: str) -> list[str]:
    count = max(map(int, NUMBERED.findall(sql)), default=sql.count("?"))
    rows = connection.execute(f"EXPLAIN QUERY PLAN {sql}", (None,) * count).fetchall()
    return [detail for *_, detail in rows]


def test_every_statement_is_looked_at() -> None:
    assert set(STATEMENTS) == set(INDEXES) | INSERTS | SCANS


@pytest.mark.parametrize(("name", "index"), INDEXES.items())
def test_a_statement_uses_its_index(connection: sqlite3.Connection, name: str, index: str) -> None:
    steps = plan(connection, STATEMENTS[name])
    assert any(f"INDEX {index}" in step or f"USING {index}" in step for step in steps), steps


@pytest.mark.parametrize("name", sorted(set(INDEXES) | {"resources.search"}))
def test_nothing_is_sorted_that_an_index_has_in_order(connection: sqlite3.Connection, name: str) -> None:
    steps = plan(connection, STATEMENTS[name])
    assert not [step for step in steps if "TEMP B-TREE" in step], steps


@pytest.mark.parametrize("name", sorted(set(INDEXES) - {"queue.workers"}))
def test_no_table_is_read_from_end_to_end(connection: sqlite3.Connection, name: str) -> None:
    steps = plan(connection, STATEMENTS[name])
    harmless = re.compile(r"INDEX|json|CONSTANT ROW|searched|subquery")  # what is listed comes from an index
    assert not [step for step in steps if step.startswith("SCAN") and not harmless.search(step)], steps
