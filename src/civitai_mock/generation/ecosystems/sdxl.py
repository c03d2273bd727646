"""Stable Diffusion XL and the families trained on it."""

from civitai_mock.generation.ecosystem import Defaults, Ecosystem

SDXL = Ecosystem(
    name="sdxl",
    aliases=("pony", "illustrious", "noobai"),
    defaults=Defaults(width=1024, height=1024, steps=20, cfg_scale=7, scheduler="EulerA", clip_skip=1),
)
