"""Pictures made from pictures."""

from dataclasses import dataclass

from civitai_mock.domain.errors import JobError
from civitai_mock.generation.work import TransformWork
from civitai_mock.scheduler.ways.files import PNG, content_of, fill, once
from civitai_mock.scheduler.work import Way, Work

LARGEST_FILE = 32 * 1024 * 1024


@dataclass(frozen=True)
class TransformWay(Way):
    todo: TransformWork

    async def collect(self, work: Work) -> None:
        original = await self._original(work)
        await work.tools.pretend(self.todo.seconds)
        picture = await work.tools.artist.transform(self.todo.transformer, original)
        (slot,) = work.job.slots
        work.slots = (await fill(work, slot, once(picture), PNG),)

    async def _original(self, work: Work) -> bytes:
        if self.todo.blob_key is None:
            return await work.tools.artist.draw(self.todo.image_url, seed=0)
        blob = await work.named_blob(self.todo.blob_key)
        if blob.size > LARGEST_FILE:
            raise JobError(f"The blob '{self.todo.blob_key}' is too large to be transformed.", size=blob.size)
        return b"".join([chunk async for chunk in content_of(work.tools.blobs, blob)])
