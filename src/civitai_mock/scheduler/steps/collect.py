"""COMFY_RESULT: wait for the pictures and store each under the key of its slot."""

from dataclasses import replace
from datetime import timedelta

from civitai_mock.domain.blob import Slot
from civitai_mock.domain.errors import JobError
from civitai_mock.ports import Output
from civitai_mock.scheduler.work import Work

MILLISECOND = timedelta(milliseconds=1)


async def collect(work: Work) -> None:
    """Raise `JobError` for a graph that made fewer pictures than the job has slots."""
    if work.prompt_id is None:
        raise JobError("The job has no prompt to wait for.")
    outputs = await work.tools.provider.collect(work.prompt_id)
    if len(outputs.items) < len(work.job.slots):
        raise JobError("The graph made too few pictures.", made=len(outputs.items), asked=len(work.job.slots))
    started = work.tools.clock.now()
    filled = [await _fill(work, slot, output) for slot, output in zip(work.job.slots, outputs.items, strict=False)]
    work.slots = tuple(filled)
    work.context |= {
        **outputs.facts,
        "middleware_duration_UploadBlobs_ms": (work.tools.clock.now() - started) // MILLISECOND,
        "trace_id": work.job.trace_id.split("-")[1],
    }


async def _fill(work: Work, slot: Slot, output: Output) -> Slot:
    await work.tools.blobs.put(
        slot.blob_key, output.content, content_type=output.content_type, keep_until=work.job.keep_until
    )
    return replace(slot, available=True)
