"""The simulator: a provider without ComfyUI, which takes the time of a real one and draws what graphs ask for."""

import asyncio
import heapq
import json
from collections import deque
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from itertools import count
from typing import Self

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import TransientError
from civitai_mock.domain.job import JobResource
from civitai_mock.drawing.drawn_images import draw_as
from civitai_mock.drawing.threads import DrawingThreads
from civitai_mock.generation.ecosystems import ECOSYSTEMS
from civitai_mock.generation.graph_reader.image_batches.batch import Loaded
from civitai_mock.generation.graph_reader.infotext import png_texts
from civitai_mock.generation.graph_reader.output_images import OutputImages
from civitai_mock.generation.graph_reader.outputs import media_type_of
from civitai_mock.generation.media import ImageContent
from civitai_mock.generation.recipe import GraphRecipe
from civitai_mock.ports import (
    Clock,
    Ids,
    InputFile,
    Output,
    Outputs,
    Progress,
    Receipt,
    Submission,
    UndrawnOutput,
    WorkerReport,
)
from civitai_mock.providers.simulator.graph_check import GraphFailedError, PromptCancelledError
from civitai_mock.providers.simulator.known_shapes import KnownShapes, read_graph
from civitai_mock.providers.simulator.timing import SimulatedWorker, TimingProfile, Workload, sampling_of


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SimulatedPrompt:
    """Holds all that the files of a prompt are made from, as often as they are asked for.

    The graph itself is not kept: 4,096 of them took 20 MB. `graph_text` is empty where all images are drawn from
    recipes. `input_files` are those that the graph reads, by their names in it, and `loaded` is what is known of them.
    `cancelled` is done when the prompt is cancelled.
    """

    id: str
    number: int
    is_done: bool
    job_id: str
    outputs: Sequence[OutputImages]
    previews: Sequence[OutputImages]
    graph_text: str
    input_files: Mapping[str, InputFile]
    loaded: Mapping[str, Loaded]
    workload: Workload
    ends_at: datetime
    cancelled: asyncio.Future[None]


SPARE_ENTRIES = 64
DRAWING_THREADS = 2
DRAWN_NUMBERS = 10_000


class PromptHistory:
    """Keeps all unfinished prompts, and the last `limit` that ended."""

    def __init__(self, *, limit: int) -> None:
        self._limit = limit
        self._prompts: dict[str, SimulatedPrompt] = {}
        self._unfinished: list[tuple[datetime, int, SimulatedPrompt]] = []
        self._ended: deque[SimulatedPrompt] = deque()
        self._cancelled = 0  # of the unfinished ones
        self._order = count()

    def get(self, prompt_id: str) -> SimulatedPrompt | None:
        return self._prompts.get(prompt_id)

    def add(self, prompt: SimulatedPrompt, *, now: datetime) -> None:
        """Add a prompt, in place of one with the same id, and forget those that ended too long ago."""
        self._prompts[prompt.id] = prompt
        heapq.heappush(self._unfinished, (prompt.ends_at, next(self._order), prompt))
        while self._unfinished and self._unfinished[0][0] <= now:
            ended = heapq.heappop(self._unfinished)[2]
            if ended.cancelled.done():
                self._cancelled -= 1
            else:
                self._ended.append(ended)
        while len(self._ended) > self._limit:
            self._forget(self._ended.popleft())

    def cancel(self, prompt: SimulatedPrompt) -> None:
        """End a prompt. What is cancelled long before its time must not stay until then, so it is left out in bulk."""
        prompt.cancelled.set_result(None)
        self._ended.append(prompt)
        self._cancelled += 1
        if self._cancelled > len(self._unfinished) // 2 + SPARE_ENTRIES:
            self._unfinished = [entry for entry in self._unfinished if not entry[2].cancelled.done()]
            heapq.heapify(self._unfinished)
            self._cancelled = 0

    def _forget(self, prompt: SimulatedPrompt) -> None:
        if self._prompts.get(prompt.id) is prompt:
            del self._prompts[prompt.id]


