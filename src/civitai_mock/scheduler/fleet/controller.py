"""Move the pods of a fleet, and claim jobs for them: what `domain.fleet` works out is stored, told and carried out.

Each turn is stored before anything of it is done. Whoever goes on after a crash finds in the state which jobs had a
place, and looks what became of them; what was to be told is told again, and is known by its key.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

import structlog

from civitai_mock.domain.changed import changed
from civitai_mock.domain.claims import ON_PROCESS, Claim
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import ConflictError, MockError, NotFoundError
from civitai_mock.domain.fleet.document import FleetDocument
from civitai_mock.domain.fleet.engines import NO_ENGINES, Engine, Engines
from civitai_mock.domain.fleet.state import FleetState, Placement, state_json, stored_state
from civitai_mock.domain.fleet.turn import Turn, is_new
from civitai_mock.domain.job import Job
from civitai_mock.domain.namespace_events import NamespaceEvent
from civitai_mock.domain.stages import Outcome
from civitai_mock.ports import Clock, JobStore, Timer, WorkerReport
from civitai_mock.ports.fleet import FleetStore
from civitai_mock.ports.jobs import JobQueue
from civitai_mock.scheduler.executors.cached import CACHED
from civitai_mock.scheduler.executors.context import JobPlace
from civitai_mock.scheduler.fleet.waiting_jobs import WaitingJobs
from civitai_mock.scheduler.job_runner import CancelReason
from civitai_mock.scheduler.leases import InFlight
from civitai_mock.services.event_bus import EventBus
from civitai_mock.services.fleet.orders import FleetOrder, FleetOrders, GivenOrder, OrderKind
from civitai_mock.services.namespace_events import TellNamespaceEvents

NO_FLEET = FleetDocument(providers=(), policy=())

logger = structlog.stdlib.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetServices:
    """Holds what a fleet is moved with; `seed` is that of its dice, `get_workers` reports the servers of engines."""

    store: FleetStore
    jobs: JobStore
    queue: JobQueue
    clock: Clock
    event_bus: EventBus
    events: TellNamespaceEvents
    orders: FleetOrders
    seed: str
    get_workers: Callable[[], Sequence[WorkerReport]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedJob:
    """Is a job that was claimed for a worker of the fleet."""

    job: Job
    place: JobPlace


class FleetController:
    """Takes the turns of one fleet, one after the other, each time that there may be something to do.

    Any number of processes may try: a turn counts if nobody else has stored one since the state that it began with.
    """

    def __init__(self, services: FleetServices, *, in_flight: InFlight) -> None:
        self._services = services
        self._in_flight = in_flight
        self._waiting = WaitingJobs(jobs=services.jobs, queue=services.queue)
        self._state: FleetState | None = None
        self._version: int | None = None
        self._is_told = False  # what the state has to tell
        self._timer: Timer | None = None
        self._interrupted: set[int] = set()  # the runners that were told to stop
        self._began_at = services.clock.now()

    async def take_turn(
        self, document: FleetDocument, *, room: int, only_timed: bool, claim: Callable[[], Claim]
    ) -> Sequence[PlacedJob]:
        """Let happen what is due, and return the jobs that were claimed by it, at most as many as there is room for."""
        state = await self._load()
        await self._tell(state)
        left = await self._left(state)
        waiting = await self._waiting.read(document, now=self._services.clock.now(), only_timed=only_timed)
        turn = Turn(state, document, waiting, self._engines(state, document))
        self._note_left(turn, left)
        answers = self._obey(turn, await self._services.orders.waiting())
        turn.run(now=self._services.clock.now(), room=room)
        if not await self._keep(turn):
            return ()
        for given, outcome in answers:
            await self._answer(given, outcome)
        self._interrupt(turn)
        self._wake_at(turn.next_due)
        await self._refuse(turn.refusals, claim)
        return await self._claim(turn, claim)

    async def close(self) -> None:
        """Shut all pods down, as there is no fleet any more; what somebody else has moved meanwhile is for them."""
        turn = Turn(await self._load(), NO_FLEET)
        turn.close(self._services.clock.now())
        await self._keep(turn)
        self.stop()

    def stop(self) -> None:
        """Wait for nothing any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _engines(self, state: FleetState, document: FleetDocument) -> Engines:
        """Return how the servers are that pods have as engines, or may have; one that is unknown is not there."""
        named = {*document.engines, *[pod.engine for pod in state.pods if pod.engine is not None and not pod.is_over]}
        if not named:
            return NO_ENGINES
        now = self._services.clock.now()
        found = {worker.id: worker for worker in self._services.get_workers() if worker.id in named}
        unknown = Engine(is_there=False, since=self._began_at)
        known = {
            name: Engine(is_there=each.answers, since=min(each.since, now), is_draining=each.is_draining)
            for name, each in found.items()
        }
        return {name: known.get(name, unknown) for name in named}

    async def _load(self) -> FleetState:
        if self._state is None:
            stored = await self._services.store.read()
            if stored is None:
                self._version, self._state = None, FleetState(seed=self._services.seed)
            else:
                self._version, self._state = stored[0], stored_state(stored[1])
            self._is_told = False
        return self._state

    async def _keep(self, turn: Turn) -> bool:
        """Store what a turn made, and tell it; False if somebody else was faster: then the turn does not count."""
        state = turn.state
        if not is_new(turn.before, state):
            return True
        version = await self._services.store.save(self._version, state_json(state))
        if version is None:
            logger.info("another process moved the fleet")
            self._state = None
            self._services.event_bus.publish_work()
            return False
        self._version, self._state, self._is_told = version, state, False
        await self._tell(state)
        return True

    async def _tell(self, state: FleetState) -> None:
        if self._is_told:
            return
        if state.costs:
            await self._services.store.add_costs(state.costs)
        if state.events:
            told = [
                NamespaceEvent(key=each.key, type=each.type, at=each.at, body=each.body, job_ids=each.job_ids)
                for each in state.events
            ]
            await self._services.events.append(told)
        self._is_told = True

    async def _left(self, state: FleetState) -> Sequence[tuple[Placement, Job | None]]:
        """Return the places whose jobs nobody runs, with the jobs; what another process has not let go of stays."""
        runners = self._in_flight.runners
        places = {job_id: place for job_id, place in state.placements.items() if job_id not in runners}
        if not places:
            return ()
        found = {job.id: job for job in await self._services.jobs.get_many(list(places))}
        return [(place, found.get(job_id)) for job_id, place in places.items() if not _is_held(found.get(job_id))]

    def _note_left(self, turn: Turn, left: Sequence[tuple[Placement, Job | None]]) -> None:
        now = self._services.clock.now()
        dated = [(now if job is None else max(job.last_event.at, place.at), place, job) for place, job in left]
        for at, place, job in sorted(dated, key=lambda each: (each[0], each[1].job_id)):
            if job is None or job.outcome is not Outcome.SUCCEEDED or job.last_event.context.get(CACHED) is True:
                turn.left(place.job_id, at=at)  # what was made before is made by nobody now
            else:
                made = sum(slot.available for slot in job.slots) if job.slots else 1
                turn.left(place.job_id, at=at, pictures=made, properties=job.properties)

    def _obey(self, turn: Turn, orders: Sequence[GivenOrder]) -> Sequence[tuple[GivenOrder, str | MockError]]:
        """Carry orders out; return what is to be answered: the id of a pod, or why not."""
        outcomes: list[tuple[GivenOrder, str | MockError]] = []
        now = self._services.clock.now()
        for given in orders:
            turn.advance(now)
            try:
                outcomes.append((given, _carry_out(given.order, turn, now)))
            except (ConflictError, NotFoundError) as error:
                outcomes.append((given, error))
        return outcomes

    async def _answer(self, given: GivenOrder, outcome: str | MockError) -> None:
        if isinstance(outcome, str):
            await self._services.orders.answer(given, outcome)
        else:
            await self._services.orders.refuse(given, outcome)

    def _interrupt(self, turn: Turn) -> None:
        """Have the runners stop whose pods are taken away under them; those of other processes find that out."""
        runners = self._in_flight.runners
        stopped: set[int] = set()
        for job_id, is_warned in turn.interrupted.items():
            runner = runners.get(job_id)
            if runner is None:
                continue
            stopped.add(id(runner))
            if id(runner) not in self._interrupted:
                runner.worker.resume()  # so that time waits until it has stopped
                runner.cancel(CancelReason.PREEMPTED if is_warned else CancelReason.POD_GONE)
        self._interrupted = stopped

    def _wake_at(self, due: datetime | None) -> None:
        self.stop()
        if due is not None:
            seconds = max((due - self._services.clock.now()).total_seconds(), 0.0)
            self._timer = self._services.clock.call_later(seconds, self._services.event_bus.publish_work)

    async def _claim(self, turn: Turn, claim: Callable[[], Claim]) -> Sequence[PlacedJob]:
        """Claim what has a place; a job that somebody ended meanwhile leaves its place with the next turn."""
        placed = turn.placed
        places = {placement.job_id: placement for placement in placed}
        jobs: list[Job] = []
        for worker in dict.fromkeys(placement.worker for placement in placed):
            of_worker = [placement for placement in placed if placement.worker == worker]
            stamp = _stamp(claim(), of_worker[0])
            jobs += await self._services.queue.claim_jobs(stamp, [placement.job_id for placement in of_worker])
        if len(jobs) < len(placed):
            self._services.event_bus.publish_work()
        began_on = {job.job_id: job.ran_on for job in turn.waiting if job.job_id in places}
        return [PlacedJob(job=job, place=_place_of(places[job.id], turn, began_on[job.id])) for job in jobs]

    async def _refuse(self, refusals: Sequence[Placement], claim: Callable[[], Claim]) -> None:
        """Claim jobs and refuse them in one go, as a provider does that has no room."""
        for placement in refusals:
            now = self._services.clock.now()
            for job in await self._services.queue.claim_jobs(_stamp(claim(), placement), [placement.job_id]):
                refused = job.rejected(at=now, reason=placement.reason)
                if await self._services.jobs.replace(job, refused):
                    self._services.event_bus.publish_changes([refused])
        if refusals:
            self._services.event_bus.publish_work()


