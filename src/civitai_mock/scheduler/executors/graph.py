"""Run a graph: load its input images, send it to the provider, publish its progress, store its outputs."""

import json
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from mimetypes import guess_extension
from urllib.parse import quote

from civitai_mock.domain.blob import PREVIEW, Blob, Slot, blob_key
from civitai_mock.domain.errors import ForbiddenError, JobError, NotFoundError, RunFailedError, TransientError
from civitai_mock.domain.json_types import JsonObject, ReadOnlyJson
from civitai_mock.domain.progress import JobProgress
from civitai_mock.generation.graph_reader.progress import fraction_done
from civitai_mock.generation.prompts.a1111 import IgnoredTag
from civitai_mock.generation.user_graph import seed_above
from civitai_mock.generation.work import GraphWork, InputImage
from civitai_mock.network.images import LONGEST_HEAD
from civitai_mock.ports import BlobStore, InputFile, Output, Outputs, Preview, Progress, Receipt, Submission
from civitai_mock.scheduler.executors.context import Executor, JobContext
from civitai_mock.scheduler.executors.files import fill, once


async def gather(work: JobContext, images: Sequence[InputImage]) -> tuple[InputFile, ...]:
    """What a provider that reads files gets; any other gets those that are stored here, and nothing is fetched."""
    files = [await _gathered(work, index, image) for index, image in enumerate(images)]
    return tuple(file for file in files if file is not None)


async def _gathered(work: JobContext, index: int, image: InputImage) -> InputFile | None:
    blob = await work.named_blob(image.blob_key) if image.blob_key else await _signed(work, image)
    if blob is None and not work.tools.provider.reads_files:
        return None
    return await _file(work, image, blob or await _fetched(work, index, image))


async def _signed(work: JobContext, image: InputImage) -> Blob | None:
    """Return the blob of a URL of ours that was good when the job came, whoever has it; no connection is needed."""
    try:
        key = work.tools.blob_urls.key_in(image.url or "", at=work.job.created_at)
        return None if key is None else await work.tools.own_blobs.get(key, owner=None)
    except (ForbiddenError, NotFoundError) as error:
        raise JobError(f"An image cannot be had: {error.message}") from error


async def _fetched(work: JobContext, index: int, image: InputImage) -> Blob:
    """Once for a job: another claim of it finds what the first one stored."""
    key, blobs = blob_key(work.job.id, f"input/{index}"), work.tools.blobs

    async def keep(content: AsyncIterator[bytes], content_type: str) -> Blob:
        return await blobs.put(
            key, content, content_type=content_type, keep_until=work.job.keep_until, owner=work.job.issued_by
        )

    return await blobs.stat(key) or await work.tools.images.fetch(image.url or "", keep)


async def _file(work: JobContext, image: InputImage, blob: Blob) -> InputFile:
    """Of the type that its bytes have: nobody knows who stored it."""
    source, limits, blobs = f"the blob '{blob.key}'", work.tools.images.limits, work.tools.blobs
    limits.check_size(blob.size, source=source)
    head = b"".join([chunk async for chunk in _content(blobs, blob, stop=min(blob.size, LONGEST_HEAD))])
    header, _ = await limits.look_at(once(head), source=source)
    read = partial(_content, blobs, blob, stop=blob.size)
    return InputFile(name=image.name, content_type=header.content_type, digest=blob.etag, read=read)


async def _content(blobs: BlobStore, blob: Blob, *, stop: int) -> AsyncIterator[bytes]:
    """A blob that went since it was looked at is missed, or fetched again, the next time."""
    try:
        async for chunk in blobs.read(blob.key, start=0, stop=stop):
            yield chunk
    except NotFoundError as error:
        raise TransientError(error.message) from error


@dataclass(slots=True, kw_only=True)
class GraphProgress:
    """`told` is what the job's events say, `stored` the preview that its blob is."""

    work: JobContext
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


