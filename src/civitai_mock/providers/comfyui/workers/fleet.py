"""All ComfyUI servers of a provider together: which of them has which prompt, and how they are reported."""

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
from civitai_mock.providers.comfyui.workers.balancer import Balancer
from civitai_mock.providers.comfyui.workers.runs import Run
from civitai_mock.providers.comfyui.workers.worker import Worker

logger = structlog.stdlib.get_logger()

MOST_QUERIES = 8  # to one server at once, about prompts that it may know from before


class Fleet:
    """Finds and stops prompts wherever they are, and runs the loops of all workers; it implements `Servers`."""

    def __init__(self, workers: Sequence[Worker]) -> None:
        self.workers = workers
        self._query_slots = {worker.id: asyncio.Semaphore(MOST_QUERIES) for worker in workers}

    def runs(self, prompt_id: str) -> Sequence[tuple[Worker, Run]]:
        """Return the runs of a prompt that this process knows, with their workers."""
        found = [(worker, worker.runs.get(prompt_id)) for worker in self.workers]
        return [(worker, run) for worker, run in found if run is not None]

    def live_run(self, prompt_id: str) -> Run | None:
        """Return the run that makes it needless to send a prompt again, if this process knows one."""
        return next((run for _, run in self.runs(prompt_id) if run.is_live), None)

    def awaited_run(self, prompt_id: str) -> Run | None:
        """Return the run that is waited for."""
        return next((run for _, run in self.runs(prompt_id) if not run.is_unwanted), None)

    async def find_run(self, prompt_id: str, graph: ReadOnlyJson, *, except_on: Collection[str] = ()) -> Run | None:
        """Ask every server that is up: an earlier life of this process may have sent the prompt.

        `except_on` are the ids of workers that are known to have failed it.
        """
        queries = [self._find_on(worker, prompt_id, graph) for worker in self._up() if worker.id not in except_on]
        found = [run for run in await asyncio.gather(*queries) if run is not None]
        if not found:
            return None
        kept = max(found, key=lambda run: isinstance(run.tracker.end, PromptDone))
        self.abandon_others(kept)
        return kept

    def abandon_others(self, kept: Run) -> None:
        """Stop the prompt's other runs: a server that was given up may come back with one."""
        for worker, run in self.runs(kept.prompt_id):
            if run is not kept:
                run.is_unwanted = True
                worker.follower.poll_now()

    def stop_later(self, prompt_id: str) -> None:
        """Have a prompt stopped on every server that is down, should it come back with it."""
        for worker in self.workers:
            if not worker.health.is_up:
                worker.follower.stop_later(prompt_id)

    async def strays(self) -> Mapping[str, str]:
        """Return by prompt id the job ids of queued prompts that are ours, and that no run of this process follows."""
        strays = await asyncio.gather(*(self._strays_on(worker) for worker in self._up()))
        return {prompt_id: job_id for found in strays for prompt_id, job_id in found.items()}

    async def forget(self, prompt_id: str) -> None:
        """Delete a prompt from all histories: an entry there would end its next run."""
        for worker in self._up():
            with suppress(TransientError):
                await worker.sender.forget(prompt_id)

    async def check_all(self, within: timedelta) -> None:
        """Check every server, for no longer than this; one that hangs is checked again beside everything else."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within.total_seconds()):
                await asyncio.gather(*(worker.health.check() for worker in self.workers))
        for worker in self.workers:
            if not worker.health.was_asked:
                worker.health.recheck()

    @property
    def ids(self) -> Sequence[str]:
        return [worker.id for worker in self.workers]

    def drain(self, ids: Collection[str]) -> None:
        for worker in self.workers:
            worker.drain(is_draining=worker.id in ids)

    def recheck(self, worker_id: str) -> None:
        for worker in self._called(worker_id):
            worker.breaker.end_cooldown()
            worker.health.recheck()

    async def check(self, worker_id: str, *, within: timedelta) -> None:
        """Leave a server that hangs to its own loop after this time."""
        for worker in self._called(worker_id):
            worker.breaker.end_cooldown()
            try:
                async with asyncio.timeout(within.total_seconds()):
                    await worker.health.check()
            except TimeoutError:
                worker.health.recheck()

    async def run(self, balancer: Balancer) -> None:
        """Run the loops of each worker, and of all of them together."""
        async with asyncio.TaskGroup() as group:
            group.create_task(balancer.run(), name="balance of ComfyUI servers")
            for worker in self.workers:
                for name, loop in worker.loops().items():
                    group.create_task(loop, name=name)

    def _called(self, worker_id: str) -> Iterator[Worker]:
        return (worker for worker in self.workers if worker.id == worker_id)

    def _up(self) -> Iterator[Worker]:
        return (worker for worker in self.workers if worker.health.is_up)

    async def _find_on(self, worker: Worker, prompt_id: str, graph: ReadOnlyJson) -> Run | None:
        """Skip a server that has gone away meanwhile: each of many that wait would wait for its silence."""
        async with self._query_slots[worker.id]:
            if not worker.health.is_up:
                return None
            try:
                return await worker.sender.find(prompt_id, graph)
            except TransientError as error:
                logger.warning("server not asked", worker_id=worker.id, prompt_id=prompt_id, reason=error.message)
                worker.health.mark_down(error)
                return None

    async def _strays_on(self, worker: Worker) -> Mapping[str, str]:
        try:
            job_ids = await worker.http.queued_extra_data(JOB_ID_KEY)
        except TransientError as error:
            worker.health.mark_down(error)
            return {}
        return {prompt_id: job_id for prompt_id, job_id in job_ids.items() if worker.runs.get(prompt_id) is None}


def report_of(worker: Worker) -> WorkerReport:
    return WorkerReport(
        id=worker.id,
        ready=worker.is_ready,
        answers=worker.is_alive,
        since=worker.changed_at,
        reason="" if worker.is_ready else worker.reason,
        version=worker.health.version,
        in_flight=worker.in_flight,
        max_in_flight=worker.max_in_flight,
        ecosystems=worker.ecosystems,
        models=worker.health.installed_models.models,
        is_draining=worker.is_draining,
        url=worker.url,
    )


def progress_of(run: Run) -> Progress | None:
    """Return None before the first step, and after the end."""
    step, preview = run.tracker.progress, run.tracker.preview
    if step is None or run.ended.is_set():
        return None
    return Progress(
        node_id=step.node_id,
        step=int(step.value),
        steps=int(step.maximum),
        preview=Preview(content_type=preview.content_type, content=preview.content) if preview else None,
    )
