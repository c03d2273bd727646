"""Make files: of recipes, when somebody asks for them, or of input files at once."""

from collections.abc import Sequence
from dataclasses import replace

from civitai_mock.domain.blob import BlobFacts, Slot
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import JobError
from civitai_mock.domain.job import Job
from civitai_mock.domain.maturity import NsfwLevel
from civitai_mock.generation.job_types.draft import PlannedFile
from civitai_mock.generation.media import MadeFile
from civitai_mock.generation.work import DerivedWork, MediaWork
from civitai_mock.scheduler.executors.context import Executor, JobContext
from civitai_mock.scheduler.executors.inputs import find_input
from civitai_mock.services.streams import in_chunks


@dataclass(frozen=True)
class MediaExecutor(Executor):
    """Leaves a recipe in each slot, in one write."""

    work: MediaWork

    async def collect(self, context: JobContext) -> None:
        await context.simulate_work(self.work.seconds)
        shown, slots = context.services.artist.image_content, context.job.slots
        files = [(_measured(slot, recipe.facts), recipe) for slot, recipe in zip(slots, self.work.files, strict=True)]
        recipes = [context.undrawn_blob(slot, recipe.showing(shown), recipe.content_type) for slot, recipe in files]
        if recipes:
            await context.services.blobs.put_undrawn(recipes)
        context.slots = tuple(replace(slot, available=True) for slot, _ in files)
        context.result = self.work.result


@dataclass(frozen=True)
class DerivedExecutor(Executor):
    """Does an operation on files in a thread, and stores what it makes."""

    work: DerivedWork

    async def prepare(self, context: JobContext) -> None:
        """Fetch the inputs: all claims of the job have the same ones."""
        if self.work.inputs:
            await context.before_waiting()
        context.inputs = tuple([await find_input(context, self.work, index) for index in range(len(self.work.inputs))])

    async def collect(self, context: JobContext) -> None:
        await context.before_waiting()
        await context.simulate_work(self.work.seconds)
        derived = await context.services.artist.derive(self.work.operation, context.inputs)
        slots = context.job.slots or _slots(context.job, derived.files)
        if len(derived.files) < len(slots):
            raise JobError(f"The operation made too few files: {len(derived.files)} of {len(slots)}.")
        context.slots = tuple(
            [
                await context.fill_slot(_measured(slot, file.facts), in_chunks(file.content), file.content_type)
                for slot, file in zip(slots, derived.files, strict=False)
            ]
        )
        context.result = derived.result


def _measured(slot: Slot, facts: BlobFacts) -> Slot:
    return replace(slot, facts=(slot.facts or BlobFacts()).measured(facts))


def _slots(job: Job, files: Sequence[MadeFile]) -> Sequence[Slot]:
    """Return one for each file, under the id that it has as a blob of version 2."""
    facts = BlobFacts(nsfw_level=NsfwLevel.PG, workflow_id=job.workflow.workflow_id if job.workflow else None)
    planned = [PlannedFile(content_type=file.content_type, facts=facts) for file in files]
    return [file.slot(job.id, index) for index, file in enumerate(planned)]
