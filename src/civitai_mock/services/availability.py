"""Availability: whether a worker has a resource (coverage), or all resources of a job (support)."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from enum import StrEnum
from typing import Protocol

from civitai_mock.domain.air import Air, Reference, parse_reference
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import InvalidRequestError
from civitai_mock.domain.job import Job, JobResource
from civitai_mock.domain.resource import Resource
from civitai_mock.generation.ecosystems import find_ecosystem, is_model
from civitai_mock.generation.job_types import runs_graphs
from civitai_mock.ports import ResourceStore, WorkerReport, Workforce
from civitai_mock.services.fleet_policy import FleetPolicy


class Availability(StrEnum):
    """Says whether a resource can be used now; the names are those of the v1 description.

    An AIR without an ecosystem that is not among the resources is Unknown. One whose ecosystem no graph can be built
    for is Unsupported. One that is not among the resources, or that no ready worker has, is Unavailable.
    """

    UNKNOWN = "Unknown"
    UNSUPPORTED = "Unsupported"
    UNAVAILABLE = "Unavailable"
    AVAILABLE = "Available"


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Says how available a resource is: `workers` is how many are ready and have it."""

    availability: Availability
    workers: int = 0


class FleetRoom(Protocol):
    """Says how many pods of a fleet are up, and whether anybody of it takes jobs."""

    @property
    def pods_up(self) -> int: ...

    @property
    def has_room(self) -> bool: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class GetCoverage:
    """Finds out how available resources are."""

    resources: ResourceStore
    provider: Workforce
    fleet_policy: FleetPolicy
    look_at_fleet: Callable[[], Awaitable[FleetRoom]]

    async def __call__(self, texts: Sequence[str]) -> Mapping[str, Coverage]:
        """Return coverages by the texts as they were sent; raise `InvalidRequestError` for one that is not an AIR."""
        references = {text: _parse(text) for text in texts}
        found = await self.resources.find(list(references.values()))
        coverages = {
            text: self._coverage(reference, found.get(str(reference))) for text, reference in references.items()
        }
        return await self._by_pods(coverages) if self.fleet_policy.is_on else coverages

    def _coverage(self, reference: Reference, resource: Resource | None) -> Coverage:
        if resource is None:
            return Coverage(availability=_availability_of_unknown(reference))
        if is_model(resource.air) and find_ecosystem(resource.air) is None:
            return Coverage(availability=Availability.UNSUPPORTED)
        workers = len(self.provider.workers_with([resource.for_job]))
        return Coverage(availability=Availability.AVAILABLE if workers else Availability.UNAVAILABLE, workers=workers)

    def files(self, resource: Resource, workers: Sequence[WorkerReport]) -> Mapping[str, bool]:
        """Return whether each of these workers that is ready has the file of a resource.

        Of one that is not ready it is not known. Pods have the files that any worker has.
        """
        having = self.provider.workers_with([resource.for_job])
        is_fleet = self.fleet_policy.is_on
        return {worker.id: bool(having) if is_fleet else worker.id in having for worker in workers if worker.ready}

    async def _by_pods(self, coverages: Mapping[str, Coverage]) -> Mapping[str, Coverage]:
        """Return coverages with the pods that are up as workers: the files that one has all have."""
        fleet = await self.look_at_fleet()
        availability = Availability.AVAILABLE if fleet.has_room else Availability.UNAVAILABLE
        in_fleet = Coverage(availability=availability, workers=fleet.pods_up)
        return {text: in_fleet if found.workers else found for text, found in coverages.items()}


def _availability_of_unknown(reference: Reference) -> Availability:
    if not isinstance(reference, Air) or reference.ecosystem is None:
        return Availability.UNKNOWN
    return Availability.UNSUPPORTED if find_ecosystem(reference) is None else Availability.UNAVAILABLE


def _parse(text: str) -> Reference:
    try:
        return parse_reference(text)
    except InvalidRequestError as error:
        raise InvalidRequestError(error.message, errors={"model": [error.message]}) from error


class JobSupport(StrEnum):
    """Says whether a job can run now; the names are those of the v1 description.

    A job that nobody could ever run is refused when it is submitted, so none is Unsupported.
    """

    UNSUPPORTED = "Unsupported"
    UNAVAILABLE = "Unavailable"
    AVAILABLE = "Available"


@dataclass(frozen=True, slots=True, kw_only=True)
class GetJobSupport:
    """Finds out whether jobs can run now; it asks the provider once for all jobs of the same resources."""

    provider: Workforce

    def __call__(self, jobs: Sequence[Job]) -> Mapping[str, JobSupport]:
        """Return the support of each job that has not ended, by job id."""
        if len(jobs) == 1 or any(job.faults for job in jobs):  # it takes longer to hash resources than to ask
            return {job.id: self._support_of(job) for job in jobs if job.outcome is None}
        resources_of = {job.id: _resources_for_worker(job) for job in jobs if job.outcome is None}
        support_of = {resources: self._support(resources) for resources in set(resources_of.values())}
        return {job_id: support_of[resources] for job_id, resources in resources_of.items()}

    def _support_of(self, job: Job) -> JobSupport:
        """Ask what faults do to a job first, which only those have that something is to go wrong with."""
        if job.faults:
            from civitai_mock.domain.faults.job_effects import is_unsupported  # noqa: PLC0415 - as mostly there are none

            if is_unsupported(job):
                return JobSupport.UNAVAILABLE
        return self._support(_resources_for_worker(job))

    def _support(self, resources: tuple[JobResource, ...] | None) -> JobSupport:
        if resources is None or self.provider.workers_with(resources):
            return JobSupport.AVAILABLE
        return JobSupport.UNAVAILABLE


def _resources_for_worker(job: Job) -> tuple[JobResource, ...] | None:
    """Return what a worker must have; None for a job that needs no worker of the provider."""
    return job.resources if runs_graphs(job) else None
