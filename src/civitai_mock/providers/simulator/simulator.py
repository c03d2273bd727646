"""The simulator is a provider that takes the time of a real one and draws what it is asked for."""

import asyncio
import heapq
import json
from collections import deque
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import count
from typing import Self

from civitai_mock.domain.errors import TransientError
from civitai_mock.domain.job import JobResource
from civitai_mock.domain.json_types import ReadOnlyJson
from civitai_mock.drawing.png import ImageContent, draw
from civitai_mock.drawing.threads import Studio
from civitai_mock.generation.ecosystems import ECOSYSTEMS
from civitai_mock.generation.graph_reader.image_batches.batch import Loaded
from civitai_mock.generation.graph_reader.infotext import png_texts
from civitai_mock.generation.graph_reader.output_images import OutputImages
from civitai_mock.generation.graph_reader.outputs import media_type_of
from civitai_mock.ports import Clock, InputFile, Output, Outputs, Progress, Receipt, Submission, WorkerReport
from civitai_mock.providers.simulator.graph_check import GraphFailedError, PromptCancelledError, checked_outputs
from civitai_mock.providers.simulator.timing import Profile, SimulatedWorker


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prompt:
    """All that its files are made from, as often as they are asked for; `cancelled` is done when it was.

    `files` are those that the graph reads, by their names in it.
    """

    receipt: Receipt
    series: Sequence[OutputImages]
    graph_json: str
    files: Mapping[str, InputFile]
    facts: ReadOnlyJson
    ends_at: datetime
    cancelled: asyncio.Future[None]


class PromptMemory:
    """Forgets the prompts that ended first, while more than `most` have ended."""

    def __init__(self, *, most: int) -> None:
        self._most = most
        self._prompts: dict[str, Prompt] = {}
        self._unfinished: list[tuple[datetime, int, Prompt]] = []
        self._ended: deque[Prompt] = deque()
        self._order = count()

    def get(self, prompt_id: str) -> Prompt | None:
        return self._prompts.get(prompt_id)

    def add(self, prompt: Prompt, *, now: datetime) -> None:
        """Takes the place of a prompt of the same id."""
        self._prompts[prompt.receipt.prompt_id] = prompt
        heapq.heappush(self._unfinished, (prompt.ends_at, next(self._order), prompt))
        while self._unfinished and self._unfinished[0][0] <= now:
            self._ended.append(heapq.heappop(self._unfinished)[2])
        while len(self._ended) > self._most:
            self._forget(self._ended.popleft())

    def _forget(self, prompt: Prompt) -> None:
        if self._prompts.get(prompt.receipt.prompt_id) is prompt:
            del self._prompts[prompt.receipt.prompt_id]


class Simulator:
    """Runs any number of prompts at once; one that waits is a timer, and neither a thread nor bytes.

    The last `remember` prompts that ended can still be collected; their images are drawn again each time.
    All schedulers together are one worker, which has any file; how far a prompt is, it does not tell.
    """

    reads_files = False

    def __init__(
        self,
        *,
        name: str,
        clock: Clock,
        profile: Profile,
        images: ImageContent,
        drawing_threads: int = 2,
        remember: int = 4096,
    ) -> None:
        self.name = name
        self.description = f"simulation, {images} images"
        self._clock = clock
        self._images = images
        self._worker = SimulatedWorker(profile)
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
        prompt = await self._started(submission)
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

    async def strays(self) -> Mapping[str, str]:
        """Its prompts end with the process."""
        return {}

    def progress(self, prompt_id: str) -> Progress | None:  # noqa: ARG002 - see the class
        return None

    def waited_until(self, prompt_id: str) -> None:
        """All prompts run at once."""

    @property
    def workers(self) -> Sequence[WorkerReport]:
        return [WorkerReport(id=self.name, ready=True, ecosystems=tuple(ECOSYSTEMS))]

    def workers_with(self, resources: Sequence[JobResource]) -> int:  # noqa: ARG002 - see the class
        return 1

    async def _started(self, submission: Submission) -> Prompt:
        number = next(self._numbers)
        files = {file.name: file for file in submission.files}
        loaded = await self._loaded(files)
        series = checked_outputs(submission.graph, load=loaded.get)
        workload = self._worker.take(series)
        return Prompt(
            receipt=_receipt(submission, number),
            series=_shown([one for one in series if one.results]),
            graph_json=json.dumps(submission.graph),
            files=files,
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
            for index in range(series.results):
                content = self._content(prompt, series, index)
                yield Output(node_id=series.node_id, content_type=media_type_of(f".{series.suffix}"), content=content)

    async def _content(self, prompt: Prompt, series: OutputImages, index: int) -> AsyncIterator[bytes]:
        wanted = {} if series.is_drawn_image else prompt.files
        files = {name: await _read(file) for name, file in wanted.items()}
        try:
            async for chunk in self._studio.content(partial(self._make, prompt, series, index, files)):
                yield chunk
        except Exception as error:
            message = f"The graph failed at node {series.node_id}: {type(error).__name__}: {error}"
            raise GraphFailedError(message, node_id=series.node_id) from error

    def _make(self, prompt: Prompt, series: OutputImages, index: int, files: Mapping[str, bytes]) -> bytes:
        texts = png_texts(prompt.graph_json, series)
        if series.is_drawn_image:
            return self._draw(series, index, texts)
        # Imported when it is needed: what it imports would double the time to the server's first answer.
        from civitai_mock.drawing.outputs.makers import made  # noqa: PLC0415

        graph = json.loads(prompt.graph_json)
        return made(graph, series.node_id, index, texts=texts, read=files.get, draw=self._draw)

    def _draw(self, series: OutputImages, index: int, texts: Mapping[str, str]) -> bytes:
        return draw(series, index, texts=texts, images=self._images)

    async def _loaded(self, files: Mapping[str, InputFile]) -> Mapping[str, Loaded]:
        """What is known of the files that a graph reads."""
        if not files:
            return {}
        from civitai_mock.drawing.pixels.files import loaded_file  # noqa: PLC0415 - as above

        found = {name: await self._studio.run(partial(loaded_file, await _read(file))) for name, file in files.items()}
        return {name: loaded for name, loaded in found.items() if loaded is not None}


def _shown(series: Sequence[OutputImages]) -> Sequence[OutputImages]:
    """Previews count only where nothing else was made."""
    return [one for one in series if not one.is_preview] or series


async def _read(file: InputFile) -> bytes:
    return b"".join([chunk async for chunk in file.read()])


def _receipt(submission: Submission, number: int) -> Receipt:
    return Receipt(
        prompt_id=submission.prompt_id,
        response={"prompt_id": submission.prompt_id, "number": number, "node_errors": {}},
        graph=submission.graph,
    )
