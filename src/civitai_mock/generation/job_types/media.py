"""Job types that describe or change media: embedding, captions, tags, ratings, transformed images, prepared models."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self, TypeAlias, get_args

from pydantic import Field, model_validator

from civitai_mock.generation.job_types.request import PassthroughRequest
from civitai_mock.generation.placeholder_results import (
    BOORU_TAGS,
    MEDIA_TAGS,
    caption,
    confidences,
    embedding,
    seeded_random,
    shares,
)
from civitai_mock.generation.wire import (
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
from civitai_mock.generation.work import ResultWork, TransformWork


class ImageEmbeddingJobRequest(PassthroughRequest):
    """The image is not fetched: the same URL always gets the same vector."""

    wire_name: ClassVar[str] = "imageEmbedding"
    template_name: ClassVar[str] = "ImageEmbeddingJobTemplate"
    job_type: ClassVar[str] = "ImageEmbedding"
    cost: ClassVar[float] = 1

    image_url: Uri

    def own_work(self) -> ResultWork:
        return ResultWork(result={"embedding": [*embedding(seeded_random(self.image_url))]}, seconds=0.8)


class MediaCaptioningJobRequest(PassthroughRequest):
    """The file is not fetched: the same request always gets the same sentence."""

    wire_name: ClassVar[str] = "mediaCaptioning"
    template_name: ClassVar[str] = "MediaCaptioningJobTemplate"
    job_type: ClassVar[str] = "MediaCaptioning"
    cost: ClassVar[float] = 1

    media_url: Uri
    temperature: Annotated[Number, Field(ge=0, le=2)] | None = None
    max_new_tokens: Annotated[int, Field(strict=True, ge=1, le=4096)] | None = None
    custom_instructions: PromptText | None = None

    def own_work(self) -> ResultWork:
        sentence = caption(seeded_random(self.media_url, self.custom_instructions or ""))
        return ResultWork(result={"caption": sentence}, seconds=2.5)


class MediaTaggingJobRequest(PassthroughRequest):
    """The file is not fetched: the same URL always gets the same tags."""

    wire_name: ClassVar[str] = "mediaTagging"
    template_name: ClassVar[str] = "MediaTaggingJobTemplate"
    job_type: ClassVar[str] = "MediaTagging"
    cost: ClassVar[float] = 1

    model_id: Int32
    media_url: Uri

    def own_work(self) -> ResultWork:
        found = confidences(MEDIA_TAGS, seeded_random(str(self.model_id), self.media_url))
        return ResultWork(
            result={"tags": [{"tag": tag, "confidence": confidence} for tag, confidence in found.items()]}, seconds=1.2
        )


class MovieRatingJobRequest(PassthroughRequest):
    """The file is not fetched: everybody may see it. The members of the result are v2's."""

    wire_name: ClassVar[str] = "movieRating"
    template_name: ClassVar[str] = "MovieRatingJobTemplate"
    job_type: ClassVar[str] = "MovieRating"
    cost: ClassVar[float] = 1

    media_url: Uri

    def own_work(self) -> ResultWork:
        return ResultWork(result={"nsfwLevel": "pg", "isBlocked": False}, seconds=1.5)


RATINGS = ("general", "sensitive", "questionable", "explicit")


class WDTaggingJobRequest(PassthroughRequest):
    """The file is not fetched: the same URL always gets the same tags, those at or above `threshold`."""

    wire_name: ClassVar[str] = "wdTagging"
    template_name: ClassVar[str] = "WDTaggingJobTemplate"
    job_type: ClassVar[str] = "WDTagging"
    cost: ClassVar[float] = 1

    model: Annotated[Text, Field(min_length=1)]
    media_url: Uri
    threshold: Annotated[Number, Field(ge=0, le=1)] | None = None

    def own_work(self) -> ResultWork:
        random = seeded_random(self.model, self.media_url)
        found = confidences(BOORU_TAGS, random)
        tags = {tag: confidence for tag, confidence in found.items() if confidence >= (self.threshold or 0)}
        return ResultWork(result={"tags": {**tags}, "rating": {**shares(RATINGS, random)}}, seconds=1.0)


Transformer: TypeAlias = Literal["Canny", "DepthZoe", "SoftedgePidinet", "Rembg"]


class ImageTransformJobRequest(PassthroughRequest):
    """A blob is transformed; an image elsewhere is not fetched, and a drawn one stands in for it.

    The result is a blob of its own, so `replace` changes nothing; nothing is sent to `destinationUrl`.
    """

    wire_name: ClassVar[str] = "imageTransform"
    template_name: ClassVar[str] = "ImageTransformJobTemplate"
    job_type: ClassVar[str] = "ImageTransform"
    cost: ClassVar[float] = 1
    images: ClassVar[int] = 1

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

    def own_work(self) -> TransformWork:
        return TransformWork(
            transformer=self.transformer, seconds=2.0, blob_key=self.blob_key, image_url=self.image_url or ""
        )


Action: TypeAlias = Literal["Upload", "Pin"]


class PrepareModelJobRequest(PassthroughRequest):
    """Nothing is loaded: any model that the resources have can be used at once."""

    wire_name: ClassVar[str] = "prepareModel"
    template_name: ClassVar[str] = "PrepareModelJobTemplate"
    job_type: ClassVar[str] = "PrepareModel"
    cost: ClassVar[float] = 0

    base_model: Text | None = None
    model: Reference
    action: Annotated[Action, in_any_case(get_args(Action))] | None = None

    def references(self) -> Mapping[str, str]:
        return {"model": self.model}

    def own_work(self) -> ResultWork:
        return ResultWork(result={"model": self.model, "action": self.action or "Upload"}, seconds=2.0)
