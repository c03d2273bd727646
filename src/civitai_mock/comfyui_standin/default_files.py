"""The files that a stand-in has from the start: model names for the resources of a catalogue, and an example image."""

import io
from collections.abc import Iterable

from PIL import Image

from civitai_mock.comfyui_standin.options import ModelNames
from civitai_mock.domain.resource import Resource
from civitai_mock.generation.comfyui_facts import FOLDERS_OF_TYPES
from civitai_mock.generation.control_nets.resources import BEST_KNOWN

# ComfyUI itself comes with these files, for checkpoints that do not say what they are.
CONFIGS = (
    "anything_v3.yaml",
    "v1-inference.yaml",
    "v1-inference_clip_skip_2.yaml",
    "v1-inference_clip_skip_2_fp16.yaml",
    "v1-inference_fp16.yaml",
    "v1-inpainting-inference.yaml",
    "v2-inference-v.yaml",
    "v2-inference-v_fp32.yaml",
    "v2-inference.yaml",
    "v2-inference_fp32.yaml",
    "v2-inpainting-inference.yaml",
)
OTHER_FILES: ModelNames = {
    "configs": CONFIGS,
    "text_encoders": ["clip_g.safetensors", "clip_l.safetensors", "t5xxl_fp8_e4m3fn.safetensors"],
    "vae": ["ae.safetensors"],
    "upscale_models": ["RealESRGAN_x4plus.pth"],
    "controlnet": [name for names in BEST_KNOWN.values() for name in names.values()],
}
EXAMPLE_IMAGE = "example.png"
EXAMPLE_SIZE = (768, 768)


def example_image() -> bytes:
    """Draw a stand-in for the image that every ComfyUI has in its input folder from the start."""
    buffer = io.BytesIO()
    Image.radial_gradient("L").resize(EXAMPLE_SIZE).convert("RGB").save(buffer, "PNG")
    return buffer.getvalue()


def default_model_names(resources: Iterable[Resource]) -> ModelNames:
    """Return file names for resources; a resource of a type that ComfyUI has no folder for is left out."""
    found: dict[str, list[str]] = {folder: list(names) for folder, names in OTHER_FILES.items()}
    for resource in resources:
        for folder in FOLDERS_OF_TYPES.get((resource.air.type or "").lower(), ()):
            found.setdefault(folder, []).append(resource.file_name or resource.air.model_path)
    return found
