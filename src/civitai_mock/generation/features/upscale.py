"""Larger pictures by a model."""

from dataclasses import dataclass

from civitai_mock.domain.images import Size
from civitai_mock.generation.draft import Draft
from civitai_mock.generation.graph import Link


@dataclass(frozen=True, slots=True, kw_only=True)
class Upscaler:
    """`size` is that of the result; where there is none, it is what the model makes of the picture."""

    file_name: str
    size: Size | None

    def enlarge(self, draft: Draft, image: Link) -> Link:
        model = draft.load("UpscaleModelLoader", {"model_name": self.file_name})
        larger = draft.add("ImageUpscaleWithModel", {"upscale_model": model, "image": image})
        if self.size is None:
            return larger
        scale = {"upscale_method": "lanczos", "crop": "center", **self.size._asdict()}
        return draft.add("ImageScale", {**scale, "image": larger})


@dataclass(frozen=True, slots=True, kw_only=True)
class Upscale:
    """The last that is done to a picture."""

    upscaler: Upscaler

    def apply(self, draft: Draft) -> None:
        image = draft.source("image")
        draft.redirect(image, self.upscaler.enlarge(draft, image))
