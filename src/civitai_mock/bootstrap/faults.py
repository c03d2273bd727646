"""Make what decides faults of jobs, and tells what rules match of them; it is loaded when something may go wrong."""

from collections.abc import Sequence

from civitai_mock.api.v1.job_types import JOB_TYPES_BY_TYPE
from civitai_mock.bootstrap.runtime import Runtime
from civitai_mock.domain.namespaces import Epoch
from civitai_mock.ports import Clock, Stores
from civitai_mock.services.controls import Controls
from civitai_mock.services.faults.decide_for_jobs import DecideJobFaults
from civitai_mock.services.faults.firing import Faults
from civitai_mock.services.faults.subjects import JobSubjects


def make_job_subjects(stores: Stores) -> JobSubjects:
    return JobSubjects(workflows=stores.workflows, names_of=_names_of)


def make_job_decisions(
    runtime: Runtime,
    stores: Stores,
    *,
    epoch: Epoch,
    faults: Faults,
    subjects: JobSubjects,
    controls: Controls,
    clock: Clock,
) -> DecideJobFaults:
    return DecideJobFaults(
        faults=faults,
        subjects=subjects,
        controls=controls,
        stores=stores,
        epoch=epoch.number,
        clock=clock,
        system_clock=runtime.clock,
        ids=runtime.ids,
    )


def _names_of(job_type: str) -> Sequence[str]:
    request = JOB_TYPES_BY_TYPE.get(job_type)
    return () if request is None else (request.wire_name, request.template_name)
