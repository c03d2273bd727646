"""Stable Diffusion 1.x, and the models trained on it."""

from civitai_mock.domain.sampling import SAMPLINGS
from civitai_mock.generation.ecosystems.ecosystem import Defaults, Ecosystem, ModelKind

SD1 = Ecosystem(
    name="sd1",
    aliases=(),
    kinds=(
        ModelKind(
            name="sd1",
            skeletons=("sd1",),
            defaults=Defaults(
                width=512,
                height=512,
                steps=20,
                cfg_scale=7,
                sampling=SAMPLINGS["EulerA"],
                clip_skip=1,
            ),
        ),
    ),
    model_files={
        "ckpt_name": r"^(?!.*(?:flux|xl|(?<![a-z])pony|illustrious|noob"
        r"|sd[-_ ]?v?[23]|stable-diffusion-[23]|svd|zero123))"
    },
)
