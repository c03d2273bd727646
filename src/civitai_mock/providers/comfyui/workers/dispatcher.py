"""Dispatch waiting prompts to workers that are up, have their files, and have room."""

import asyncio
from bisect import insort
from collections.abc import Sequence
from datetime import datetime

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import MockError, NoWorkerError, TransientError
from civitai_mock.domain.json_types import Json, JsonObject
from civitai_mock.providers.comfyui.address import ComfyServer
from civitai_mock.providers.comfyui.graphs.localize import LocalizedGraph
from civitai_mock.providers.comfyui.graphs.missing import unrunnable_error
from civitai_mock.providers.comfyui.graphs.payload import base_models
from civitai_mock.providers.comfyui.options import WorkerDependencies
from civitai_mock.providers.comfyui.protocol.prompt_errors import combined_error
from civitai_mock.providers.comfyui.wake_up import WakeUp
from civitai_mock.providers.comfyui.workers.placement import Placement
from civitai_mock.providers.comfyui.workers.worker import Worker


@dataclass(frozen=True, slots=True)
class Reservation:
    """Is room on a worker, kept until it is released, and the graph that shall run there."""

    worker: Worker
    localized: LocalizedGraph

    @property
    def graph(self) -> JsonObject:
        """Return the graph in that worker's names."""
        return self.localized.graph


@dataclass(slots=True, kw_only=True, eq=False)
class WaitingPrompt:
    """Is a prompt in the dispatcher's line, with the workers that it can use now."""

    placement: Placement
    wake_up: WakeUp
    usable: Sequence[Worker] = ()
    reservation: Reservation | None = None


class Dispatcher:
    """Serves prompts by priority, then first come, first served.

    No prompt waits for a worker that those before it cannot use.
    """

    def __init__(self, servers: Sequence[ComfyServer], dependencies: WorkerDependencies) -> None:
        self.workers = [
            Worker(server, dependencies, on_capacity=self.on_capacity, on_availability=self.on_availability)
            for server in servers
        ]
        self._clock = dependencies.clock
        self._server_wait = dependencies.options.server_wait
        self._room_wait = dependencies.options.room_wait
        self._line: list[WaitingPrompt] = []

    def on_capacity(self) -> None:
        """Serve the line: a worker has room for one more."""
        for waiting in self._line:
            if not any(worker.has_room for worker in self.workers):
                return
            self._serve(waiting)

    def on_availability(self) -> None:
        """Wake the whole line: a worker went away or came back, so what each prompt can use may be another."""
        for waiting in self._line:
            waiting.wake_up.notify()

    def is_awaited(self, worker: Worker) -> bool:
        """Tell whether a waiting prompt could use the worker."""
        return any(waiting.placement.may_use(worker) for waiting in self._line)

    async def reserve(self, placement: Placement) -> Reservation:
        """Wait for a worker that can run the prompt, and reserve room on it.

        Raise `JobError` if no worker has what the graph needs, `NoWorkerError` if those that may have it are away or
        have no room, and another `TransientError` if those that are up did not take it.
        """
        waiting = WaitingPrompt(placement=placement, wake_up=WakeUp(self._clock))
        insort(self._line, waiting, key=lambda other: -other.placement.priority)
        try:
            reservation = await self._wait_in_line(waiting)
            waiting.reservation = None
            placement.log.log_going_on(reservation.worker.id)
            return reservation
        finally:
            self._line.remove(waiting)
            if waiting.reservation is not None:
                waiting.reservation.worker.release()

    async def _wait_in_line(self, waiting: WaitingPrompt) -> Reservation:
        placement, is_refreshed = waiting.placement, False
        workers = placement.allowed(self.workers)
        if not workers:
            raise NoWorkerError(f"The ComfyUI server '{placement.only_on}' is not among those of COMFY_HTTP_URL.")
        room_deadline = self._clock.now() + self._room_wait
        server_deadline: datetime | None = None
        while waiting.reservation is None:
            possible = [worker for worker in workers if placement.may_use(worker)]
            waiting.usable = placement.most_complete([worker for worker in possible if worker.accepts_prompts])
            if waiting.usable and (is_refreshed or placement.is_complete_on(waiting.usable)):
                server_deadline = None
                self.on_capacity()
                await self._wait_for_room(waiting, room_deadline)
            elif not is_refreshed:
                await asyncio.gather(*(worker.health.refresh() for worker in workers))
                is_refreshed = True
            elif possible:
                server_deadline = server_deadline or self._clock.now() + self._server_wait
                await self._wait_for_server(possible, waiting, server_deadline)
            else:
                raise _error_of(placement, workers)
        return waiting.reservation

    async def _wait_for_room(self, waiting: WaitingPrompt, deadline: datetime) -> None:
        if waiting.reservation is None and not await self._was_woken(waiting, deadline):
            message = "No ComfyUI server has room for this graph."
            waiting.placement.log.log_waiting(message)
            raise NoWorkerError(message)

    async def _wait_for_server(self, away: Sequence[Worker], waiting: WaitingPrompt, deadline: datetime) -> None:
        workers = waiting.placement.allowed(self.workers)
        message, missing = _describe_absence(waiting.placement, away, workers)
        waiting.placement.log.log_waiting(message)
        if await self._was_woken(waiting, deadline):
            return
        error = _error_beside_absence(waiting.placement, away, workers)
        if error is None:
            raise NoWorkerError(message, missing=missing)
        raise TransientError(f"{message} {error.message}", missing=missing) from error

    async def _was_woken(self, waiting: WaitingPrompt, deadline: datetime) -> bool:
        """Wait to be woken, or until the deadline; return False if that is over already."""
        seconds_left = (deadline - self._clock.now()).total_seconds()
        if seconds_left <= 0:
            return False
        waiting.placement.has_waited = True
        await waiting.wake_up.wait(seconds_left)
        return True

    def _serve(self, waiting: WaitingPrompt) -> None:
        """Reserve room on the worker that has the graph's base model in memory, or else on the one with least to do.

        What fails quickly has little to do: workers on which the last prompts failed come after all others. Those that
        the prompt is rather not to run on come last of all.
        """
        placement = waiting.placement
        candidates = [
            (
                (
                    worker.id in placement.rather_not_on,
                    worker.id in placement.avoided,
                    worker.breaker.failures_in_a_row,
                    not base_models(localized.graph) <= worker.sender.loaded_models,
                    worker.in_flight,
                    number,
                ),
                Reservation(worker, localized),
            )
            for number, worker in enumerate(waiting.usable)
            if worker.has_room and (localized := placement.localized_for(worker)) is not None and localized.is_runnable
        ]
        candidates = [item for item in candidates if not self._has_better_trial(item[1].worker, waiting)]
        if candidates and waiting.reservation is None:
            waiting.reservation = min(candidates, key=lambda item: item[0])[1]
            waiting.reservation.worker.reserve()
            waiting.wake_up.notify()

    def _has_better_trial(self, worker: Worker, waiting: WaitingPrompt) -> bool:
        """Tell whether another prompt is the better trial of a half-open worker: it has not failed there yet."""
        return (
            worker.breaker.is_half_open
            and worker.id in waiting.placement.recorded
            and any(
                worker.id not in other.placement.recorded and other.placement.may_use(worker) for other in self._line
            )
        )


