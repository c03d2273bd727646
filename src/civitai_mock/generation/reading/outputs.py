"""ComfyUI's output nodes: what each makes of the one input that matters."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputNode:
    """`suffix` is that of the files it makes, one for each picture if `each`; `key` is where history tells of them.

    Files of the temp folder are shown and not kept. Without a `key` nobody is told of the files.
    """

    input: str
    suffix: str = ""
    key: str = ""
    each: bool = False
    is_temp: bool = False


SHOWN_IN_3D = OutputNode(input="model_file", key="result")

OUTPUTS: Mapping[str, OutputNode] = {
    "SaveImage": OutputNode(input="images", suffix="png", key="images", each=True),
    "PreviewImage": OutputNode(input="images", suffix="png", key="images", each=True, is_temp=True),
    "MaskPreview": OutputNode(input="mask", suffix="png", key="images", each=True, is_temp=True),
    "SaveImageWebsocket": OutputNode(input="images", suffix="png", each=True),
    "SaveAnimatedPNG": OutputNode(input="images", suffix="png", key="images"),
    "SaveAnimatedWEBP": OutputNode(input="images", suffix="webp", key="images"),
    "SaveWEBM": OutputNode(input="images", suffix="webm", key="images"),
    "SaveVideo": OutputNode(input="video", suffix="mp4", key="images"),
    "SaveSVGNode": OutputNode(input="svg", suffix="svg", key="images"),
    "LossGraphNode": OutputNode(input="loss", suffix="png", key="images", is_temp=True),
    "SaveAudio": OutputNode(input="audio", suffix="flac", key="audio"),
    "SaveAudioMP3": OutputNode(input="audio", suffix="mp3", key="audio"),
    "SaveAudioOpus": OutputNode(input="audio", suffix="opus", key="audio"),
    "PreviewAudio": OutputNode(input="audio", suffix="flac", key="audio", is_temp=True),
    "SaveLatent": OutputNode(input="samples", suffix="latent", key="latents"),
    "SaveGLB": OutputNode(input="mesh", suffix="glb", key="3d"),
    "PreviewAny": OutputNode(input="source", key="text"),
    "Preview3D": SHOWN_IN_3D,
    "Preview3DAnimation": SHOWN_IN_3D,
    "CLIPSave": OutputNode(input="clip", suffix="safetensors"),
    "CheckpointSave": OutputNode(input="model", suffix="safetensors"),
    "ImageOnlyCheckpointSave": OutputNode(input="model", suffix="safetensors"),
    "LoraSave": OutputNode(input="filename_prefix", suffix="safetensors"),
    "ModelSave": OutputNode(input="model", suffix="safetensors"),
    "SaveLoRANode": OutputNode(input="lora", suffix="safetensors"),
    "VAESave": OutputNode(input="vae", suffix="safetensors"),
}
NO_OUTPUT = OutputNode(input="")
WEBSOCKET = "SaveImageWebsocket"


def result_count(class_type: str, pictures: int) -> int:
    """How many files of a node a client can ask for."""
    node = OUTPUTS.get(class_type, NO_OUTPUT)
    if not node.suffix or not (node.key or class_type == WEBSOCKET):
        return 0
    return pictures if node.each else 1
