"""Tell how far jobs are while they run, to who listens: nothing of it is stored, and nothing runs for nobody."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from civitai_mock.domain.job import Job
from civitai_mock.domain.stages import Outcome, Stage
from civitai_mock.ports import Clock, Progress, Timer
from civitai_mock.services.running_progress import KnowsProgress

POLL_SECONDS = 0.25  # of a provider that does not say when the next step comes


def progress_now(provider: KnowsProgress, job: Job) -> Progress | None:
    """Return how far a job is that runs in this process; None for any other."""
    if job.prompt_id is None or job.stage is not Stage.SENT_TO_COMFY or job.outcome is not None:
        return None
    return provider.foreseen(job.prompt_id) or provider.progress(job.prompt_id)


class TellProgress:
    """Follows each job that runs and that somebody listens to, step by step, by the clock of its namespace."""

    def __init__(
        self,
        *,
        provider: KnowsProgress,
        clock: Clock,
        is_heard: Callable[[Job], bool],
        tell: Callable[[Job, Progress, datetime], None],
    ) -> None:
        self._provider = provider
        self._clock = clock
        self._is_heard = is_heard
        self._tell = tell
        self._timers: dict[str, Timer] = {}  # by job
        self._last_told: dict[str, Progress] = {}  # by job

    def on_changed(self, job: Job) -> None:
        """Follow a job that begins to run, and forget one that does not run any more.

        One that has succeeded has done its last step, though it may be over before that is looked at.
        """
        if job.stage is Stage.SENT_TO_COMFY and job.outcome is None:
            self.follow(job)
            return
        last = self._last_told.get(job.id)
        self._forget(job.id)
        if last is not None and last.step < last.steps and job.outcome is Outcome.SUCCEEDED:
            self._tell(job, replace(last, step=last.steps), self._clock.now())

    def follow(self, job: Job) -> None:
        """Tell of a job from now on, if it runs, until it does not run any more or nobody listens."""
        if job.stage is Stage.SENT_TO_COMFY and job.outcome is None and job.id not in self._timers:
            self._look(job, None)

    def _forget(self, job_id: str) -> None:
        self._last_told.pop(job_id, None)
        timer = self._timers.pop(job_id, None)
        if timer is not None:
            timer.cancel()

    def stop(self) -> None:
        for job_id in tuple(self._timers):
            self._forget(job_id)

    def _look(self, job: Job, told: int | None) -> None:
        self._timers.pop(job.id, None)
        if not self._is_heard(job):
            return
        found = progress_now(self._provider, job)
        now = self._clock.now()
        if found is not None and found.step > 0 and found.step != told:
            self._tell(job, found, now)
            self._last_told[job.id] = found
        if found is not None and found.step >= found.steps:
            return
        step = told if found is None else found.step
        next_at = None if found is None else found.next_at
        seconds = POLL_SECONDS if next_at is None else max((next_at - now).total_seconds(), 0.0)
        self._timers[job.id] = self._clock.call_later(seconds, lambda: self._look(job, step))
