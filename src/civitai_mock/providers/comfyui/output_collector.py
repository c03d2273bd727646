"""Collect what a prompt has made: wait for its end, and stream its files from their server."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace

from civitai_mock.domain.errors import JobError, TransientError
from civitai_mock.domain.json_types import JsonObject
from civitai_mock.generation.graph_reader.outputs import media_type_of
from civitai_mock.ports import Clock, Output, Outputs
from civitai_mock.providers.comfyui.png_metadata import image_texts, with_texts
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
from civitai_mock.providers.comfyui.workers.fleet import Fleet
from civitai_mock.providers.comfyui.workers.runs import Run
from civitai_mock.providers.comfyui.workers.worker import Worker
from civitai_mock.services.streams import one_chunk


class OutputCollector:
    """Collects the outputs of prompts, and judges the bad end of those that made none."""

    def __init__(self, fleet: Fleet, attempts: Attempts, *, clock: Clock) -> None:
        self._fleet = fleet
        self._attempts = attempts
        self._clock = clock

    async def collect(self, prompt_id: str) -> Outputs:
        """Wait for the prompt's end; a prompt that may end otherwise is forgotten, so that `send` starts it anew."""
        worker, run = await self._find_awaited(prompt_id)
        end = await run.wait_for_end()
        if isinstance(end, PromptDone):
            return self._outputs(worker, run, end)
        if isinstance(end, PromptFailed):
            error = self._attempts.judge_failure(run, worker, end.failure)
            if not isinstance(error, JobError):
                worker.runs.delete(run)
            raise error
        error = error_of_end(end, worker_id=worker.id)
        if isinstance(error, TransientError) and isinstance(end, PromptLost) and end.outputs_lost:
            self._mark_outputs_lost(worker, run)
            raise self._attempts.judge_lost_outputs(run, worker, error)
        raise error

    async def _find_awaited(self, prompt_id: str) -> tuple[Worker, Run]:
        if not self._fleet.runs(prompt_id):
            await self._fleet.find_run(prompt_id, {})
        awaited = [(worker, run) for worker, run in self._fleet.runs(prompt_id) if not run.is_unwanted]
        if not awaited:
            raise TransientError(f"No ComfyUI server knows the prompt '{prompt_id}'.")
        return max(awaited, key=lambda found: found[1].is_live)

    def _outputs(self, worker: Worker, run: Run, end: PromptDone) -> Outputs:
        made = (*end.results, *end.previews)
        texts = {node_id: image_texts(run.graph, node_id) for node_id in {result.node_id for result in made}}
        items = [self._output(worker, run, result, texts[result.node_id]) for result in end.results]
        for last in items[-1:]:
            items[-1] = replace(last, content=self._with_success(worker, run, last.content))
        previews = [self._output(worker, run, result, texts[result.node_id]) for result in end.previews]
        return Outputs(items=items, facts=_facts(worker, end), previews=previews)

    def _output(self, worker: Worker, run: Run, result: PromptResult, texts: Mapping[str, str]) -> Output:
        if isinstance(result, SavedResult):
            content_type, content = media_type_of(result.file.filename), self._download(worker, run, result)
        else:
            content_type, content = result.content_type, one_chunk(result.content)
        return Output(node_id=result.node_id, content_type=content_type, content=with_texts(content, texts))

    async def _download(self, worker: Worker, run: Run, result: SavedResult) -> AsyncIterator[bytes]:
        """Yield a file; if it cannot be had, forget the run, so that the next `send` finds it, or starts it anew."""
        try:
            async for chunk in download(worker.http, result.file, self._clock):
                yield chunk
        except TransientError as error:
            if isinstance(error, FileGoneError):
                self._mark_outputs_lost(worker, run)
            else:
                worker.runs.delete(run)
                worker.health.mark_down(error)
            worker.breaker.record_failure(run.prompt_id, error.message)
            raise self._attempts.judge_lost_outputs(run, worker, error) from error

    async def _with_success(self, worker: Worker, run: Run, content: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Count the prompt as a success once its last file was read to the end."""
        async for chunk in content:
            yield chunk
        self._attempts.forget(run.prompt_id)
        worker.breaker.record_success()

    def _mark_outputs_lost(self, worker: Worker, run: Run) -> None:
        worker.runs.delete(run)
        self._attempts.add_lost_outputs(run.prompt_id)


def _facts(worker: Worker, end: PromptDone) -> JsonObject:
    """Return facts for the job's last event; the time is the server's own, from its start of the graph to the end."""
    elapsed = {} if end.elapsed_ms is None else {"middleware_duration_ComfyUI_ms": end.elapsed_ms}
    return {"worker": worker.id, **elapsed}
