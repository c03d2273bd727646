"""Tell whether jobs can be run now, by the workers that are ready."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from civitai_mock.domain.job import Job, JobResource
from civitai_mock.generation.job_types import JOB_TYPES_BY_TYPE
from civitai_mock.ports import Provider


class JobSupport(StrEnum):
    """v1 description; a job that nobody could ever run is refused, so none is Unsupported."""

    UNSUPPORTED = "Unsupported"
    UNAVAILABLE = "Unavailable"
    AVAILABLE = "Available"


@dataclass(frozen=True, slots=True, kw_only=True)
class TellSupport:
    """Asks the provider once for all jobs of the same resources."""

    provider: Provider

    def __call__(self, jobs: Sequence[Job]) -> Mapping[str, JobSupport]:
        """By id, of those that have not ended."""
        wanted = {job.id: _resources(job) for job in jobs if job.outcome is None}
        found = {resources: self._support(resources) for resources in set(wanted.values())}
        return {job_id: found[resources] for job_id, resources in wanted.items()}

    def _support(self, resources: tuple[JobResource, ...] | None) -> JobSupport:
        if resources is None or self.provider.workers_with(resources):
            return JobSupport.AVAILABLE
        return JobSupport.UNAVAILABLE


def _resources(job: Job) -> tuple[JobResource, ...] | None:
    """None for what is done without a worker of the provider."""
    return job.resources if JOB_TYPES_BY_TYPE[job.type].runs_graphs else None
