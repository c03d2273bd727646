"""Work that is simulated here: trainings, transformed images, and results without files."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from civitai_mock.domain.blob import Slot
from civitai_mock.domain.errors import JobError
from civitai_mock.generation.work import Epoch, ResultWork, TrainingWork, TransformWork
from civitai_mock.scheduler.executors.context import Executor, JobContext
from civitai_mock.scheduler.executors.files import PNG, WEIGHTS, content_of, fill, once

LARGEST_FILE = 32 * 1024 * 1024


@dataclass(frozen=True)
class TransformExecutor(Executor):
    todo: TransformWork

    async def collect(self, work: JobContext) -> None:
        original = await self._original(work)
        await work.tools.pretend(self.todo.seconds)
        image = await work.tools.artist.transform(self.todo.transformer, original)
        (slot,) = work.job.slots
        work.slots = (await fill(work, slot, once(image), PNG),)

    async def _original(self, work: JobContext) -> bytes:
        if self.todo.blob_key is None:
            return await work.tools.artist.draw(self.todo.image_url, seed=0)
        blob = await work.named_blob(self.todo.blob_key)
        if blob.size > LARGEST_FILE:
            raise JobError(f"The blob '{self.todo.blob_key}' is too large to be transformed.", size=blob.size)
        return b"".join([chunk async for chunk in content_of(work.tools.blobs, blob)])


@dataclass(frozen=True)
class TrainingExecutor(Executor):
    todo: TrainingWork

    async def send(self, work: JobContext) -> None:
        """Epochs that an earlier claim stored are not lost."""
        work.found = any(slot.available for slot in work.job.slots)

    async def collect(self, work: JobContext) -> None:
        """Epochs that an earlier claim stored are not made again."""
        slots = {str(slot.name): slot for slot in work.job.slots}
        for epoch in self.todo.epochs:
            if not slots[epoch.model_name].available:
                await work.tools.pretend(self.todo.seconds_per_epoch)
                slots |= {str(slot.name): slot async for slot in _made(work, epoch, slots)}
                await work.tell({**epoch.facts, "epochs": len(self.todo.epochs)}, tuple(slots.values()))
        work.slots = tuple(slots.values())
        work.context["epochs"] = [epoch.facts for epoch in self.todo.epochs]


async def _made(work: JobContext, epoch: Epoch, slots: dict[str, Slot]) -> AsyncIterator[Slot]:
    for sample in epoch.samples:
        image = await work.tools.artist.draw(sample.prompt_text, seed=sample.seed)
        yield await fill(work, slots[sample.name], once(image), PNG)
    yield await fill(work, slots[epoch.model_name], once(epoch.model), WEIGHTS)


@dataclass(frozen=True)
class ResultExecutor(Executor):
    todo: ResultWork

    async def collect(self, work: JobContext) -> None:
        await work.tools.pretend(self.todo.seconds)
        work.result = self.todo.result
