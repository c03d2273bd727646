"""Job types that describe or change media: embedding, captions, tags, ratings, transformed images, prepared models."""

from collections.abc import Mapping
from typing import ClassVar

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.json_types import ReadOnlyJson
from civitai_mock.generation.job_types.draft import CompleteSpec
from civitai_mock.generation.placeholder_results import (
    BOORU_TAGS,
    MEDIA_TAGS,
    RATINGS,
    caption,
    confidences,
    embedding,
    seeded_random,
    shares,
)
from civitai_mock.generation.work import ResultWork, TransformWork


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageEmbeddingSpec(CompleteSpec):
    """The image is not fetched: the same URL always gets the same vector."""

    job_type: ClassVar[str] = "ImageEmbedding"
    cost: ClassVar[float] = 1

    image_url: str

    def own_work(self) -> ResultWork:
        return ResultWork(result={"embedding": [*embedding(seeded_random(self.image_url))]}, seconds=0.8)


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaCaptioningSpec(CompleteSpec):
    """The file is not fetched: the same request always gets the same sentence."""

    job_type: ClassVar[str] = "MediaCaptioning"
    cost: ClassVar[float] = 1

    media_url: str
    temperature: float | None = None
    max_new_tokens: int | None = None
    custom_instructions: str | None = None

    def own_work(self) -> ResultWork:
        sentence = caption(seeded_random(self.media_url, self.custom_instructions or ""))
        return ResultWork(result={"caption": sentence}, seconds=2.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaTaggingSpec(CompleteSpec):
    """The file is not fetched: the same URL always gets the same tags."""

    job_type: ClassVar[str] = "MediaTagging"
    cost: ClassVar[float] = 1

    model_id: int
    media_url: str

    def own_work(self) -> ResultWork:
        found = confidences(MEDIA_TAGS, seeded_random(str(self.model_id), self.media_url))
        return ResultWork(
            result={"tags": [{"tag": tag, "confidence": confidence} for tag, confidence in found.items()]}, seconds=1.2
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MovieRatingSpec(CompleteSpec):
    """The file is not fetched: everybody may see it. The members of the result are v2's."""

    job_type: ClassVar[str] = "MovieRating"
    cost: ClassVar[float] = 1

    media_url: str

    def own_work(self) -> ResultWork:
        return ResultWork(result={"nsfwLevel": "pg", "isBlocked": False}, seconds=1.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class WDTaggingSpec(CompleteSpec):
    """The file is not fetched: the same URL always gets the same tags, those at or above `threshold`."""

    job_type: ClassVar[str] = "WDTagging"
    cost: ClassVar[float] = 1

    model: str
    media_url: str
    threshold: float | None = None

    def own_work(self) -> ResultWork:
        random = seeded_random(self.model, self.media_url)
        found = confidences(BOORU_TAGS, random)
        tags = {tag: confidence for tag, confidence in found.items() if confidence >= (self.threshold or 0)}
        return ResultWork(result={"tags": {**tags}, "rating": {**shares(RATINGS, random)}}, seconds=1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageTransformSpec(CompleteSpec):
    """A blob is transformed; an image elsewhere is not fetched, and a drawn one stands in for it.

    The result is a blob of its own, so `replace` changes nothing; nothing is sent to `destination_url`.
    """

    job_type: ClassVar[str] = "ImageTransform"
    cost: ClassVar[float] = 1
    images: ClassVar[int] = 1

    image_url: str | None = None
    blob_key: str | None = None
    replace: bool | None = None
    transformer: str
    destination_url: str | None = None
    params: ReadOnlyJson | None = None

    def own_work(self) -> TransformWork:
        return TransformWork(
            transformer=self.transformer, seconds=2.0, blob_key=self.blob_key, image_url=self.image_url or ""
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PrepareModelSpec(CompleteSpec):
    """Nothing is loaded: any model that the resources have can be used at once."""

    job_type: ClassVar[str] = "PrepareModel"
    cost: ClassVar[float] = 0

    base_model: str | None = None
    model: str
    action: str | None = None

    def references(self) -> Mapping[str, str]:
        return {"model": self.model}

    def own_work(self) -> ResultWork:
        return ResultWork(result={"model": self.model, "action": self.action or "Upload"}, seconds=2.0)
