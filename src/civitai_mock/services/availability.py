"""Whether jobs can be run now: by resource, by job, by the store and its workers, and whether jobs stand still."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

import structlog

from civitai_mock.domain.air import Air, Reference, parse_reference
from civitai_mock.domain.errors import InvalidRequestError, TransientError
from civitai_mock.domain.job import Job, JobResource
from civitai_mock.domain.resource import Resource
from civitai_mock.generation.ecosystems import find_ecosystem, is_model
from civitai_mock.generation.job_types import JOB_TYPES_BY_TYPE
from civitai_mock.generation.networks.request import job_resource
from civitai_mock.ports import Clock, JobQueue, Provider, ResourceStore, StoreHealth, WorkerReport


class Availability(StrEnum):
    """v1 description.

    Unknown is an AIR that does not tell its ecosystem and is not among the resources, Unsupported one of an ecosystem
    whose models nobody here can run, Unavailable one that is not among the resources or that no worker has.
    """

    UNKNOWN = "Unknown"
    UNSUPPORTED = "Unsupported"
    UNAVAILABLE = "Unavailable"
    AVAILABLE = "Available"


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """`workers` is how many are ready and have the resource."""

    availability: Availability
    workers: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class GetCoverage:
    resources: ResourceStore
    provider: Provider

    async def __call__(self, texts: Sequence[str]) -> Mapping[str, Coverage]:
        """By the texts as they were sent; raise `InvalidRequestError` for one that is no AIR."""
        references = {text: _parse(text) for text in texts}
        found = await self.resources.find(list(references.values()))
        return {text: self._of(reference, found.get(str(reference))) for text, reference in references.items()}

    def _of(self, reference: Reference, known: Resource | None) -> Coverage:
        if known is None:
            return Coverage(availability=_of_unknown(reference))
        if is_model(known.air) and find_ecosystem(known.air) is None:
            return Coverage(availability=Availability.UNSUPPORTED)
        workers = self.provider.workers_with([job_resource(known)])
        return Coverage(availability=Availability.AVAILABLE if workers else Availability.UNAVAILABLE, workers=workers)


def _of_unknown(reference: Reference) -> Availability:
    if not isinstance(reference, Air) or reference.ecosystem is None:
        return Availability.UNKNOWN
    return Availability.UNSUPPORTED if find_ecosystem(reference) is None else Availability.UNAVAILABLE


def _parse(text: str) -> Reference:
    try:
        return parse_reference(text)
    except InvalidRequestError as error:
        raise InvalidRequestError(error.message, errors={"model": [error.message]}) from error


class JobSupport(StrEnum):
    """v1 description; a job that nobody could ever run is refused, so none is Unsupported."""

    UNSUPPORTED = "Unsupported"
    UNAVAILABLE = "Unavailable"
    AVAILABLE = "Available"


@dataclass(frozen=True, slots=True, kw_only=True)
class GetJobSupport:
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


logger = structlog.stdlib.get_logger()

LOOK_SECONDS = 5.0
PATIENCE = timedelta(seconds=10)
LOOKS = 2  # in a row: between two claims of one job nobody holds it
REASON = "no scheduler takes jobs: some have waited for {seconds:.0f} s or longer while nobody works"


class Standstill:
    """Looks every few seconds, and says once when it begins and when it is over."""

    def __init__(self, *, queue: JobQueue, clock: Clock, poll: timedelta) -> None:
        """`poll` is how often schedulers look for jobs."""
        self._queue = queue
        self._clock = clock
        self._patience = max(PATIENCE, 2 * poll)
        self._looks = 0

    @property
    def reason(self) -> str | None:
        """None while jobs are taken, or there are none."""
        return REASON.format(seconds=self._patience.total_seconds()) if self._looks >= LOOKS else None

    async def run(self) -> None:
        while True:
            await self._clock.sleep(LOOK_SECONDS)
            await self._look()

    async def _look(self) -> None:
        """While the store is away nothing is known."""
        before, now = self.reason, self._clock.now()
        try:
            stands_still = await self._queue.stands_still(since=now - self._patience, now=now)
        except TransientError:
            return
        self._looks = self._looks + 1 if stands_still else 0
        if self.reason and not before:
            logger.warning("jobs stand still", reason=self.reason, hint="start civitai-mock scheduler on this store")
        elif before and not self.reason:
            logger.info("jobs are taken again")


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthReport:
    store: str
    provider: str
    workers: Sequence[WorkerReport]
    reason: str | None

    @property
    def is_whole(self) -> bool:
        """Jobs are kept without a worker, and run as soon as there is one."""
        return self.reason is None and any(worker.ready for worker in self.workers)


@dataclass(frozen=True, slots=True, kw_only=True)
class GetHealth:
    """Only the store is asked: what is known of workers and of jobs that stand still is looked after beside."""

    store: StoreHealth
    provider: Provider
    standstill: Standstill | None

    @property
    def runs_jobs(self) -> bool:
        """Whoever runs jobs itself has no standstill to look for."""
        return self.standstill is None

    async def __call__(self) -> HealthReport:
        """Raise `TransientError` if the store is away."""
        await self.store.ping()
        return HealthReport(
            store=self.store.description,
            provider=self.provider.name,
            workers=self.provider.workers,
            reason=self.standstill.reason if self.standstill else None,
        )