NOT_LOADED = "The server has no such file, or cannot load it"
MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True)
class GraphExecutor(Executor):
    todo: GraphWork

    async def prepare(self, work: JobContext) -> None:
        """See that its images are there, and name the prompt, so that it can be asked for after a crash.

        A job that was prepared in an earlier claim keeps its prompt id: the provider may still know it.
        """
        work.files = await gather(work, self.todo.images)
        work.prompt_id = work.job.prompt_id or work.tools.ids.uuid()
        work.context["comfy_prompt_request"] = _graph_text(self.todo.graph)
        work.context |= _ignored_tags(self.todo.ignored_tags)

    async def send(self, work: JobContext) -> None:
        submission = Submission(
            prompt_id=_prompt_id(work),
            job_id=work.job.id,
            trace_id=work.job.trace_id,
            graph=self.todo.graph,
            alternatives=self.todo.alternatives,
            resources=work.job.resources,
            files=work.files,
            roles=self.todo.roles,
            words_name_embeddings=self.todo.words_name_embeddings,
            optional_nodes=frozenset(self.todo.tags),
            priority=work.job.priority,
        )
        receipt = await work.tools.provider.send(submission)
        if receipt.graph is not submission.graph:
            work.context["comfy_prompt_request"] = _graph_text(receipt.graph)
            work.context |= _ignored_tags([*self.todo.ignored_tags, *self._left_out(receipt)])
        work.graph, work.found = receipt.graph, receipt.found
        work.context["comfy_prompt_response"] = json.dumps(receipt.response)

    async def collect(self, work: JobContext) -> None:
        """Raise `JobError` for a graph that made fewer images than the job has slots."""
        outputs = await self._outputs(work)
        slots = work.job.slots or self._slots(work.job.id, outputs.items)
        if len(outputs.items) < max(len(slots), 1):
            raise JobError("The graph made too few images.", made=len(outputs.items), asked=len(slots))
        started = work.tools.clock.now()
        work.slots = tuple(
            [
                await fill(work, slot, output.content, output.content_type)
                for slot, output in zip(slots, outputs.items, strict=False)
            ]
        )
        work.context |= {
            **outputs.facts,
            "middleware_duration_UploadBlobs_ms": (work.tools.clock.now() - started) // MILLISECOND,
        }

    def _left_out(self, receipt: Receipt) -> Sequence[IgnoredTag]:
        """The tags whose files the server lacks, or fails to load; one that stands there twice is told once."""
        tags = {tag: node_id for node_id, tag in self.todo.tags.items() if node_id not in receipt.graph}
        reasons = {tag: receipt.left_out.get(node_id, NOT_LOADED) for tag, node_id in tags.items()}
        return [IgnoredTag(tag=tag, reason=f"{reason.rstrip('.')}.") for tag, reason in reasons.items()]

    async def _outputs(self, work: JobContext) -> Outputs:
        """A job without a retry left ends with the words of the server that failed it last."""
        try:
            async with work.tools.turns.during(GraphProgress(work=work, prompt_id=_prompt_id(work))):
                return await work.tools.provider.collect(_prompt_id(work))
        except RunFailedError as error:
            if work.job.retry_attempt < work.job.max_retry_attempt:
                raise
            raise JobError(error.message, **error.evidence) from error

    def _slots(self, job_id: str, outputs: Sequence[Output]) -> Sequence[Slot]:
        """One for each file, named by its node and its place among the files of that node."""
        seen: Counter[str] = Counter()
        slots = []
        for index, output in enumerate(outputs):
            name = f"{quote(output.node_id, safe=':')}_{seen[output.node_id]}{_suffix(output)}"
            slots.append(
                Slot(blob_key=blob_key(job_id, index), seed=seed_above(self.todo.graph, output.node_id), name=name)
            )
            seen[output.node_id] += 1
        return slots


def _graph_text(graph: ReadOnlyJson) -> str:
    return json.dumps(graph, separators=(",", ":"), ensure_ascii=False)


def _ignored_tags(ignored: Sequence[IgnoredTag]) -> JsonObject:
    """What an event tells of tags in a prompt text that change nothing: of each the first reason."""
    reasons: dict[str, str] = {}
    for found in ignored:
        reasons.setdefault(found.tag, found.reason)
    return {"ignoredTags": [{"tag": tag, "reason": reason} for tag, reason in reasons.items()]} if reasons else {}


def _prompt_id(work: JobContext) -> str:
    if work.prompt_id is None:
        raise JobError("The job has no prompt.")
    return work.prompt_id


def _suffix(output: Output) -> str:
    return guess_extension(output.content_type) or ""
