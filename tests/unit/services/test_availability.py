"""Support of jobs: whether a ready worker has all that they need."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from civitai_mock.domain.job import JobResource
from civitai_mock.domain.stages import Outcome
from civitai_mock.services.availability import GetJobSupport, JobSupport
from tests.support.jobs import make_job
from tests.support.scripted_provider import ScriptedProvider


class CountingProvider(ScriptedProvider):
    """Has `having` workers with all files, and records the resources that it is asked about."""

    def __init__(self, having: int) -> None:
        super().__init__()
        self.having = having
        self.asked: list[Sequence[JobResource]] = []

    def workers_with(self, resources: Sequence[JobResource]) -> Sequence[str]:
        self.asked.append(resources)
        return [f"worker-{number}" for number in range(self.having)]


@pytest.mark.parametrize(("having", "support"), [(0, JobSupport.UNAVAILABLE), (1, JobSupport.AVAILABLE)])
def test_support_is_there_if_any_worker_has_all_of_a_jobs_files(having: int, support: JobSupport) -> None:
    job = make_job()
    assert GetJobSupport(provider=CountingProvider(having))([job]) == {job.id: support}


def test_the_provider_is_asked_once_for_each_set_of_resources() -> None:
    provider = CountingProvider(1)
    other = make_job(3)
    GetJobSupport(provider=provider)([make_job(1), make_job(2), replace(other, resources=other.resources[:1])])
    assert sorted(len(resources) for resources in provider.asked) == [1, 2]


def test_nobody_is_asked_about_jobs_that_have_ended() -> None:
    provider = CountingProvider(1)
    done = replace(make_job(), outcome=Outcome.SUCCEEDED)
    assert GetJobSupport(provider=provider)([done]) == {}
    assert provider.asked == []


def test_a_job_that_runs_no_graph_needs_no_worker() -> None:
    provider = CountingProvider(0)
    job = replace(make_job(), type="PrepareModel")
    assert GetJobSupport(provider=provider)([job]) == {job.id: JobSupport.AVAILABLE}
    assert provider.asked == []
