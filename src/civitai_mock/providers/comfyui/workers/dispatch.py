"""Which worker runs which graph: one that is there, has its files, and has room."""

import asyncio
from bisect import insort
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from civitai_mock.domain.errors import MockError, NoWorkerError, TransientError
from civitai_mock.domain.json_types import Json, JsonObject
from civitai_mock.providers.comfyui.address import ComfyServer
from civitai_mock.providers.comfyui.graphs.localize import LocalizedGraph
from civitai_mock.providers.comfyui.graphs.missing import unrunnable_error
from civitai_mock.providers.comfyui.graphs.payload import base_models
from civitai_mock.providers.comfyui.protocol.prompt_errors import combined_error
from civitai_mock.providers.comfyui.wake_up import WakeUp
from civitai_mock.providers.comfyui.workers.search import Search
from civitai_mock.providers.comfyui.workers.worker import Worker, WorkerDependencies


@dataclass(frozen=True, slots=True)
class Offer:
    """A place on a worker, reserved until it is given back, and what it is to run."""

    worker: Worker
    fit: LocalizedGraph

    @property
    def graph(self) -> JsonObject:
        """In that worker's names."""
        return self.fit.graph


@dataclass(slots=True, kw_only=True, eq=False)
class Assignment:
    """A search in the line, and what it is waiting for."""

    search: Search
    bell: WakeUp
    usable: Sequence[Worker] = ()
    offer: Offer | None = None


class Dispatch:
    """By priority, then first come, first served; but nobody waits for a worker that those before him cannot use."""

    def __init__(self, servers: Sequence[ComfyServer], world: WorkerDependencies) -> None:
        self.workers = [Worker(server, world, freed=self.freed, turned=self.turned) for server in servers]
        self._clock = world.clock
        self._patience = world.options.server_wait
        self._longest_turn = world.options.room_wait
        self._line: list[Assignment] = []

    def freed(self) -> None:
        """A worker has room for one more."""
        for place in self._line:
            if not any(worker.has_room for worker in self.workers):
                return
            self._serve(place)

    def turned(self) -> None:
        """A worker went away or came back: what everybody can use may be another."""
        for place in self._line:
            place.bell.notify()

    def is_wanted(self, worker: Worker) -> bool:
        """Whether somebody waits who could use it."""
        return any(place.search.may_use(worker) for place in self._line)

    async def offer(self, search: Search) -> Offer:
        """Wait for a worker, and reserve a place on it.

        Raise `JobError` if no worker has what the graph wants, `NoWorkerError` if those that may have it are away or
        have no room, and another `TransientError` if those that are there did not take it.
        """
        place = Assignment(search=search, bell=WakeUp(self._clock))
        insort(self._line, place, key=lambda waiting: -waiting.search.priority)
        try:
            offer = await self._wait_in_line(place)
            place.offer = None
            search.log.goes_on(offer.worker.id)
            return offer
        finally:
            self._line.remove(place)
            if place.offer is not None:
                place.offer.worker.release()

    async def _wait_in_line(self, place: Assignment) -> Offer:
        search, refreshed = place.search, False
        turn_ends = self._clock.now() + self._longest_turn
        until: datetime | None = None
        while place.offer is None:
            possible = [worker for worker in self.workers if search.may_use(worker)]
            place.usable = search.fullest([worker for worker in possible if worker.takes_prompts])
            if place.usable and (refreshed or search.has_all_on(place.usable)):
                until = None
                self.freed()
                await self._wait_for_room(place, turn_ends)
            elif not refreshed:
                await asyncio.gather(*(worker.health.refresh() for worker in self.workers))
                refreshed = True
            elif possible:
                until = until or self._clock.now() + self._patience
                await self._wait_for_any(possible, place, until)
            else:
                raise _impossible(search, self.workers)
        return place.offer

    async def _wait_for_room(self, place: Assignment, until: datetime) -> None:
        if place.offer is None and not await self._waited(place, until):
            message = "No ComfyUI server has room for this graph."
            place.search.log.waits(message)
            raise NoWorkerError(message)

    async def _wait_for_any(self, away: Sequence[Worker], place: Assignment, until: datetime) -> None:
        message, missing = _absence(place.search, away, self.workers)
        place.search.log.waits(message)
        if await self._waited(place, until):
            return
        failure = _failure(place.search, away, self.workers)
        if failure is None:
            raise NoWorkerError(message, missing=missing)
        raise TransientError(f"{message} {failure.message}", missing=missing) from failure

    async def _waited(self, place: Assignment, until: datetime) -> bool:
        """For the bell, or until it is too late; False if that it was before."""
        left = (until - self._clock.now()).total_seconds()
        if left <= 0:
            return False
        place.search.waited = True
        await place.bell.wait(left)
        return True

    def _serve(self, place: Assignment) -> None:
        """The worker that has the graph's base model in memory, or else the one with the least to do.

        What fails quickly has little to do: before all else, one on which the last prompts did not fail.
        """
        offers = [
            (
                (
                    worker.id in place.search.left,
                    worker.breaker.in_a_row,
                    not base_models(found.graph) <= worker.loaded,
                    worker.in_flight,
                    number,
                ),
                Offer(worker, found),
            )
            for number, worker in enumerate(place.usable)
            if worker.has_room and (found := place.search.fit_of(worker)) is not None and found.is_runnable
        ]
        offers = [offer for offer in offers if not self._has_better_trial(offer[1].worker, place)]
        if offers and place.offer is None:
            place.offer = min(offers, key=lambda offer: offer[0])[1]
            place.offer.worker.reserve()
            place.bell.notify()

    def _has_better_trial(self, worker: Worker, place: Assignment) -> bool:
        """Whether somebody else in the line has not failed there yet: he tells more of the worker."""
        return (
            worker.breaker.on_trial
            and worker.id in place.search.recorded
            and any(worker.id not in other.search.recorded and other.search.may_use(worker) for other in self._line)
        )


def _absence(search: Search, away: Sequence[Worker], workers: Sequence[Worker]) -> tuple[str, list[JsonObject]]:
    """Who may run a graph and is not there, and the files that none of those has who are."""
    reasons = "; ".join(f"{worker.id}: {worker.reason}" for worker in away)
    there = [found for worker in workers if worker.health.is_up and (found := search.fit_of(worker)) is not None]
    missing = min(there, key=lambda found: found.shortfall).missing if there else ()
    names = ", ".join(one.title for one in missing)
    only = f", and only there may {names} be" if names else ""
    servers: list[Json] = [worker.id for worker in away]
    return (
        f"No ComfyUI server that may run this graph is there ({reasons}){only}.",
        [{**one.evidence, "reason": "away", "servers": servers} for one in missing],
    )


def _failure(search: Search, away: Sequence[Worker], workers: Sequence[Worker]) -> MockError | None:
    """Of a server that was there and would not do: then the job is not put off for nothing.

    Also what the known servers lack, if those that are away were never reached: they may lack it as well.
    """
    fits = {worker.id: search.fit_of(worker) for worker in workers}
    in_doubt = any(fits.values()) and not any(fits[worker.id] for worker in away)
    return _impossible(search, workers) if search.failed or in_doubt else None


def _impossible(search: Search, workers: Sequence[Worker]) -> MockError:
    """Why none of them will do; of several, the account of the one that lacks the least."""
    if search.failed:
        return combined_error(search.failed)
    fits = [found for worker in workers if (found := search.fit_of(worker)) is not None]
    best = min(fits, key=lambda found: found.shortfall)
    return unrunnable_error(best.reasons, best.missing, best.unknown_classes)
