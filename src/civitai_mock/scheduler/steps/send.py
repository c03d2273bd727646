"""SENT_TO_COMFY: give the graph to the provider."""

import json

from civitai_mock.domain.errors import JobError
from civitai_mock.ports import Submission
from civitai_mock.scheduler.work import Work


async def send(work: Work) -> None:
    """Raise what the provider raises: `JobError` for a graph that it refuses."""
    if work.prompt_id is None:
        raise JobError("The job has no prompt to send.")
    submission = Submission(
        prompt_id=work.prompt_id,
        trace_id=work.job.trace_id,
        graph=work.graph,
        extra_pnginfo={},
        resources=work.job.resources,
    )
    receipt = await work.tools.provider.send(submission)
    work.context["comfy_prompt_response"] = json.dumps(receipt.response)
