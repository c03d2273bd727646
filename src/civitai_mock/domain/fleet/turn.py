"""A turn of a fleet: what becomes of its state when jobs wait or end, time goes on, or somebody gives an order."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

from civitai_mock.domain.errors import ConflictError, NotFoundError
from civitai_mock.domain.fleet.costs import CostEntry
from civitai_mock.domain.fleet.places import UNDER_WAY, Places
from civitai_mock.domain.fleet.pods import Cause, Pod, PodState, Use, may_follow
from civitai_mock.domain.fleet.providers import FleetProvider, ProviderKind
from civitai_mock.domain.fleet.state import FleetState, Placement
from civitai_mock.domain.json_types import ReadOnlyJson

REQUESTED: Final = "requested"
REMOVED: Final = "removed"  # from the document of the fleet
OFF: Final = "off"
KEPT_PODS: Final = 10  # that are shut down


class Turn(Places):
    """Makes the next state of a fleet: first what has happened is noted, then `run` does what follows from it.

    It only works it out: who runs it has to store the `state`, tell its events, and then stop what is `interrupted`,
    claim what was `placed`, and refuse what is in `refusals`. Of the waiting jobs, none may have a place that `left`
    is not called for.
    """

    def run(self, *, now: datetime, room: int) -> None:
        """Do all that is due, and give the waiting jobs, in order, to who may run them: at most `room` of them."""
        self.refused = {name: until for name, until in self.refused.items() if until > now}
        self.assign()
        is_over = False
        while not is_over:
            fallbacks = self.fallbacks
            self.advance(now)
            self._remove_unknown(now)
            self.assign()
            self.request_pods(now)
            self.place(now, room)
            self._note_idle(now)
            due = self.first_due()
            is_over = (due is None or due[0] > now) and self.fallbacks == fallbacks

    def left(
        self, job_id: str, *, at: datetime, pictures: int | None = None, properties: ReadOnlyJson | None = None
    ) -> None:
        """Note that nobody runs a job any more that had a place; `pictures` says how many a job has that succeeded."""
        placement = self.placements.pop(job_id, None)
        if placement is None:
            return
        self.advance(at)
        pod = self.pods.get(placement.worker)
        if pod is None:
            self.workers[placement.worker] = at
        else:
            jobs = tuple([other for other in pod.jobs if other != job_id])
            pace = pod.pace if pod.engine is None or not pictures else (at - placement.at).total_seconds() / pictures
            self.pods[pod.pod_id] = replace(pod, jobs=jobs, last_job_at=at, done=pod.done + (pictures or 0), pace=pace)
        if pictures is not None:
            self._charge(placement, at, pictures, properties or {}, is_on_pod=pod is not None)
        if pod is not None:
            self.hand_over(pod.pod_id, at)
            if pod.is_over and pictures is None:
                self.fall_back(pod.provider, Cause.PREEMPTED, at, only=placement.batch)

    def preempt(self, pod_id: str, *, at: datetime, warning: float | None = None) -> Pod:
        """Take a pod away; raise `ConflictError` if the table does not allow it."""
        pod = self._known(pod_id)
        self._check(pod, PodState.PREEMPTION_WARN)
        if warning is None:
            is_known = pod.provider in self.document.names
            warning = self.document.provider(pod.provider).warning_seconds if is_known else 0.0
        self.take(pod, at, warning=warning)
        return self.pods[pod_id]

    def order_shutdown(self, pod_id: str, *, at: datetime) -> Pod:
        """Shut a pod down; raise `ConflictError` if the table does not allow it."""
        pod = self._known(pod_id)
        self._check(pod, PodState.SHUTDOWN)
        self.shut_down(pod, at, reason=REQUESTED)
        return self.pods[pod_id]

    def order_boot(self, provider: str | None, *, at: datetime) -> Pod:
        """Boot a pod; raise `ConflictError` if there are as many as there may be."""
        found = self._provider_of_pods(provider)
        under_way = self.pods_of(found.name, UNDER_WAY)
        if len(under_way) >= found.max_pods:
            raise ConflictError(f"'{found.name}' has {len(under_way)} pods, and may have {found.max_pods}.")
        self.request(found, at=at)
        return self.pods[f"{found.name}-{self.pods_made}"]

    def close(self, at: datetime) -> None:
        """Shut all pods down, as there is no fleet any more; what runs on them goes on without them."""
        self.waiting = ()
        for pod in list(self.pods.values()):
            if pod.is_over:
                continue
            self.pods[pod.pod_id] = alone = replace(pod, jobs=())
            self.dismiss(alone, at, reason=OFF)
            self.hand_over(pod.pod_id, at)
            if self.pods[pod.pod_id].state is PodState.FALLBACK:
                self.shut_down(self.pods[pod.pod_id], at, reason=OFF)
        self.batches.clear()
        self.placements.clear()
        self.refused.clear()

    @property
    def interrupted(self) -> Mapping[str, bool]:
        """Return the jobs whose pods are taken away under them, and whether they were warned."""
        return {job_id: bool(pod.warning_seconds) for pod in self.pods.values() for job_id in self.unfinished(pod)}

    @property
    def state(self) -> FleetState:
        """Return the next state."""
        over = [pod.pod_id for pod in self.pods.values() if pod.is_over and not pod.jobs]
        forgotten = set(over[:-KEPT_PODS])
        waiting = {name: count for name in self.document.names if (count := len(self.waiting_for(name)))}
        return replace(
            self.before,
            pods=tuple([pod for pod in self.pods.values() if pod.pod_id not in forgotten]),
            batches=self.batches,
            placements=self.placements,
            workers=self.workers,
            waiting=waiting,
            refused=self.refused,
            pods_made=self.pods_made,
            fallbacks=self.fallbacks,
            events=tuple(self.events),
            costs=tuple(self.costs),
        )

    @property
    def next_due(self) -> datetime | None:
        """Return when there is something to do, if nothing happens before."""
        due = self.first_due()
        retries = [at for name, at in self.refused.items() if self.waiting_for(name)]
        return min([*([] if due is None else [due[0]]), *retries], default=None)

    def _remove_unknown(self, now: datetime) -> None:
        """Dismiss the pods of providers that the document does not have any more."""
        for pod in list(self.pods.values()):
            if pod.provider not in self.document.names and not pod.is_over:
                self.dismiss(pod, now, reason=REMOVED)

    def _note_idle(self, now: datetime) -> None:
        """Let pods be idle that had nothing more to do when their last job had left them."""
        for pod in list(self.pods.values()):
            at = max(pod.last_job_at or now, pod.since)
            if pod.state is PodState.GENERATING and not pod.jobs:
                self._enter(pod.used_for(Use.IDLE, at=at), PodState.IDLE, at, "pod_idle")
            elif pod.state is PodState.FALLBACK and not pod.jobs and pod.spans[-1].use is Use.BUSY:
                self.pods[pod.pod_id] = pod.used_for(Use.IDLE, at=at)

    def _charge(
        self, placement: Placement, at: datetime, pictures: int, properties: ReadOnlyJson, *, is_on_pod: bool
    ) -> None:
        batch = self.batches.get(placement.batch)
        if batch is not None:
            self.batches[placement.batch] = replace(batch, done=batch.done + placement.pictures)
        if placement.provider not in self.document.names:
            return
        cost = pictures * self.document.provider(placement.provider).price_per_picture
        self.costs.append(
            CostEntry(
                id=f"job/{placement.job_id}",
                provider=placement.provider,
                began_at=placement.at,
                ended_at=at,
                billed=0 if is_on_pod else cost,
                pictures=pictures,
                per_picture=cost,
                job_id=placement.job_id,
                properties=dict(properties),
            )
        )

    def _known(self, pod_id: str) -> Pod:
        pod = self.pods.get(pod_id)
        if pod is None:
            raise NotFoundError(f"There is no pod '{pod_id}'.")
        return pod

    def _check(self, pod: Pod, after: PodState) -> None:
        if not may_follow(pod.state, after):
            raise ConflictError(f"The pod '{pod.pod_id}' is in {pod.state}, which {after} cannot follow.")

    def _provider_of_pods(self, name: str | None) -> FleetProvider:
        found = self.document.first(ProviderKind.SPOT) if name is None else None
        if name is not None and name in self.document.names:
            found = self.document.provider(name)
        if found is None or not found.has_pods:
            raise ConflictError("The fleet has no provider of pods" + (f" '{name}'." if name else "."))
        return found


def is_new(before: FleetState, after: FleetState) -> bool:
    """Return whether a state has to be stored: what was told last turn is told, and need not be kept for itself."""
    return replace(before, events=(), costs=()) != after
