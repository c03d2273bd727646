"""Jobs that SQLite gives out again and again."""

from collections.abc import Callable
from dataclasses import replace
from random import Random

import pytest

from civitai_mock.domain.job import Job, JobSummary
from civitai_mock.domain.namespaces import Epoch
from civitai_mock.domain.stages import Outcome
from civitai_mock.services.threads import LARGE_BYTES
from civitai_mock.storage.sqlite import TableNames, job_rows
from civitai_mock.storage.sqlite.connections import connect_memory
from civitai_mock.storage.sqlite.database import Database
from civitai_mock.storage.sqlite.jobs import SqliteJobStore
from civitai_mock.storage.sqlite.new_jobs import LARGEST_KEPT, NewJobs
from tests.support.dates import START
from tests.support.jobs import add_jobs, make_job


async def test_jobs_with_the_same_resources_share_their_airs() -> None:
    names = TableNames()
    database = Database(connect_memory(names), description="SQLite under test")
    jobs = SqliteJobStore(database=database, names=names, epoch=Epoch())
    added = await add_jobs(jobs, 2)
    first, second = await jobs.get_many([job.id for job in added])
    assert first.resources
    assert first.resources == second.resources == added[0].resources
    assert all(one.air is other.air for one, other in zip(first.resources, second.resources, strict=True))
    await database.close()


async def test_no_more_than_its_summary_is_made_of_a_job_that_has_ended() -> None:
    names = TableNames()
    database = Database(connect_memory(names), description="SQLite under test")
    jobs = SqliteJobStore(database=database, names=names, epoch=Epoch())
    (job,) = await add_jobs(jobs, 1)
    assert await jobs.replace(job, job.ended(Outcome.DELETED, at=START, context={}))
    assert type(await jobs.get_summary(job.id)) is JobSummary
    await database.close()


def test_only_small_jobs_are_kept_until_they_are_claimed() -> None:
    small = make_job()
    large = replace(small, id="large", spec={"graph": {"1": "x" * LARGEST_KEPT}})
    assert NewJobs([small, large], epoch=0).small == [small]


NOISE = Random(1).randbytes(LARGE_BYTES).hex()  # which nothing packs to less than a large text


@pytest.mark.parametrize(
    "with_noise",
    [
        lambda job: replace(job, spec={"a": NOISE}),
        lambda job: replace(job, result=NOISE),
        lambda job: replace(job, taint={"a": NOISE}),
        lambda job: replace(job, last_event=replace(job.last_event, context={"a": NOISE})),
    ],
    ids=["request", "result", "taint", "event"],
)
async def test_whatever_is_large_in_a_job_is_read_in_a_thread(
    monkeypatch: pytest.MonkeyPatch, with_noise: Callable[[Job], Job]
) -> None:
    sizes: list[int] = []

    async def note(work: Callable[[], Job], *, size: int) -> Job:
        sizes.append(size)
        return work()

    monkeypatch.setattr(job_rows, "in_thread_if_large", note)
    names = TableNames()
    database = Database(connect_memory(names), description="SQLite under test")
    jobs = SqliteJobStore(database=database, names=names, epoch=Epoch())
    await jobs.add([make_job(1), with_noise(make_job(2))])
    assert len(await jobs.get_many([make_job(1).id, make_job(2).id])) == 2
    small, large = sizes
    assert small < LARGE_BYTES <= large
    await database.close()
