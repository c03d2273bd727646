"""ImageContent and animated images."""

import io
from collections.abc import Iterator
from functools import partial

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from civitai_mock.drawing.outputs.output_context import Files, OutputContext
from civitai_mock.generation.comfyui_facts import GRAPH_KEYWORD

MODEL_TAG, MAKER_TAG = 0x0110, 0x010F  # of EXIF; where ComfyUI puts the graph, and other texts from there downwards
METHODS = {"default": 4, "fastest": 0, "slowest": 6}


def images(making: OutputContext) -> Files:
    return [partial(making.images.png, making.link, index, making.texts) for index in range(making.frame.count)]


def animated_png(making: OutputContext) -> Files:
    return [partial(_png, making)]


def animated_webp(making: OutputContext) -> Files:
    return [partial(_webp, making)]


def _png(making: OutputContext) -> bytes:
    chunks = PngInfo()
    for keyword, words in making.texts.items():
        content = keyword.encode("latin-1", "replace") + b"\0" + words.encode("latin-1", "replace")
        chunks.add(b"comf", content, after_idat=True)
    first, *others = _frames(making)
    file = io.BytesIO()
    level = min(max(int(making.real("compress_level", 4)), 0), 9)
    options = {"pnginfo": chunks, "compress_level": level, "duration": _milliseconds(making)}
    first.save(file, "PNG", save_all=True, append_images=others, **options)
    return file.getvalue()


def _webp(making: OutputContext) -> bytes:
    exif = Image.Exif()
    extra = [(keyword, words) for keyword, words in making.texts.items() if keyword != GRAPH_KEYWORD]
    exif[MODEL_TAG] = f"{GRAPH_KEYWORD}:{making.texts.get(GRAPH_KEYWORD, '{}')}"
    for tag, (keyword, words) in zip(range(MAKER_TAG, 0, -1), extra, strict=False):
        exif[tag] = f"{keyword}:{words}"
    first, *others = _frames(making)
    file = io.BytesIO()
    is_lossless = making.nodes.value(making.node_id, "lossless") is not False
    quality = min(max(int(making.real("quality", 80)), 0), 100)
    options = {"lossless": is_lossless, "quality": quality, "method": METHODS.get(making.text("method"), 4)}
    first.save(file, "WEBP", save_all=True, append_images=others, duration=_milliseconds(making), exif=exif, **options)
    return file.getvalue()


def _frames(making: OutputContext) -> Iterator[Image.Image]:
    for index in range(making.frame.count):
        image = making.image(index)
        yield image if image.mode == "RGBA" else image.convert("RGB")


def _milliseconds(making: OutputContext) -> int:
    return int(1000 / max(making.real("fps", 6.0), 0.01))
