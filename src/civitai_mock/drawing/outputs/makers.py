"""Which files each of ComfyUI's output nodes makes."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import TypeAlias

from PIL import Image

from civitai_mock.domain.json_types import ReadOnlyJson
from civitai_mock.drawing.outputs import images, numbers
from civitai_mock.drawing.outputs.output_context import Files, OutputContext
from civitai_mock.drawing.pixels.graph_images import GraphImages, ReadFile, encoded
from civitai_mock.drawing.png import Draw
from civitai_mock.generation.graph_reader.nodes import Nodes

Maker: TypeAlias = Callable[[OutputContext], Files]

GRAPH_SIZE = (800, 600)
MP3_BIT_RATES = {"V0": 245_000, "128k": 128_000, "320k": 320_000}


def files_of(making: OutputContext) -> Files:
    """Make a node's files in order; a node that only shows something has none."""
    maker = MAKERS.get(making.nodes.class_type(making.node_id))
    return maker(making) if maker else ()


def made(
    graph: ReadOnlyJson, node_id: str, index: int, *, texts: Mapping[str, str], read: ReadFile, draw: Draw
) -> bytes:
    """One file of an output node; blocking, for threads."""
    images = GraphImages(Nodes(graph), read=read, draw=draw)
    return files_of(OutputContext(images=images, node_id=node_id, texts=texts))[index]()


def _one(make: Callable[[OutputContext], bytes]) -> Maker:
    return lambda making: [partial(make, making)]


def _webm(making: OutputContext) -> bytes:
    # PyAV is large: imported when the first video or sound is made, here and below.
    from civitai_mock.drawing.outputs.video import webm  # noqa: PLC0415

    return webm(making)


def _movie(making: OutputContext) -> bytes:
    from civitai_mock.drawing.outputs.video import movie  # noqa: PLC0415

    return movie(making, making.images.read)


def _sound(container: str, codec: str, *, rate: int = 0) -> Maker:
    def make(making: OutputContext) -> bytes:
        from civitai_mock.drawing.outputs.sound import SoundFile, Sounds, encoded  # noqa: PLC0415

        quality = making.text("quality")
        bit_rate = MP3_BIT_RATES.get(quality) or (int(quality[:-1]) * 1000 if quality[:-1].isdigit() else 0)
        kind = SoundFile(container=container, codec=codec, rate=rate, bit_rate=bit_rate)
        return encoded(Sounds(making.nodes, making.images.read).at(making.link), kind)

    return _one(make)


def _loss_graph(making: OutputContext) -> bytes:
    return encoded(Image.new("RGB", GRAPH_SIZE, "white"), making.texts)


FLAC = _sound("flac", "flac")
MODEL = _one(numbers.model)
MAKERS: Mapping[str, Maker] = {
    **dict.fromkeys(("SaveImage", "PreviewImage", "MaskPreview", "SaveImageWebsocket"), images.images),
    "SaveAnimatedPNG": images.animated_png,
    "SaveAnimatedWEBP": images.animated_webp,
    "SaveWEBM": _one(_webm),
    "SaveVideo": _one(_movie),
    "SaveAudio": FLAC,
    "PreviewAudio": FLAC,
    "SaveAudioMP3": _sound("mp3", "libmp3lame"),
    "SaveAudioOpus": _sound("ogg", "libopus", rate=48_000),
    "SaveLatent": _one(numbers.latent),
    "SaveGLB": _one(numbers.mesh),
    "SaveSVGNode": _one(numbers.vector_graphic),
    "LossGraphNode": _one(_loss_graph),
    **dict.fromkeys(("LoraSave", "SaveLoRANode"), _one(numbers.lora)),
    **dict.fromkeys(("CLIPSave", "CheckpointSave", "ImageOnlyCheckpointSave", "ModelSave", "VAESave"), MODEL),
}