def _describe_absence(
    placement: Placement, away: Sequence[Worker], workers: Sequence[Worker]
) -> tuple[str, list[JsonObject]]:
    """Say which workers may run a graph and are away, and which files none of those has that are up."""
    reasons = "; ".join(f"{worker.id}: {worker.reason}" for worker in away)
    up = [found for worker in workers if worker.health.is_up and (found := placement.localized_for(worker)) is not None]
    missing = min(up, key=lambda localized: localized.shortfall).missing if up else ()
    names = ", ".join(file.title for file in missing)
    only = f", and only there may {names} be" if names else ""
    servers: list[Json] = [worker.id for worker in away]
    return (
        f"No ComfyUI server that may run this graph is there ({reasons}){only}.",
        [{**file.evidence, "reason": "away", "servers": servers} for file in missing],
    )


def _error_beside_absence(placement: Placement, away: Sequence[Worker], workers: Sequence[Worker]) -> MockError | None:
    """Return the error of workers that were up and did not take the graph: it shall not be put off for nothing.

    If those that are away were never reached, return what the known ones lack: they may lack it as well.
    """
    localized = {worker.id: placement.localized_for(worker) for worker in workers}
    in_doubt = any(localized.values()) and not any(localized[worker.id] for worker in away)
    return _error_of(placement, workers) if placement.errors or in_doubt else None


def _error_of(placement: Placement, workers: Sequence[Worker]) -> MockError:
    """Return why no worker will do: the errors of those that were tried, or what the one that lacks least lacks."""
    if placement.errors:
        return combined_error(placement.errors)
    localized = [found for worker in workers if (found := placement.localized_for(worker)) is not None]
    best = min(localized, key=lambda found: found.shortfall)
    return unrunnable_error(best.reasons, best.missing, best.unknown_classes)
