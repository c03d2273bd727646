"""CLAIMED: say when the job was started."""

from datetime import timedelta

from civitai_mock.scheduler.work import Work

MILLISECOND = timedelta(milliseconds=1)


async def accept(work: Work) -> None:
    """The member is that of capture v1-job-claimed-detailed; ours counts from the job's creation."""
    work.context = {"ActualStartDateOffsetMS": (work.tools.clock.now() - work.job.created_at) // MILLISECOND}
