"""The registry of the job types that only steps of v2 make; it is loaded for the first such job."""

from civitai_mock.generation.job_types.archives import (
    BlobArchiveSpec,
)
from civitai_mock.generation.job_types.audio import (
    CompositionSpec,
    MusicSpec,
    SpeechSpec,
)
from civitai_mock.generation.job_types.draft import JobSpec
from civitai_mock.generation.job_types.image_operations import (
    ConvertImageSpec,
    ImageUploadSpec,
    ImageUpscalerSpec,
    PreprocessImageSpec,
    RemoveBackgroundSpec,
)
from civitai_mock.generation.job_types.images import (
    ImageGenSpec,
)
from civitai_mock.generation.job_types.judgements import (
    AgeClassificationSpec,
    AudioCaptionSpec,
    HashMediaSpec,
    ImageScoresSpec,
    MediaCaptionSpec,
    MediaRatingSpec,
    MediaTagsSpec,
    TranscriptionSpec,
)
from civitai_mock.generation.job_types.model_training import (
    ModelTrainingSpec,
)
from civitai_mock.generation.job_types.models_3d import (
    Model3dSpec,
    Model3dViewsSpec,
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
from civitai_mock.generation.job_types.node_packs import (
    NodePacksSpec,
)
from civitai_mock.generation.job_types.stand_ins import (
    StandInSpec,
)
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

STEP_SPECS: tuple[type[JobSpec], ...] = (
    ImageGenSpec,
    ImageUpscalerSpec,
    ConvertImageSpec,
    RemoveBackgroundSpec,
    PreprocessImageSpec,
    ImageUploadSpec,
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
    BlobArchiveSpec,
    CompositionSpec,
    MusicSpec,
    SpeechSpec,
    ModelTrainingSpec,
    Model3dSpec,
    Model3dViewsSpec,
    NodePacksSpec,
    StandInSpec,
    ImageScoresSpec,
    EchoSpec,
)
STEP_JOB_TYPES = {spec.job_type: spec for spec in STEP_SPECS}
