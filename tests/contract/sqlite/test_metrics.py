"""Statements are counted, each once, and what was asked for is timed."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from civitai_mock.domain.namespaces import Epoch
from civitai_mock.ports import Metrics
from civitai_mock.storage.sqlite import TableNames
from civitai_mock.storage.sqlite.connections import Connections, connect_file, connect_memory
from civitai_mock.storage.sqlite.database import Database
from civitai_mock.storage.sqlite.job_queries import SqliteJobSearch
from civitai_mock.storage.sqlite.jobs import SqliteJobStore
from civitai_mock.storage.sqlite.queue import SqliteJobQueue
from tests.support.jobs import job_id, make_claim, make_job, succeeded

NAMES = TableNames()


@pytest.fixture(params=["file", "memory"])
def connections(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Connections]:
    opened = connect_file(tmp_path / "x.db", NAMES) if request.param == "file" else connect_memory(NAMES)
    with closing(opened):
        yield opened


async def test_each_statement_is_counted_once_as_sqlite_sees_them(connections: Connections) -> None:
    metrics = Metrics()
    database = Database(connections, description="SQLite under test", metrics=metrics)
    traced: list[str] = []
    for connection in {connections.writer, connections.reader, connections.scanner, connections.checkpointer}:
        connection.set_trace_callback(traced.append)
    (count,) = metrics.statement_counts
    before = count()
    jobs, queue = (
        SqliteJobStore(database=database, names=NAMES, epoch=Epoch()),
        SqliteJobQueue(database=database, names=NAMES, epoch=Epoch(), workers=None),
    )
    await jobs.add([make_job(number) for number in range(1, 4)])
    for job in await queue.claim(make_claim(), limit=2):
        assert await jobs.replace(job, succeeded(job))
    await jobs.set_taint([job_id(1), job_id(3)], {"reason": "x"})
    await SqliteJobSearch(database=database, names=NAMES, epoch=Epoch()).outcomes([job_id(1), job_id(2)])
    await queue.backlog()
    await database.close()
    assert count() - before == len([sql for sql in traced if not sql.startswith("--")])


async def test_the_outcomes_of_many_jobs_are_one_statement(connections: Connections) -> None:
    metrics = Metrics()
    database = Database(connections, description="SQLite under test", metrics=metrics)
    await SqliteJobStore(database=database, names=NAMES, epoch=Epoch()).add(
        [make_job(number) for number in range(1, 9)]
    )
    (count,) = metrics.statement_counts
    before = count()
    outcomes = await SqliteJobSearch(database=database, names=NAMES, epoch=Epoch()).outcomes(
        [job_id(number) for number in range(1, 9)]
    )
    await database.close()
    assert len(outcomes) == 8
    assert count() - before == 1


async def test_reads_writes_and_scans_are_timed(connections: Connections) -> None:
    metrics = Metrics()
    database = Database(connections, description="SQLite under test", metrics=metrics)
    database.read("SELECT 1")
    await database.write(lambda db: db.execute("SELECT 1").fetchall())
    await database.scan("SELECT 1")
    with pytest.raises(Exception, match="no such table"):
        database.read("SELECT * FROM nowhere")
    await database.close()
    counted = {labels: sum(series.counts) for labels, series in metrics.store_operations.series.items()}
    assert counted == {("read",): 2, ("write",): 1, ("scan",): 1}
