"""Stable Diffusion XL and the families trained on it."""

from civitai_mock.domain.sampling import SAMPLINGS
from civitai_mock.generation.ecosystems.ecosystem import Defaults, Ecosystem, ModelKind

SDXL = Ecosystem(
    name="sdxl",
    aliases=("pony", "illustrious", "noobai"),
    kinds=(
        ModelKind(
            name="sdxl",
            skeletons=("sdxl",),
            defaults=Defaults(
                width=1024, height=1024, steps=20, cfg_scale=7, sampling=SAMPLINGS["EulerA"], clip_skip=1
            ),
        ),
    ),
    model_files={
        "ckpt_name": r"^(?!.*(?:flux|sd[-_ ]?v?[123](?![0-9]*xl)|v1-5|stable-diffusion-(?:v?1|[23])"
        r"|refiner|svd|zero123))"
    },
    has_refiner=True,
)
