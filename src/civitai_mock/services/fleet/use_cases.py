"""What the API asks of the fleet of a namespace: how it is, its pods, orders to them, and what it has cost."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import NotFoundError
from civitai_mock.domain.fleet.document import FleetDocument
from civitai_mock.domain.fleet.pods import ON_ITS_WAY, TAKES_JOBS, Pod
from civitai_mock.domain.fleet.state import FleetState, stored_state
from civitai_mock.domain.job import Job
from civitai_mock.domain.json_types import JsonObject
from civitai_mock.ports import Clock, FleetStore, WorkerReport
from civitai_mock.services.availability import JobSupport
from civitai_mock.services.fleet.costs import BY_PROVIDER, CostPeriod, fleet_costs
from civitai_mock.services.fleet.orders import FleetOrder, FleetOrders
from civitai_mock.services.fleet.status import ByProvider, FleetStatus
from civitai_mock.services.fleet_policy import NO_FLEET_HERE, FleetPolicy
from civitai_mock.services.queue_position import QueuePosition


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownPod:
    """Is a pod with how many jobs it runs and could get next, what it has cost, and what a user may be told of it."""

    pod: Pod
    jobs_in_queue: int
    billed: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetUseCases:
    """Shows the fleet of one epoch of a namespace; `clock` is that of the namespace.

    Where there is no fleet `status`, `pods` and `give` raise `NotFoundError`.
    """

    policy: FleetPolicy
    store: FleetStore
    orders: FleetOrders
    clock: Clock

    async def status(self) -> FleetStatus:
        return FleetStatus(document=self._document, state=await self._state(), now=self.clock.now())

    async def status_of(
        self, jobs: Sequence[Job], positions: Mapping[str, QueuePosition], support: Mapping[str, JobSupport]
    ) -> Mapping[str, ByProvider]:
        """Return what the providers can do for jobs, by id, where elsewhere they would have these."""
        status = await self.status()
        return {job.id: status.of(job, support=support[job.id], position=positions.get(job.id)) for job in jobs}

    async def chosen_of(
        self, jobs: Sequence[Job], positions: Mapping[str, QueuePosition], support: Mapping[str, JobSupport]
    ) -> tuple[Mapping[str, QueuePosition], Mapping[str, JobSupport]]:
        """Return positions and support of jobs at the one provider that gets each, where one can be told."""
        status = await self.status()
        chosen = {
            job.id: found
            for job in jobs
            if (found := status.chosen(job, status.of(job, support=support[job.id], position=positions.get(job.id))))
        }
        told = {job_id: found.position for job_id, found in chosen.items() if found.position is not None}
        return told, {job.id: chosen[job.id].support if job.id in chosen else JobSupport.UNAVAILABLE for job in jobs}

    async def workers(self, *, like: Sequence[WorkerReport]) -> Sequence[WorkerReport]:
        """Return the pods that are up as workers, which can do what those `like` them can."""
        status = await self.status()
        ecosystems = sorted({name for worker in like for name in worker.ecosystems})
        return [_worker(pod, status, ecosystems) for pod in status.state.pods if pod.is_up]

    async def pods(self) -> Sequence[ShownPod]:
        """Return the pods, those that were shut down lately included."""
        status = await self.status()
        return [_shown(pod, status) for pod in status.state.pods]

    async def give(self, order: FleetOrder) -> ShownPod:
        """Have an order carried out, and return the pod as it is then.

        Raise `ConflictError` for what the table of states forbids.
        """
        known = await self.pods()
        if order.pod_id is not None:
            _find(known, order.pod_id)
        pod_id = await self.orders.give(order)
        return _find(await self.pods(), pod_id)

    async def costs(
        self, *, since: datetime | None = None, until: datetime | None = None, group_by: str = BY_PROVIDER
    ) -> JsonObject:
        """Return what jobs and pods have cost, also after the fleet was taken away."""
        document = self.policy.document
        state, now = await self._state(), self.clock.now()
        return fleet_costs(
            await self.store.costs(since=since, until=until),
            state.pods,
            CostPeriod(since=since, until=until, now=now),
            names=() if document is None else document.names,
            group_by=group_by,
        )

    @property
    def _document(self) -> FleetDocument:
        if self.policy.document is None:
            raise NotFoundError(NO_FLEET_HERE)
        return self.policy.document

    async def _state(self) -> FleetState:
        found = await self.store.read()
        return FleetState() if found is None else stored_state(found[1])


def _worker(pod: Pod, status: FleetStatus, ecosystems: Sequence[str]) -> WorkerReport:
    is_ready, names = pod.state in TAKES_JOBS, status.document.names
    most = status.document.provider(pod.provider).max_concurrent if pod.provider in names else None
    return WorkerReport(
        id=pod.pod_id,
        ready=is_ready,
        reason="" if is_ready else pod.text(now=status.now),
        in_flight=len(pod.jobs),
        max_in_flight=most,
        ecosystems=ecosystems,
    )


def _shown(pod: Pod, status: FleetStatus) -> ShownPod:
    waiting = status.state.waiting.get(pod.provider, 0) if pod.state in TAKES_JOBS | ON_ITS_WAY else 0
    foreseen = replace(
        pod, planned=pod.planned + waiting
    )  # so that it has drawn 5 of 40, and not of those it was given
    return ShownPod(
        pod=pod,
        jobs_in_queue=len(pod.jobs) + waiting,
        billed=pod.billed(now=status.now),
        text=foreseen.text(now=status.now),
    )


def _find(pods: Sequence[ShownPod], pod_id: str) -> ShownPod:
    for shown in pods:
        if shown.pod.pod_id == pod_id:
            return shown
    raise NotFoundError(f"There is no pod '{pod_id[:100]}' here.")
