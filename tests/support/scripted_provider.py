"""A provider that follows a test's script, and an artist whose images say what was asked for."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime

from civitai_mock.domain.job import JobResource
from civitai_mock.domain.json_types import ReadOnlyJson
from civitai_mock.generation.media import Derived, ImageContent, ImageFile, MadeFile
from civitai_mock.generation.operations import Operation
from civitai_mock.generation.recipe import GraphRecipe, Recipe, recipe_text
from civitai_mock.ports import LoadInput, Output, Outputs, Progress, Receipt, Submission, WorkerReport

Script = Callable[[str], None]


class ScriptedProvider:
    """Makes one image of each of `nodes` at once; `hold` makes prompts wait, and the scripts `on_…` may raise.

    If `runs` is set, it says that this is the graph that it runs. What was sent before is found again, unless it is in
    `lost`.
    """

    name = "local"
    description = "a script"
    reads_files: bool = True
    keeps_prompts: bool = True
    tells_progress: bool = True
    is_done: bool = False
    runs: ReadOnlyJson | None = None
    servers = None
    workers = (WorkerReport(id="script", ready=True),)

    def __init__(self) -> None:
        self.submissions: list[Submission] = []
        self.cancelled: list[str] = []
        self.lost: set[str] = set()
        self.stray_jobs: dict[str, str] = {}
        self.progresses: dict[str, Progress] = {}
        self.turns: dict[str, datetime] = {}
        self.nodes = ["9"]
        self.on_send: Script = lambda _: None
        self.on_collect: Script = lambda _: None
        self.on_cancel: Script = lambda _: None
        self._go = asyncio.Event()
        self._go.set()

    @property
    def sent(self) -> list[str]:
        return [submission.prompt_id for submission in self.submissions]

    def hold(self) -> None:
        self._go.clear()

    def go_on(self) -> None:
        self._go.set()

    async def send(self, submission: Submission) -> Receipt:
        self.on_send(submission.prompt_id)
        found = submission.prompt_id in self.sent and submission.prompt_id not in self.lost
        self.submissions.append(submission)
        return Receipt(
            prompt_id=submission.prompt_id,
            response={"prompt_id": submission.prompt_id, "number": 0, "node_errors": {}},
            graph=submission.graph if self.runs is None else self.runs,
            found=found,
            is_done=self.is_done,
        )

    async def collect(self, prompt_id: str) -> Outputs:
        await self._go.wait()
        self.on_collect(prompt_id)
        items = [Output(node_id=node_id, content_type="image/png", content=_image()) for node_id in self.nodes]
        return Outputs(items=items, facts={"load": 1})

    async def cancel(self, prompt_id: str) -> None:
        self.cancelled.append(prompt_id)
        self.on_cancel(prompt_id)

    async def strays(self) -> Mapping[str, str]:
        return self.stray_jobs

    def progress(self, prompt_id: str) -> Progress | None:
        return self.progresses.get(prompt_id)

    def foreseen(self, prompt_id: str) -> None:
        """Nothing is foreseen."""

    def waited_until(self, prompt_id: str) -> datetime | None:
        return self.turns.get(prompt_id)

    def workers_with(self, resources: Sequence[JobResource]) -> Sequence[str]:  # noqa: ARG002 - has everything
        return (self.name,)


async def _image() -> AsyncIterator[bytes]:
    yield b"image"


class PlainArtist:
    """Answers text in the place of images."""

    image_content = ImageContent.DRAWN

    async def draw(self, subject: str, *, seed: int) -> bytes:
        return f"{subject} {seed}".encode()

    async def draw_recipe(self, recipe: Recipe, graph_text: str) -> bytes:
        if isinstance(recipe, GraphRecipe):
            return f"{recipe.node_id} {recipe.index} of {graph_text}".encode()
        return recipe_text(recipe).encode()

    async def convert(self, image: bytes, file: ImageFile) -> bytes:
        return f"{file.format} of ".encode() + image

    async def derive(self, operation: Operation, inputs: Sequence[LoadInput]) -> Derived:
        """Answer one file, which names the operation and has the bytes of all inputs."""
        loaded = [(await load()).content or b"nothing" for load in inputs]
        content = b" and ".join([type(operation).__name__.encode(), *loaded])
        return Derived(files=[MadeFile(content=content, content_type="image/jpeg")], result={"inputs": len(loaded)})

    async def transform(self, transformer: str, image: bytes) -> bytes:
        return transformer.encode() + b" of " + image
