"""Model files that a stand-in pretends to have: those of a catalogue, and what its graphs need beside them."""

import io
from collections.abc import Iterable, Mapping, Sequence

from PIL import Image

from civitai_mock.domain.resource import Resource
from civitai_mock.generation.control_nets.resources import BEST_KNOWN
from civitai_mock.providers.simulator.comfyui_server.options import Models

FOLDERS: Mapping[str, Sequence[str]] = {
    "checkpoint": ("checkpoints", "diffusion_models"),  # flux1 is loaded from either
    "lora": ("loras",),
    "lycoris": ("loras",),
    "locon": ("loras",),
    "dora": ("loras",),
    "vae": ("vae",),
    "embedding": ("embeddings",),
    "textualinversion": ("embeddings",),
    "controlnet": ("controlnet",),
    "hypernet": ("hypernetworks",),
    "hypernetwork": ("hypernetworks",),
    "upscaler": ("upscale_models",),
}
# Files that ComfyUI itself comes with, for checkpoints that do not tell what they are.
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
BESIDE: Models = {
    "configs": CONFIGS,
    "text_encoders": ["clip_g.safetensors", "clip_l.safetensors", "t5xxl_fp8_e4m3fn.safetensors"],
    "vae": ["ae.safetensors"],
    "upscale_models": ["RealESRGAN_x4plus.pth"],
    "controlnet": [name for of_ecosystem in BEST_KNOWN.values() for name in of_ecosystem.values()],
}

EXAMPLE = "example.png"
EXAMPLE_SIZE = (768, 768)


def example_picture() -> bytes:
    """Draw a stand-in for the picture that every ComfyUI has in its input folder from the start."""
    buffer = io.BytesIO()
    Image.radial_gradient("L").resize(EXAMPLE_SIZE).convert("RGB").save(buffer, "PNG")
    return buffer.getvalue()


def models_of(resources: Iterable[Resource]) -> Models:
    """By ComfyUI's folder names; a resource of a type that ComfyUI has no folder for is left out."""
    found: dict[str, list[str]] = {folder: list(names) for folder, names in BESIDE.items()}
    for resource in resources:
        for folder in FOLDERS.get((resource.air.type or "").lower(), ()):
            found.setdefault(folder, []).append(resource.file_name or resource.air.model_path)
    return found
