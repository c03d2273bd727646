"""Grouped writes, and the log that they go to."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing, suppress
from functools import partial
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from civitai_mock.domain.errors import ConflictError, TransientError
from civitai_mock.storage.sqlite import TableNames
from civitai_mock.storage.sqlite.connections import Checkpointer, Connections, connect_file, connect_memory
from civitai_mock.storage.sqlite.database import MAX_GROUP, Database

INSERT = "INSERT INTO secrets (name, value) VALUES (?, x'00')"
NAMES_STORED = "SELECT name FROM secrets ORDER BY name"


@pytest.fixture(params=["file", "memory"])
def connections(request: pytest.FixtureRequest, tmp_path: Path) -> Connections:
    return connect_file(tmp_path / "x.db", TableNames()) if request.param == "file" else connect_memory(TableNames())


@pytest.fixture
async def database(connections: Connections) -> AsyncIterator[Database]:
    database = Database(connections, description="SQLite under test")
    yield database
    await database.close()


def insert(*names: str) -> Callable[[sqlite3.Connection], int]:
    """The answer is the number of names."""

    def operation(connection: sqlite3.Connection) -> int:
        for name in names:
            connection.execute(INSERT, (name,))
        return len(names)

    return operation


def refuse(connection: sqlite3.Connection) -> None:
    connection.execute(INSERT, ("refused",))
    raise ConflictError("no")


def stored(database: Database) -> list[str]:
    return [name for (name,) in database.read(NAMES_STORED)]


def commits(connections: Connections) -> list[str]:
    seen: list[str] = []
    connections.writer.set_trace_callback(lambda sql: seen.append(sql) if sql == "COMMIT" else None)
    return seen


async def test_a_write_is_there_once_it_is_answered(database: Database) -> None:
    assert await database.write(insert("a", "b")) == 2
    assert stored(database) == ["a", "b"]


async def test_writes_of_one_instant_are_one_transaction(connections: Connections, database: Database) -> None:
    seen = commits(connections)
    assert (
        await asyncio.gather(*(database.write(insert(str(number))) for number in range(MAX_GROUP))) == [1] * MAX_GROUP
    )
    assert len(seen) == 1


async def test_a_large_crowd_is_served_in_several_turns(connections: Connections, database: Database) -> None:
    seen = commits(connections)
    await asyncio.gather(*(database.write(insert(f"{number:04}")) for number in range(3 * MAX_GROUP + 1)))
    assert len(seen) == 4
    assert len(stored(database)) == 3 * MAX_GROUP + 1


async def test_writes_are_carried_out_in_the_order_asked_for(database: Database) -> None:
    order: list[int] = []

    def note(number: int, _: sqlite3.Connection) -> None:
        order.append(number)

    await asyncio.gather(*(database.write(partial(note, number)) for number in range(100)))
    assert order == list(range(100))


async def test_one_that_fails_does_not_hurt_the_others(database: Database) -> None:
    asked = [insert("a"), refuse, insert("b", "a"), insert("c")]
    answers = await asyncio.gather(*(database.write(operation) for operation in asked), return_exceptions=True)
    assert [type(answer) for answer in answers] == [int, ConflictError, sqlite3.IntegrityError, int]
    assert stored(database) == ["a", "c"]


def savepoints(connections: Connections) -> list[str]:
    seen: list[str] = []
    connections.writer.set_trace_callback(lambda sql: seen.append(sql) if "SAVEPOINT" in sql else None)
    return seen


@pytest.mark.parametrize(("count", "expected"), [(1, 0), (2, 1), (MAX_GROUP, 1)])
async def test_a_group_in_which_nothing_fails_has_one_savepoint_at_most(
    connections: Connections, database: Database, count: int, expected: int
) -> None:
    seen = savepoints(connections)
    await asyncio.gather(*(database.write(insert(str(number))) for number in range(count)))
    assert len(seen) == expected


async def test_one_that_fails_alone_leaves_nothing(database: Database) -> None:
    with pytest.raises(ConflictError):
        await database.write(refuse)
    await database.write(insert("a"))
    assert stored(database) == ["a"]


@pytest.mark.parametrize("places", [(0, 2), (1, 3), (2, 3), (0, 4), (3, 4)])
async def test_one_that_is_not_repeatable_is_carried_out_once_whoever_fails(
    database: Database, places: tuple[int, int]
) -> None:
    """It is rolled back if it fails itself, and stays if others do."""
    moved: list[str] = []

    def move(connection: sqlite3.Connection) -> None:
        connection.execute(INSERT, ("moved",))
        moved.append("file")

    asked: list[Awaitable[object]] = [database.write(insert(name)) for name in "abc"]
    for place, write in zip(places, (database.write(move, is_repeatable=False), database.write(refuse)), strict=True):
        asked.insert(place, write)
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert [place for place, answer in enumerate(answers) if isinstance(answer, Exception)] == [places[1]]
    assert stored(database) == ["a", "b", "c", "moved"]
    assert moved == ["file"]


async def test_one_that_is_not_repeatable_fails_alone(database: Database) -> None:
    asked = [database.write(insert("a")), database.write(refuse, is_repeatable=False), database.write(insert("b"))]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(answer) for answer in answers] == [int, ConflictError, int]
    assert stored(database) == ["a", "b"]


async def test_a_fault_of_our_own_reaches_the_one_who_asked(database: Database) -> None:
    def wrong(connection: sqlite3.Connection) -> None:
        raise KeyError(str(connection.in_transaction))

    with pytest.raises(KeyError, match="True"):
        await database.write(wrong)
    await database.write(insert("a"))
    assert stored(database) == ["a"]


async def test_a_caller_that_gave_up_before_its_turn_has_written_nothing(database: Database) -> None:
    first, second, third = (asyncio.create_task(database.write(insert(name))) for name in "abc")
    await asyncio.sleep(0)
    second.cancel()
    assert await first == await third == 1
    await asyncio.wait([second])
    assert second.cancelled()
    assert stored(database) == ["a", "c"]


def open_files() -> list[str]:
    """The files that this process has open, without those that are closed meanwhile."""
    found: list[str] = []
    for file in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):
            found.append(str(file.readlink()))
    return found


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs the list of open files of Linux")
async def test_what_a_group_could_be_rolled_back_to_is_not_written_to_a_file(tmp_path: Path) -> None:
    """SQLite keeps it in a file as soon as it has 64 kB: the pages as they were when the savepoint was set."""
    connections = connect_file(tmp_path / "x.db", TableNames())
    database = Database(connections, description="")
    rows = [(f"{number:04}",) for number in range(100)]
    await database.write(lambda db: db.executemany("INSERT INTO secrets VALUES (?, randomblob(3000))", rows))

    def change(connection: sqlite3.Connection) -> list[str]:
        connection.execute("UPDATE secrets SET value = randomblob(3000)")
        return open_files()

    before, after = await asyncio.gather(database.write(change), database.write(change))
    assert not [file for file in {*before, *after} if "etilqs" in file]
    await database.close()


async def test_a_full_disk_fails_the_whole_group_and_can_be_overcome(
    connections: Connections, database: Database
) -> None:
    def much(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO secrets (name, value) VALUES ('much', zeroblob(1000000))")

    ((pages,),) = database.read("PRAGMA page_count")
    connections.writer.execute(f"PRAGMA max_page_count = {pages + 2}").fetchone()
    asked = [insert("a"), much, insert("b")]
    answers = await asyncio.gather(*(database.write(operation) for operation in asked), return_exceptions=True)
    assert stored(database) == [name for name, answer in zip("a-b", answers, strict=True) if answer == 1]
    assert isinstance(answers[1], TransientError)
    assert "SQLite under test cannot be used: database or disk is full" in str(answers[1])
    connections.writer.execute("PRAGMA max_page_count = 100000").fetchone()
    await database.write(insert("later"))
    assert "later" in stored(database)


async def test_a_transaction_that_was_given_up_fails_all_who_were_in_it(database: Database) -> None:
    def give_up(connection: sqlite3.Connection) -> None:
        connection.execute("ROLLBACK")
        raise sqlite3.OperationalError("disk I/O error")

    asked = [insert("a"), give_up, insert("b")]
    answers = await asyncio.gather(*(database.write(operation) for operation in asked), return_exceptions=True)
    assert [type(answer) for answer in answers] == [TransientError] * 3
    assert stored(database) == []
    await database.write(insert("c"))
    assert stored(database) == ["c"]


async def test_all_are_told_if_no_transaction_can_begin(tmp_path: Path) -> None:
    connections = connect_file(tmp_path / "x.db", TableNames())
    database = Database(connections, description="")
    connections.writer.close()
    answers = await asyncio.gather(*(database.write(insert(name)) for name in "abc"), return_exceptions=True)
    assert [type(answer) for answer in answers] == [sqlite3.ProgrammingError] * 3
    await database.close()


async def test_closing_carries_out_what_was_asked_for(tmp_path: Path) -> None:
    database = Database(connect_file(tmp_path / "x.db", TableNames()), description="")
    tasks = [asyncio.create_task(database.write(insert(f"{number:04}"))) for number in range(2 * MAX_GROUP)]
    await asyncio.sleep(0)
    await database.close()
    assert [task.result() for task in tasks] == [1] * len(tasks)
    with closing(sqlite3.connect(tmp_path / "x.db")) as connection:
        assert len(connection.execute(NAMES_STORED).fetchall()) == len(tasks)


async def test_nothing_can_be_asked_of_a_database_that_is_closing(tmp_path: Path) -> None:
    database = Database(connect_file(tmp_path / "x.db", TableNames()), description="")
    closing_it = asyncio.create_task(database.close())
    await asyncio.sleep(0)
    with pytest.raises(TransientError):
        await database.write(insert("late"))
    await closing_it


async def test_a_connection_that_reads_cannot_write(tmp_path: Path) -> None:
    database = Database(connect_file(tmp_path / "x.db", TableNames()), description="")
    for reading in (database.scan(INSERT, ("a",)), database.scan("DELETE FROM secrets")):
        with pytest.raises(TransientError, match="readonly"):
            await reading
    await database.close()


def log_pages(connections: Connections) -> int:
    pages: int = connections.checkpointer.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()[1]
    return pages


async def test_the_log_is_moved_into_the_database_after_some_writes(tmp_path: Path) -> None:
    connections = connect_file(tmp_path / "x.db", TableNames())
    with closing(connections):
        checkpointer = Checkpointer(connections.checkpointer, after_writes=3)
        sizes = []
        for number in range(3):
            insert(str(number))(connections.writer)
            checkpointer.wrote(1)
            await checkpointer.finish()
            sizes.append(database_size(tmp_path))
    assert sizes[0] == sizes[1] < sizes[2]


def database_size(folder: Path) -> int:
    return (folder / "x.db").stat().st_size


async def test_a_log_that_grew_too_long_starts_again(tmp_path: Path) -> None:
    connections = connect_file(tmp_path / "x.db", TableNames())
    with closing(connections):
        checkpointer = Checkpointer(connections.checkpointer, after_writes=1, max_log_pages=1)
        insert(*map(str, range(1000)))(connections.writer)
        before = log_pages(connections)
        checkpointer.wrote(1)
        await checkpointer.finish()
        insert("last")(connections.writer)
        assert log_pages(connections) < before


async def test_a_checkpoint_that_fails_is_logged(tmp_path: Path) -> None:
    connections = connect_file(tmp_path / "x.db", TableNames())
    connections.close()
    checkpointer = Checkpointer(connections.checkpointer, after_writes=1)
    with capture_logs() as logs:
        checkpointer.wrote(1)
        await checkpointer.finish()
        await asyncio.sleep(0)
    assert [(entry["event"], entry["log_level"]) for entry in logs] == [("checkpoint failed", "warning")]
