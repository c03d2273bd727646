"""Output nodes: which files they make, in which order the nodes count, and media types by file names."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.generation.comfyui_facts import STREAMING_CLASS


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputNode:
    """Describes the files that a class of output nodes makes of its `input`.

    Their names end in `suffix`; there is one for each image if `each`, else one in all. `key` is where the history of
    ComfyUI lists them; without it clients are not told of them. Files of the temp folder are shown and not kept.
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
    STREAMING_CLASS: OutputNode(input="images", suffix="png", each=True),
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


def result_count(class_type: str, images: int) -> int:
    """Return how many files of a node a client can ask for."""
    node = OUTPUTS.get(class_type, NO_OUTPUT)
    if not node.suffix or not (node.key or class_type == STREAMING_CLASS):
        return 0
    return images if node.each else 1


LONGEST_NUMBER = 20

Rank: TypeAlias = tuple[bool, tuple[int, ...]]


def output_rank(node_id: str, node_order: Sequence[str]) -> Rank:
    """Return a key to sort output nodes by: numbers as numbers, names after them as in the graph.

    `57:9` is a node inside a subgraph.
    """
    parts = node_id.split(":")
    if all(part.isascii() and part.isdigit() and len(part) < LONGEST_NUMBER for part in parts):
        return False, tuple(map(int, parts))
    return True, (node_order.index(node_id) if node_id in node_order else len(node_order),)


UNKNOWN_MEDIA_TYPE = "application/octet-stream"
MEDIA_TYPES: Mapping[str, str] = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "gif": "image/gif",
    "svg": "image/svg+xml",
    "mp4": "video/mp4",
    "webm": "video/webm",
    "flac": "audio/flac",
    "mp3": "audio/mpeg",
    "opus": "audio/ogg",
    "wav": "audio/wav",
    "glb": "model/gltf-binary",
}


def media_type_of(filename: str) -> str:
    return MEDIA_TYPES.get(filename.rpartition(".")[2].lower(), UNKNOWN_MEDIA_TYPE)
