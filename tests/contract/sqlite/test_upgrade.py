"""Files that earlier versions of the schema wrote."""

import asyncio
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from civitai_mock.domain.air import Air
from civitai_mock.domain.blob import PREVIEW, blob_key
from civitai_mock.domain.claims import Claim
from civitai_mock.domain.errors import TransientError
from civitai_mock.domain.job import JobResource
from civitai_mock.domain.micros import to_micros
from civitai_mock.domain.namespaces import DEFAULT, FIRST_EPOCH, SHARED_EPOCH
from civitai_mock.domain.search import JobCriteria, Spending, property_paths
from civitai_mock.domain.stages import JobEventType, Outcome, Stage
from civitai_mock.storage.sqlite import TableNames, open_sqlite
from civitai_mock.storage.sqlite.encoding import to_json
from civitai_mock.storage.sqlite.open import FILE_NAME
from civitai_mock.storage.sqlite.schema import VERSION
from tests.support.dates import START
from tests.support.jobs import CHECKPOINT, LEASE, LIFETIME, SECOND, TRACE_ID, job_id, make_claim, make_job
from tests.support.paths import DATA

NAMES = TableNames()
QUEUED, HELD, DONE = job_id(1), job_id(2), job_id(3)
KEY = "A" * 64
BIG = 18446744073709551615
# As its schema was, but for the indexes that are still the same.
JOBS_OF_VERSION_1 = """
    CREATE TABLE "{jobs}" (
        id TEXT PRIMARY KEY, body TEXT NOT NULL, priority INTEGER NOT NULL,
        created_at INTEGER NOT NULL, expire_at INTEGER NOT NULL, keep_until INTEGER NOT NULL,
        slots TEXT NOT NULL, seq INTEGER NOT NULL, stage TEXT NOT NULL, retry_attempt INTEGER NOT NULL, outcome TEXT,
        provider TEXT, worker_id TEXT, claimed_at INTEGER, lease_until INTEGER, prompt_id TEXT);
"""
VERSION_1 = (
    JOBS_OF_VERSION_1
    + """
    CREATE TABLE "{job_events}" (
        job_id TEXT NOT NULL, seq INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (job_id, seq));
    CREATE INDEX "{jobs} to claim" ON "{jobs}" (priority DESC, created_at, id)
        WHERE worker_id IS NULL AND outcome IS NULL;
    CREATE INDEX "{jobs} to sweep" ON "{jobs}" (keep_until);
    PRAGMA user_version = 1;
"""
)
# Versions 1 and 2 did not know whose a blob is.
BLOBS_OF_VERSION_2 = """
    CREATE TABLE blobs (
        key TEXT PRIMARY KEY, content_type TEXT NOT NULL, size INTEGER NOT NULL, etag TEXT NOT NULL,
        keep_until INTEGER NOT NULL);
    CREATE INDEX [blobs to sweep] ON blobs (keep_until);
"""
ALL = 'SELECT * FROM "{{table}}"'
BLOB = "INSERT INTO blobs VALUES (?, 'image/png', 1, 'etag', 0)"
JOB = 'INSERT INTO "{jobs}" VALUES (?, ?, 0, ?, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?)'
EVENT = 'INSERT INTO "{job_events}" VALUES (?, ?, ?)'


def body_text() -> str:
    """Written by hand where another writer would spell it otherwise."""
    air = {"source": "civitai", "id": "101055", "ecosystem": "sdxl", "type": "checkpoint", "version": "128078"}
    body = {
        "type": "TextToImageV2",
        "trace_id": TRACE_ID,
        "issued_by": "somebody",
        "timeout": 600_000_000,
        "cost": 0.9600000000000002,
        "max_retry_attempt": 5,
        "request": {"text": "\x00 ключ '\"", "type": "kept", "seed": BIG, "ratio": 1.5e-7, "model": CHECKPOINT},
        "properties": {"userId": 7, "": [None, {}]},
        "resources": [({**air, "format": None}, "x.safetensors", ["wow"])],
    }
    return to_json(body)


