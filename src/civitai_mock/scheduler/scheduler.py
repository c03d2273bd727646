"""Claim jobs and keep many of them in flight."""

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from civitai_mock.domain.claims import Claim
from civitai_mock.domain.errors import TransientError
from civitai_mock.domain.job import Job
from civitai_mock.ports import JobQueue, JobSearch, JobStore
from civitai_mock.scheduler.dependencies import DependencyResolver
from civitai_mock.scheduler.executors.context import RunnerServices
from civitai_mock.scheduler.job_runner import JobRunner
from civitai_mock.scheduler.job_writer import JobWriter
from civitai_mock.scheduler.leases import InFlight, Leases
from civitai_mock.scheduler.reaper import Reaper
from civitai_mock.scheduler.stray_prompts import StrayPrompts
from civitai_mock.scheduler.timers import Timers
from civitai_mock.scheduler.webhooks import WebhookDispatcher
from civitai_mock.services.event_bus import EventBus

logger = structlog.stdlib.get_logger()

CLAIM_BATCH = 100
CLAIM_SECONDS = 0.5  # of a claim that is under way at the stop, before it is left to its lease
RELEASE_SECONDS = 1.2  # of the two that everything after the grace time has together
MICROSECOND = timedelta(microseconds=1)
SAME_MOMENT = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulerOptions:
    """`poll` is only a safety net: a submission in the same process wakes the loop at once."""

    poll: timedelta
    max_in_flight: int
    lease: timedelta
    grace: timedelta