def _is_held(job: Job | None) -> bool:
    return job is not None and job.outcome is None and job.claim is not None


def _carry_out(order: FleetOrder, turn: Turn, now: datetime) -> str:
    match order.kind:
        case OrderKind.BOOT:
            return turn.order_boot(order.provider, at=now).pod_id
        case OrderKind.PREEMPT:
            return turn.preempt(order.pod_id or "", at=now, warning=order.warning_seconds).pod_id
        case OrderKind.SHUTDOWN:
            return turn.order_shutdown(order.pod_id or "", at=now).pod_id


def _stamp(claim: Claim, placement: Placement) -> Claim:
    """Return the claim of a process as one of a worker of the fleet."""
    return changed(claim, provider=placement.provider, worker_id=f"{placement.worker}{ON_PROCESS}{claim.worker_id}")


def _place_of(placement: Placement, turn: Turn, ran_on: str | None) -> JobPlace:
    pod = turn.pods.get(placement.worker)
    return JobPlace(
        provider=placement.provider,
        reason=placement.reason,
        lasts=placement.ends_at - placement.at,
        pod_id=None if pod is None else pod.pod_id,
        engine=None if pod is None else pod.engine,
        engines_of_others=turn.document.engines,
        leaves_pod=ran_on in turn.pods and ran_on != placement.worker,
    )
