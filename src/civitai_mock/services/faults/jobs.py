"""Whether anything may go wrong with jobs on purpose; what decides it is only loaded then."""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from civitai_mock.domain.job import Job
from civitai_mock.services.faults.firing import Faults

if TYPE_CHECKING:  # what only those need who set a rule is not loaded at the start
    from civitai_mock.domain.workflow import Workflow
    from civitai_mock.services.faults.decide_for_jobs import DecideJobFaults


class JobFaults:
    """Says whether faults `concern` a job: mostly they do not, and nobody has to ask any further."""

    def __init__(self, *, faults: Faults, make: "Callable[[], DecideJobFaults]") -> None:
        self._faults = faults
        self._make = make

    def concern(self, job: Job) -> bool:
        return self._faults.is_any_set or bool(job.faults) or job.asked_fault is not None

    @cached_property
    def decisions(self) -> "DecideJobFaults":
        return self._make()

    async def of_new(self, jobs: Sequence[Job], *, workflow: "Workflow | None" = None) -> Sequence[Job]:
        """Return jobs that are not stored yet with what has to be decided now; `workflow` is theirs."""
        if not jobs or not self.concern(jobs[0]):
            return jobs
        return await self.decisions.of_new(jobs, workflow=workflow)
