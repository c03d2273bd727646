"""Every statement finds its rows through an index, and sorts nothing that an index has in order."""

import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing

import pytest

from civitai_mock.domain.search import JobCriteria, Position
from civitai_mock.domain.workflow_search import WorkflowCriteria, WorkflowPosition
from civitai_mock.storage.sqlite import TableNames, blobs, epoch_sweep, health, namespaces, secrets
from civitai_mock.storage.sqlite.connections import connect_memory
from civitai_mock.storage.sqlite.epoch_sweep import EpochStatements
from civitai_mock.storage.sqlite.event_feed import FeedStatements
from civitai_mock.storage.sqlite.fleet import FleetStatements
from civitai_mock.storage.sqlite.job_events import EventStatements
from civitai_mock.storage.sqlite.job_queries import SearchStatements, find_statement
from civitai_mock.storage.sqlite.jobs import JobStatements
from civitai_mock.storage.sqlite.namespace_events import EventStatements as NamespaceEventStatements
from civitai_mock.storage.sqlite.new_jobs import InsertStatements
from civitai_mock.storage.sqlite.queue import QueueStatements
from civitai_mock.storage.sqlite.resource_statements import LayeredStatements, ResourceStatements
from civitai_mock.storage.sqlite.spending import SPENT
from civitai_mock.storage.sqlite.webhook_outbox import OutboxStatements
from civitai_mock.storage.sqlite.workflow_outbox import AnnouncementStatements
from civitai_mock.storage.sqlite.workflow_queries import listing_statements, probe_statement
from civitai_mock.storage.sqlite.workflow_sweep import SweepStatements
from civitai_mock.storage.sqlite.workflows import WorkflowStatements
from tests.support.dates import START
from tests.support.rows import row

NAMES = TableNames()
NUMBERED = re.compile(r"\?(\d+)")
NAMED = re.compile(r":([a-z_]+)")
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
OF_NAMESPACES = (
    "GET", "LIST", "CHANGED", "COUNT", "PUT", "TOUCH", "UNUSED", "END_EPOCH", "COUNT_ON", "COUNTED", "BEAT", "FAREWELL",
    "PROCESSES", "HELD", "HOLD", "FORGET_LEASES", "RELEASE",
)  # fmt: skip
OF_ENDED = ("ENDED", "IS_OBEYED", "FORGET", "FORGET_NAMES", "HAS_DELETED", "BLOBS", "DELETE_BLOB")


