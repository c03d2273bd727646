"""The registry of `$type`s."""

from collections.abc import Mapping
from typing import TypeAlias, get_args

from pydantic import ValidationError

from civitai_mock.domain.json_types import Json
from civitai_mock.generation.job_request import JobRequest
from civitai_mock.generation.job_types.blob_delete import DeleteBlobRequest
from civitai_mock.generation.job_types.blob_get import GetBlobRequest
from civitai_mock.generation.job_types.blob_pin import PinBlobRequest
from civitai_mock.generation.job_types.blob_unpin import UnpinBlobRequest
from civitai_mock.generation.job_types.blob_upload import UploadBlobRequest
from civitai_mock.generation.job_types.clear_assets import ClearAssetRequest
from civitai_mock.generation.job_types.comfy import ComfyJobRequest
from civitai_mock.generation.job_types.copy_asset import CopyAssetRequest
from civitai_mock.generation.job_types.image_embedding import ImageEmbeddingJobRequest
from civitai_mock.generation.job_types.image_resource_training import ImageResourceTrainingJobRequest
from civitai_mock.generation.job_types.image_transform import ImageTransformJobRequest
from civitai_mock.generation.job_types.media_captioning import MediaCaptioningJobRequest
from civitai_mock.generation.job_types.media_tagging import MediaTaggingJobRequest
from civitai_mock.generation.job_types.movie_rating import MovieRatingJobRequest
from civitai_mock.generation.job_types.prepare_model import PrepareModelJobRequest
from civitai_mock.generation.job_types.text_to_image import TextToImageJobRequest
from civitai_mock.generation.job_types.wd_tagging import WDTaggingJobRequest
from civitai_mock.generation.request_errors import ROOT, fault, from_validation

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

TYPE = "$type"
MAX_SHOWN = 100
DEFAULT_TYPE = TextToImageJobRequest.wire_name
REQUESTS: tuple[type[JobRequest], ...] = get_args(AnyJobRequest)
JOB_TYPES: Mapping[str, type[JobRequest]] = {request.wire_name: request for request in REQUESTS}
JOB_TYPES_BY_TYPE: Mapping[str, type[JobRequest]] = {request.job_type: request for request in REQUESTS}
SPELLINGS: Mapping[str, type[JobRequest]] = {
    name.lower(): request for request in REQUESTS for name in (request.wire_name, request.template_name)
}


def parse_template(template: Json, *, path: str = "") -> JobRequest:
    """Raise `InvalidRequestError` with each fault by its path; `path` is where the template stands in the body."""
    if not isinstance(template, dict):
        raise fault(path or ROOT, "Expected a JSON object.")
    request = _request_class(template.get(TYPE), path=f"{path}.{TYPE}" if path else TYPE)
    try:
        return request.model_validate(template, by_alias=True, by_name=False)
    except ValidationError as error:
        raise from_validation(error, path=path) from error


def _request_class(name: Json, *, path: str) -> type[JobRequest]:
    if name is None:
        return JOB_TYPES[DEFAULT_TYPE]
    request = SPELLINGS.get(name.lower()) if isinstance(name, str) else None
    if request is None:
        raise fault(path, f"'{str(name)[:MAX_SHOWN]}' is not a job type; known: {', '.join(JOB_TYPES)}.")
    return request
