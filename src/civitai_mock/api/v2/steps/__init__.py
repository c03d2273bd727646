"""The registry of the step types of v2, by their `$type`."""

from collections.abc import Mapping, Sequence

from civitai_mock.api.v2.blob_documents import BlobRenderer
from civitai_mock.api.v2.description.echo import echo_input
from civitai_mock.api.v2.steps.audio import (
    AceStepAudio,
    ComposeMedia,
    TextToSpeech,
)
from civitai_mock.api.v2.steps.blobs import (
    BlobArchive,
)
from civitai_mock.api.v2.steps.comfy import (
    Comfy,
    ComfyNodepackSnapshot,
    CustomComfy,
)
from civitai_mock.api.v2.steps.image_operations import (
    ConvertImage,
    ImageBackgroundRemoval,
    ImageUpload,
    ImageUpscaler,
    PreprocessImage,
)
from civitai_mock.api.v2.steps.images import ImageGen, TextToImage
from civitai_mock.api.v2.steps.judgements import (
    AgeClassification,
    AudioCaptioning,
    MediaCaptioning,
    MediaHash,
    MediaRating,
    QwenImageBench,
    Transcription,
    WDTagging,
)
from civitai_mock.api.v2.steps.models_3d import (
    Model3DPreview,
    PolyGen,
)
from civitai_mock.api.v2.steps.moderation import (
    BatchOCRSafetyClassification,
    ModelClamScan,
    ModelHash,
    ModelParseMetadata,
    ModelPickleScan,
    ShieldstralModeration,
    XGuardModeration,
)
from civitai_mock.api.v2.steps.stand_ins import (
    HumanoidImageMask,
    ImageToSvg,
    TryOnU,
)
from civitai_mock.api.v2.steps.step_type import Blobs, StepType
from civitai_mock.api.v2.steps.training import (
    ImageResourceTraining,
    Training,
)
from civitai_mock.api.v2.steps.video import (
    Transcode,
    VideoBackgroundRemoval,
    VideoEnhancement,
    VideoFrameExtraction,
    VideoGen,
    VideoInterpolation,
    VideoMetadata,
    VideoUpscaler,
)
from civitai_mock.api.v2.steps.words import (
    ChatCompletion,
    Echo,
    PromptEnhancement,
)
from civitai_mock.domain.cost import StepCost
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import NotFoundError
from civitai_mock.domain.job import Job
from civitai_mock.domain.json_types import Json, JsonObject
from civitai_mock.ports.steps import JobMaker, OutputView
from civitai_mock.services.blob_urls import WorkflowBlobUrls

STEP_TYPES: Mapping[str, StepType] = {
    step_type.name: step_type
    for step_type in (
        TextToImage(),
        ImageGen(),
        ImageUpscaler(),
        ConvertImage(),
        ImageBackgroundRemoval(),
        PreprocessImage(),
        ImageUpload(),
        VideoGen(),
        VideoInterpolation(),
        VideoUpscaler(),
        VideoEnhancement(),
        VideoBackgroundRemoval(),
        VideoFrameExtraction(),
        VideoMetadata(),
        Transcode(),
        Comfy(),
        CustomComfy(),
        ChatCompletion(),
        PromptEnhancement(),
        MediaHash(),
        WDTagging(),
        MediaRating(),
        MediaCaptioning(),
        AudioCaptioning(),
        Transcription(),
        AgeClassification(),
        XGuardModeration(),
        ShieldstralModeration(),
        BatchOCRSafetyClassification(),
        ModelClamScan(),
        ModelPickleScan(),
        ModelHash(),
        ModelParseMetadata(),
        TextToSpeech(),
        AceStepAudio(),
        ComposeMedia(),
        Training(),
        ImageResourceTraining(),
        PolyGen(),
        Model3DPreview(),
        BlobArchive(),
        HumanoidImageMask(),
        TryOnU(),
        ImageToSvg(),
        QwenImageBench(),
        ComfyNodepackSnapshot(),
        Echo(),
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredStepTypes:
    """Does what `ports.steps.StepTypes` asks, by the registry and the official description."""

    blob_urls: WorkflowBlobUrls

    def echo(self, step_type: str, step_input: Json, *, path: str) -> Json:
        return echo_input(step_type, step_input, path)

    def cost(self, step_type: str, step_input: Json) -> StepCost:
        return _step_type(step_type).cost(step_input)

    def prompt_texts(self, step_type: str, step_input: Json) -> Sequence[str]:
        return _step_type(step_type).prompt_texts(step_input)

    def job_maker(self, step_type: str, step_input: Json) -> JobMaker:
        return _step_type(step_type).job_maker(step_input)

    def output(self, step_type: str, step_input: Json, jobs: Sequence[Job], *, view: OutputView) -> JsonObject | None:
        renderer = BlobRenderer(
            urls=self.blob_urls, base_url=view.base_url, hides_mature_content=view.hides_mature_content
        )
        blobs = Blobs(renderer, allows_mature_content=view.allows_mature_content)
        return _step_type(step_type).output(step_input, jobs, blobs)


def _step_type(name: str) -> StepType:
    if name not in STEP_TYPES:
        raise NotFoundError(f"There is no step type '{name[:100]}'.")
    return STEP_TYPES[name]
