"""The registry of `$type`s: read a template of v1, and show what only a job of its type has."""

from collections.abc import Mapping
from typing import TypeAlias, get_args

from pydantic import ValidationError

from civitai_mock.api.v1.job_types.blobs import (
    ClearAssetRequest,
    CopyAssetRequest,
    DeleteBlobRequest,
    GetBlobRequest,
    PinBlobRequest,
    UnpinBlobRequest,
    UploadBlobRequest,
)
from civitai_mock.api.v1.job_types.comfy import ComfyJobRequest
from civitai_mock.api.v1.job_types.media import (
    ImageEmbeddingJobRequest,
    ImageTransformJobRequest,
    MediaCaptioningJobRequest,
    MediaTaggingJobRequest,
    MovieRatingJobRequest,
    PrepareModelJobRequest,
    WDTaggingJobRequest,
)
from civitai_mock.api.v1.job_types.request import JobRequest
from civitai_mock.api.v1.job_types.text_to_image import TextToImageJobRequest
from civitai_mock.api.v1.job_types.training import ImageResourceTrainingJobRequest
from civitai_mock.api.v1.wire import TYPE
from civitai_mock.api.validation import from_validation
from civitai_mock.domain.errors import ROOT, fault
from civitai_mock.domain.job import Job
from civitai_mock.domain.json_types import Json, JsonObject
from civitai_mock.services.job_template import JobTemplate

AnyJobRequest: TypeAlias = (
    TextToImageJobRequest
    | ComfyJobRequest
    | ImageResourceTrainingJobRequest
    | ImageTransformJobRequest
    | ImageEmbeddingJobRequest
    | MediaTaggingJobRequest
    | MediaCaptioningJobRequest
    | WDTaggingJobRequest
    | MovieRatingJobRequest
    | PrepareModelJobRequest
    | CopyAssetRequest
    | ClearAssetRequest
    | UploadBlobRequest
    | GetBlobRequest
    | PinBlobRequest
    | UnpinBlobRequest
    | DeleteBlobRequest
)

LONGEST_NAME = 100  # that a message repeats
DEFAULT_TYPE = TextToImageJobRequest.wire_name
REQUESTS: tuple[type[JobRequest], ...] = get_args(AnyJobRequest)
JOB_TYPES: Mapping[str, type[JobRequest]] = {request.wire_name: request for request in REQUESTS}
JOB_TYPES_BY_TYPE: Mapping[str, type[JobRequest]] = {request.job_type: request for request in REQUESTS}
SPELLINGS: Mapping[str, type[JobRequest]] = {
    name.lower(): request for request in REQUESTS for name in (request.wire_name, request.template_name)
}


def parse_template(template: Json, *, path: str = "") -> JobTemplate:
    """Read a template, which stands at `path` in the body; raise `InvalidRequestError` with each fault by its path."""
    return parse_request(template, path=path).template(path)


def parse_request(template: Json, *, path: str = "") -> JobRequest:
    """Read a template as `parse_template` does, and return what was sent."""
    if not isinstance(template, dict):
        raise fault(path or ROOT, "Expected a JSON object.")
    request = request_class(template.get(TYPE), path=f"{path}.{TYPE}" if path else TYPE)
    try:
        return request.model_validate(template, by_alias=True, by_name=False)
    except ValidationError as error:
        raise from_validation(error, path=path) from error


def request_class(name: Json, *, path: str) -> type[JobRequest]:
    """Return the class that reads templates with this `$type`; raise `InvalidRequestError` for an unknown one."""
    if name is None:
        return JOB_TYPES[DEFAULT_TYPE]
    request = SPELLINGS.get(name.lower()) if isinstance(name, str) else None
    if request is None:
        raise fault(path, f"'{str(name)[:LONGEST_NAME]}' is not a job type; known: {', '.join(JOB_TYPES)}.")
    return request


def type_members(job: Job) -> JsonObject:
    """Return the members of a detailed job that its type adds; none for a type that v1 does not have."""
    request = JOB_TYPES_BY_TYPE.get(job.type)
    return {} if request is None else request.describe(job)