class Simulator:
    """Runs any number of prompts at once; a prompt that waits takes a timer, but no thread and no image in memory.

    Images that a drawing stands in for are given out as recipes; all other files are made when they are read. The last
    `remember` prompts that ended can still be collected; their files are made again each time.
    All schedulers together are one worker, which has any file. No event tells how far prompts are: that is foreseen.
    """

    reads_files = False
    keeps_prompts = False
    tells_progress = False

    def __init__(
        self,
        *,
        name: str,
        clock: Clock,
        profile: TimingProfile,
        image_content: ImageContent,
        ids: Ids | None = None,
        threads: DrawingThreads | None = None,
        remember: int = 4096,
    ) -> None:
        """Draw in `threads`, which whoever made them closes, or else in its own.

        While `ids` are seeded, a prompt depends on nothing but itself: models are in memory, and numbers are drawn.
        """
        self.name = name
        self.description = f"simulation, {image_content} images"
        self._clock = clock
        self._ids = ids
        self._profile = profile
        self._image_content = image_content
        self._worker = SimulatedWorker(profile)
        self._prompts = PromptHistory(limit=remember)
        self._shapes = KnownShapes()
        self._owns_threads = threads is None
        self._threads = threads or DrawingThreads(DRAWING_THREADS)
        self._numbers = count()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        if self._owns_threads:
            await self._threads.aclose()

    def in_world(self, *, clock: Clock, ids: Ids) -> "Simulator":
        """Return a simulator of a world of its own, with this clock and these ids; only the threads are shared."""
        return Simulator(
            name=self.name,
            clock=clock,
            profile=self._profile,
            image_content=self._image_content,
            ids=ids,
            threads=self._threads,
        )

    async def send(self, submission: Submission) -> Receipt:
        """Start a prompt; one that was cancelled starts anew, as on a server that has forgotten it."""
        known = self._prompts.get(submission.prompt_id)
        if known is not None and not known.cancelled.done():
            return _receipt(known, submission, found=True)
        prompt = await self._start(submission)
        self._prompts.add(prompt, now=self._clock.now())
        return _receipt(prompt, submission, found=False)

    async def collect(self, prompt_id: str) -> Outputs:
        prompt = self._prompts.get(prompt_id)
        if prompt is None:
            raise TransientError("The prompt is unknown to the simulator, or was forgotten.", prompt_id=prompt_id)
        await self._wait_for_end(prompt)
        items, previews = (list(self._outputs(prompt, made)) for made in (prompt.outputs, prompt.previews))
        return Outputs(items=items, facts=prompt.workload.facts, previews=previews)

    async def cancel(self, prompt_id: str) -> None:
        prompt = self._prompts.get(prompt_id)
        if prompt is not None and self._seconds_left(prompt) > 0 and not prompt.cancelled.done():
            self._prompts.cancel(prompt)

    async def strays(self) -> Mapping[str, str]:
        """Return nothing, as prompts end with the process."""
        return {}

    def progress(self, prompt_id: str) -> Progress | None:  # noqa: ARG002 - see the class
        return None

    def foreseen(self, prompt_id: str) -> Progress | None:
        prompt = self._prompts.get(prompt_id)
        now = self._clock.now()
        if prompt is None or prompt.cancelled.done() or now > prompt.ends_at:
            return None
        sampling = sampling_of(prompt.outputs, prompt.workload)
        if sampling is None:
            return None
        began = prompt.ends_at - prompt.workload.duration
        step = sampling.step_at(now - began)
        return Progress(
            node_id=sampling.node_at(step),
            step=step,
            steps=sampling.steps,
            next_at=began + sampling.done_after(step + 1) if step < sampling.steps else None,
        )

    def waited_until(self, prompt_id: str) -> None:
        """Return None, as prompts do not wait for each other."""

    @property
    def workers(self) -> Sequence[WorkerReport]:
        return [WorkerReport(id=self.name, ready=True, ecosystems=tuple(ECOSYSTEMS))]

    @property
    def servers(self) -> None:
        """Return None, as nothing that is simulated here is a server."""

    def workers_with(self, resources: Sequence[JobResource]) -> Sequence[str]:  # noqa: ARG002 - see the class
        return (self.name,)

    async def _start(self, submission: Submission) -> SimulatedPrompt:
        is_seeded = self._ids is not None and self._ids.is_seeded
        input_files = {file.name: file for file in submission.files}
        loaded = await self._load(input_files)
        graph = submission.graph
        read = self._shapes.read(graph) if submission.has_common_shape else read_graph(graph, loaded.get)
        workload = self._worker.take(read.demand, lasts=submission.lasts, has_all_models=is_seeded)
        return SimulatedPrompt(
            id=submission.prompt_id,
            number=self._number(submission.prompt_id),
            is_done=not workload.duration and read.is_undrawn,
            job_id=submission.job_id,
            outputs=read.files,
            previews=read.previews,
            graph_text="" if read.is_undrawn else json.dumps(graph),
            input_files=input_files,
            loaded=loaded,
            workload=workload,
            ends_at=self._clock.now() + workload.duration,
            cancelled=asyncio.get_running_loop().create_future(),
        )

    def _number(self, prompt_id: str) -> int:
        if self._ids is None or not self._ids.is_seeded:
            return next(self._numbers)
        return self._ids.of_job(prompt_id, "number").seed() % DRAWN_NUMBERS

    async def _wait_for_end(self, prompt: SimulatedPrompt) -> None:
        """Wait with a timer: a task that sleeps would take 20 µs of CPU and 2 kB more for each prompt."""
        seconds = self._seconds_left(prompt)
        if seconds > 0:
            sleep = self._clock.begin_sleep(seconds)
            prompt.cancelled.add_done_callback(sleep.wake)
            try:
                await sleep
            finally:
                prompt.cancelled.remove_done_callback(sleep.wake)
        if prompt.cancelled.done():
            raise PromptCancelledError("The prompt was cancelled.", prompt_id=prompt.id)

    def _seconds_left(self, prompt: SimulatedPrompt) -> float:
        return (prompt.ends_at - self._clock.now()).total_seconds()

    def _outputs(self, prompt: SimulatedPrompt, made: Sequence[OutputImages]) -> Iterator[Output | UndrawnOutput]:
        for output in made:
            for index in range(output.results):
                content_type = media_type_of(f".{output.suffix}")
                if output.is_drawn_image:
                    recipe, batch = self._recipe(prompt, output, index), output.batch
                    yield UndrawnOutput(
                        node_id=output.node_id,
                        content_type=content_type,
                        recipe=recipe,
                        size=(batch.width, batch.height),
                    )
                else:
                    content = self._content(prompt, output, index)
                    yield Output(node_id=output.node_id, content_type=content_type, content=content)

    def _recipe(self, prompt: SimulatedPrompt, output: OutputImages, index: int) -> GraphRecipe:
        return GraphRecipe(
            job_id=prompt.job_id,
            node_id=output.node_id,
            index=index,
            image_content=self._image_content,
            loaded=prompt.loaded,
        )

    async def _content(self, prompt: SimulatedPrompt, output: OutputImages, index: int) -> AsyncIterator[bytes]:
        files = {name: await _read(file) for name, file in prompt.input_files.items()}
        try:
            async for chunk in self._threads.stream(partial(self._make_file, prompt, output, index, files)):
                yield chunk
        except Exception as error:
            message = f"The graph failed at node {output.node_id}: {type(error).__name__}: {error}"
            raise GraphFailedError(message, node_id=output.node_id) from error

    def _make_file(
        self, prompt: SimulatedPrompt, output: OutputImages, index: int, files: Mapping[str, bytes]
    ) -> bytes:
        # Imported when it is needed: what it imports would double the time to the server's first answer.
        from civitai_mock.drawing.outputs.output_files import make_file  # noqa: PLC0415

        graph, texts = json.loads(prompt.graph_text), png_texts(prompt.graph_text, output)
        return make_file(graph, output.node_id, index, texts=texts, read=files.get, draw=draw_as(self._image_content))

    async def _load(self, files: Mapping[str, InputFile]) -> Mapping[str, Loaded]:
        """Return the size and number of the images in each file that has some."""
        if not files:
            return {}
        from civitai_mock.drawing.pixels.files import loaded_file  # noqa: PLC0415 - as above

        found = {name: await self._threads.run(partial(loaded_file, await _read(file))) for name, file in files.items()}
        return {name: loaded for name, loaded in found.items() if loaded is not None}


async def _read(file: InputFile) -> bytes:
    return b"".join([chunk async for chunk in file.read()])


def _receipt(prompt: SimulatedPrompt, submission: Submission, *, found: bool) -> Receipt:
    """Make a receipt with the graph of the submission: a prompt belongs to a job, which always has the same graph."""
    return Receipt(
        prompt_id=prompt.id,
        response={"prompt_id": prompt.id, "number": prompt.number, "node_errors": {}},
        graph=submission.graph,
        found=found,
        is_done=prompt.is_done,
    )
