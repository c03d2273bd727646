"""Run a graph: load its input images, send it to the provider, publish its progress, store its outputs."""

import json
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import timedelta
from mimetypes import guess_extension

from civitai_mock.domain.blob import PREVIEW, BlobFacts, Slot, UndrawnBlob, blob_key
from civitai_mock.domain.changed import changed
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import JobError, RunFailedError
from civitai_mock.domain.events import GRAPH_MEMBER
from civitai_mock.domain.images import BrokenImageError, read_header
from civitai_mock.domain.job import Job, WorkflowPlace
from civitai_mock.domain.json_types import JsonObject, ReadOnlyJson, as_object
from civitai_mock.domain.maturity import level_of_text
from civitai_mock.domain.media import extension_of
from civitai_mock.domain.progress import SamplingProgress
from civitai_mock.domain.stages import Stage
from civitai_mock.generation.graph import graph_text
from civitai_mock.generation.graph_reader.progress import fraction_done
from civitai_mock.generation.job_types.draft import PlannedFile
from civitai_mock.generation.media import ImageFile
from civitai_mock.generation.output_names import TRACE, OutputNames
from civitai_mock.generation.prompts.a1111 import IgnoredTag
from civitai_mock.generation.user_graph import prompt_texts, seed_above
from civitai_mock.generation.work import GraphWork
from civitai_mock.network.media import MAX_HEAD_BYTES
from civitai_mock.ports import Output, Outputs, Preview, Progress, Receipt, Submission, UndrawnOutput
from civitai_mock.scheduler.executors.context import Executor, JobContext
from civitai_mock.scheduler.executors.graph_inputs import load_files
from civitai_mock.services.streams import chained, in_chunks, one_chunk

DRAWN_TYPE = "image/png"  # which samplers' images have; animations and files of other kinds stay as they are
NOT_LOADED = "The server has no such file, or cannot load it"
MILLISECOND = timedelta(milliseconds=1)


