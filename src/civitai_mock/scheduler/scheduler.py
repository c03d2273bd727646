"""Claim jobs and keep many of them in flight."""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog

from civitai_mock.domain.changed import changed
from civitai_mock.domain.claims import Claim
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.job import Job
from civitai_mock.domain.micros import MICROSECOND
from civitai_mock.ports import MovedClock, Stores
from civitai_mock.scheduler.advance_time import AdvanceTime
from civitai_mock.scheduler.deliveries import Dispatcher
from civitai_mock.scheduler.dependencies import DependencyResolver
from civitai_mock.scheduler.executors.context import JobPlace, RunnerServices
from civitai_mock.scheduler.job_runner import CancelReason, JobRunner
from civitai_mock.scheduler.job_writer import JobWriter
from civitai_mock.scheduler.leases import InFlight, Leases
from civitai_mock.scheduler.reaper import Reaper
from civitai_mock.scheduler.stray_prompts import StrayPrompts
from civitai_mock.scheduler.timers import Timers
from civitai_mock.scheduler.workflows import WorkflowAdvancer
from civitai_mock.services.activity import Worker
from civitai_mock.services.error_boundary import ErrorBoundary
from civitai_mock.services.event_bus import EventBus
from civitai_mock.services.event_feed import FollowEvents
from civitai_mock.services.fleet_policy import FleetPolicy

if TYPE_CHECKING:  # what only those need who have a fleet is not loaded at the start
    from civitai_mock.domain.fleet.document import FleetDocument
    from civitai_mock.scheduler.fleet.controller import FleetController

logger = structlog.stdlib.get_logger()

CLAIM_BATCH = 100
STUCK_SECONDS = 15.0  # no store takes so long for a claim
CLAIM_SECONDS = 0.5  # of a claim that is under way at the stop, before it is left to its lease
RELEASE_SECONDS = 1.2  # of the two that everything after the grace time has together
ABANDON_SECONDS = 6.0  # a little more than the cancellation of a prompt may take
SAME_MOMENT = timedelta(seconds=1)
PAUSE_SECONDS = 0.2  # while the store is away, where time is moved


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulerOptions:
    """Says how a scheduler works.

    `poll` is how often it asks what other processes did, and for jobs to claim; what its own process does wakes it at
    once. `make_fleet` makes what moves the pods of a fleet, where the policy has one.
    """

    poll: timedelta
    max_in_flight: int
    lease: timedelta
    grace: timedelta
    fleet_policy: FleetPolicy
    make_fleet: "Callable[[InFlight], FleetController]"


