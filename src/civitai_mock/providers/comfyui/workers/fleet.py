"""All workers of a provider, which of them has which prompt, and what can be told of them."""

import asyncio
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta

import structlog

from civitai_mock.domain.errors import TransientError
from civitai_mock.domain.json_types import ReadOnlyJson
from civitai_mock.ports import Preview, Progress, WorkerReport
from civitai_mock.providers.comfyui.graphs.payload import JOB_ID_KEY
from civitai_mock.providers.comfyui.protocol.tracker import PromptDone
from civitai_mock.providers.comfyui.workers.balance import Balance
from civitai_mock.providers.comfyui.workers.runs import Run
from civitai_mock.providers.comfyui.workers.worker import Worker

logger = structlog.stdlib.get_logger()

MOST_QUESTIONS = 8  # to one server at once, about prompts that it may know from before


class Fleet:
    def __init__(self, workers: Sequence[Worker]) -> None:
        self.workers = workers
        self._questions = {worker.id: asyncio.Semaphore(MOST_QUESTIONS) for worker in workers}

    def runs(self, prompt_id: str) -> Sequence[tuple[Worker, Run]]:
        """What this process knows of a prompt."""
        found = [(worker, worker.runs.get(prompt_id)) for worker in self.workers]
        return [(worker, run) for worker, run in found if run is not None]

    def counting(self, prompt_id: str) -> Run | None:
        """The run that makes it needless to send a prompt again, if this process knows of one."""
        return next((run for _, run in self.runs(prompt_id) if run.counts), None)

    def wanted(self, prompt_id: str) -> Run | None:
        """The run that is waited for."""
        return next((run for _, run in self.runs(prompt_id) if not run.unwanted), None)

    async def find(self, prompt_id: str, graph: ReadOnlyJson, *, beside: Collection[str] = ()) -> Run | None:
        """Ask every server that can be reached: an earlier life of this process may have sent it.

        Those `beside` are known to have failed it.
        """
        asked = [self._find_in_turn(worker, prompt_id, graph) for worker in self._up() if worker.id not in beside]
        found = [run for run in await asyncio.gather(*asked) if run is not None]
        if not found:
            return None
        kept = max(found, key=lambda run: isinstance(run.tracker.end, PromptDone))
        self.abandon_others(kept)
        return kept

    def abandon_others(self, kept: Run) -> None:
        """A server that was given up may come back with the prompt: it shall not run there as well."""
        for worker, run in self.runs(kept.prompt_id):
            if run is not kept:
                run.unwanted = True
                worker.follower.hurry()

    def stop_later(self, prompt_id: str) -> None:
        """Have it stopped on every server that is away, should it come back with it."""
        for worker in self.workers:
            if not worker.health.is_up:
                worker.follower.stop_later(prompt_id)

    async def strays(self) -> Mapping[str, str]:
        """Prompts of jobs of ours that no run of this process is about, by prompt id."""
        asked = [self._strays(worker) for worker in self._up()]
        return {prompt_id: job_id for found in await asyncio.gather(*asked) for prompt_id, job_id in found.items()}

    async def _strays(self, worker: Worker) -> Mapping[str, str]:
        try:
            marks = await worker.http.queued_extra_data(JOB_ID_KEY)
        except TransientError as error:
            worker.health.distrust(error)
            return {}
        return {prompt_id: job_id for prompt_id, job_id in marks.items() if worker.runs.get(prompt_id) is None}

    async def forget(self, prompt_id: str) -> None:
        """Whatever history says of a prompt would end its next run."""
        for worker in self._up():
            with suppress(TransientError):
                await worker.forget(prompt_id)

    async def first_look(self, patience: timedelta) -> None:
        """At every server; one that hangs is looked at again beside everything else."""
        with suppress(TimeoutError):
            async with asyncio.timeout(patience.total_seconds()):
                await asyncio.gather(*(worker.health.check() for worker in self.workers))
        for worker in self.workers:
            if not worker.health.was_asked:
                worker.health.suspect()

    async def run(self, balance: Balance) -> None:
        """All that has to run for each server, and for all of them together."""
        async with asyncio.TaskGroup() as group:
            group.create_task(balance.run(), name="balance of ComfyUI servers")
            for worker in self.workers:
                for name, loop in worker.loops().items():
                    group.create_task(loop, name=name)

    def _up(self) -> Iterator[Worker]:
        return (worker for worker in self.workers if worker.health.is_up)

    async def _find_in_turn(self, worker: Worker, prompt_id: str, graph: ReadOnlyJson) -> Run | None:
        """A server that has gone away meanwhile is not asked: each of many that wait would wait for its silence."""
        async with self._questions[worker.id]:
            return await self._find(worker, prompt_id, graph) if worker.health.is_up else None

    async def _find(self, worker: Worker, prompt_id: str, graph: ReadOnlyJson) -> Run | None:
        try:
            return await worker.find(prompt_id, graph)
        except TransientError as error:
            logger.warning("server not asked", worker_id=worker.id, prompt_id=prompt_id, reason=error.message)
            worker.health.distrust(error)
            return None


def report_of(worker: Worker) -> WorkerReport:
    return WorkerReport(
        id=worker.id,
        ready=worker.is_ready,
        reason="" if worker.is_ready else worker.reason,
        version=worker.health.version,
        in_flight=worker.in_flight,
        max_in_flight=worker.max_in_flight,
        ecosystems=worker.ecosystems,
        models=worker.health.stock.models,
    )


def progress_of(run: Run) -> Progress | None:
    """None before the first step, and after the end."""
    step, preview = run.tracker.progress, run.tracker.preview
    if step is None or run.ended.is_set():
        return None
    return Progress(
        node_id=step.node_id,
        step=int(step.value),
        steps=int(step.maximum),
        preview=Preview(content_type=preview.content_type, content=preview.content) if preview else None,
    )
