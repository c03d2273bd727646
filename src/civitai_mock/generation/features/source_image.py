"""A picture to start from."""

from dataclasses import dataclass

from civitai_mock.domain.dotnet import plain_number
from civitai_mock.domain.images import Size
from civitai_mock.generation.draft import Draft
from civitai_mock.generation.features.loading import load_picture


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceImage:
    """`picture` is the name that the graph reads it under, `denoise` is how much of it is drawn anew."""

    picture: str
    size: Size
    quantity: int
    denoise: float

    def apply(self, draft: Draft) -> None:
        loaded = load_picture(draft, self.picture)
        scale = {"upscale_method": "lanczos", "crop": "center", **self.size._asdict()}
        scaled = draft.add("ImageScale", {**scale, "image": loaded})
        latent = draft.add("VAEEncode", {"pixels": scaled, "vae": draft.source("vae")})
        if self.quantity > 1:
            latent = draft.add("RepeatLatentBatch", {"samples": latent, "amount": self.quantity})
        draft.redirect(draft.source("latent"), latent)
        draft.fill("denoise", plain_number(self.denoise))