class Scheduler:
    """Claims jobs under a worker id of its own, and runs them; any number of schedulers may work on one store."""

    def __init__(
        self,
        *,
        worker_id: str,
        stores: Stores,
        services: RunnerServices,
        dispatchers: Sequence[Dispatcher[Any]],
        workflows: WorkflowAdvancer,
        event_bus: EventBus,
        event_feed: FollowEvents,
        options: SchedulerOptions,
    ) -> None:
        self.worker_id = worker_id
        self._fleet_policy = options.fleet_policy
        self._make_fleet = options.make_fleet
        self._fleet: FleetController | None = None
        self._places: dict[str, JobPlace] = {}  # of jobs that were just claimed for a fleet
        self._stores = stores
        self._jobs = jobs = stores.jobs
        self._queue = stores.queue
        self._services = services
        self._dispatchers = dispatchers
        self._workflows = workflows
        self._event_bus = event_bus
        self._event_feed = event_feed
        self._options = options
        self._writer = JobWriter(
            jobs=jobs, event_bus=event_bus, clock=services.clock, system_clock=services.system_clock
        )
        self._dependencies = self._make_dependencies()
        self._timeouts = Timers(clock=services.clock, on_due=self._time_out)
        self._in_flight = InFlight()
        self.claimed_at: datetime | None = None  # the last claim under this worker id that got anything
        self._stop_asked = asyncio.Event()
        self._grace_ends = 0.0
        self._runs_until = 0.0
        self._claiming_since: float | None = None
        self._knows_its_claims = False  # all that are stored under this worker id are in flight
        self._is_running = False
        self._is_abandoned = False
        self._loop_tasks: Sequence[asyncio.Task[None]] = ()
        self.jobs_left = 0  # how many jobs were not given back at the stop
        event_bus.subscribe_to_ends(self._on_ended)
        event_bus.subscribe_to_changes_elsewhere(self._in_flight.cancel_ended)
        self._stray_prompts = StrayPrompts(
            jobs=jobs,
            provider=services.provider,
            event_bus=event_bus,
            in_flight=self._in_flight,
            clock=services.system_clock,
        )
        self._reaper = self._make_reaper()

    def _make_dependencies(self) -> DependencyResolver:
        return DependencyResolver(
            jobs=self._jobs,
            queue=self._queue,
            search=self._stores.search,
            event_bus=self._event_bus,
            event_feed=self._event_feed,
            clock=self._services.clock,
            system_clock=self._services.system_clock,
        )

    def _make_reaper(self) -> Reaper:
        return Reaper(
            stores=self._stores,
            event_bus=self._event_bus,
            clock=self._services.clock,
            system_clock=self._services.system_clock,
            in_flight=self._in_flight,
            interval=self._options.poll,
            lease=self._options.lease,
        )

    async def run(self) -> None:
        """Work until `stop`; then give running jobs the grace time and let go of the rest.

        Everything after the grace time has `RELEASE_SECONDS` together, whether the store answers or not.
        """
        self._is_running = True
        self._event_bus.publish_work()
        self._event_feed.follow(self, every=self._options.poll)
        try:
            await self._run_loops()
        finally:
            if self._fleet is not None:
                self._fleet.stop()
            self._event_feed.unfollow(self)
            self._timeouts.clear_all()
            self._is_running = False

    async def _run_loops(self) -> None:
        async with asyncio.TaskGroup() as group:
            loops = [group.create_task(loop, name=name) for name, loop in self._loops().items()]
            self._loop_tasks = loops
            claiming = group.create_task(self._claim_until_stopped(group), name="claiming")
            await self._stop_asked.wait()
            await asyncio.wait([claiming], timeout=CLAIM_SECONDS)
            claiming.cancel()
            if self._is_abandoned:
                await self._leave()
            await self._drain()
            patience = self._seconds_until(self._grace_ends)
            await asyncio.gather(*[dispatcher.stop(patience=patience) for dispatcher in self._dispatchers])
            for task in loops:
                task.cancel()

    def stop(self) -> None:
        """Claim nothing more; the grace time begins with the first call.

        Where time is moved, jobs are given back at once: they would sleep through it.
        """
        if not self._stop_asked.is_set():
            now = asyncio.get_running_loop().time()
            self._grace_ends = now + self._options.grace.total_seconds()
            self._runs_until = now if self._services.clock.is_moved else self._grace_ends
            self._stop_asked.set()
        self._event_bus.publish_work()

    def advance_time_by(self, clock: MovedClock) -> AdvanceTime:
        """Return what advances the time of the jobs, by the clock that they have."""
        return AdvanceTime(
            clock=clock,
            system_clock=self._services.system_clock,
            queue=self._queue,
            event_bus=self._event_bus,
            reaper=self._reaper,
            catch_up=self._catch_up,
        )

    async def take_over(self) -> None:
        """Take all jobs that other processes have, as this one alone is to work on them now."""
        await self._reaper.take_over(self.worker_id)

    async def _catch_up(self) -> None:
        """Begin with all that is stored and can be worked on, whoever has stored it."""
        self._event_bus.publish_work()
        for dispatcher in self._dispatchers:
            dispatcher.wake()
        await self._reaper.expire()
        await self._dependencies.scan()
        await self._workflows.scan()

    def abandon(self) -> None:
        """Stop at once, and write nothing: the namespace was reset, so nothing that this works on is there any more."""
        self._is_abandoned = True
        for task in self._loop_tasks:
            task.cancel()
        self._workflows.break_off()
        for dispatcher in self._dispatchers:
            dispatcher.break_off()
        for runner in list(self._in_flight.runners.values()):
            runner.cancel(CancelReason.ABANDONED)
        self.stop()
        self._grace_ends = self._runs_until = 0.0

    @property
    def is_idle(self) -> bool:
        """Return whether it works on no job at present."""
        return len(self._in_flight) == 0

    def jobs_in_flight(self) -> Mapping[str, int]:
        """Return how many jobs it works on, by the stage that they have come to."""
        return Counter(runner.job.stage for runner in self._in_flight.runners.values())

    @property
    def leased_until(self) -> datetime | None:
        """Return when the first of its jobs is free, if nobody hears of it any more; None without any."""
        return self._in_flight.leased_until

    @property
    def fault(self) -> str | None:
        """Return why it takes no jobs; None while it does."""
        if not self._is_running:
            return "the scheduler does not run"
        since = self._claiming_since
        seconds = 0.0 if since is None else asyncio.get_running_loop().time() - since
        return f"claiming jobs has taken {seconds:.0f} s so far" if seconds > STUCK_SECONDS else None

    def _loops(self) -> Mapping[str, Coroutine[None, None, None]]:
        """Return what runs beside the claiming, by the names of the tasks."""
        leases = Leases(
            queue=self._queue,
            clock=self._services.system_clock,
            lease=self._options.lease,
            in_flight=self._in_flight,
        )
        return {
            "poll": self._poll(),
            "leases": leases.run(),
            "reaper": self._reaper.run(),
            "sweeps": self._reaper.run_sweeps(),
            "progress": self._services.progress_reporter.run(),
            "dependency scans": self._dependencies.run_scans(),
            "dependencies": self._dependencies.run(),
            "stray prompts": self._stray_prompts.run(),
            "stray prompt scans": self._stray_prompts.run_scans(),
            **{dispatcher.what: dispatcher.run() for dispatcher in self._dispatchers},
            "workflows": self._workflows.run(),
            "workflow scans": self._workflows.run_scans(),
        }

    async def _poll(self) -> None:
        while True:
            self._event_bus.publish_work()
            await self._services.system_clock.sleep(self._options.poll.total_seconds())

    async def _claim_until_stopped(self, group: asyncio.TaskGroup) -> None:
        while not self._stop_asked.is_set():
            room = min(self._options.max_in_flight - len(self._in_flight), CLAIM_BATCH)
            room = 0 if self._services.progress_policy.is_paused else room
            self._claiming_since = asyncio.get_running_loop().time()
            jobs = await self._claim(room) if room > 0 or self._fleet_policy.is_on else ()
            self._claiming_since = None
            for job in () if self._is_abandoned else jobs:
                self._start(group, job)
            if room <= 0 or len(jobs) < room:  # then the queue was empty: to ask again is a write for nothing
                await self._event_bus.wait_for_work()

    async def _claim(self, room: int) -> Sequence[Job]:
        """Return as many jobs as there is room for; none while the store is away."""
        with ErrorBoundary("claiming failed"):
            await self._take_back_claims()
            if self._fleet_policy.document is not None:
                jobs = await self._claim_for_fleet(self._fleet_policy.document, room)
            else:
                await self._close_fleet()
                claim = self._new_claim()
                jobs = await self._queue.claim(claim, limit=room, only_timed=self._services.progress_policy.only_timed)
                self.claimed_at = claim.at if jobs else self.claimed_at
            return [self._dated(job) for job in jobs] if self._services.clock.is_moved else jobs
        self._knows_its_claims = False
        if self._services.clock.is_moved:  # where nothing rests as long as there may be a job to claim
            await self._services.system_clock.sleep(PAUSE_SECONDS)
            self._event_bus.publish_work()
        return ()

    async def _claim_for_fleet(self, document: "FleetDocument", room: int) -> Sequence[Job]:
        """Return the jobs that the workers of a fleet begin with now."""
        if self._fleet is None:
            self._fleet = self._make_fleet(self._in_flight)
        only_timed = self._services.progress_policy.only_timed
        placed = await self._fleet.take_turn(document, room=room, only_timed=only_timed, claim=self._new_claim)
        self._places = {each.job.id: each.place for each in placed}
        for each in placed:
            self.claimed_at = each.job.claim.at if each.job.claim is not None else self.claimed_at
        return [each.job for each in placed]

    async def _close_fleet(self) -> None:
        """Have no fleet any more, if there was one."""
        if self._fleet is not None:
            await self._fleet.close()
            self._fleet = None

    async def _take_back_claims(self) -> None:
        """Let go of claims that were carried out though their answers were lost, or that an earlier life left behind.

        In real time their leases end soon. Where time is moved it would go on without their jobs until then.
        """
        if self._services.clock.is_moved and not self._knows_its_claims:
            await self._reaper.take_back(self.worker_id)
            self._knows_its_claims = True

    def _dated(self, job: Job) -> Job:
        """Return a job that was just claimed with a claim that is dated by the clock as it is now.

        It may have been set to another time while the store carried the claim out.
        """
        claim, now = job.claim, self._services.clock.now()
        if claim is None or timedelta() <= now - claim.at <= self._services.clock.lasting(SAME_MOMENT):
            return job
        return changed(job, claim=changed(claim, at=now))

    def _new_claim(self) -> Claim:
        """Return a claim whose moment no other one of this worker has, however the machine's clock is moved.

        In a namespace whose time is moved all moments are exact: two claims of one job at the same moment are told
        apart by what lies between them.
        """
        clock = self._services.clock
        now = at = clock.now()
        if (
            not clock.is_moved
            and self.claimed_at is not None
            and self.claimed_at - SAME_MOMENT < now <= self.claimed_at
        ):
            at = self.claimed_at + MICROSECOND
        provider = self._services.provider.name
        until = self._services.system_clock.now() + self._options.lease
        return Claim(provider=provider, worker_id=self.worker_id, at=at, until=until)

    def _start(self, group: asyncio.TaskGroup, job: Job) -> None:
        if job.claim is None:
            raise ValueError(f"the job {job.id} was not claimed")
        runner = JobRunner(
            job=job,
            claim=job.claim,
            services=self._services,
            writer=self._writer,
            lease=self._options.lease,
            worker=Worker(self._event_bus.activity, rank=(job.created_at, job.id)),
            place=self._places.pop(job.id, None) if self._places else None,
        )
        self._services.metrics.claims.observe((), max((job.claim.at - job.last_event.at).total_seconds(), 0.0))
        runner.start(group)
        self._in_flight.add(runner)
        if job.timeout < job.expire_at - job.claim.at:
            self._timeouts.set(job.id, job.claim.at + job.timeout)
        runner.task.add_done_callback(lambda _: self._finish(runner))

    def _finish(self, runner: JobRunner) -> None:
        was_full = len(self._in_flight) >= self._options.max_in_flight
        if self._in_flight.remove(runner):
            self._timeouts.clear(runner.job.id)
        if was_full or runner.job.outcome is None or runner.place is not None:
            self._event_bus.publish_work()
        if runner.job.outcome is not None:
            self._event_bus.publish_ends([runner.job])
        runner.worker.finish()

    def _on_ended(self, jobs: Sequence[Job]) -> None:
        for job in jobs:
            self._in_flight.cancel_if_taken(job)

    def _time_out(self, job_id: str) -> None:
        """Cancel a claim that has lasted as long as it may; one whose prompt had to wait for others goes on.

        Where time is moved none passes while somebody works: if the clock was set to a later date, work that was due by
        then comes first.
        """
        runner = self._in_flight.get(job_id)
        if runner is None:
            return
        times_out_at = runner.times_out_at
        if times_out_at is not None and times_out_at > self._services.clock.now():
            self._timeouts.set(job_id, times_out_at)
        elif runner.worker.is_at_work and self._services.clock.is_moved:
            runner.worker.call_at_pause(partial(self._time_out, job_id))
        else:
            runner.cancel(CancelReason.TIMED_OUT)

    async def _leave(self) -> None:
        """Let runners stop their prompts on servers, but nothing else go on."""
        runners = [runner.task for runner in self._in_flight.runners.values()]
        if runners:
            await asyncio.wait(runners, timeout=ABANDON_SECONDS)

    async def _drain(self) -> None:
        """Cancel what runs longer than the grace time, so that it gives its job back.

        A second cancellation keeps it from waiting for the store any longer.
        """
        runners = self._in_flight.runners.values()
        late = list(runners)
        if late:
            logger.info("stopping", jobs=len(late), grace_s=self._options.grace.total_seconds())
        for ends_at in (self._runs_until, self._runs_until + RELEASE_SECONDS):
            if late:
                await asyncio.wait([runner.task for runner in late], timeout=self._seconds_until(ends_at))
            late = [runner for runner in late if not runner.task.done()]
            for runner in late:
                runner.cancel(CancelReason.STOPPING)
        self.jobs_left = sum(runner.is_holding for runner in runners)
        if self.jobs_left:
            logger.error("jobs not given back; their leases will run out", jobs=self.jobs_left)

    @staticmethod
    def _seconds_until(moment: float) -> float:
        return max(moment - asyncio.get_running_loop().time(), 0.0)