@dataclass
class GraphExecutor(Executor):
    """Has the provider run a graph, and forgets it while it waits for that, if nobody will read it.

    5,000 of them take 35 MB.
    """

    spreads_time = True
    work: GraphWork

    async def prepare(self, context: JobContext) -> None:
        """Load the input images, and choose a prompt id, under which a prompt can be asked for after a crash.

        A job that was prepared in an earlier claim keeps its prompt id: the provider may still know it. One that was on
        a pod which it does not come back to gets another, and its prompt there is stopped.
        """
        if self.work.images:
            await context.before_waiting()
            context.files = await load_files(context, self.work.images)
        prompt_id = context.job.prompt_id
        if prompt_id is not None and context.place is not None and context.place.leaves_pod:
            await context.before_waiting()
            await context.services.provider.cancel(prompt_id)
            prompt_id = None
        context.prompt_id = prompt_id or _new_prompt_id(context)
        context.event_context[GRAPH_MEMBER] = graph_text(self.work.graph)
        context.event_context |= _ignored_tags(self.work.ignored_tags)

    async def send(self, context: JobContext) -> None:
        """Have the prompt id stored before the prompt is there, where it can be found again."""
        if context.files or context.services.provider.keeps_prompts:
            await context.before_waiting()
        submission = Submission(
            prompt_id=_prompt_id(context),
            job_id=context.job.id,
            trace_id=context.job.trace_id,
            graph=self.work.graph,
            alternatives=self.work.alternatives,
            resources=context.job.resources,
            files=context.files,
            roles=self.work.roles,
            words_name_embeddings=self.work.words_name_embeddings,
            has_common_shape=self.work.has_common_shape,
            optional_nodes=frozenset(self.work.tags),
            priority=context.job.priority,
            lasts=context.planned(Stage.SENT_TO_COMFY),
            only_on=None if context.place is None else context.place.engine,
            rather_not_on=() if context.place is None else context.place.engines_of_others,
        )
        receipt = await context.services.provider.send(submission)
        if receipt.graph is not submission.graph:
            context.event_context[GRAPH_MEMBER] = graph_text(receipt.graph)
            context.event_context |= _ignored_tags([*self.work.ignored_tags, *self._left_out(receipt)])
        context.is_resumed, context.is_done = receipt.found, receipt.is_done
        context.event_context["comfy_prompt_response"] = json.dumps(receipt.response)
        if receipt.is_done or self._reads_graph(context):
            context.graph = receipt.graph
        else:
            self.work = changed(self.work, graph={}, alternatives=())

    async def collect(self, context: JobContext) -> None:
        """Raise `JobError` for a graph that made fewer images than the job has slots."""
        outputs = await self._outputs(context)
        items = [*outputs.items, *outputs.previews] if self.work.has_previews else outputs.items
        slots = context.job.slots or self._slots(context.job, items)
        made, expected = len(items), max(len(slots), 1)
        if made < expected:
            raise JobError(f"The graph made too few images: {made} of {expected}.", made=made, asked=len(slots))
        started = context.services.clock.now()
        made_files = list(zip(slots, items, strict=False))
        context.slots = await _store_outputs(context, made_files, self._file)
        if self.work.has_trace:
            context.slots += (await self._trace(context, items, outputs.facts),)
        context.event_context |= {
            **outputs.facts,
            "middleware_duration_UploadBlobs_ms": (context.services.clock.now() - started) // MILLISECOND,
        }

    def _reads_graph(self, context: JobContext) -> bool:
        """Return whether anybody asks the graph once it runs: how far it is, what its outputs are, or what may fail."""
        job, provider = context.job, context.services.provider
        return provider.tells_progress or self.work.has_trace or bool(job.faults) or not job.slots

    def _left_out(self, receipt: Receipt) -> Sequence[IgnoredTag]:
        """Return the tags whose files the server lacks, or fails to load; each once, however often it is used."""
        tags = {tag: node_id for node_id, tag in self.work.tags.items() if node_id not in receipt.graph}
        reasons = {tag: receipt.left_out.get(node_id, NOT_LOADED) for tag, node_id in tags.items()}
        return [IgnoredTag(tag=tag, reason=f"{reason.rstrip('.')}.") for tag, reason in reasons.items()]

    async def _outputs(self, context: JobContext) -> Outputs:
        """Raise `JobError` with the words of the server that failed the job last if no retry is left."""
        prompt_id, provider = _prompt_id(context), context.services.provider
        if context.is_done:
            return await provider.collect(prompt_id)
        await context.before_waiting()
        try:
            if not provider.tells_progress:
                return await provider.collect(prompt_id)
            progress = GraphProgress(context=context, prompt_id=prompt_id)
            async with context.services.progress_reporter.reporting(progress):
                return await provider.collect(prompt_id)
        except RunFailedError as error:
            if context.job.retry_attempt < context.job.max_retry_attempt:
                raise
            raise JobError(error.message, **error.evidence) from error

    def _file(self, output: Output | UndrawnOutput) -> ImageFile | None:
        """Return how an output is written anew, or None if it stays as it is."""
        return self.work.image_file if output.content_type == DRAWN_TYPE else None

    def _slots(self, job: Job, outputs: Sequence[Output | UndrawnOutput]) -> Sequence[Slot]:
        """Return one for each file, named by its node and its place among the files of that node."""
        graph, names = self.work.graph, OutputNames(graph=self.work.graph)
        keys = (
            self._keys_of_v2(job.id, outputs) if job.workflow else [blob_key(job.id, at) for at in range(len(outputs))]
        )
        facts = self._facts_of_v2(job.id, job.workflow) if job.workflow else None
        return [
            Slot(
                blob_key=key,
                seed=seed_above(graph, output.node_id),
                name=names.asset(output.node_id, guess_extension(output.content_type) or ""),
                facts=facts,
            )
            for key, output in zip(keys, outputs, strict=True)
        ]

    def _keys_of_v2(self, job_id: str, outputs: Sequence[Output | UndrawnOutput]) -> Sequence[str]:
        names, prefix = OutputNames(graph=self.work.graph), self.work.asset_prefix
        types = [_content_type(output, self._file(output)) for output in outputs]
        if prefix is None:
            return [PlannedFile(content_type=kind).slot(job_id, index).blob_key for index, kind in enumerate(types)]
        files = [names.file(output.node_id, extension_of(kind)) for output, kind in zip(outputs, types, strict=True)]
        return [prefix + file for file in files]

    def _facts_of_v2(self, job_id: str, place: WorkflowPlace) -> BlobFacts:
        level = level_of_text("\n".join(prompt_texts(self.work.graph)))
        return BlobFacts(nsfw_level=level, job_id=job_id, workflow_id=place.workflow_id)

    async def _trace(self, context: JobContext, made: Sequence[Output | UndrawnOutput], ran: ReadOnlyJson) -> Slot:
        """Store a text that tells what was run, and what came of it."""
        nodes = (f"node {node_id}: {as_object(node).get('class_type')}" for node_id, node in context.graph.items())
        facts = (f"{name}: {value}" for name, value in ran.items())
        files = (f"node {output.node_id} made a file of type {output.content_type}" for output in made)
        lines = [f"prompt {_prompt_id(context)} on {context.services.provider.description}", *nodes, *facts, *files]
        slot = Slot(blob_key=f"{context.job.id}-{TRACE}.log", name=TRACE)
        return await context.fill_slot(slot, one_chunk("\n".join([*lines, ""]).encode()), "text/plain")


