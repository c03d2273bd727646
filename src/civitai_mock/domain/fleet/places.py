"""Places for jobs: which batch is whose, which pods it takes, and where each job runs."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from civitai_mock.domain.fleet.document import FleetDocument
from civitai_mock.domain.fleet.engines import NO_ENGINES, Engines
from civitai_mock.domain.fleet.pod_life import RETRY, PodLife
from civitai_mock.domain.fleet.pods import ON_ITS_WAY, TAKES_JOBS, Cause, PodState, Use
from civitai_mock.domain.fleet.policy import FleetJob, choose
from civitai_mock.domain.fleet.providers import Capacity, FleetProvider
from civitai_mock.domain.fleet.state import Batch, FleetState, Placement

FULL: Final = "full"
UNDER_WAY: Final = frozenset(PodState) - {PodState.SHUTDOWN}


class Places(PodLife):
    """Gives waiting jobs to who may run them, by the policy; `placed` and `refusals` are what came of it this time."""

    def __init__(
        self,
        state: FleetState,
        document: FleetDocument,
        waiting: Sequence[FleetJob] = (),
        engines: Engines = NO_ENGINES,
    ) -> None:
        super().__init__(state, document, waiting, engines)
        self.workers = dict(state.workers)
        self.placed: list[Placement] = []
        self.refusals: list[Placement] = []

    def assign(self) -> None:
        """Choose who gets each batch: again if it has grown, unless something else has decided that since."""
        pictures: dict[str, int] = {}
        for placement in self.placements.values():
            pictures[placement.batch] = pictures.get(placement.batch, 0) + placement.pictures
        firsts: dict[str, FleetJob] = {}
        for job in self.waiting:
            firsts.setdefault(job.key, job)
            if job.job_id not in self.placements:
                pictures[job.key] = pictures.get(job.key, 0) + job.pictures
        self.batches = {key: batch for key, batch in self.batches.items() if key in pictures}
        for key, job in firsts.items():
            self._choose(job, pictures.get(key, 0))

    def _choose(self, job: FleetJob, pictures: int) -> None:
        before = self.batches.get(job.key)
        total = pictures + (0 if before is None else before.done)
        is_known = before is not None and before.provider in self.document.names
        if before is not None and is_known and (before.fell_back or total <= before.pictures):
            return
        offline = not any(
            self.pods_of(provider.name, TAKES_JOBS | ON_ITS_WAY)
            for provider in self.document.providers
            if provider.has_pods
        )
        choice = choose(self.document, urgent=job.is_urgent, pictures=total, offline=offline, allowed=job.allowed)
        if choice is None:
            self.batches.pop(job.key, None)
        elif before is None or before.provider != choice.provider:
            done = 0 if before is None else before.done
            self.batches[job.key] = Batch(provider=choice.provider, reason=choice.reason, pictures=total, done=done)
        else:
            self.batches[job.key] = replace(before, pictures=total)

    def request_pods(self, now: datetime) -> None:
        """Boot a pod for each batch that waits for one, as long as there may be more."""
        for provider in self.document.providers:
            keys = list(dict.fromkeys(job.key for job in self.waiting_for(provider.name)))
            if not (provider.has_pods and keys):
                continue
            wanted = min(provider.max_pods, len(keys))
            while (
                len(self.pods_of(provider.name, TAKES_JOBS | ON_ITS_WAY)) < wanted
                and len(self.pods_of(provider.name, UNDER_WAY)) < provider.max_pods
                and not self.is_refused(provider.name, now)
            ):
                self.request(provider, at=now)
            if self.is_refused(provider.name, now):
                self.fall_back(provider.name, Cause.NO_CAPACITY, now)
            elif not self.pods_of(provider.name, TAKES_JOBS):
                self._note_wait(keys, now)

    def _note_wait(self, keys: Sequence[str], now: datetime) -> None:
        for key in keys:
            if self.batches[key].waits_since is None:
                self.batches[key] = replace(self.batches[key], waits_since=now)

    def place(self, now: datetime, room: int) -> None:
        full: set[str] = set()
        for job in self.waiting:
            batch = self.batches.get(job.key)
            if len(self.placed) + len(self.refusals) >= room:
                return
            if batch is None or batch.provider in full or job.job_id in self.placements:
                continue
            provider = self.document.provider(batch.provider)
            if provider.capacity is Capacity.NEVER and not provider.has_pods:
                self._refuse(job, provider, now)
                continue
            put = self._place_on_pod if provider.has_pods else self._place_on_worker
            if not put(job, batch, provider, now):
                full.add(provider.name)

    def _place_on_pod(self, job: FleetJob, batch: Batch, provider: FleetProvider, now: datetime) -> bool:
        """Place a job on the pod that it ran on before, or the one with the fewest; return whether one had room."""
        up = [pod for pod in self.pods_of(provider.name, TAKES_JOBS) if self.has_engine(pod)]
        free = [pod for pod in up if len(pod.jobs) < provider.max_concurrent]
        if not free:
            return False
        pod = min(free, key=lambda each: (each.pod_id != job.ran_on, len(each.jobs)))
        if pod.state is not PodState.GENERATING:
            self._enter(pod, PodState.GENERATING, now)
            pod = self.pods[pod.pod_id]
        is_first = pod.planned == 0
        self.pods[pod.pod_id] = replace(
            pod.used_for(Use.BUSY, at=now), jobs=(*pod.jobs, job.job_id), planned=pod.planned + job.pictures
        )
        self.batches[job.key] = replace(batch, waits_since=None)
        self._add(job, batch, provider, pod.pod_id, now, is_cold=is_first)
        return True

    def _place_on_worker(self, job: FleetJob, batch: Batch, provider: FleetProvider, now: datetime) -> bool:
        """Place a job on a worker that has worked a moment ago, if one is free, else on a cold one."""
        busy = {placement.worker for placement in self.placements.values() if placement.provider == provider.name}
        names = [f"{provider.name}-worker-{number}" for number in range(1, provider.max_concurrent + 1)]
        free = [name for name in names if name not in busy]
        if not free:
            return False
        idle = timedelta(seconds=provider.idle_shutdown_seconds)
        warm = [name for name in free if name in self.workers and now < self.workers[name] + idle]
        self._add(job, batch, provider, (warm or free)[0], now, is_cold=not warm)
        return True

    def _add(
        self, job: FleetJob, batch: Batch, provider: FleetProvider, worker: str, now: datetime, *, is_cold: bool
    ) -> None:
        cold = provider.cold_start_seconds if is_cold else 0.0
        pace = self.pods[worker].pace if worker in self.pods else None
        lasts = timedelta(seconds=(pace or provider.seconds_per_picture) * job.pictures + cold)
        placement = Placement(
            job_id=job.job_id,
            batch=job.key,
            provider=provider.name,
            worker=worker,
            reason=batch.reason,
            pictures=job.pictures,
            at=now,
            ends_at=now + lasts,
        )
        self.placements[job.job_id] = placement
        self.placed.append(placement)

    def _refuse(self, job: FleetJob, provider: FleetProvider, now: datetime) -> None:
        """Refuse a job as there is no room, and let its batch fall back; without a reserve it is asked again later."""
        if self.is_refused(provider.name, now):
            return
        self.refused[provider.name] = now + RETRY
        self.refusals.append(
            Placement(
                job_id=job.job_id,
                batch=job.key,
                provider=provider.name,
                worker=f"{provider.name}-worker-1",
                reason=FULL,
                pictures=job.pictures,
                at=now,
                ends_at=now,
            )
        )
        self.fall_back(provider.name, FULL, now)
