"""`imageTransform`: a picture made from another one."""

from typing import Annotated, ClassVar, Literal, Self, TypeAlias, get_args

from pydantic import model_validator

from civitai_mock.generation.as_sent import AsSentRequest
from civitai_mock.generation.wire import BlobKey, JsonMembers, Uri, in_any_case
from civitai_mock.generation.work import TransformWork

Transformer: TypeAlias = Literal["Canny", "DepthZoe", "SoftedgePidinet", "Rembg"]


class ImageTransformJobRequest(AsSentRequest):
    """A blob is transformed; a picture elsewhere is not fetched, and a drawn one stands in for it.

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
    def _has_a_source(self) -> Self:
        if self.image_url is None and self.blob_key is None:
            raise ValueError("Expected an imageUrl or a blobKey.")
        return self

    def order(self) -> TransformWork:
        return TransformWork(
            transformer=self.transformer, seconds=2.0, blob_key=self.blob_key, image_url=self.image_url or ""
        )
