"""Graphs: sent to the provider, whose pictures are stored."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from mimetypes import guess_extension
from urllib.parse import quote

from civitai_mock.domain.blob import Slot, blob_key
from civitai_mock.domain.errors import JobError, RunFailedError
from civitai_mock.domain.json_types import JsonObject, ReadOnlyJson
from civitai_mock.generation.prompts.a1111 import IgnoredTag
from civitai_mock.generation.user_graph import seed_above
from civitai_mock.generation.work import GraphWork
from civitai_mock.ports import Output, Outputs, Receipt, Submission
from civitai_mock.scheduler.ways.files import fill
from civitai_mock.scheduler.ways.inputs import gather
from civitai_mock.scheduler.ways.progress import GraphNews
from civitai_mock.scheduler.work import Way, Work

NOT_LOADED = "The server has no such file, or cannot load it"
MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True)
class GraphWay(Way):
    todo: GraphWork

    async def prepare(self, work: Work) -> None:
        """See that its pictures are there, and name the prompt, so that it can be asked for after a crash.

        A job that was prepared in an earlier claim keeps its prompt id: the provider may still know it.
        """
        work.files = await gather(work, self.todo.images)
        work.prompt_id = work.job.prompt_id or work.tools.ids.uuid()
        work.context["comfy_prompt_request"] = _graph_text(self.todo.graph)
        work.context |= _ignored_tags(self.todo.ignored_tags)

    async def send(self, work: Work) -> None:
        submission = Submission(
            prompt_id=_prompt_id(work),
            job_id=work.job.id,
            trace_id=work.job.trace_id,
            graph=self.todo.graph,
            extra_pnginfo={},
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

    async def collect(self, work: Work) -> None:
        """Raise `JobError` for a graph that made fewer pictures than the job has slots."""
        outputs = await self._outputs(work)
        slots = work.job.slots or self._slots(work.job.id, outputs.items)
        if len(outputs.items) < max(len(slots), 1):
            raise JobError("The graph made too few pictures.", made=len(outputs.items), asked=len(slots))
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

    async def _outputs(self, work: Work) -> Outputs:
        """A job without a retry left ends with the words of the server that failed it last."""
        try:
            async with work.tools.turns.during(GraphNews(work=work, prompt_id=_prompt_id(work))):
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


def _prompt_id(work: Work) -> str:
    if work.prompt_id is None:
        raise JobError("The job has no prompt.")
    return work.prompt_id


def _suffix(output: Output) -> str:
    return guess_extension(output.content_type) or ""
