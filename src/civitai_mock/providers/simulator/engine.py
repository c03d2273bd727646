"""The simulator: a provider that takes the time of a real one and draws what it is asked for."""

import asyncio
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import count
from typing import Self

from civitai_mock.domain.errors import TransientError
from civitai_mock.domain.job import JobResource
from civitai_mock.generation.ecosystems import ECOSYSTEMS
from civitai_mock.generation.reading.facts import Series
from civitai_mock.generation.reading.metadata import texts_of
from civitai_mock.ports import Clock, Output, Outputs, Progress, Receipt, Submission, WorkerReport
from civitai_mock.providers.simulator.checking import checked_series
from civitai_mock.providers.simulator.drawing import draw
from civitai_mock.providers.simulator.errors import PromptCancelledError
from civitai_mock.providers.simulator.profile import Pictures, Profile
from civitai_mock.providers.simulator.prompts import Prompt, PromptMemory
from civitai_mock.providers.simulator.studio import Studio
from civitai_mock.providers.simulator.workload import Worker

PNG = "image/png"


class Simulator:
    """Runs any number of prompts at once; one that waits is a timer, and neither a thread nor bytes.

    The last `remember` prompts that ended can still be collected; their pictures are drawn again each time.
    All schedulers together are one worker, which has any file; how far a prompt is, it does not tell.
    """

    reads_files = False

    def __init__(
        self,
        *,
        name: str,
        clock: Clock,
        profile: Profile,
        pictures: Pictures,
        drawing_threads: int = 2,
        remember: int = 4096,
    ) -> None:
        self.name = name
        self.description = f"simulation, {pictures} pictures"
        self._clock = clock
        self._pictures = pictures
        self._worker = Worker(profile)
        self._prompts = PromptMemory(most=remember)
        self._studio = Studio(threads=drawing_threads)
        self._numbers = count()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        await self._studio.aclose()

    async def send(self, submission: Submission) -> Receipt:
        """A prompt that was cancelled starts anew, as a server would do that has forgotten it."""
        known = self._prompts.get(submission.prompt_id)
        if known is not None and not known.cancelled.done():
            return replace(known.receipt, found=True)
        prompt = self._started(submission)
        self._prompts.add(prompt, now=self._clock.now())
        return prompt.receipt

    async def collect(self, prompt_id: str) -> Outputs:
        prompt = self._prompts.get(prompt_id)
        if prompt is None:
            raise TransientError("The simulator does not know this prompt, or no longer.", prompt_id=prompt_id)
        await self._end_of(prompt)
        return Outputs(items=list(self._outputs(prompt)), facts=prompt.facts)

    async def cancel(self, prompt_id: str) -> None:
        prompt = self._prompts.get(prompt_id)
        if prompt is not None and self._seconds_left(prompt) > 0 and not prompt.cancelled.done():
            prompt.cancelled.set_result(None)

    def progress(self, prompt_id: str) -> Progress | None:  # noqa: ARG002 - see the class
        return None

    def waited_until(self, prompt_id: str) -> None:
        """All prompts run at once."""

    @property
    def workers(self) -> Sequence[WorkerReport]:
        return [WorkerReport(id=self.name, ready=True, ecosystems=tuple(ECOSYSTEMS))]

    def workers_with(self, resources: Sequence[JobResource]) -> int:  # noqa: ARG002 - see the class
        return 1

    def _started(self, submission: Submission) -> Prompt:
        number = next(self._numbers)
        series = checked_series(submission.graph)
        workload = self._worker.take(series)
        return Prompt(
            receipt=_receipt(submission, number),
            series=[one for one in series if not one.is_preview] or series,
            graph_json=json.dumps(submission.graph),
            extra_pnginfo=submission.extra_pnginfo,
            facts=workload.facts,
            ends_at=self._clock.now() + workload.duration,
            cancelled=asyncio.get_running_loop().create_future(),
        )

    async def _end_of(self, prompt: Prompt) -> None:
        seconds = self._seconds_left(prompt)
        if seconds > 0:
            pause = asyncio.create_task(self._clock.sleep(seconds))
            try:
                await asyncio.wait({pause, prompt.cancelled}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                pause.cancel()
        if prompt.cancelled.done():
            raise PromptCancelledError("The prompt was cancelled.", prompt_id=prompt.receipt.prompt_id)

    def _seconds_left(self, prompt: Prompt) -> float:
        return (prompt.ends_at - self._clock.now()).total_seconds()

    def _outputs(self, prompt: Prompt) -> Iterator[Output]:
        for series in prompt.series:
            for index in range(series.frame.count):
                content = self._studio.content(partial(self._draw, prompt, series, index))
                yield Output(node_id=series.node_id, content_type=PNG, content=content)

    def _draw(self, prompt: Prompt, series: Series, index: int) -> bytes:
        texts = texts_of(prompt.graph_json, prompt.extra_pnginfo, series)
        return draw(series, index, texts=texts, pictures=self._pictures)


def _receipt(submission: Submission, number: int) -> Receipt:
    return Receipt(
        prompt_id=submission.prompt_id,
        response={"prompt_id": submission.prompt_id, "number": number, "node_errors": {}},
        graph=submission.graph,
    )