def ended_statements(sql: EpochStatements) -> list[str]:
    return [sql.jobs, *sql.of_job, sql.workflows, *sql.of_workflow, *sql.others]


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
    **{
        f"find.{name}": find_statement(criteria, epoch=1, limit=1, names=NAMES)[0]
        for name, criteria in SEARCHES.items()
    },
    **{f"resources.{name}": sql for name, sql in vars(ResourceStatements(NAMES)).items()},
    **{f"layered.{name}": sql for name, sql in vars(LayeredStatements(NAMES)).items()},
    **{
        f"blobs.{name}": getattr(blobs, name)
        for name in ("GET", "PUT", "PUT_NEW", "DESCRIBE", "FILL", "DELETE", "EXPIRED")
    },
    **{f"namespaces.{name}": getattr(namespaces, name) for name in OF_NAMESPACES},
    "namespaces.with_work": namespaces.with_work(NAMES),
    **{f"ended.{name}": getattr(epoch_sweep, name) for name in OF_ENDED},
    "ended.has_rows": EpochStatements(NAMES).has_rows,
    **{f"ended.{number}": sql for number, sql in enumerate(ended_statements(EpochStatements(NAMES)))},
    **{f"fleet.{name}": sql for name, sql in vars(FleetStatements(NAMES)).items()},
    **{
        f"namespace events.{name}": sql
        for name, sql in vars(NamespaceEventStatements(NAMES)).items()
        if name != "sweep"
    },
    **{f"namespace events.sweep.{n}": sql for n, sql in enumerate(NamespaceEventStatements(NAMES).sweep)},
    **{f"secrets.{name}": getattr(secrets, name) for name in ("SELECT", "INSERT_MISSING")},
    **{f"health.{name}": getattr(health, name) for name in ("TOUCH", "LOOK")},
}
INSERTS = frozenset(
    {
        "jobs.insert",
        "jobs.insert_leaf",
        "jobs.insert_place",
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
        "layered.insert",
        "namespaces.PUT",
        "namespaces.END_EPOCH",
        "namespaces.COUNT_ON",
        "namespaces.BEAT",
        "namespaces.HOLD",
        "fleet.begin",
        "fleet.add_cost",
        "namespace events.last",  # of which there is one at the end of the table
        "namespace events.append",
        "namespace events.name_job",
    }
)
BETWEEN = "(created_at,id)>(?,?) AND (created_at,id)<(?,?)"
PROBE_INDEX = "PRIMARY KEY (epoch=? AND owner=? AND tag=? AND (born,workflow)>(?,?) AND (born,workflow)<(?,?))"
LIST_INDEXES: Mapping[str, str] = {
    "all": f"jobs workflows by age (epoch=? AND owner=? AND {BETWEEN})",
    "dates": f"jobs workflows by age (epoch=? AND owner=? AND {BETWEEN})",
    "without failures": f"jobs workflows by age (epoch=? AND owner=? AND {BETWEEN})",
    "tag": PROBE_INDEX,
    "tags": "PRIMARY KEY (epoch=? AND owner=? AND tag=? AND born=? AND workflow=?)",
}
# A query is looked for anywhere in the text, which no index can answer; `search` walks one in the order of its pages.
# There are few processes; what has work has a test of its own.
# A job is taken out of the places of its workflow only when somebody orders it to be lost.
SCANS = frozenset(
    {
        "resources.count",
        "resources.search",
        "layered.count",
        "layered.search",
        "namespaces.PROCESSES",
        "namespaces.with_work",
    }
)
INDEXES: Mapping[str, str] = {
    "jobs.get": "sqlite_autoindex_jobs_1",
    "jobs.get_summary": "sqlite_autoindex_jobs_1",
    "jobs.settled_at": "sqlite_autoindex_jobs_1",
    "jobs.delete_place": "PRIMARY KEY (workflow=? AND job=?)",
    "jobs.latest_event": "jobs by deadline (epoch=?)",
    "queue.claim": "jobs to claim (epoch=?)",
    "queue.claim_timed": "jobs to claim by time (epoch=?)",
    "queue.claim_these": "sqlite_autoindex_jobs_1 (epoch=? AND id=?)",
    "queue.by_numbers": "INTEGER PRIMARY KEY (rowid=?)",
    "queue.set_priority": "sqlite_autoindex_jobs_1",
    "jobs.replace": "sqlite_autoindex_jobs_1",
    "jobs.advance": "sqlite_autoindex_jobs_1",
    "jobs.number": "sqlite_autoindex_jobs_1",
    "queue.renew": "jobs by worker (epoch=? AND worker_id=?)",
    "queue.workers": "jobs by worker (epoch=? AND worker_id>?)",
    "queue.with_expired_lease": "jobs by lease (epoch=? AND lease_until<?)",
    "queue.held_by": "jobs by worker (epoch=? AND worker_id=?)",
    "queue.past_deadline": "jobs by deadline (epoch=? AND expire_at<?)",
    "events.events": "PRIMARY KEY (job=?)",
    "events.insert": "jobs jobEvent by position (position>?)",
    "events.texts": "INTEGER PRIMARY KEY (rowid=?)",
    "jobs.insert_place_by_id": "sqlite_autoindex_jobs workflows_1",
    "spent": "COVERING INDEX jobs workflows by charge (epoch=? AND owner=?)",
    "workflows.by_external_id": "jobs workflows by external id (epoch=? AND owner=? AND external_id=?)",
    "workflows.delete_tag": "PRIMARY KEY (epoch=? AND owner=? AND tag=? AND born=? AND workflow=?)",
    "workflows.get": "sqlite_autoindex_jobs workflows_1",
    "workflows.jobs": "PRIMARY KEY (workflow=?)",
    "workflows.jobs_of_many": "PRIMARY KEY (workflow=?)",
    "workflows.replace": "sqlite_autoindex_jobs workflows_1",
    "workflows.delete": "sqlite_autoindex_jobs workflows_1",
    "workflows.settled_version": "sqlite_autoindex_jobs workflows_1",
    "workflows.has_job": "sqlite_autoindex_jobs_1",
    "workflows.unfinished": "jobs workflows that run (epoch=? AND id>?)",
    "workflows.is_unfinished": "jobs workflows that run (epoch=?)",
    "workflows.has_announcement": "jobs to announce (epoch=? AND due_at>?)",
    "workflows.expired": "jobs workflows to sweep (epoch=? AND keep_until<?)",
    "workflows.expire_jobs": "PRIMARY KEY (workflow=?)",
    "workflows.sweep_tags": "PRIMARY KEY (epoch=? AND owner=? AND tag=? AND born=? AND workflow=?)",
    "workflows.sweep": "INTEGER PRIMARY KEY (rowid=?)",
    "workflows.sweep_places": "PRIMARY KEY (workflow=?)",
    "workflows.sweep_announcements": "PRIMARY KEY (workflow=?)",
    "workflows.sweep_deliveries": "INTEGER PRIMARY KEY (rowid=?)",
    "announcements.number": "sqlite_autoindex_jobs workflows_1",
    "announcements.go_on": "INTEGER PRIMARY KEY (rowid=?)",
    "announcements.announced": "PRIMARY KEY (workflow=?)",
    "announcements.is_due": "jobs to announce (epoch=? AND due_at<?)",
    "announcements.due": "jobs to announce (epoch=? AND due_at<?)",
    "announcements.next_due": "jobs to announce (epoch=? AND due_at>?)",
    "announcements.hold": "INTEGER PRIMARY KEY (rowid=?)",
    "announcements.told": "INTEGER PRIMARY KEY (rowid=?)",
    "announcements.try_again": "INTEGER PRIMARY KEY (rowid=?)",
    "announcements.postpone": "INTEGER PRIMARY KEY (rowid=?)",
    "announcements.await_next": "INTEGER PRIMARY KEY (rowid=?)",
    "announcements.keep_fault": "INTEGER PRIMARY KEY (rowid=?)",
    "announcements.state": "INTEGER PRIMARY KEY (rowid=?)",
    **{f"list.{name}.{use}": index for name, index in LIST_INDEXES.items() for use in ("plain", "query", "end")},
    **{f"list.{name}.probe": PROBE_INDEX for name in LIST_INDEXES},
    "jobs.count_poll": "sqlite_autoindex_jobs_1",
    "jobs.one": "sqlite_autoindex_jobs_1",
    "jobs.slots": "sqlite_autoindex_jobs_1",
    "jobs.set_slots": "sqlite_autoindex_jobs_1",
    "jobs.keep_faults": "sqlite_autoindex_jobs_1",
    "jobs.keep_cost": "INTEGER PRIMARY KEY (rowid=?)",
    "jobs.set_taint": "sqlite_autoindex_jobs_1",
    "jobs.expired": "jobs to sweep (epoch=? AND keep_until<?)",
    "jobs.sweep": "INTEGER PRIMARY KEY (rowid=?)",
    "jobs.sweep_request": "INTEGER PRIMARY KEY (rowid=?)",
    "jobs.sweep_texts": "INTEGER PRIMARY KEY (rowid=?)",
    "jobs.sweep_events": "PRIMARY KEY (job=?)",
    "jobs.sweep_leaf": "PRIMARY KEY (epoch=? AND leaf=? AND born=? AND submission=? AND job=?)",
    "feed.last": "jobs jobEvent by position",
    "feed.after": "jobs jobEvent by position (position>?)",
    "queue.blocked": "jobs that wait (epoch=? AND id>?)",
    "search.outcomes": "sqlite_autoindex_jobs_1",
    "search.spending": "jobs by age (epoch=? AND created_at>? AND created_at<?)",
    "search.spending_of": "jobs by consumer (epoch=? AND issued_by=? AND created_at>? AND created_at<?)",
    "queue.queued": "jobs to claim (epoch=?)",
    "queue.backlog": "jobs to claim (epoch=?)",
    "queue.is_stalled": "jobs to claim (epoch=?)",
    "queue.recent": "jobs by end (epoch=? AND changed_at>?)",
    "webhooks.is_due": "jobs to tell of (epoch=? AND callback_due_at<?)",
    "webhooks.due": "jobs to tell of (epoch=? AND callback_due_at<?)",
    "webhooks.next_due": "jobs to tell of (epoch=? AND callback_due_at>?)",
    "webhooks.hold": "sqlite_autoindex_jobs_1",
    "webhooks.delivered": "sqlite_autoindex_jobs_1",
    "webhooks.try_again": "sqlite_autoindex_jobs_1",
    "webhooks.give_up": "sqlite_autoindex_jobs_1",
    "webhooks.postpone": "sqlite_autoindex_jobs_1",
    "webhooks.await_next": "sqlite_autoindex_jobs_1",
    "webhooks.keep_fault": "sqlite_autoindex_jobs_1",
    "webhooks.state": "sqlite_autoindex_jobs_1",
    "find.all": "jobs by age (epoch=?)",
    "find.type": "jobs by age (epoch=? AND (created_at,submission_id,id)<(?,?,?))",
    "find.consumer": "jobs by consumer",
    "find.consumer and type": "jobs by consumer",
    "find.leaf": "PRIMARY KEY (epoch=? AND leaf=? AND (born,submission,job)<(?,?,?))",
    "find.everything": "PRIMARY KEY (epoch=? AND leaf=? AND born=? AND submission=? AND job=?)",
    "resources.find_spelled": "sqlite_autoindex_resources_1",
    "resources.find_version": "resources by version (epoch=? AND source=? AND version=?)",
    "resources.insert_missing": "resources by version (epoch=? AND source=? AND version=?)",
    "resources.find_model": "resources by model (epoch=? AND source=? AND id=?)",
    "resources.replace": "sqlite_autoindex_resources_1",
    "resources.delete": "sqlite_autoindex_resources_1",
    "blobs.GET": "sqlite_autoindex_blobs_1",
    "blobs.FILL": "sqlite_autoindex_blobs_1",
    "blobs.DELETE": "sqlite_autoindex_blobs_1",
    "blobs.DESCRIBE": "sqlite_autoindex_blobs_1",
    "blobs.EXPIRED": "blobs to sweep (epoch=? AND keep_until<?)",
    "layered.find_spelled": "sqlite_autoindex_resources_1 (epoch=? AND key=?)",
    "layered.find_version": "resources by version (epoch=? AND source=? AND version=?)",
    "layered.find_model": "resources by model (epoch=? AND source=? AND id=?)",
    "layered.find_identity": "resources by identity (epoch=? AND identity=?)",
    "layered.delete": "resources by identity (epoch=? AND identity=?)",
    "layered.hide": "resources by identity (epoch=? AND identity=?)",
    "namespaces.GET": "PRIMARY KEY (name=?)",
    "namespaces.LIST": "PRIMARY KEY (name>?)",
    "namespaces.CHANGED": "namespaces by change (changed>?)",
    "namespaces.COUNT": "namespaces by use",
    "namespaces.TOUCH": "PRIMARY KEY (name=?)",
    "namespaces.UNUSED": "namespaces by use (used_at<?)",
    "namespaces.COUNTED": "PRIMARY KEY (epoch=? AND key=?)",
    "namespaces.FAREWELL": "PRIMARY KEY (id=?)",
    "namespaces.HELD": "PRIMARY KEY (name=?)",
    "namespaces.FORGET_LEASES": "leases by end (until<?)",
    "namespaces.RELEASE": "PRIMARY KEY (name=?)",
    "ended.ENDED": "INTEGER PRIMARY KEY (rowid>?)",
    "ended.has_rows": "jobs to sweep (epoch=?)",
    "ended.IS_OBEYED": "INTEGER PRIMARY KEY (rowid=?)",
    "ended.FORGET": "INTEGER PRIMARY KEY (rowid=?)",
    "ended.FORGET_NAMES": "namespaces that are deleted",
    "ended.HAS_DELETED": "namespaces that are deleted",
    "ended.BLOBS": "sqlite_autoindex_blobs_1 (epoch=?)",
    "ended.DELETE_BLOB": "sqlite_autoindex_blobs_1 (epoch=? AND key=?)",
    "ended.0": "jobs to sweep (epoch=?)",
    "ended.1": "INTEGER PRIMARY KEY (rowid=?)",
    "ended.2": "INTEGER PRIMARY KEY (rowid=?)",
    "ended.3": "INTEGER PRIMARY KEY (rowid=?)",
    "ended.4": "PRIMARY KEY (job=?)",
    "ended.5": "jobs workflows to sweep (epoch=?)",
    "ended.6": "INTEGER PRIMARY KEY (rowid=?)",
    "ended.7": "PRIMARY KEY (workflow=?)",
    "ended.8": "PRIMARY KEY (workflow=?)",
    "ended.9": "INTEGER PRIMARY KEY (rowid=?)",
    "ended.10": "PRIMARY KEY (epoch=? AND leaf=? AND born=? AND submission=? AND job=?)",
    "ended.11": "PRIMARY KEY (epoch=? AND owner=? AND tag=? AND born=? AND workflow=?)",
    "ended.12": "jobs namespace events to sweep (epoch=?)",
    "ended.13": "PRIMARY KEY (epoch=? AND job=? AND position=?)",
    "ended.14": "INTEGER PRIMARY KEY (rowid=?)",
    "ended.15": "PRIMARY KEY (epoch=? AND id=?)",
    "ended.16": "sqlite_autoindex_resources_1 (epoch=? AND key=?)",
    "ended.17": "PRIMARY KEY (epoch=? AND key=?)",
    "fleet.read": "INTEGER PRIMARY KEY (rowid=?)",
    "fleet.save": "INTEGER PRIMARY KEY (rowid=?)",
    "fleet.costs": "jobs fleet costs by end (epoch=?)",
    "namespace events.after": "INTEGER PRIMARY KEY (rowid>?)",
    "namespace events.of_jobs": "PRIMARY KEY (epoch=? AND job=? AND position>?)",
    "namespace events.has_old": "COVERING INDEX jobs namespace events to sweep (epoch=? AND keep_until<?)",
    "namespace events.sweep.0": "PRIMARY KEY (epoch=?)",
    "namespace events.sweep.1": "jobs namespace events to sweep (epoch=? AND keep_until<?)",
    "secrets.SELECT": "sqlite_autoindex_secrets_1",
    "health.LOOK": "sqlite_autoindex_secrets_1",
}