def event_text(event: JobEventType, stage: Stage, seconds: int) -> str:
    body = {
        "type": event,
        "stage": stage,
        "at": to_micros(START + seconds * SECOND),
        "job_type": "TextToImageV2",
        "trace_id": TRACE_ID,
        "context": {},
        "job_duration": 0,
        "retry_attempt": 1,
        "claim_duration": None,
        "provider": None,
        "worker_id": None,
    }
    return to_json(body)


def write_old_jobs(connection: sqlite3.Connection, names: TableNames) -> None:
    connection.executescript(names.fill(VERSION_1))
    times = [to_micros(START), to_micros(START + LIFETIME), to_micros(START + LIFETIME)]
    claim = ("local", "local-1", to_micros(START), to_micros(START + LEASE), "prompt-1")
    nobody = (None,) * 5
    slots = to_json([(KEY, 1, True)])
    for number, (job, stage, outcome, holder) in enumerate(
        [(QUEUED, "QUEUED", None, nobody), (HELD, "SENT_TO_COMFY", None, claim), (DONE, "QUEUED", "FAILED", nobody)]
    ):
        connection.execute(names.fill(JOB), (job, body_text(), *times, slots, number, stage, outcome, *holder))
        for seq in range(number + 1):
            event = JobEventType.FAILED if seq == 2 else JobEventType.INITIALIZED
            connection.execute(names.fill(EVENT), (job, seq, event_text(event, Stage(stage), seq)))


@pytest.fixture
def old_file(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)) as connection:
        yield connection


@pytest.fixture
def old_directory(tmp_path: Path, old_file: sqlite3.Connection) -> Path:
    write_old_jobs(old_file, NAMES)
    return tmp_path


async def test_old_jobs_are_what_they_were(old_directory: Path) -> None:
    async with open_sqlite(directory=old_directory, names=NAMES) as stores:
        queued, held, done = await stores.jobs.get_many([QUEUED, HELD, DONE])
        assert (queued.type, queued.issued_by, queued.cost) == ("TextToImageV2", "somebody", 0.9600000000000002)
        assert dict(queued.spec)["seed"] == BIG
        assert dict(queued.spec) | {"seed": 0} == {
            "text": "\x00 ключ '\"", "type": "kept", "seed": 0, "ratio": 1.5e-7, "model": CHECKPOINT
        }  # fmt: skip
        assert (queued.name, queued.callback_url, queued.providers, queued.dependencies) == (None, None, (), ())
        resource = JobResource(air=Air.parse(CHECKPOINT), file_name="x.safetensors", trained_words=("wow",))
        assert queued.resources == (resource,)
        assert (queued.submission_id, queued.charged, queued.is_blocked, queued.taint) == (QUEUED, False, False, None)
        assert [(slot.blob_key, slot.seed, slot.available, slot.name) for slot in held.slots] == [(KEY, 1, True, None)]
        assert held.claim == Claim(provider="local", worker_id="local-1", at=START, until=START + LEASE)
        assert (held.stage, held.prompt_id, held.seq) == (Stage.SENT_TO_COMFY, "prompt-1", 1)
        assert (done.outcome, done.retry_attempt, len(await stores.jobs.events(DONE))) == (Outcome.FAILED, 1, 3)


async def test_old_jobs_go_on(old_directory: Path) -> None:
    async with open_sqlite(directory=old_directory, names=NAMES) as stores:
        (claimed,) = await stores.queue.claim(make_claim("new"), limit=10)
        assert claimed.id == QUEUED
        entered = claimed.entered(Stage.CLAIMED, at=START, until=START + LEASE, context={})
        assert await stores.jobs.replace(claimed, entered)
        (held,) = await stores.jobs.get_many([HELD])
        assert await stores.jobs.replace(held, held.claim_expired(at=START, reason="gone"))


