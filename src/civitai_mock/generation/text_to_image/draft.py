"""What a request says of the passes of an image beyond the first one, and how it is completed."""

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.generation.text_to_image.spec import HiresSpec, RefinerSpec, UpscaleSpec

DEFAULT_DENOISE = 0.75  # v2 description, where a graph of ours would be run
DEFAULT_HIRES_SCALE = 1.5
DEFAULT_HIRES_DENOISE = 0.5
DEFAULT_SWITCH = 0.8
# ComfyUI divides the steps by the denoise: with one near 0, the list of noise levels would fill its memory.
LEAST_DENOISE = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class HiresDraft:
    """Asks for a second pass over the larger image; `upscaler` is an AIR in either form."""

    scale: float | None = None
    steps: int | None = None
    denoise_strength: float | None = None
    upscaler: str | None = None

    def complete(self, upscaler: str | None, *, steps: int) -> HiresSpec:
        return HiresSpec(
            scale=self.scale or DEFAULT_HIRES_SCALE,
            steps=self.steps or steps,
            denoise_strength=max(self.denoise_strength or DEFAULT_HIRES_DENOISE, LEAST_DENOISE),
            upscaler=upscaler,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class UpscaleDraft:
    """Asks for the finished image to be scaled with a model, an AIR in either form."""

    model: str
    scale: float | None = None

    def complete(self, model: str) -> UpscaleSpec:
        return UpscaleSpec(model=model, scale=self.scale)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefinerDraft:
    """Asks for a second model, an AIR in either form, that does the last steps."""

    model: str
    switch_at: float | None = None

    def complete(self, model: str) -> RefinerSpec:
        return RefinerSpec(model=model, switch_at=self.switch_at or DEFAULT_SWITCH)
