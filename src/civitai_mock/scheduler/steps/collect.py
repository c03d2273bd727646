"""COMFY_RESULT: wait for the end of the work and keep what it made."""

from civitai_mock.scheduler.work import Work


async def collect(work: Work) -> None:
    await work.way.collect(work)
    work.context["trace_id"] = work.job.trace_id.split("-")[1]
