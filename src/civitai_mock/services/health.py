"""Health: whether the store can be used, which workers are ready, and whether jobs wait for want of a scheduler."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import TransientError
from civitai_mock.ports import Clock, JobQueue, StoreHealth, WorkerReport, Workforce
from civitai_mock.services.fleet_policy import FleetPolicy
from civitai_mock.services.progress_policy import ProgressPolicy

if TYPE_CHECKING:  # what only those need who have a fleet is not loaded at the start
    from civitai_mock.services.fleet.use_cases import FleetUseCases

logger = structlog.stdlib.get_logger()

CHECK_SECONDS = 5.0
PATIENCE = timedelta(seconds=10)
STALLED_CHECKS = 2  # in a row: between two claims of one job nobody holds it
REASON = "no scheduler takes jobs: some have waited for {seconds:.0f} s or longer while nobody works"


class StallDetector:
    """Checks every few seconds whether jobs wait and nobody takes them; logs when that begins and when it is over."""

    def __init__(
        self,
        *,
        queue: JobQueue,
        policy: ProgressPolicy,
        fleet_policy: FleetPolicy,
        clock: Clock,
        system_clock: Clock,
        poll: timedelta,
    ) -> None:
        """`poll` is the interval at which schedulers poll the store for jobs, which are as old as `clock` says.

        By the `policy`, schedulers may have to leave jobs alone; on a fleet, jobs may have to wait for a pod to boot.
        """
        self._queue = queue
        self._policy = policy
        self._fleet_policy = fleet_policy
        self._clock = clock
        self._system_clock = system_clock
        self._patience = max(PATIENCE, 2 * poll)
        self._stalled_checks = 0

    @property
    def reason(self) -> str | None:
        """Return why jobs are stalled; None while they are taken, or there are none."""
        is_stalled = self._stalled_checks >= STALLED_CHECKS
        return REASON.format(seconds=self._patience.total_seconds()) if is_stalled else None

    async def run(self) -> None:
        """Check until cancelled."""
        while True:
            await self._system_clock.sleep(CHECK_SECONDS)
            await self._check()

    async def _check(self) -> None:
        """Count the checks that found jobs stalled; while the store is away nothing is known, so the count stays."""
        before, since, now = self.reason, self._clock.now() - self._patience, self._system_clock.now()
        try:
            holds_back = self._policy.only_timed or self._policy.is_paused or self._fleet_policy.is_on
            is_stalled = not holds_back and await self._queue.is_stalled(since=since, now=now)
        except TransientError:
            return
        self._stalled_checks = self._stalled_checks + 1 if is_stalled else 0
        if self.reason and not before:
            logger.warning("jobs stand still", reason=self.reason, hint="start civitai-mock scheduler on this store")
        elif before and not self.reason:
            logger.info("jobs are taken again")


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthReport:
    """Describes the store and the workers; `reason` says why jobs are stalled, if they are.

    A fleet `boots_workers` when jobs come.
    """

    store: str
    provider: str
    workers: Sequence[WorkerReport]
    reason: str | None
    boots_workers: bool = False

    @property
    def is_healthy(self) -> bool:
        """Return whether jobs can run: without a worker they are kept, and run as soon as there is one."""
        return self.reason is None and self.want_of_workers is None

    @property
    def want_of_workers(self) -> str | None:
        """Return why no worker is ready; None if one is, or is booted once there is something to do."""
        if self.boots_workers or any(worker.ready for worker in self.workers):
            return None
        return "; ".join(["no worker is ready", *(f"{worker.id}: {worker.reason}" for worker in self.workers)])


@dataclass(frozen=True, slots=True, kw_only=True)
class GetHealth:
    """Reports health: it asks only the store; the provider and the stall detector know the rest already."""

    store: StoreHealth
    provider: Workforce
    stall_detector: StallDetector | None
    fleet_policy: FleetPolicy
    get_fleet: "Callable[[], FleetUseCases]"

    @property
    def runs_jobs(self) -> bool:
        """Return whether this process runs jobs itself; if so, it needs no stall detector."""
        return self.stall_detector is None

    async def __call__(self) -> HealthReport:
        """Return a report; raise `TransientError` if the store is away."""
        await self.store.ping()
        workers, has_fleet = self.provider.workers, self.fleet_policy.is_on
        return HealthReport(
            store=self.store.description,
            provider=self.provider.name,
            workers=await self.get_fleet().workers(like=workers) if has_fleet else workers,
            reason=self.stall_detector.reason if self.stall_detector else None,
            boots_workers=has_fleet,
        )


@dataclass(slots=True, kw_only=True)
class CheckReadiness:
    """Says whether work that comes now gets on: the store can be used, somebody takes jobs, and a worker is ready.

    `scheduler_fault` returns why the scheduler of this process takes no jobs, if it has one.
    """

    health: GetHealth
    scheduler_fault: Callable[[], str | None] = lambda: None

    async def __call__(self) -> None:
        """Raise `TransientError` with the reason if it does not."""
        report = await self.health()
        reason = self.scheduler_fault() or report.reason or report.want_of_workers
        if reason is not None:
            raise TransientError(f"Not ready: {reason}.")
