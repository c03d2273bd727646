"""FLUX.1: text encoders and VAE are files of their own, `cfgScale` is its guidance, a negative prompt has no place."""

from civitai_mock.domain.sampling import UNDEFINED, Sampling
from civitai_mock.generation.ecosystem import CHECKPOINT, Defaults, Ecosystem

FLUX1 = Ecosystem(
    name="flux1",
    aliases=("flux1kontext", "fluxkrea"),
    defaults=Defaults(width=1024, height=1024, steps=20, cfg_scale=3.5, scheduler=UNDEFINED, clip_skip=None),
    undefined=Sampling("euler", "simple"),
    model_types=frozenset({CHECKPOINT, "unet", "diffusionmodel"}),
    has_clip_skip=False,
)
