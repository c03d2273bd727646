"""What seems to be of the workers while a fault has them out: none is ready, or none has the files of a model."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.job import JobResource
from civitai_mock.ports import WorkerReport, Workforce
from civitai_mock.services.faults.firing import Faults

if TYPE_CHECKING:  # what only those need who set a rule is not loaded at the start
    from civitai_mock.domain.faults.conditions import FaultSubject

REASON = "out, by a fault"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkforceWithOutages:
    """Implements `Workforce`: workers are as they are unless the first rule that matches is an outage."""

    workforce: Workforce
    faults: Faults

    @property
    def name(self) -> str:
        return self.workforce.name

    @property
    def workers(self) -> Sequence[WorkerReport]:
        workers = self.workforce.workers
        if not self.faults.is_any_set or not self._is_out(()):
            return workers
        return [replace(worker, ready=False, reason=REASON) for worker in workers]

    def workers_with(self, resources: Sequence[JobResource]) -> Sequence[str]:
        if self.faults.is_any_set and self._is_out(resources):
            return ()
        return self.workforce.workers_with(resources)

    def _is_out(self, resources: Sequence[JobResource]) -> bool:
        from civitai_mock.domain.faults.actions import PresetEffect, PresetWord  # noqa: PLC0415 - see above

        rule = self.faults.first_match(_subject(resources))
        effects = () if rule is None else rule.action.effects
        return any(isinstance(effect, PresetEffect) and effect.word is PresetWord.OUTAGE for effect in effects)


def _subject(resources: Sequence[JobResource]) -> "FaultSubject":
    """Return what is known of any job with these resources."""
    from civitai_mock.domain.fault_presets import Hook  # noqa: PLC0415 - see above
    from civitai_mock.domain.faults.conditions import FaultSubject  # noqa: PLC0415 - see above

    airs = [resource.air for resource in resources]
    return FaultSubject(
        hook=Hook.JOB, models=[str(air) for air in airs], ecosystems=[air.ecosystem for air in airs if air.ecosystem]
    )
