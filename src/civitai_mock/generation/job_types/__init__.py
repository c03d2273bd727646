"""The registry of job types: what is stored of each, and what has to be done for it.

Those that only v2 has are in `step_job_types`.
"""

from collections.abc import Mapping
from functools import cache

from civitai_mock.domain.errors import JobError
from civitai_mock.domain.job import Job
from civitai_mock.domain.typed_json import TypedJsonError, read_value, write_value
from civitai_mock.generation.graph import Skeleton
from civitai_mock.generation.job_types.blobs import (
    ClearAssetSpec,
    CopyAssetSpec,
    DeleteBlobSpec,
    GetBlobSpec,
    PinBlobSpec,
    UnpinBlobSpec,
    UploadBlobSpec,
)
from civitai_mock.generation.job_types.comfy import ComfySpec
from civitai_mock.generation.job_types.draft import JobSpec
from civitai_mock.generation.job_types.media import (
    ImageEmbeddingSpec,
    ImageTransformSpec,
    MediaCaptioningSpec,
    MediaTaggingSpec,
    MovieRatingSpec,
    PrepareModelSpec,
    WDTaggingSpec,
)
from civitai_mock.generation.job_types.text_to_image import TextToImageSpec
from civitai_mock.generation.job_types.training import TrainingSpec
from civitai_mock.generation.work import JobWork

SPECS: tuple[type[JobSpec], ...] = (
    TextToImageSpec,
    ComfySpec,
    TrainingSpec,
    ImageTransformSpec,
    ImageEmbeddingSpec,
    MediaTaggingSpec,
    MediaCaptioningSpec,
    WDTaggingSpec,
    MovieRatingSpec,
    PrepareModelSpec,
    CopyAssetSpec,
    ClearAssetSpec,
    UploadBlobSpec,
    GetBlobSpec,
    PinBlobSpec,
    UnpinBlobSpec,
    DeleteBlobSpec,
)
JOB_TYPES: Mapping[str, type[JobSpec]] = {spec.job_type: spec for spec in SPECS}


def find_job_type(name: str) -> type[JobSpec] | None:
    """Return the spec of a type, or None for one that is not known here."""
    return JOB_TYPES.get(name) or _step_job_types().get(name)


@cache
def _step_job_types() -> Mapping[str, type[JobSpec]]:
    """Load them at first use: who has no workflow needs none."""
    from civitai_mock.generation.job_types.step_job_types import STEP_JOB_TYPES  # noqa: PLC0415 - see above

    return STEP_JOB_TYPES


def stored_spec(job: Job) -> JobSpec:
    """Read what is stored of a job; raise `JobError` for one of a type that is not known here."""
    spec = find_job_type(job.type)
    if spec is None:
        raise JobError(f"'{job.type}' is not a job type.", job_type=job.type)
    return spec.from_json(job.spec)


def check_spec(job: Job) -> None:
    """Raise ValueError if what is stored of a job, by whomever, is not a spec of its type with the AIRs that it names.

    That it has all members, of the right types, shows when it is written and read by its types.
    """
    try:
        spec = stored_spec(job)
        read_value(type(spec), write_value(spec))
    except TypedJsonError:
        raise
    except (JobError, TypeError, ValueError, LookupError, AttributeError) as error:
        raise ValueError(f"This is not the spec of a job of type '{job.type}': {error}.") from error
    missing = spec.airs() - {str(resource.air) for resource in job.resources}
    if missing:
        raise ValueError(f"'{min(missing)}' is not among the resources of the job.")


def job_work(job: Job, skeletons: Mapping[str, Skeleton]) -> JobWork:
    """Return the work of a job; raise `JobError` if nothing can be done for it. `skeletons` are by name."""
    return stored_spec(job).work(job, skeletons)


def runs_graphs(job: Job) -> bool:
    """Return whether a job needs a provider's worker."""
    spec = find_job_type(job.type)
    return spec is not None and spec.runs_graphs
