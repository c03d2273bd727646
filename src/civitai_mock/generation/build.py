"""The work of a job."""

from collections.abc import Mapping

from civitai_mock.domain.errors import JobError
from civitai_mock.domain.job import Job
from civitai_mock.generation.job_types import JOB_TYPES_BY_TYPE
from civitai_mock.generation.skeleton import Skeleton
from civitai_mock.generation.work import JobWork


def job_work(job: Job, skeletons: Mapping[str, Skeleton]) -> JobWork:
    """`skeletons` by name; raise `JobError` if nothing can be done for the job."""
    if job.type not in JOB_TYPES_BY_TYPE:
        raise JobError(f"There is no job type '{job.type}'.", job_type=job.type)
    return JOB_TYPES_BY_TYPE[job.type].work(job, skeletons)