async def test_old_jobs_are_found_counted_and_swept(old_directory: Path) -> None:
    async with open_sqlite(directory=old_directory, names=NAMES) as stores:
        search = JobCriteria(
            issued_by="somebody", job_type="TextToImageV2", property_paths=property_paths({"userId": 7})
        )
        assert [job.id for job in await stores.search.find(search, limit=9)] == [DONE, HELD, QUEUED]
        assert [(await stores.queue.snapshot(recent_since=START + n * SECOND)).recent for n in (2, 3)] == [1, 0]
        assert await stores.search.spending(None, since=None, until=None) == Spending(images=0, cost=0)
        assert await stores.jobs.sweep(START + LIFETIME) == 3
        assert list(await stores.search.find(search, limit=9)) == []


async def test_a_file_is_upgraded_once_and_like_a_new_one(old_directory: Path, tmp_path: Path) -> None:
    for directory in (old_directory, old_directory, tmp_path / "new"):
        async with open_sqlite(directory=directory, names=NAMES) as stores:
            await stores.jobs.add([make_job(9)])
            await stores.jobs.sweep(START + LIFETIME)
    assert schema(old_directory) == schema(tmp_path / "new")


@pytest.mark.parametrize("written", sorted((DATA / "stores").glob("*/sqlite.sql")), ids=lambda path: path.parent.name)
async def test_a_file_of_each_earlier_schema_becomes_like_a_new_one_and_keeps_its_rows(
    written: Path, tmp_path: Path, old_file: sqlite3.Connection
) -> None:
    """Each row of a job or a blob belongs to the first epoch then, and resources are shared."""
    old_file.executescript(written.read_text("utf-8"))
    tmp_path.chmod(0o700)
    before = {table: epochs(old_file, table) for table in ("jobs", "blobs", "resources")}
    for directory in (tmp_path, tmp_path, tmp_path / "new"):
        async with open_sqlite(directory=directory, names=NAMES) as stores:
            assert await stores.namespaces.get(DEFAULT) is not None
    assert schema(tmp_path) == schema(tmp_path / "new")
    expected = {"jobs": FIRST_EPOCH, "blobs": FIRST_EPOCH, "resources": SHARED_EPOCH}
    for table, epoch in expected.items():
        assert before[table]
        assert epochs(old_file, table) == [epoch] * len(before[table])


def epochs(connection: sqlite3.Connection, table: str) -> list[int | None]:
    """Return the epochs of all rows of a table, which may have none yet."""
    connection.row_factory = sqlite3.Row
    rows = connection.execute(NAMES.fill(ALL).replace("{table}", table)).fetchall()
    connection.row_factory = None
    return [dict(row).get("epoch") for row in rows]


async def test_an_upgrade_is_logged_before_it_begins_and_when_it_is_done(
    old_file: sqlite3.Connection, old_directory: Path
) -> None:
    with capture_logs() as logs:
        for _ in range(2):
            async with open_sqlite(directory=old_directory, names=NAMES):
                pass
    begun, done = logs
    assert begun["jobs"] == 3
    assert (done["event"], done["from_version"], done["to_version"]) == ("store upgraded", 1, VERSION)


async def test_every_table_of_jobs_in_a_file_is_upgraded_when_it_is_opened(
    old_file: sqlite3.Connection, old_directory: Path
) -> None:
    others = TableNames(jobs="my-jobs.v1", job_events="other")
    write_old_jobs(old_file, others)
    for names in (NAMES, others):
        async with open_sqlite(directory=old_directory, names=names) as stores:
            assert len(await stores.jobs.get_many([QUEUED, HELD, DONE])) == 3


async def test_a_table_of_events_that_two_tables_of_jobs_share_is_upgraded_for_each(
    old_file: sqlite3.Connection, old_directory: Path
) -> None:
    others = TableNames(jobs="others")
    old_file.executescript(others.fill(JOBS_OF_VERSION_1))
    old_file.execute(others.fill(JOB), (job_id(7), body_text(), 0, 0, 0, "[]", 0, "QUEUED", None, *(None,) * 5))
    old_file.execute(others.fill(EVENT), (job_id(7), 0, event_text(JobEventType.INITIALIZED, Stage.QUEUED, 0)))
    for names, expected in ((NAMES, [QUEUED, HELD, DONE]), (others, [job_id(7)])):
        async with open_sqlite(directory=old_directory, names=names) as stores:
            for job in expected:
                assert (await stores.jobs.events(job))[0].type is JobEventType.INITIALIZED
    assert "jobEvent" not in tables(old_file)


