"""The life of pods: what falls due for each, and what listeners hear of it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from math import log
from random import Random
from typing import Final, TypeAlias

from civitai_mock.domain.fleet.costs import CostEntry, pod_entry
from civitai_mock.domain.fleet.document import FleetDocument
from civitai_mock.domain.fleet.engines import NO_ENGINES, PATIENCE, Engine, Engines
from civitai_mock.domain.fleet.pods import ON_ITS_WAY, TAKES_JOBS, Cause, Pod, PodState, Use, may_follow
from civitai_mock.domain.fleet.policy import FleetJob, reserve_of
from civitai_mock.domain.fleet.providers import Capacity, FleetProvider
from civitai_mock.domain.fleet.state import FleetEvent, FleetState
from civitai_mock.domain.json_types import Json

ANSWER: Final = timedelta(seconds=1)  # a cloud that has room says so after this time, at most half of a boot
RETRY: Final = timedelta(seconds=60)  # after which a provider is asked again that had no room
LEAST_SECONDS: Final = 1.0  # that a pod lives, and that a batch waits for one
MOST_MINUTES: Final = 10_000_000.0  # for which a pod may live before it is preempted by chance
BOOT_TIMEOUT: Final = "boot_timeout"

Due: TypeAlias = tuple[datetime, Callable[[datetime], None]]


class PodLife:
    """Works out what becomes of the pods of one state of a fleet.

    `waiting` are the jobs that nobody runs, in order, and `engines` the servers that are known; others are not there.
    """

    def __init__(
        self,
        state: FleetState,
        document: FleetDocument,
        waiting: Sequence[FleetJob] = (),
        engines: Engines = NO_ENGINES,
    ) -> None:
        self.before = state
        self.document = document
        self.waiting = waiting
        self.engines = engines
        self.pods = {pod.pod_id: pod for pod in state.pods}
        self.batches = dict(state.batches)
        self.placements = dict(state.placements)
        self.refused = dict(state.refused)
        self.pods_made, self.fallbacks = state.pods_made, state.fallbacks
        self.events: list[FleetEvent] = []
        self.costs: list[CostEntry] = []

    def pods_of(self, provider: str, states: frozenset[PodState]) -> Sequence[Pod]:
        """Return the pods of a provider that are in one of these states."""
        return [pod for pod in self.pods.values() if pod.provider == provider and pod.state in states]

    def waiting_for(self, provider: str) -> Sequence[FleetJob]:
        """Return the jobs that a provider is to run, and has no place for yet."""
        keys = {key for key, batch in self.batches.items() if batch.provider == provider}
        return [job for job in self.waiting if job.key in keys and job.job_id not in self.placements]

    def advance(self, to: datetime) -> bool:
        """Let all happen that falls due until then, in order, each at its own date; return whether anything did."""
        has_happened = False
        while (due := self.first_due()) is not None and due[0] <= to:
            due[1](due[0])
            has_happened = True
        return has_happened

    def first_due(self) -> Due | None:
        """Return what falls due first, and when."""
        dues = [due for pod in self.pods.values() for due in self._dues_of(pod)]
        return min([*dues, *self._timeouts()], key=lambda due: due[0], default=None)

    def request(self, provider: FleetProvider, *, at: datetime) -> Pod | None:
        """Ask for a pod; None if there is no room for one."""
        self.pods_made += 1
        pod_id = f"{provider.name}-{self.pods_made}"
        stream = Random(f"{self.before.seed}/{pod_id}")
        spread = provider.boot_max_seconds - provider.boot_min_seconds
        boot = timedelta(seconds=provider.boot_min_seconds + spread * stream.random())
        pod = Pod(
            pod_id=pod_id,
            provider=provider.name,
            state=PodState.SHUTDOWN,
            since=at,
            requested_at=at,
            price_per_hour=provider.price_per_hour,
            starts_at=at + min(ANSWER, boot / 2),
            ready_at=at + boot,
            preempted_at=_preempted_at(provider, at, stream),
            engine=self._free_engine(provider),
        ).used_for(Use.BOOT, at=at)
        self._enter(pod, PodState.BOOT_REQUESTED, at, "pod_booting", estimatedTime=round(boot.total_seconds(), 3))
        if provider.capacity is Capacity.NEVER:
            self.refused[provider.name] = at + RETRY
            self.shut_down(self.pods[pod_id], at, reason=Cause.NO_CAPACITY)
            return None
        return self.pods[pod_id]

    def take(self, pod: Pod, at: datetime, *, warning: float, reason: str = Cause.PREEMPTED) -> None:
        """Take a pod away; without a warning nobody hears of it before."""
        ends_at = at + timedelta(seconds=warning)
        warned = replace(pod, ends_at=ends_at, warning_seconds=warning, reason=reason)
        job_ids = (*pod.jobs, *[job.job_id for job in self.waiting_for(pod.provider)])
        kind = "pod_preemption_warning" if warning > 0 else None
        self._enter(warned, PodState.PREEMPTION_WARN, at, kind, job_ids, timeLeft=warning)
        self.hand_over(pod.pod_id, at)

    def unfinished(self, pod: Pod) -> Sequence[str]:
        """Return the jobs of a pod that is taken away that will not have ended by then."""
        if pod.state is PodState.SHUTDOWN:
            return pod.jobs
        ends_at = pod.ends_at
        if pod.state is not PodState.PREEMPTION_WARN or ends_at is None:
            return ()
        return [job_id for job_id in pod.jobs if not pod.warning_seconds or self.placements[job_id].ends_at > ends_at]

    def hand_over(self, pod_id: str, at: datetime) -> None:
        """Give to the reserve what a warned pod cannot finish, once nobody works on that any more.

        What waits for a pod that was taken while it booted waits for the next one.
        """
        pod = self.pods[pod_id]
        if pod.state is not PodState.PREEMPTION_WARN or self.unfinished(pod):
            return
        self._enter(pod, PodState.FALLBACK, at)
        if pod.booted_at is not None and not self.pods_of(pod.provider, TAKES_JOBS | ON_ITS_WAY):
            is_for_engine = pod.reason in {Cause.ENGINE_LOST, Cause.ENGINE_DRAINED}
            self.fall_back(pod.provider, str(pod.reason) if is_for_engine else Cause.PREEMPTED, at)

    def fall_back(self, provider: str, reason: str, at: datetime, *, only: str | None = None) -> None:
        """Give the waiting jobs of a provider to the reserve, if they are allowed one; `only` is the key of a batch."""
        moved: dict[str, list[FleetJob]] = {}
        for job in self.waiting_for(provider):
            allowed = [name for name in job.allowed if not self.is_refused(name, at)]
            reserve = reserve_of(self.document, instead_of=provider, allowed=allowed)
            if reserve is not None and only in {None, job.key}:
                moved.setdefault(reserve, []).append(job)
        for reserve, jobs in moved.items():
            for key in dict.fromkeys(job.key for job in jobs):
                before = self.batches[key]
                self.batches[key] = replace(before, provider=reserve, reason=reason, waits_since=None, fell_back=True)
            self.fallbacks += 1
            body: dict[str, Json] = {"reason": str(reason), "from": provider, "to": reserve}
            job_ids = tuple([job.job_id for job in jobs])
            key, kind = f"fallback/{self.fallbacks}", "fallback_activated"
            self.events.append(FleetEvent(key=key, type=kind, at=at, body=body, job_ids=job_ids))

    def is_refused(self, provider: str, at: datetime) -> bool:
        """Return whether a provider had no room a moment ago."""
        return provider in self.refused and at < self.refused[provider]

    def shut_down(self, pod: Pod, at: datetime, *, reason: str) -> None:
        """Let a pod be gone, and bill it."""
        gone = replace(pod, reason=str(reason), shutdown_at=at)
        self._enter(gone, PodState.SHUTDOWN, at, "pod_shutdown", reason=str(reason))
        self.costs.append(pod_entry(self.pods[pod.pod_id], at=at))

    def dismiss(self, pod: Pod, at: datetime, *, reason: str) -> None:
        """Shut a pod down whatever its state, by what the table allows; what runs on it is lost."""
        if may_follow(pod.state, PodState.SHUTDOWN):
            self.shut_down(pod, at, reason=reason)
        elif may_follow(pod.state, PodState.PREEMPTION_WARN):
            self.take(pod, at, warning=0.0, reason=reason)

    def _dues_of(self, pod: Pod) -> Sequence[Due]:
        if pod.provider not in self.document.names:
            return ()
        provider = self.document.provider(pod.provider)
        dues = [*self._engine_dues_of(pod, provider)]
        if pod.preempted_at is not None and may_follow(pod.state, PodState.PREEMPTION_WARN):
            when = max(pod.preempted_at, pod.since)
            dues.append((when, lambda at: self.take(pod, at, warning=provider.warning_seconds)))
        match pod.state:
            case PodState.BOOT_REQUESTED:
                dues.append((pod.starts_at, lambda at: self._enter(pod, PodState.BOOTING, at)))
            case PodState.BOOTING if pod.engine is None:
                dues.append((pod.ready_at, lambda at: self._become_ready(pod, at)))
            case PodState.READY | PodState.IDLE if not self.waiting_for(pod.provider):
                idle = timedelta(seconds=provider.idle_shutdown_seconds)
                dues.append((pod.since + idle, lambda at: self.dismiss(pod, at, reason=Cause.IDLE)))
            case PodState.FALLBACK if pod.ends_at is not None:
                reason = pod.reason or Cause.PREEMPTED
                dues.append((max(pod.ends_at, pod.since), lambda at: self.shut_down(pod, at, reason=reason)))
            case _:
                pass
        return dues

    def has_engine(self, pod: Pod) -> bool:
        """Return whether a pod can get jobs: it needs no engine, or that takes some."""
        return pod.engine is None or self._engine_of(pod.engine, pod).takes_jobs

    def _free_engine(self, provider: FleetProvider) -> str | None:
        """Return the first of a provider's engines that fewest pods have; None if pods need none."""
        taken = [pod.engine for pod in self.pods.values() if not pod.is_over]
        return min(provider.engines, key=taken.count, default=None)

    def _engine_of(self, name: str, pod: Pod) -> Engine:
        return self.engines.get(name) or Engine(is_there=False, since=pod.since)

    def _engine_dues_of(self, pod: Pod, provider: FleetProvider) -> Sequence[Due]:
        """Return when a pod becomes ready with its engine, or goes as that does."""
        if pod.engine is None:
            return ()
        engine = self._engine_of(pod.engine, pod)
        if pod.state is PodState.BOOTING:
            too_late = pod.requested_at + timedelta(seconds=max(provider.boot_timeout_seconds, LEAST_SECONDS))
            given_up: Due = (max(too_late, pod.ready_at), lambda at: self.dismiss(pod, at, reason=BOOT_TIMEOUT))
            ready_at = max(engine.since, pod.ready_at)
            return [(ready_at, lambda at: self._become_ready(pod, at)), given_up] if engine.takes_jobs else [given_up]
        if pod.state not in TAKES_JOBS or engine.takes_jobs or (engine.is_there and pod.jobs):
            return ()
        last_used = max(pod.last_job_at or pod.since, pod.since)
        lost_at = max(engine.since if engine.is_there else engine.since + PATIENCE, last_used)
        cause = Cause.ENGINE_DRAINED if engine.is_there else Cause.ENGINE_LOST
        return [(lost_at, lambda at: self.take(pod, at, warning=0.0, reason=cause))]

    def _timeouts(self) -> Sequence[Due]:
        """Return when those batches have waited too long that wait for a pod to boot."""
        dues: list[Due] = []
        for key, batch in self.batches.items():
            is_known = batch.provider in self.document.names
            if batch.waits_since is None or not is_known or self.pods_of(batch.provider, TAKES_JOBS):
                continue
            lasts = max(self.document.provider(batch.provider).boot_timeout_seconds, LEAST_SECONDS)
            dues.append((batch.waits_since + timedelta(seconds=lasts), self._time_out(key)))
        return dues

    def _time_out(self, key: str) -> Callable[[datetime], None]:
        def act(at: datetime) -> None:
            batch = self.batches[key]
            self.batches[key] = replace(batch, waits_since=None)  # without a reserve it goes on to wait
            self.fall_back(batch.provider, BOOT_TIMEOUT, at, only=key)

        return act

    def _become_ready(self, pod: Pod, at: datetime) -> None:
        self._enter(replace(pod, booted_at=at).used_for(Use.IDLE, at=at), PodState.READY, at, "pod_ready")

    def _enter(
        self,
        pod: Pod,
        state: PodState,
        at: datetime,
        kind: str | None = None,
        job_ids: tuple[str, ...] | None = None,
        **members: Json,
    ) -> None:
        """Let a pod enter a state, and tell that as an event of a kind, if it has one."""
        entered = self.pods[pod.pod_id] = pod.entered(state, at=at)
        if kind is not None:
            body: dict[str, Json] = {"podId": pod.pod_id, "provider": pod.provider, **members}
            key = f"{pod.pod_id}/{entered.transitions}"
            self.events.append(FleetEvent(key=key, type=kind, at=at, body=body, job_ids=job_ids))


def _preempted_at(provider: FleetProvider, at: datetime, stream: Random) -> datetime | None:
    """Draw when a pod that starts now is taken away; None for never."""
    preemption = provider.preemption
    chance, place = stream.random(), stream.random()
    seconds = [] if preemption.at_seconds is None else [preemption.at_seconds]
    if preemption.probability_per_minute > 0:
        lasts = (
            log(1 - chance) / log(1 - preemption.probability_per_minute)
            if preemption.probability_per_minute < 1
            else 0.0
        )
        if lasts < MOST_MINUTES:
            seconds.append((int(lasts) + place) * 60)
    return at + timedelta(seconds=max(min(seconds), LEAST_SECONDS)) if seconds else None
