"""Jobs that SQLite gives out again and again."""

from civitai_mock.storage.sqlite import TableNames
from civitai_mock.storage.sqlite.connections import connect_memory
from civitai_mock.storage.sqlite.database import Database
from civitai_mock.storage.sqlite.jobs import SqliteJobStore
from tests.support.jobs import add_jobs


async def test_jobs_with_the_same_resources_share_their_airs() -> None:
    names = TableNames()
    database = Database(connect_memory(names), description="SQLite under test")
    jobs = SqliteJobStore(database=database, names=names)
    added = await add_jobs(jobs, 2)
    first, second = await jobs.get_many([job.id for job in added])
    assert first.resources
    assert first.resources == second.resources == added[0].resources
    assert all(one.air is other.air for one, other in zip(first.resources, second.resources, strict=True))
    await database.close()
