"""Training: a model and samples of it from each epoch, told of as soon as they are there."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from civitai_mock.domain.blob import Slot
from civitai_mock.generation.work import Epoch, TrainingWork
from civitai_mock.scheduler.ways.files import PNG, WEIGHTS, fill, once
from civitai_mock.scheduler.work import Way, Work


@dataclass(frozen=True)
class TrainingWay(Way):
    todo: TrainingWork

    async def send(self, work: Work) -> None:
        """Epochs that an earlier claim stored are not lost."""
        work.found = any(slot.available for slot in work.job.slots)

    async def collect(self, work: Work) -> None:
        """Epochs that an earlier claim stored are not made again."""
        slots = {str(slot.name): slot for slot in work.job.slots}
        for epoch in self.todo.epochs:
            if not slots[epoch.model_name].available:
                await work.tools.pretend(self.todo.seconds_per_epoch)
                slots |= {str(slot.name): slot async for slot in _made(work, epoch, slots)}
                await work.tell({**epoch.facts, "epochs": len(self.todo.epochs)}, tuple(slots.values()))
        work.slots = tuple(slots.values())
        work.context["epochs"] = [epoch.facts for epoch in self.todo.epochs]


async def _made(work: Work, epoch: Epoch, slots: dict[str, Slot]) -> AsyncIterator[Slot]:
    for sample in epoch.samples:
        picture = await work.tools.artist.draw(sample.prompt_text, seed=sample.seed)
        yield await fill(work, slots[sample.name], once(picture), PNG)
    yield await fill(work, slots[epoch.model_name], once(epoch.model), WEIGHTS)
