"""What statuses say of a fleet: which providers may run a job, whether they can now, and when it would begin there."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from civitai_mock.domain.changed import changed
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.fleet.document import FleetDocument
from civitai_mock.domain.fleet.pods import ON_ITS_WAY, TAKES_JOBS, Pod, PodState
from civitai_mock.domain.fleet.policy import fleet_job
from civitai_mock.domain.fleet.providers import Capacity, FleetProvider
from civitai_mock.domain.fleet.state import FleetState
from civitai_mock.domain.job import Job
from civitai_mock.services.availability import JobSupport
from civitai_mock.services.queue_position import QueuePosition


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderStatus:
    """Says whether a provider of the fleet can run a job now and, until it is claimed, when it would."""

    support: JobSupport
    position: QueuePosition | None


ByProvider = Mapping[str, ProviderStatus]


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetStatus:
    """Is a fleet at one moment, as statuses see it."""

    document: FleetDocument
    state: FleetState
    now: datetime

    def of(self, job: Job, *, support: JobSupport, position: QueuePosition | None) -> ByProvider:
        """Return the providers that may run a job, by name; none if its request names only others.

        Elsewhere it would have this `support` and this `position` in the queue.
        """
        allowed = [self.document.provider(name) for name in fleet_job(job, self.document).allowed]
        return {
            provider.name: ProviderStatus(
                support=support if self._takes_jobs(provider) else JobSupport.UNAVAILABLE,
                position=None if position is None else self._position(provider, position),
            )
            for provider in allowed
        }

    def chosen(self, job: Job, found: ByProvider) -> ProviderStatus | None:
        """Return the status at who gets a job: its batch's provider, or before that is chosen who would begin first."""
        batch = self.state.batches.get(fleet_job(job, self.document).key)
        if batch is not None and batch.provider in found:
            return found[batch.provider]
        return min(found.values(), key=self._begins_at, default=None)

    def _begins_at(self, status: ProviderStatus) -> tuple[bool, datetime]:
        is_away = status.support is not JobSupport.AVAILABLE
        return is_away, self.now if status.position is None else status.position.estimated_start_at

    @property
    def pods_up(self) -> int:
        return sum(pod.is_up for pod in self.state.pods)

    @property
    def has_room(self) -> bool:
        """Return whether any provider takes jobs now."""
        return any(map(self._takes_jobs, self.document.providers))

    def _takes_jobs(self, provider: FleetProvider) -> bool:
        if provider.has_pods:
            return any(self._pods(provider, TAKES_JOBS))
        return provider.capacity is Capacity.ALWAYS

    def _position(self, provider: FleetProvider, position: QueuePosition) -> QueuePosition:
        """Return a place in the queue with the time at which the provider would come to it."""
        slots, seconds = self._slots(provider), self._seconds_per_picture(provider)
        each = timedelta(seconds=seconds)
        begins = self._begins(provider, slots) + each * position.preceding_jobs / slots
        return changed(
            position,
            throughput_rate=slots / seconds if seconds else 0.0,
            estimated_start=begins - self.now,
            estimated_start_at=begins,
        )

    def _seconds_per_picture(self, provider: FleetProvider) -> float:
        """Return how long a picture takes: on an engine as long as the last one did, once there was one."""
        paces = [pod.pace for pod in self._pods(provider, TAKES_JOBS) if pod.pace is not None]
        return sum(paces) / len(paces) if paces else provider.seconds_per_picture

    def _slots(self, provider: FleetProvider) -> int:
        """Return how many jobs it runs at once, with one pod at least."""
        pods = len(self._pods(provider, TAKES_JOBS)) if provider.has_pods else 1
        return max(pods, 1) * provider.max_concurrent

    def _begins(self, provider: FleetProvider, slots: int) -> datetime:
        """Return when it has room for the next job: now, when a job ends, or when a pod has booted."""
        if provider.has_pods and not self._pods(provider, TAKES_JOBS):
            boot = timedelta(seconds=(provider.boot_min_seconds + provider.boot_max_seconds) / 2)
            booted = [pod.ready_at for pod in self._pods(provider, ON_ITS_WAY)]
            return max(min(booted, default=self.now + boot), self.now)
        ends = sorted(each.ends_at for each in self.state.placements.values() if each.provider == provider.name)
        return self.now if len(ends) < slots else max(ends[len(ends) - slots], self.now)

    def _pods(self, provider: FleetProvider, states: frozenset[PodState]) -> Sequence[Pod]:
        return [pod for pod in self.state.pods if pod.provider == provider.name and pod.state in states]
