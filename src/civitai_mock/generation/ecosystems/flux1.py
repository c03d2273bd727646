"""FLUX.1, whose guidance is `cfgScale`, and whose graphs have no place for a negative prompt.

A model is a file of its own, beside text encoders and VAE, or one file with all of them: whichever a server has. A
model that was distilled to a few steps (schnell) has no guidance.
"""

from dataclasses import replace

from civitai_mock.domain.sampling import LEFT_OPEN, Sampling
from civitai_mock.generation.ecosystems.ecosystem import CHECKPOINT, Defaults, Ecosystem, ModelKind
from civitai_mock.generation.work import FileRole

DEV = ModelKind(
    name="dev",
    skeletons=("flux1", "flux1_checkpoint"),
    defaults=Defaults(width=1024, height=1024, steps=20, cfg_scale=3.5, sampling=LEFT_OPEN, clip_skip=None),
)
SCHNELL = ModelKind(
    name="schnell",
    skeletons=("flux1_schnell", "flux1_schnell_checkpoint"),
    defaults=replace(DEV.defaults, steps=4, cfg_scale=1),
    mark="schnell",
    versions=frozenset({"699279"}),  # FLUX.1 [schnell] of model 618692
)
# Not umT5, nor a file that only nodes outside the core can load.
T5XXL = r"^(?!.*\.gguf$).*(?<![a-z])t5[-_]?(?:v1[-_.]1[-_])?xxl"
CLIP_L = r"^(?!.*(?:hidream|\.gguf$)).*"
NO_OTHER_VAE = r"^(?!.*(?:flux[-_. ]?2|(?<![a-z])tae|\.gguf$)).*"
ROLES = (
    FileRole(name="t5xxl_fp8_e4m3fn.safetensors", patterns=(rf"{T5XXL}.*fp8_e4m3fn", rf"{T5XXL}.*fp16", T5XXL)),
    FileRole(
        name="clip_l.safetensors",
        patterns=(rf"{CLIP_L}(?<![a-z])clip[-_]?l(?![a-z])", rf"{CLIP_L}vit-l-14"),
    ),
    FileRole(
        name="ae.safetensors",
        patterns=(
            rf"{NO_OTHER_VAE}(?:^|/)ae\.[a-z]+$",
            rf"{NO_OTHER_VAE}(?:flux.*(?:vae|(?<![a-z])ae(?![a-z]))|(?:vae|(?<![a-z])ae(?![a-z])).*flux)",
        ),
    ),
)

FLUX1 = Ecosystem(
    name="flux1",
    aliases=("flux1kontext", "fluxkrea"),
    kinds=(DEV, SCHNELL),
    model_files={
        "unet_name": r"^(?!.*(?:flux[-_. ]?2|(?<![a-z])wan|qwen|hunyuan|ltx|hidream|cosmos|(?<![a-z])sd|z[-_]image))",
        "ckpt_name": r"^(?!.*flux[-_. ]?2).*flux",
    },
    roles=ROLES,
    undefined=Sampling("euler", "simple"),
    model_types=frozenset({CHECKPOINT, "unet", "diffusionmodel"}),
    has_clip_skip=False,
)
