"""SENT_TO_COMFY: give the work to whoever does it."""

from civitai_mock.scheduler.work import Work


async def send(work: Work) -> None:
    """Raise what the provider raises: `JobError` for what it refuses."""
    await work.way.send(work)
