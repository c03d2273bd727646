"""Stable Diffusion 1.x."""

from civitai_mock.generation.ecosystem import Defaults, Ecosystem

SD1 = Ecosystem(
    name="sd1",
    aliases=(),
    defaults=Defaults(width=512, height=512, steps=20, cfg_scale=7, scheduler="EulerA", clip_skip=1),
)
