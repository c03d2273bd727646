"""What a process keeps of the jobs that it adds until it claims them."""

import pytest

from civitai_mock.domain.job import Job
from civitai_mock.domain.micros import to_micros
from civitai_mock.storage.sqlite import fresh_jobs
from civitai_mock.storage.sqlite.encoding import Row
from civitai_mock.storage.sqlite.fresh_jobs import FreshJobs
from tests.support.jobs import make_claim, make_job

CLAIM = make_claim()


def row_of(job: Job, number: int) -> Row:
    return (number, job.id, job.seq, job.priority, to_micros(job.keep_until), None, None)


def claimed(fresh: FreshJobs, *jobs: Job) -> tuple[list[str], list[int]]:
    """Return the ids of the jobs that need not be read, and the numbers of the others; they count from 1."""
    known, others = fresh.claimed([row_of(job, number) for number, job in enumerate(jobs, 1)], CLAIM)
    return [job.id for job in known], others


def test_nothing_is_kept_before_somebody_claims() -> None:
    fresh, job = FreshJobs(), make_job()
    fresh.add([job])
    assert claimed(fresh, job) == ([], [1])
    fresh.add([job])
    assert claimed(fresh, job) == ([job.id], [])


def test_a_job_is_kept_for_one_claim() -> None:
    fresh, job = FreshJobs(), make_job()
    claimed(fresh)
    fresh.add([job])
    assert claimed(fresh, job) == ([job.id], [])
    assert claimed(fresh, job) == ([], [1])


def test_the_newest_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fresh_jobs, "MOST_JOBS", 2)
    fresh, jobs = FreshJobs(), [make_job(number) for number in (1, 2, 3)]
    claimed(fresh)
    fresh.add(jobs)
    assert claimed(fresh, *jobs) == ([jobs[1].id, jobs[2].id], [1])
