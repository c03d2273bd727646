"""Stop the prompts of jobs that end while nobody here works on them."""

from collections.abc import Sequence

import structlog

from civitai_mock.domain.job import Job
from civitai_mock.domain.stages import Outcome
from civitai_mock.ports import Clock, JobStore, Provider
from civitai_mock.scheduler.job_runner import cancelling
from civitai_mock.scheduler.leases import InFlight
from civitai_mock.services.activity import Signal
from civitai_mock.services.error_boundary import ErrorBoundary
from civitai_mock.services.event_bus import EventBus

logger = structlog.stdlib.get_logger()

SCAN_SECONDS = 60.0


class StrayPrompts:
    """Stops prompts that still run though their jobs ended between two claims, or after their worker died.

    A runner stops the prompt of a job that is taken from it; the prompt of a job that it ends itself is stopped here.
    `run` is for what this process hears of; `run_scans` asks the provider about what ended elsewhere, or earlier.
    """

    def __init__(
        self, *, jobs: JobStore, provider: Provider, event_bus: EventBus, in_flight: InFlight, clock: Clock
    ) -> None:
        self._jobs = jobs
        self._provider = provider
        self._clock = clock
        self._in_flight = in_flight
        self._prompt_ids: dict[str, None] = {}
        self._wake_up = Signal(event_bus.activity)
        event_bus.subscribe_to_ends(self._on_ended)

    async def run(self) -> None:
        try:
            while True:
                await self._wake_up.wait()
                while self._prompt_ids:
                    prompt_id = next(iter(self._prompt_ids))
                    del self._prompt_ids[prompt_id]
                    await self._stop(prompt_id)
        finally:
            self._wake_up.close()

    async def run_scans(self) -> None:
        while True:
            with ErrorBoundary("stray prompts not scanned", away="stray prompts not scanned"):
                await self.scan()
            await self._clock.sleep(SCAN_SECONDS)

    async def scan(self) -> None:
        """Stop prompts whose jobs ended, or have another prompt by now; the jobs of other stores are not ours."""
        strays = await self._provider.strays()
        jobs = {job.id: job for job in await self._jobs.get_many(sorted(set(strays.values())))} if strays else {}
        for prompt_id, job_id in strays.items():
            job = jobs.get(job_id)
            if job is not None and (job.outcome is not None or job.prompt_id != prompt_id):
                logger.info("stray prompt", job_id=job_id, prompt_id=prompt_id)
                await self._stop(prompt_id)

    def _on_ended(self, jobs: Sequence[Job]) -> None:
        for job in jobs:
            has_ended = job.outcome is not None and job.outcome is not Outcome.SUCCEEDED
            if has_ended and job.prompt_id is not None and self._in_flight.get(job.id) is None:
                self._prompt_ids[job.prompt_id] = None
                self._wake_up.set()

    async def _stop(self, prompt_id: str) -> None:
        try:
            async with cancelling(prompt_id):
                await self._provider.cancel(prompt_id)
        except Exception:
            logger.exception("prompt not cancelled", prompt_id=prompt_id)
