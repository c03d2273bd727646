"""Make what decides faults of blobs and callbacks; it is loaded when something may go wrong."""

from collections.abc import Sequence

from civitai_mock.api.v1.job_types import JOB_TYPES_BY_TYPE
from civitai_mock.ports import Stores
from civitai_mock.services.fault_subjects import JobSubjects


def make_job_subjects(stores: Stores) -> JobSubjects:
    return JobSubjects(workflows=stores.workflows, names_of=_names_of)


def _names_of(job_type: str) -> Sequence[str]:
    request = JOB_TYPES_BY_TYPE.get(job_type)
    return () if request is None else (request.wire_name, request.template_name)
