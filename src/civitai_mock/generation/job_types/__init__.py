"""The registry of job types: what is stored of each, and what has to be done for it."""

from collections.abc import Mapping

from civitai_mock.domain.errors import JobError
from civitai_mock.domain.job import Job
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
from civitai_mock.generation.job_types.image_operations import (
    ConvertImageSpec,
    ImageUploadSpec,
    ImageUpscalerSpec,
    PreprocessImageSpec,
    RemoveBackgroundSpec,
)
from civitai_mock.generation.job_types.images import ImageGenSpec
from civitai_mock.generation.job_types.judgements import (
    AgeClassificationSpec,
    AudioCaptionSpec,
    HashMediaSpec,
    MediaCaptionSpec,
    MediaRatingSpec,
    MediaTagsSpec,
    TranscriptionSpec,
)
from civitai_mock.generation.job_types.media import (
    ImageEmbeddingSpec,
    ImageTransformSpec,
    MediaCaptioningSpec,
    MediaTaggingSpec,
    MovieRatingSpec,
    PrepareModelSpec,
    WDTaggingSpec,
)
from civitai_mock.generation.job_types.moderation import (
    ModelClamScanSpec,
    ModelHashSpec,
    ModelMetadataSpec,
    ModelPickleScanSpec,
    TextGuardSpec,
    TextPolicySpec,
    TextsInImagesSpec,
)
from civitai_mock.generation.job_types.text_to_image import TextToImageSpec
from civitai_mock.generation.job_types.training import TrainingSpec
from civitai_mock.generation.job_types.video import (
    ChangeVideoSpec,
    ExtractFramesSpec,
    MeasureVideoSpec,
    VideoGenSpec,
)
from civitai_mock.generation.job_types.words import (
    ChatCompletionSpec,
    EchoSpec,
    PromptEnhancementSpec,
)
from civitai_mock.generation.work import JobWork

SPECS: tuple[type[JobSpec], ...] = (
    TextToImageSpec,
    ImageGenSpec,
    ImageUpscalerSpec,
    ConvertImageSpec,
    RemoveBackgroundSpec,
    PreprocessImageSpec,
    ImageUploadSpec,
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
    VideoGenSpec,
    ChangeVideoSpec,
    ExtractFramesSpec,
    MeasureVideoSpec,
    ChatCompletionSpec,
    PromptEnhancementSpec,
    HashMediaSpec,
    MediaTagsSpec,
    MediaRatingSpec,
    MediaCaptionSpec,
    AudioCaptionSpec,
    TranscriptionSpec,
    AgeClassificationSpec,
    TextGuardSpec,
    TextPolicySpec,
    TextsInImagesSpec,
    ModelClamScanSpec,
    ModelPickleScanSpec,
    ModelMetadataSpec,
    ModelHashSpec,
    EchoSpec,
)
JOB_TYPES: Mapping[str, type[JobSpec]] = {spec.job_type: spec for spec in SPECS}


def stored_spec(job: Job) -> JobSpec:
    """Read what is stored of a job; raise `JobError` for one of a type that is not known here."""
    if job.type not in JOB_TYPES:
        raise JobError(f"'{job.type}' is not a job type.", job_type=job.type)
    return JOB_TYPES[job.type].from_json(job.spec)


def job_work(job: Job, skeletons: Mapping[str, Skeleton]) -> JobWork:
    """Return the work of a job; raise `JobError` if nothing can be done for it. `skeletons` are by name."""
    return stored_spec(job).work(job, skeletons)


def runs_graphs(job: Job) -> bool:
    """Return whether a job needs a provider's worker."""
    return job.type in JOB_TYPES and JOB_TYPES[job.type].runs_graphs