async def test_of_many_that_open_an_old_file_at_once_one_upgrades_it(old_directory: Path) -> None:
    async def count() -> int:
        async with open_sqlite(directory=old_directory, names=NAMES) as stores:
            return sum([len(await stores.jobs.events(job)) for job in (QUEUED, HELD, DONE)])

    assert await asyncio.gather(*(count() for _ in range(4))) == [6] * 4


async def test_an_upgrade_that_fails_changes_nothing(old_file: sqlite3.Connection, old_directory: Path) -> None:
    old_file.execute("""UPDATE jobEvent SET body = '{"at":0}' WHERE job_id = ? AND seq = 1""", (DONE,))
    before = list(old_file.iterdump())
    with pytest.raises(TransientError, match=rf"event 1 of job {DONE} cannot be read"):
        async with open_sqlite(directory=old_directory, names=NAMES):
            pass
    assert list(old_file.iterdump()) == before


async def test_many_events_of_an_old_job_are_several_rows_and_each_is_there(
    old_file: sqlite3.Connection, old_directory: Path
) -> None:
    for seq in range(3, 50):
        old_file.execute(NAMES.fill(EVENT), (DONE, seq, event_text(JobEventType.UPDATED, Stage.SENT_TO_COMFY, seq)))
    old_file.execute("UPDATE jobs SET seq = 49 WHERE id = ?", (DONE,))
    async with open_sqlite(directory=old_directory, names=NAMES) as stores:
        events = await stores.jobs.events(DONE)
        assert [event.seq for event in events] == list(range(50))
        (done,) = await stores.jobs.get_many([DONE])
        assert events[-1] == done.last_event
        assert [event.at - START for event in events] == [seq * SECOND for seq in range(50)]
    rows = old_file.execute('SELECT count(*) FROM "jobs jobEvent" JOIN jobs ON number = job WHERE id = ?', (DONE,))
    assert rows.fetchone() == (7,)


async def owners(directory: Path, keys: Sequence[str]) -> list[str | None]:
    async with open_sqlite(directory=directory, names=NAMES) as stores:
        return [blob.owner for key in keys if (blob := await stores.blobs.stat(key))]


async def test_old_blobs_are_those_of_the_consumers_whose_jobs_made_them(
    old_file: sqlite3.Connection, old_directory: Path
) -> None:
    """A key that a job only names is not its own, and a blob that outlived its job is nobody's."""
    keys = [blob_key(QUEUED, 0), blob_key(HELD, PREVIEW), KEY, blob_key(job_id(4), 0)]
    old_file.executescript(BLOBS_OF_VERSION_2)
    old_file.executemany(BLOB, [(key,) for key in keys])
    expected = ["somebody", "somebody", None, None]
    assert [await owners(old_directory, keys) for _ in range(2)] == [expected] * 2


async def test_blobs_of_version_2_are_upgraded_like_new_ones(tmp_path: Path) -> None:
    job, other = make_job(1), tmp_path / "other"
    for directory in (tmp_path, other):
        async with open_sqlite(directory=directory, names=NAMES) as stores:
            await stores.jobs.add([job])
    with closing(sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)) as connection:
        connection.executescript("DROP TABLE blobs; PRAGMA user_version = 2;" + BLOBS_OF_VERSION_2)
        connection.execute(BLOB, (job.slots[1].blob_key,))
    assert await owners(tmp_path, [job.slots[1].blob_key]) == [job.issued_by]
    assert schema(tmp_path) == schema(other)


def tables(connection: sqlite3.Connection) -> set[str]:
    return {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}


def schema(directory: Path) -> set[tuple[str, str]]:
    with closing(sqlite3.connect(directory / FILE_NAME)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (VERSION,)
        return {(name, " ".join(sql.split())) for name, sql in connection.execute(
            "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL"
        )}  # fmt: skip