def _new_prompt_id(context: JobContext) -> str:
    """Return an id for a prompt; servers remember how it ended, so one that was stopped there is not used again."""
    job, services = context.job, context.services
    of_claim = f" {job.seq}" if services.provider.keeps_prompts else ""
    return services.ids.of_job(job.id, f"prompt {job.retry_attempt}{of_claim}").uuid()


def _prompt_id(context: JobContext) -> str:
    if context.prompt_id is None:
        raise JobError("The job has no prompt id.")
    return context.prompt_id


async def _store_outputs(
    context: JobContext,
    made: Sequence[tuple[Slot, Output | UndrawnOutput]],
    file_of: Callable[[Output | UndrawnOutput], ImageFile | None],
) -> tuple[Slot, ...]:
    """Store files, and in one write all images that are drawn later; return the slots as available."""
    undrawn: list[UndrawnBlob] = []
    filled = []
    for empty, output in made:
        file = file_of(output)
        content_type = _content_type(output, file)
        if isinstance(output, UndrawnOutput):
            slot = _measured(empty, output.size)
            undrawn.append(context.undrawn_blob(slot, changed(output.recipe, file=file), content_type))
        else:
            content = output.content if file is None else _converted(context, output.content, file)
            size, content = (None, content) if empty.facts is None else await _with_size(content)
            slot = await context.fill_slot(_measured(empty, size), content, content_type)
        filled.append(changed(slot, available=True))
    if undrawn:
        await context.services.blobs.put_undrawn(undrawn)
    return tuple(filled)


def _content_type(output: Output | UndrawnOutput, file: ImageFile | None) -> str:
    return output.content_type if file is None else file.content_type


def _measured(slot: Slot, size: tuple[int, int] | None) -> Slot:
    """Return a slot that has facts with the size of its image, if that is known; others stay as they are."""
    if slot.facts is None or size is None:
        return slot
    if (slot.facts.width, slot.facts.height) == size:
        return slot
    return changed(slot, facts=slot.facts.measured(BlobFacts(width=size[0], height=size[1])))


async def _with_size(content: AsyncIterator[bytes]) -> tuple[tuple[int, int] | None, AsyncIterator[bytes]]:
    """Return the size of an image, as far as its first bytes tell it, and all of its bytes."""
    head = b""
    async for chunk in content:
        head += chunk
        try:
            header = read_header(head)
        except BrokenImageError:
            break
        if header is not None:
            return (header.width, header.height), chained(head, content)
        if len(head) > MAX_HEAD_BYTES:
            break
    return None, chained(head, content)


async def _converted(context: JobContext, content: AsyncIterator[bytes], file: ImageFile) -> AsyncIterator[bytes]:
    """Write an image anew; its bytes have to be in memory for that, as they are while it is decoded."""
    image = b"".join([chunk async for chunk in content])
    async for chunk in in_chunks(await context.services.artist.convert(image, file)):
        yield chunk


def _ignored_tags(ignored: Sequence[IgnoredTag]) -> JsonObject:
    """Return what an event says of tags in a prompt text that change nothing: each with its first reason."""
    reasons: dict[str, str] = {}
    for found in ignored:
        reasons.setdefault(found.tag, found.reason)
    return {"ignoredTags": [{"tag": tag, "reason": reason} for tag, reason in reasons.items()]} if reasons else {}


@dataclass(slots=True, kw_only=True)
class GraphProgress:
    """Publishes how far a prompt is: `published` is what the job's events say, `stored_preview` what its blob shows."""

    context: JobContext
    prompt_id: str
    published: Progress | None = None
    stored_preview: Preview | None = None

    def has_changed(self) -> bool:
        progress = self._progress()
        return progress is not None and progress != self.published

    async def publish(self) -> None:
        """Store the preview before the event that names it."""
        progress = self._progress()
        if progress is None:
            return
        if progress.preview is not None and progress.preview != self.stored_preview:
            await self._store(progress.preview)
        await self.context.publish(self._job_progress(progress).context, self.context.job.slots)
        self.published = progress

    def _progress(self) -> Progress | None:
        return self.context.services.provider.progress(self.prompt_id)

    async def _store(self, preview: Preview) -> None:
        """Put the preview in the place of the one before."""
        key = blob_key(self.context.job.id, PREVIEW)
        await self.context.store_blob(key, one_chunk(preview.content), preview.content_type)
        self.stored_preview = preview

    def _job_progress(self, progress: Progress) -> SamplingProgress:
        graph = self.context.graph
        node = graph.get(progress.node_id)
        node_type = node.get("class_type") if isinstance(node, dict) else None
        return SamplingProgress(
            step=progress.step,
            steps=progress.steps,
            fraction=fraction_done(graph, progress.node_id, step=progress.step, steps=progress.steps),
            node_id=progress.node_id,
            node_type=node_type if isinstance(node_type, str) else None,
            preview_key=blob_key(self.context.job.id, PREVIEW) if self.stored_preview else None,
        )
