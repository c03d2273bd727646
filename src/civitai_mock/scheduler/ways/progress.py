"""Tell how far a graph is, while it runs."""

from dataclasses import dataclass

from civitai_mock.domain.blob import PREVIEW, blob_key
from civitai_mock.domain.progress import JobProgress
from civitai_mock.generation.graph_reader.progress import fraction_done
from civitai_mock.ports import Preview, Progress
from civitai_mock.scheduler.ways.files import once
from civitai_mock.scheduler.work import Work


@dataclass(slots=True, kw_only=True)
class GraphNews:
    """`told` is what the job's events say, `stored` the preview that its blob is."""

    work: Work
    prompt_id: str
    told: Progress | None = None
    stored: Preview | None = None

    def has_come(self) -> bool:
        progress = self._progress()
        return progress is not None and progress != self.told

    async def tell(self) -> None:
        """The preview is stored before the event that names it."""
        progress = self._progress()
        if progress is None:
            return
        if progress.preview is not None and progress.preview != self.stored:
            await self._store(progress.preview)
        await self.work.tell(self._note(progress).context, self.work.job.slots)
        self.told = progress

    def _progress(self) -> Progress | None:
        return self.work.tools.provider.progress(self.prompt_id)

    async def _store(self, preview: Preview) -> None:
        """In the place of the one before."""
        job = self.work.job
        await self.work.tools.blobs.put(
            blob_key(job.id, PREVIEW),
            once(preview.content),
            content_type=preview.content_type,
            keep_until=job.keep_until,
            owner=job.issued_by,
        )
        self.stored = preview

    def _note(self, progress: Progress) -> JobProgress:
        node = self.work.graph.get(progress.node_id)
        node_type = node.get("class_type") if isinstance(node, dict) else None
        return JobProgress(
            step=progress.step,
            steps=progress.steps,
            share=fraction_done(self.work.graph, progress.node_id, step=progress.step, steps=progress.steps),
            node_id=progress.node_id,
            node_type=node_type if isinstance(node_type, str) else None,
            preview_key=blob_key(self.work.job.id, PREVIEW) if self.stored else None,
        )
