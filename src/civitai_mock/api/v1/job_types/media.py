"""Job types that describe or change media: embedding, captions, tags, ratings, transformed images, prepared models."""

from typing import Annotated, ClassVar, Literal, Self, TypeAlias, get_args

from pydantic import Field, model_validator

from civitai_mock.api.v1.job_types.request import JobRequest
from civitai_mock.api.v1.wire import (
    BlobKey,
    Int32,
    JsonMembers,
    Number,
    PromptText,
    Reference,
    Text,
    Uri,
    in_any_case,
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


class ImageEmbeddingJobRequest(JobRequest):
    """The image is not fetched: the same URL always gets the same vector."""

    wire_name: ClassVar[str] = "imageEmbedding"
    template_name: ClassVar[str] = "ImageEmbeddingJobTemplate"
    job_type: ClassVar[str] = ImageEmbeddingSpec.job_type

    image_url: Uri

    def draft(self) -> ImageEmbeddingSpec:
        return ImageEmbeddingSpec(image_url=self.image_url)


class MediaCaptioningJobRequest(JobRequest):
    """The file is not fetched: the same request always gets the same sentence."""

    wire_name: ClassVar[str] = "mediaCaptioning"
    template_name: ClassVar[str] = "MediaCaptioningJobTemplate"
    job_type: ClassVar[str] = MediaCaptioningSpec.job_type

    media_url: Uri
    temperature: Annotated[Number, Field(ge=0, le=2)] | None = None
    max_new_tokens: Annotated[int, Field(strict=True, ge=1, le=4096)] | None = None
    custom_instructions: PromptText | None = None

    def draft(self) -> MediaCaptioningSpec:
        return MediaCaptioningSpec(
            media_url=self.media_url,
            temperature=self.temperature,
            max_new_tokens=self.max_new_tokens,
            custom_instructions=self.custom_instructions,
        )


class MediaTaggingJobRequest(JobRequest):
    """The file is not fetched: the same URL always gets the same tags."""

    wire_name: ClassVar[str] = "mediaTagging"
    template_name: ClassVar[str] = "MediaTaggingJobTemplate"
    job_type: ClassVar[str] = MediaTaggingSpec.job_type

    model_id: Int32
    media_url: Uri

    def draft(self) -> MediaTaggingSpec:
        return MediaTaggingSpec(model_id=self.model_id, media_url=self.media_url)


class MovieRatingJobRequest(JobRequest):
    """The file is not fetched: everybody may see it. The members of the result are v2's."""

    wire_name: ClassVar[str] = "movieRating"
    template_name: ClassVar[str] = "MovieRatingJobTemplate"
    job_type: ClassVar[str] = MovieRatingSpec.job_type

    media_url: Uri

    def draft(self) -> MovieRatingSpec:
        return MovieRatingSpec(media_url=self.media_url)


class WDTaggingJobRequest(JobRequest):
    """The file is not fetched: the same URL always gets the same tags, those at or above `threshold`."""

    wire_name: ClassVar[str] = "wdTagging"
    template_name: ClassVar[str] = "WDTaggingJobTemplate"
    job_type: ClassVar[str] = WDTaggingSpec.job_type

    model: Annotated[Text, Field(min_length=1)]
    media_url: Uri
    threshold: Annotated[Number, Field(ge=0, le=1)] | None = None

    def draft(self) -> WDTaggingSpec:
        return WDTaggingSpec(model=self.model, media_url=self.media_url, threshold=self.threshold)


Transformer: TypeAlias = Literal["Canny", "DepthZoe", "SoftedgePidinet", "Rembg"]


class ImageTransformJobRequest(JobRequest):
    """A blob is transformed; an image elsewhere is not fetched, and a drawn one stands in for it.

    The result is a blob of its own, so `replace` changes nothing; nothing is sent to `destinationUrl`.
    """

    wire_name: ClassVar[str] = "imageTransform"
    template_name: ClassVar[str] = "ImageTransformJobTemplate"
    job_type: ClassVar[str] = ImageTransformSpec.job_type

    image_url: Uri | None = None
    blob_key: BlobKey | None = None
    replace: bool | None = None
    transformer: Annotated[Transformer, in_any_case(get_args(Transformer))]
    destination_url: Uri | None = None
    params: JsonMembers | None = None

    @model_validator(mode="after")
    def _has_source(self) -> Self:
        if self.image_url is None and self.blob_key is None:
            raise ValueError("A job to transform an image needs an imageUrl or a blobKey; found neither.")
        return self

    def draft(self) -> ImageTransformSpec:
        return ImageTransformSpec(
            image_url=self.image_url,
            blob_key=self.blob_key,
            replace=self.replace,
            transformer=self.transformer,
            destination_url=self.destination_url,
            params=self.params,
        )


Action: TypeAlias = Literal["Upload", "Pin"]


class PrepareModelJobRequest(JobRequest):
    """Nothing is loaded: any model that the resources have can be used at once."""

    wire_name: ClassVar[str] = "prepareModel"
    template_name: ClassVar[str] = "PrepareModelJobTemplate"
    job_type: ClassVar[str] = PrepareModelSpec.job_type

    base_model: Text | None = None
    model: Reference
    action: Annotated[Action, in_any_case(get_args(Action))] | None = None

    def draft(self) -> PrepareModelSpec:
        return PrepareModelSpec(base_model=self.base_model, model=self.model, action=self.action)