class Scheduler:
    """One claiming loop with a worker id of its own."""

    def __init__(
        self,
        *,
        worker_id: str,
        jobs: JobStore,
        queue: JobQueue,
        search: JobSearch,
        tools: RunnerServices,
        callbacks: WebhookDispatcher,
        event_bus: EventBus,
        options: SchedulerOptions,
    ) -> None:
        self.worker_id = worker_id
        self._jobs = jobs
        self._queue = queue
        self._tools = tools
        self._event_bus = event_bus
        self._options = options
        self._callbacks = callbacks
        self._ledger = JobWriter(jobs=jobs, event_bus=event_bus, clock=tools.clock)
        self._dependents = DependencyResolver(
            jobs=jobs, queue=queue, search=search, event_bus=event_bus, clock=tools.clock, interval=options.poll
        )
        self._timeouts = Timers(clock=tools.clock, ring=self._time_out)
        self._in_flight = InFlight()
        self._claimed_at: datetime | None = None  # the last claim that got anything
        self._stop_asked = asyncio.Event()
        self._grace_ends = 0.0
        self._claiming_since: float | None = None
        self.jobs_left = 0  # how many jobs were not given back at the stop
        event_bus.subscribe_to_ends(self._hear)
        self._leftovers = StrayPrompts(
            jobs=jobs, provider=tools.provider, event_bus=event_bus, in_flight=self._in_flight, clock=tools.clock
        )

    async def run(self) -> None:
        """Work until `stop`; then give running jobs the grace time and let go of the rest.

        Everything after the grace time has `RELEASE_SECONDS` together, whether the store answers or not.
        """
        async with asyncio.TaskGroup() as group:
            beside = [group.create_task(work, name=name) for name, work in self._beside().items()]
            beside.append(group.create_task(self._callbacks.run(), name="callbacks"))
            claiming = group.create_task(self._claim_until_stopped(group), name="claiming")
            await self._stop_asked.wait()
            await asyncio.wait([claiming], timeout=CLAIM_SECONDS)
            claiming.cancel()
            await self._drain()
            await self._callbacks.stop(patience=self._seconds_until(self._grace_ends))
            for task in beside:
                task.cancel()

    def stop(self) -> None:
        """Claim nothing more; the grace time begins with the first call."""
        if not self._stop_asked.is_set():
            self._grace_ends = asyncio.get_running_loop().time() + self._options.grace.total_seconds()
            self._stop_asked.set()
        self._event_bus.publish_work()

    @property
    def claiming_for(self) -> float:
        """Seconds that the claim under way has taken so far; a store that hangs answers none."""
        since = self._claiming_since
        return 0.0 if since is None else asyncio.get_running_loop().time() - since

    def _beside(self) -> dict[str, Coroutine[None, None, None]]:
        reaper = Reaper(
            jobs=self._jobs,
            queue=self._queue,
            blobs=self._tools.blobs,
            event_bus=self._event_bus,
            clock=self._tools.clock,
            in_flight=self._in_flight,
            interval=self._options.poll,
            lease=self._options.lease,
        )
        leases = Leases(
            queue=self._queue,
            clock=self._tools.clock,
            worker_id=self.worker_id,
            lease=self._options.lease,
            in_flight=self._in_flight,
        )
        return {
            "poll": self._poll(),
            "leases": leases.run(),
            "reaper": reaper.run(),
            "sweeper": reaper.run_sweeps(),
            "timeouts": self._timeouts.run(),
            "progress": self._tools.turns.run(),
            "dependents": self._dependents.run(),
            "chains": self._dependents.follow(),
            "leftovers": self._leftovers.run(),
            "strays": self._leftovers.run_looks(),
        }

    async def _poll(self) -> None:
        while True:
            self._event_bus.publish_work()
            self._callbacks.wake()
            await self._tools.clock.sleep(self._options.poll.total_seconds())

    async def _claim_until_stopped(self, group: asyncio.TaskGroup) -> None:
        while not self._stop_asked.is_set():
            self._claiming_since = asyncio.get_running_loop().time()
            jobs = await self._claim()
            self._claiming_since = None
            for job in jobs:
                self._start(group, job)
            if not jobs:
                await self._event_bus.wait_for_work()

    async def _claim(self) -> Sequence[Job]:
        """As many jobs as there is room for; none while the store is away."""
        room = min(self._options.max_in_flight - len(self._in_flight), CLAIM_BATCH)
        if room <= 0:
            return ()
        claim = self._new_claim()
        try:
            jobs = await self._queue.claim(claim, limit=room)
        except TransientError as error:
            logger.warning("store away", error=error.message)
        except Exception:
            logger.exception("claiming failed")
        else:
            self._claimed_at = claim.at if jobs else self._claimed_at
            return jobs
        return ()

    def _new_claim(self) -> Claim:
        """Its moment tells it from every other one of this worker, however the clock is moved."""
        now = at = self._tools.clock.now()
        if self._claimed_at is not None and self._claimed_at - SAME_MOMENT < now <= self._claimed_at:
            at = self._claimed_at + MICROSECOND
        provider = self._tools.provider.name
        return Claim(provider=provider, worker_id=self.worker_id, at=at, until=now + self._options.lease)

    def _start(self, group: asyncio.TaskGroup, job: Job) -> None:
        if job.claim is None:
            raise ValueError(f"the job {job.id} was not claimed")
        walk = JobRunner(job=job, claim=job.claim, tools=self._tools, ledger=self._ledger, lease=self._options.lease)
        task = group.create_task(walk.run(), name=f"job {job.id}")
        self._in_flight.add(walk, task)
        if job.timeout < job.expire_at - job.claim.at:
            self._timeouts.set(job.id, job.claim.at + job.timeout)
        task.add_done_callback(lambda _: self._finish(walk))

    def _finish(self, walk: JobRunner) -> None:
        was_full = len(self._in_flight) >= self._options.max_in_flight
        if self._in_flight.remove(walk):
            self._timeouts.clear(walk.job.id)
        if was_full or walk.job.outcome is None:
            self._event_bus.publish_work()
        if walk.job.outcome is not None:
            self._event_bus.publish_ends([walk.job])

    def _hear(self, jobs: Sequence[Job]) -> None:
        """Let go of jobs that were ended or taken by somebody else."""
        for job in jobs:
            self._in_flight.hear(job)

    def _time_out(self, job_id: str) -> None:
        """A claim has lasted as long as it may, unless its prompt had to wait for others."""
        walk = self._in_flight.get(job_id)
        if walk is None:
            return
        ends_at = walk.time_is_up_at
        if ends_at is not None and ends_at > self._tools.clock.now():
            self._timeouts.set(job_id, ends_at)
        else:
            self._in_flight.time_out(walk)

    async def _drain(self) -> None:
        """Walks that are cancelled once give their jobs back; twice, they do not wait for the store any more."""
        walks = self._in_flight.walks.values()
        late = self._in_flight.tasks
        if late:
            logger.info("stopping", jobs=len(late), grace_s=self._options.grace.total_seconds())
        for ends_at in (self._grace_ends, self._grace_ends + RELEASE_SECONDS):
            if late:
                _, late = await asyncio.wait(late, timeout=self._seconds_until(ends_at))
            for task in late:
                task.cancel()
        self.jobs_left = sum(walk.is_held for walk in walks)
        if self.jobs_left:
            logger.error("jobs not given back; their leases will run out", jobs=self.jobs_left)

    @staticmethod
    def _seconds_until(moment: float) -> float:
        return max(moment - asyncio.get_running_loop().time(), 0.0)