@pytest.fixture(scope="module")
def connection() -> Iterator[sqlite3.Connection]:
    with closing(connect_memory(NAMES)) as connections:
        yield connections.writer


def plan(connection: sqlite3.Connection, sql: str) -> list[str]:
    count = max(map(int, NUMBERED.findall(sql)), default=sql.count("?"))
    named = dict.fromkeys(NAMED.findall(sql))
    rows = connection.execute(f"EXPLAIN QUERY PLAN {sql}", named or (None,) * count).fetchall()
    return [detail for *_, detail in rows]


def test_every_statement_is_looked_at() -> None:
    assert set(STATEMENTS) == set(INDEXES) | INSERTS | SCANS


def test_a_statement_uses_its_index(connection: sqlite3.Connection) -> None:
    for name, index in INDEXES.items():
        with row(name):
            steps = plan(connection, STATEMENTS[name])
            assert any(f"INDEX {index}" in step or f"USING {index}" in step for step in steps), steps


def test_nothing_is_sorted_that_an_index_has_in_order(connection: sqlite3.Connection) -> None:
    for name in sorted(set(INDEXES) | {"resources.search"}):
        with row(name):
            steps = plan(connection, STATEMENTS[name])
            assert not [step for step in steps if "TEMP B-TREE" in step], steps


def test_no_table_is_read_from_end_to_end(connection: sqlite3.Connection) -> None:
    for name in sorted(set(INDEXES) - {"queue.workers"}):
        with row(name):
            steps = plan(connection, STATEMENTS[name])
            harmless = re.compile(r"INDEX|json|CONSTANT ROW|searched|subquery")  # what is listed comes from an index
            assert not [step for step in steps if step.startswith("SCAN") and not harmless.search(step)], steps


def test_epochs_with_work_are_found_by_leaps_over_partial_indexes(connection: sqlite3.Connection) -> None:
    steps = [step for step in plan(connection, STATEMENTS["namespaces.with_work"]) if "jobs " in step]
    leaps = [step for step in steps if step.endswith("(epoch>?)")]
    assert len(leaps) == len(namespaces.WORK)
    assert not [step for step in steps if step.startswith("SCAN jobs")], steps
