"""ComfyUI servers as one provider."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from datetime import datetime
from typing import Self

import httpx

from civitai_mock.domain.errors import JobError, MockError, TransientError
from civitai_mock.domain.job import JobResource
from civitai_mock.domain.json_types import JsonObject
from civitai_mock.generation.graph_reader.outputs import media_type_of
from civitai_mock.generation.work import GraphWork
from civitai_mock.ports import Clock, Ids, Output, Outputs, Progress, Receipt, Submission, WorkerReport
from civitai_mock.providers.comfyui.address import ComfyServer
from civitai_mock.providers.comfyui.graphs.file_names import resources_by_file
from civitai_mock.providers.comfyui.graphs.localize import NO_REASONS, roles_by_file
from civitai_mock.providers.comfyui.graphs.payload import normalized_graph, with_fresh_prefix
from civitai_mock.providers.comfyui.options import DEFAULT_OPTIONS, ComfyOptions
from civitai_mock.providers.comfyui.png_metadata import image_texts, with_texts
from civitai_mock.providers.comfyui.protocol.blame import Blame, blame_of_refusal
from civitai_mock.providers.comfyui.protocol.prompt_errors import error_of_end
from civitai_mock.providers.comfyui.protocol.tracker import (
    PromptDone,
    PromptFailed,
    PromptLost,
    PromptResult,
    SavedResult,
)
from civitai_mock.providers.comfyui.transport.http import FileGoneError, download
from civitai_mock.providers.comfyui.workers.attempts import Attempts
from civitai_mock.providers.comfyui.workers.balance import Balance
from civitai_mock.providers.comfyui.workers.dispatch import Dispatch, Offer
from civitai_mock.providers.comfyui.workers.fleet import Fleet, progress_of, report_of
from civitai_mock.providers.comfyui.workers.runs import Run
from civitai_mock.providers.comfyui.workers.search import Search
from civitai_mock.providers.comfyui.workers.worker import NotTakenError, Worker, WorkerDependencies

MOST_LOST_OUTPUTS = 1000
NO_NEEDS: Mapping[str, GraphWork] = {}


class ComfyUI:
    """Each server is a worker; a prompt is on one of them at a time, and what is lost there may be sent again."""

    reads_files = True

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
        """`needs` is `ecosystem_needs`: work that tells what a server can serve; `transport` replaces the network."""
        self.name = name
        self.description = f"ComfyUI at {', '.join(server.id for server in servers)}"
        self._clock = clock
        self._first_look = options.opening_timeout
        world = WorkerDependencies(clock=clock, ids=ids, options=options, needs=needs, transport=transport)
        self._dispatch = Dispatch(servers, world)
        self._fleet = Fleet(self._dispatch.workers)
        self._attempts = Attempts(self._dispatch.workers)
        self._balance = Balance(
            self._dispatch.workers,
            self._attempts,
            clock=clock,
            options=options,
            is_wanted=self._dispatch.is_wanted,
        )
        self._on_their_way: set[str] = set()
        self._lost_outputs: dict[str, int] = {}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Once every server was asked, or had its time; those that are away are asked again while this is open."""
        async with AsyncExitStack() as stack:
            for worker in self._fleet.workers:
                await stack.enter_async_context(worker.http)
            await self._fleet.first_look(self._first_look)
            running = asyncio.create_task(self._fleet.run(self._balance), name="ComfyUI servers")
            stack.push_async_callback(_cancel, running)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    @property
    def workers(self) -> Sequence[WorkerReport]:
        return [report_of(worker) for worker in self._fleet.workers]

    def workers_with(self, resources: Sequence[JobResource]) -> int:
        ready = [worker for worker in self._fleet.workers if worker.is_ready]
        return sum(all(map(worker.health.stock.has, resources)) for worker in ready)

    async def strays(self) -> Mapping[str, str]:
        return await self._fleet.strays()

    def progress(self, prompt_id: str) -> Progress | None:
        run = self._fleet.counting(prompt_id)
        return progress_of(run) if run else None

    def waited_until(self, prompt_id: str) -> datetime | None:
        """On its way to a server it waits for a place there, and on the server for those before it."""
        if prompt_id in self._on_their_way:
            return self._clock.now()
        run = self._fleet.wanted(prompt_id)
        return run.tracker.waited_until(self._clock.now()) if run else None

    async def send(self, submission: Submission) -> Receipt:
        """Start a graph on a server that has its files, unless one that can be reached knows the prompt."""
        search = self._attempts.begin(submission.prompt_id, _search(submission))
        self._on_their_way.add(submission.prompt_id)
        try:
            run = await self._known(submission.prompt_id, search.graph)
            if run is not None:
                return _receipt(run, found=True)
            return await self._start(submission, search)
        finally:
            self._on_their_way.discard(submission.prompt_id)

    async def collect(self, prompt_id: str) -> Outputs:
        worker, run = await self._followed(prompt_id)
        end = await run.end()
        if isinstance(end, PromptDone):
            texts = {node_id: image_texts(run.graph, node_id) for node_id in {one.node_id for one in end.results}}
            items = [self._output(worker, run, result, texts[result.node_id]) for result in end.results]
            for last in items[-1:]:
                items[-1] = replace(last, content=self._to_the_end(worker, run, last.content))
            return Outputs(items=items, facts=_facts(worker, end))
        if isinstance(end, PromptFailed):
            raise self._judged(worker, run, end)
        error = error_of_end(end, worker_id=worker.id)
        if isinstance(error, TransientError) and isinstance(end, PromptLost) and end.outputs_lost:
            self._mark_outputs_lost(worker, run)
            raise self._attempts.judge_images(run, worker, error)
        raise error

    async def cancel(self, prompt_id: str) -> None:
        """Only this prompt is touched; a server that is away is told when it comes back."""
        self._attempts.forget(prompt_id)
        if not self._fleet.runs(prompt_id):
            await self._fleet.find(prompt_id, {})
        self._fleet.stop_later(prompt_id)
        await asyncio.gather(*(worker.follower.stop(run) for worker, run in self._fleet.runs(prompt_id)))

    def _judged(self, worker: Worker, run: Run, end: PromptFailed) -> MockError:
        """A run that may end otherwise is dropped, so that the next `send` starts it anew."""
        error = self._attempts.judge(run, worker, end.failure)
        if not isinstance(error, JobError):
            worker.runs.drop(run)
        return error

    async def _known(self, prompt_id: str, graph: JsonObject) -> Run | None:
        run = self._fleet.counting(prompt_id)
        if run is None and prompt_id not in self._lost_outputs:
            run = await self._fleet.find(prompt_id, graph, beside=self._attempts.recorded(prompt_id))
        return run

    async def _start(self, submission: Submission, search: Search) -> Receipt:
        await self._renew(submission.prompt_id, search)
        while True:
            offer = await self._offer(submission.prompt_id, search)
            try:
                known = await self._known(submission.prompt_id, search.graph) if search.waited else None
                run = known or await self._sent(submission, offer)
            except NotTakenError as error:
                search.failed[offer.worker.id] = error
            except JobError as error:
                if blame_of_refusal(error) is Blame.REQUEST:
                    raise
                if not await search.was_outdated(offer.worker):
                    search.failed[offer.worker.id] = search.refused_by(offer.worker, offer.graph, error)
            else:
                self._fleet.abandon_others(run)
                return _receipt(run, found=known is not None, left_out=offer.fit.left_out)
            finally:
                offer.worker.release()

    async def _offer(self, prompt_id: str, search: Search) -> Offer:
        """If the wait for a server that has yet to try is over, the others try once more."""
        try:
            return await self._dispatch.offer(search)
        except TransientError:
            self._attempts.start_over(prompt_id)
            raise

    async def _sent(self, submission: Submission, offer: Offer) -> Run:
        """Send a prompt to a server that has failed it only once the server's history has forgotten that."""
        recorded = self._attempts.recorded(submission.prompt_id)
        if offer.worker.id in recorded:
            await offer.worker.forget(submission.prompt_id)
            recorded.discard(offer.worker.id)
        return await offer.worker.send(submission, offer.graph)

    async def _renew(self, prompt_id: str, search: Search) -> None:
        """A graph whose images could not be had must not be answered out of a server's cache or history again."""
        if prompt_id in self._lost_outputs:
            await self._fleet.forget(prompt_id)
            suffix = f"{prompt_id[:8]}_{self._lost_outputs[prompt_id]}"
            search.graph, *search.alternatives = [
                with_fresh_prefix(graph, suffix) for graph in (search.graph, *search.alternatives)
            ]

    async def _followed(self, prompt_id: str) -> tuple[Worker, Run]:
        if not self._fleet.runs(prompt_id):
            await self._fleet.find(prompt_id, {})
        wanted = [(worker, run) for worker, run in self._fleet.runs(prompt_id) if not run.unwanted]
        if not wanted:
            raise TransientError(f"No ComfyUI server knows the prompt '{prompt_id}'.")
        return max(wanted, key=lambda found: found[1].counts)

    def _output(self, worker: Worker, run: Run, result: PromptResult, texts: Mapping[str, str]) -> Output:
        if isinstance(result, SavedResult):
            content_type, content = media_type_of(result.file.filename), self._content(worker, run, result)
        else:
            content_type, content = result.content_type, _once(result.content)
        return Output(node_id=result.node_id, content_type=content_type, content=with_texts(content, texts))

    async def _content(self, worker: Worker, run: Run, result: SavedResult) -> AsyncIterator[bytes]:
        """A run whose images cannot be had is dropped, so that the next `send` looks for it, or starts it anew."""
        try:
            async for chunk in download(worker.http, result.file, self._clock):
                yield chunk
        except TransientError as error:
            if isinstance(error, FileGoneError):
                self._mark_outputs_lost(worker, run)
            else:
                worker.runs.drop(run)
                worker.health.distrust(error)
            worker.breaker.failed(run.prompt_id, error.message)
            raise self._attempts.judge_images(run, worker, error) from error

    async def _to_the_end(self, worker: Worker, run: Run, content: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """A prompt has succeeded once its images were had."""
        async for chunk in content:
            yield chunk
        self._attempts.forget(run.prompt_id)
        worker.breaker.succeeded()

    def _mark_outputs_lost(self, worker: Worker, run: Run) -> None:
        worker.runs.drop(run)
        self._lost_outputs[run.prompt_id] = self._lost_outputs.get(run.prompt_id, 0) + 1
        while len(self._lost_outputs) > MOST_LOST_OUTPUTS:
            del self._lost_outputs[next(iter(self._lost_outputs))]


def _search(submission: Submission) -> Search:
    graph, *alternatives = [normalized_graph(graph) for graph in (submission.graph, *submission.alternatives)]
    return Search(
        graph=graph,
        alternatives=alternatives,
        resources=resources_by_file(submission.resources),
        priority=submission.priority,
        roles=roles_by_file(submission.roles),
        words_name_embeddings=submission.words_name_embeddings,
        optional=submission.optional_nodes,
    )


def _receipt(run: Run, *, found: bool, left_out: Mapping[str, str] = NO_REASONS) -> Receipt:
    return Receipt(prompt_id=run.prompt_id, response=run.answer, graph=run.graph, found=found, left_out=left_out)


def _facts(worker: Worker, end: PromptDone) -> JsonObject:
    """The time is the server's own, from its start of the graph to the end."""
    elapsed = {} if end.elapsed_ms is None else {"middleware_duration_ComfyUI_ms": end.elapsed_ms}
    return {"worker": worker.id, **elapsed}


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
