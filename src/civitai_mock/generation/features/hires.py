"""A second pass over the larger picture."""

from dataclasses import dataclass

from civitai_mock.domain.dotnet import plain_number
from civitai_mock.domain.images import Size
from civitai_mock.generation.draft import Draft
from civitai_mock.generation.features.upscale import Upscaler
from civitai_mock.generation.graph import Link


@dataclass(frozen=True, slots=True, kw_only=True)
class Hires:
    """Without an `upscaler`, the latent itself is scaled to `size`."""

    size: Size
    steps: int
    denoise: float
    upscaler: Upscaler | None

    def apply(self, draft: Draft) -> None:
        """All but size, steps and denoise is as in the first pass, also the seed."""
        first = draft.source("samples")
        larger = self._larger(draft, first, self.upscaler)
        slots = {"steps": self.steps, "denoise": plain_number(self.denoise)}
        second = draft.repeat(first, slots=slots, instead={draft.source("latent"): larger})
        draft.redirect(first, second)

    def _larger(self, draft: Draft, first: Link, upscaler: Upscaler | None) -> Link:
        if upscaler is None:
            scale = {"upscale_method": "nearest-exact", "crop": "disabled", **self.size._asdict()}
            return draft.add("LatentUpscale", {**scale, "samples": first})
        vae = draft.source("vae")
        image = draft.add("VAEDecode", {"samples": first, "vae": vae})
        return draft.add("VAEEncode", {"pixels": upscaler.enlarge(draft, image), "vae": vae})
