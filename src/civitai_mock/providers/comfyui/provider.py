"""The provider that runs graphs on ComfyUI servers; it implements the port `Provider`."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from datetime import datetime
from typing import Self

import httpx

from civitai_mock.domain.errors import JobError, TransientError
from civitai_mock.domain.job import JobResource
from civitai_mock.domain.json_types import JsonObject
from civitai_mock.generation.work import GraphWork
from civitai_mock.ports import Clock, Ids, Outputs, Progress, Receipt, Servers, Submission, WorkerReport
from civitai_mock.providers.comfyui.address import ComfyServer
from civitai_mock.providers.comfyui.graphs.file_names import resources_by_file
from civitai_mock.providers.comfyui.graphs.localize import NO_REASONS, roles_by_file
from civitai_mock.providers.comfyui.graphs.payload import normalized_graph, with_fresh_prefix
from civitai_mock.providers.comfyui.options import DEFAULT_OPTIONS, ComfyOptions, WorkerDependencies
from civitai_mock.providers.comfyui.output_collector import OutputCollector
from civitai_mock.providers.comfyui.protocol.blame import Blame, blame_of_refusal
from civitai_mock.providers.comfyui.workers.attempts import Attempts
from civitai_mock.providers.comfyui.workers.balancer import Balancer
from civitai_mock.providers.comfyui.workers.dispatcher import Dispatcher, Reservation
from civitai_mock.providers.comfyui.workers.fleet import Fleet, progress_of, report_of
from civitai_mock.providers.comfyui.workers.placement import Placement
from civitai_mock.providers.comfyui.workers.runs import Run
from civitai_mock.providers.comfyui.workers.sender import NotTakenError

NO_NEEDS: Mapping[str, GraphWork] = {}


class ComfyUI:
    """Runs graphs on several servers, each of which is a worker.

    A prompt is on one of them at a time, and what is lost there may be sent again.
    """

    reads_files = True
    keeps_prompts = True
    tells_progress = True

    def __init__(
        self,
        *,
        name: str,
        servers: Sequence[ComfyServer],
        clock: Clock,
        ids: Ids,
        options: ComfyOptions = DEFAULT_OPTIONS,
        needs: Mapping[str, GraphWork] = NO_NEEDS,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """`needs` is `ecosystem_needs`, work that tells what a server can serve; `transport` replaces the network."""
        self.name = name
        self.description = f"ComfyUI at {', '.join(server.id for server in servers)}"
        self._clock = clock
        self._opening_timeout = options.opening_timeout
        dependencies = WorkerDependencies(clock=clock, ids=ids, options=options, needs=needs, transport=transport)
        self._dispatcher = Dispatcher(servers, dependencies)
        workers = self._dispatcher.workers
        self._fleet = Fleet(workers)
        self._attempts = Attempts(workers)
        self._balancer = Balancer(
            workers, self._attempts, dependencies=dependencies, is_awaited=self._dispatcher.is_awaited
        )
        self._collector = OutputCollector(self._fleet, self._attempts, clock=clock)
        self._sending: set[str] = set()
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Open once every server was checked, or had its time; those that are down are checked again meanwhile."""
        async with AsyncExitStack() as stack:
            for worker in self._fleet.workers:
                await stack.enter_async_context(worker.http)
            await self._fleet.check_all(self._opening_timeout)
            running = asyncio.create_task(self._fleet.run(self._balancer), name="ComfyUI servers")
            stack.push_async_callback(_cancel, running)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    @property
    def workers(self) -> Sequence[WorkerReport]:
        return [report_of(worker) for worker in self._fleet.workers]

    def workers_with(self, resources: Sequence[JobResource]) -> Sequence[str]:
        ready = [worker for worker in self._fleet.workers if worker.is_ready]
        return [worker.id for worker in ready if all(map(worker.health.installed_models.has, resources))]

    @property
    def servers(self) -> Servers:
        return self._fleet

    async def strays(self) -> Mapping[str, str]:
        return await self._fleet.strays()

    def progress(self, prompt_id: str) -> Progress | None:
        run = self._fleet.live_run(prompt_id)
        return progress_of(run) if run else None

    def foreseen(self, prompt_id: str) -> None:
        """Return None, as nobody knows how long a step takes."""

    def waited_until(self, prompt_id: str) -> datetime | None:
        """Return now for a prompt that is on its way to a server, as it waits for room there."""
        if prompt_id in self._sending:
            return self._clock.now()
        run = self._fleet.awaited_run(prompt_id)
        return run.tracker.waited_until(self._clock.now()) if run else None

    async def send(self, submission: Submission) -> Receipt:
        """Start a graph on a server that has its files, unless one that is up knows the prompt."""
        placement = _make_placement(submission)
        self._attempts.begin(submission.prompt_id, placement)
        self._sending.add(submission.prompt_id)
        try:
            run = await self._find_run(submission.prompt_id, placement.graph)
            if run is not None:
                return _receipt(run, found=True)
            return await self._start(submission, placement)
        finally:
            self._sending.discard(submission.prompt_id)

    async def collect(self, prompt_id: str) -> Outputs:
        return await self._collector.collect(prompt_id)

    async def cancel(self, prompt_id: str) -> None:
        """Stop this prompt only; a server that is down stops it when it comes back."""
        self._attempts.forget(prompt_id)
        if not self._fleet.runs(prompt_id):
            await self._fleet.find_run(prompt_id, {})
        self._fleet.stop_later(prompt_id)
        await asyncio.gather(*(worker.follower.stop(run) for worker, run in self._fleet.runs(prompt_id)))

    async def _find_run(self, prompt_id: str, graph: JsonObject) -> Run | None:
        run = self._fleet.live_run(prompt_id)
        if run is None and not self._attempts.lost_outputs(prompt_id):
            run = await self._fleet.find_run(prompt_id, graph, except_on=self._attempts.recorded(prompt_id))
        return run

    async def _start(self, submission: Submission, placement: Placement) -> Receipt:
        await self._prevent_cached_outputs(submission.prompt_id, placement)
        while True:
            reservation = await self._reserve(submission.prompt_id, placement)
            worker = reservation.worker
            try:
                found = await self._find_run(submission.prompt_id, placement.graph) if placement.has_waited else None
                run = found or await self._send_to(submission, reservation)
            except NotTakenError as error:
                placement.errors[worker.id] = error
            except JobError as error:
                if blame_of_refusal(error) is Blame.REQUEST:
                    raise
                if not await placement.was_outdated(worker):
                    placement.errors[worker.id] = placement.explain_refusal(worker, reservation.graph, error)
            else:
                self._fleet.abandon_others(run)
                return _receipt(run, found=found is not None, left_out=reservation.localized.left_out)
            finally:
                worker.release()

    async def _reserve(self, prompt_id: str, placement: Placement) -> Reservation:
        """Reserve room; if the wait for a server that has yet to try is over, the others may try once more."""
        try:
            return await self._dispatcher.reserve(placement)
        except TransientError:
            self._attempts.let_all_try_again(prompt_id)
            raise

    async def _send_to(self, submission: Submission, reservation: Reservation) -> Run:
        """Send a prompt to a server that has failed it only once the server's history has forgotten that."""
        sender, worker_id = reservation.worker.sender, reservation.worker.id
        recorded = self._attempts.recorded(submission.prompt_id)
        if worker_id in recorded:
            await sender.forget(submission.prompt_id)
            recorded.discard(worker_id)
        return await sender.send(submission, reservation.graph)

    async def _prevent_cached_outputs(self, prompt_id: str, placement: Placement) -> None:
        """Have images that were lost made anew: no server may answer out of its history or its cache."""
        times_lost = self._attempts.lost_outputs(prompt_id)
        if times_lost:
            await self._fleet.forget(prompt_id)
            suffix = f"{prompt_id[:8]}_{times_lost}"
            placement.graph, *placement.alternatives = [
                with_fresh_prefix(graph, suffix) for graph in (placement.graph, *placement.alternatives)
            ]


def _make_placement(submission: Submission) -> Placement:
    graph, *alternatives = [normalized_graph(graph) for graph in (submission.graph, *submission.alternatives)]
    return Placement(
        graph=graph,
        alternatives=alternatives,
        resources=resources_by_file(submission.resources),
        priority=submission.priority,
        only_on=submission.only_on,
        rather_not_on=submission.rather_not_on,
        roles=roles_by_file(submission.roles),
        words_name_embeddings=submission.words_name_embeddings,
        optional=submission.optional_nodes,
    )


def _receipt(run: Run, *, found: bool, left_out: Mapping[str, str] = NO_REASONS) -> Receipt:
    return Receipt(prompt_id=run.prompt_id, response=run.response, graph=run.graph, found=found, left_out=left_out)


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
