"""Make the files of ComfyUI's output nodes, each by its node class."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import TypeAlias

from PIL import Image

from civitai_mock.domain.json_types import ReadOnlyJson
from civitai_mock.drawing.drawn_images import Draw
from civitai_mock.drawing.outputs import images, placeholders
from civitai_mock.drawing.outputs.output_context import Files, OutputContext
from civitai_mock.drawing.pixels.graph_images import GraphImages, ReadFile, encode_image
from civitai_mock.generation.comfyui_facts import STREAMING_CLASS
from civitai_mock.generation.graph_reader.nodes import Nodes

FilesOfNode: TypeAlias = Callable[[OutputContext], Files]

LOSS_GRAPH_SIZE = (800, 600)
MP3_BIT_RATES = {"V0": 245_000, "128k": 128_000, "320k": 320_000}


def files_of(context: OutputContext) -> Files:
    """Return a function for each of a node's files, in order; a node that only shows something has none."""
    files = FILES_BY_CLASS.get(context.nodes.class_type(context.node_id))
    return files(context) if files else ()


def make_file(
    graph: ReadOnlyJson, node_id: str, index: int, *, texts: Mapping[str, str], read: ReadFile, draw: Draw
) -> bytes:
    """Make one file of an output node. It blocks, so it needs a thread."""
    images = GraphImages(Nodes(graph), read=read, draw=draw)
    return files_of(OutputContext(images=images, node_id=node_id, texts=texts))[index]()


def _one_file(make: Callable[[OutputContext], bytes]) -> FilesOfNode:
    return lambda context: [partial(make, context)]


def _webm(context: OutputContext) -> bytes:
    # PyAV is large: imported when the first video or sound is made, here and below.
    from civitai_mock.drawing.outputs.video import webm  # noqa: PLC0415

    return webm(context)


def _mp4(context: OutputContext) -> bytes:
    from civitai_mock.drawing.outputs.video import mp4  # noqa: PLC0415

    return mp4(context, context.images.read)


def _sound(container: str, codec: str, *, rate: int = 0) -> FilesOfNode:
    def sound(context: OutputContext) -> bytes:
        from civitai_mock.drawing.outputs.graph_sounds import GraphSounds  # noqa: PLC0415
        from civitai_mock.drawing.outputs.sound_files import SoundFile, encode_sound  # noqa: PLC0415

        quality = context.text("quality")
        bit_rate = MP3_BIT_RATES.get(quality) or (int(quality[:-1]) * 1000 if quality[:-1].isdigit() else 0)
        kind = SoundFile(container=container, codec=codec, rate=rate, bit_rate=bit_rate)
        return encode_sound(GraphSounds(context.nodes, context.images.read).at(context.link), kind)

    return _one_file(sound)


def _loss_graph(context: OutputContext) -> bytes:
    return encode_image(Image.new("RGB", LOSS_GRAPH_SIZE, "white"), context.texts)


FLAC = _sound("flac", "flac")
MODEL = _one_file(placeholders.model)
FILES_BY_CLASS: Mapping[str, FilesOfNode] = {
    **dict.fromkeys(("SaveImage", "PreviewImage", "MaskPreview", STREAMING_CLASS), images.png_files),
    "SaveAnimatedPNG": images.animated_png,
    "SaveAnimatedWEBP": images.animated_webp,
    "SaveWEBM": _one_file(_webm),
    "SaveVideo": _one_file(_mp4),
    "SaveAudio": FLAC,
    "PreviewAudio": FLAC,
    "SaveAudioMP3": _sound("mp3", "libmp3lame"),
    "SaveAudioOpus": _sound("ogg", "libopus", rate=48_000),
    "SaveLatent": _one_file(placeholders.latent),
    "SaveGLB": _one_file(placeholders.mesh),
    "SaveSVGNode": _one_file(placeholders.vector_graphic),
    "LossGraphNode": _one_file(_loss_graph),
    **dict.fromkeys(("LoraSave", "SaveLoRANode"), _one_file(placeholders.lora)),
    **dict.fromkeys(("CLIPSave", "CheckpointSave", "ImageOnlyCheckpointSave", "ModelSave", "VAESave"), MODEL),
}
