"""Work that is simulated here: trainings, transformed images, and results without files."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import TYPE_CHECKING

from civitai_mock.domain.blob import BlobFacts, Slot
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import JobError
from civitai_mock.generation.work import Epoch, ResultWork, TrainingWork, TransformWork
from civitai_mock.scheduler.executors.context import Executor, JobContext
from civitai_mock.scheduler.executors.inputs import check_own_urls
from civitai_mock.services.streams import one_chunk

if TYPE_CHECKING:  # what only jobs of v2 need is not loaded at the start
    from civitai_mock.generation.file_recipes import FileRecipe

PNG = "image/png"
WEIGHTS = "application/octet-stream"
LARGEST_FILE = 32 * 1024 * 1024


@dataclass(frozen=True)
class ResultExecutor(Executor):
    """Answers a result that is known beforehand."""

    work: ResultWork

    async def collect(self, context: JobContext) -> None:
        await check_own_urls(context)
        await context.simulate_work(self.work.seconds)
        context.result = self.work.result


@dataclass(frozen=True)
class TransformExecutor(Executor):
    """Derives an image from another one."""

    work: TransformWork

    async def collect(self, context: JobContext) -> None:
        await context.before_waiting()
        original = await self._original(context)
        await context.simulate_work(self.work.seconds)
        image = await context.services.artist.transform(self.work.transformer, original)
        (slot,) = context.job.slots
        context.slots = (await context.fill_slot(slot, one_chunk(image), PNG),)

    async def _original(self, context: JobContext) -> bytes:
        if self.work.blob_key is None:
            await check_own_urls(context)
            return await context.services.artist.draw(self.work.image_url, seed=0)
        opened = await context.open_blob(self.work.blob_key)
        blob = opened.blob
        if blob.size > LARGEST_FILE:
            raise JobError(
                f"The blob '{blob.key}' is too large to be transformed: at most {LARGEST_FILE} bytes;"
                f" found {blob.size}.",
                size=blob.size,
            )
        return b"".join([chunk async for chunk in opened.content()])


@dataclass(frozen=True)
class TrainingExecutor(Executor):
    """Makes the files of one epoch after the other; those that an earlier claim stored are not made again."""

    spreads_time = True
    work: TrainingWork

    async def send(self, context: JobContext) -> None:
        context.is_resumed = any(slot.available for slot in context.job.slots)

    async def collect(self, context: JobContext) -> None:
        await context.before_waiting()
        slots = {str(slot.name): slot for slot in context.job.slots}
        for epoch in self.work.epochs:
            if not slots[epoch.model_name].available:
                await context.simulate_work(self.work.seconds_per_epoch, part=1 / len(self.work.epochs))
                slots |= {str(slot.name): slot async for slot in _make_files(context, epoch, slots)}
                await context.publish({**epoch.summary, "epochs": len(self.work.epochs)}, tuple(slots.values()))
        context.slots = tuple(slots.values())
        context.event_context["epochs"] = [epoch.summary for epoch in self.work.epochs]


async def _make_files(context: JobContext, epoch: Epoch, slots: dict[str, Slot]) -> AsyncIterator[Slot]:
    for sample in epoch.samples:
        if sample.recipe is not None:
            yield await _leave_recipe(context, slots[sample.name], sample.recipe)
            continue
        image = await context.services.artist.draw(sample.prompt_text, seed=sample.seed)
        yield await context.fill_slot(slots[sample.name], one_chunk(image), PNG)
    yield await context.fill_slot(slots[epoch.model_name], one_chunk(epoch.model), WEIGHTS)


async def _leave_recipe(context: JobContext, slot: Slot, recipe: "FileRecipe") -> Slot:
    measured = replace(slot, facts=(slot.facts or BlobFacts()).measured(recipe.facts))
    shown = recipe.showing(context.services.artist.image_content)
    await context.services.blobs.put_undrawn([context.undrawn_blob(measured, shown, recipe.content_type)])
    return replace(measured, available=True)
