"""Make the files of output nodes for images: PNG, animated PNG and animated WebP."""

import io
from collections.abc import Iterator
from functools import partial

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from civitai_mock.drawing.outputs.output_context import Files, OutputContext
from civitai_mock.generation.comfyui_facts import GRAPH_KEYWORD

MODEL_TAG, MAKE_TAG = (
    0x0110,
    0x010F,
)  # of EXIF: the graph is in the first, other texts are from the second downwards
WEBP_METHODS = {"default": 4, "fastest": 0, "slowest": 6}


def png_files(context: OutputContext) -> Files:
    return [partial(context.images.png, context.link, index, context.texts) for index in range(context.batch.count)]


def animated_png(context: OutputContext) -> Files:
    return [partial(_png, context)]


def animated_webp(context: OutputContext) -> Files:
    return [partial(_webp, context)]


def _png(context: OutputContext) -> bytes:
    chunks = PngInfo()
    for keyword, text in context.texts.items():
        content = keyword.encode("latin-1", "replace") + b"\0" + text.encode("latin-1", "replace")
        chunks.add(b"comf", content, after_idat=True)
    first, *others = _frames(context)
    file = io.BytesIO()
    level = min(max(int(context.real("compress_level", 4)), 0), 9)
    options = {"pnginfo": chunks, "compress_level": level, "duration": _milliseconds(context)}
    first.save(file, "PNG", save_all=True, append_images=others, **options)
    return file.getvalue()


def _webp(context: OutputContext) -> bytes:
    exif = Image.Exif()
    extra = [(keyword, text) for keyword, text in context.texts.items() if keyword != GRAPH_KEYWORD]
    exif[MODEL_TAG] = f"{GRAPH_KEYWORD}:{context.texts.get(GRAPH_KEYWORD, '{}')}"
    for tag, (keyword, text) in zip(range(MAKE_TAG, 0, -1), extra, strict=False):
        exif[tag] = f"{keyword}:{text}"
    first, *others = _frames(context)
    file = io.BytesIO()
    is_lossless = context.nodes.value(context.node_id, "lossless") is not False
    quality = min(max(int(context.real("quality", 80)), 0), 100)
    options = {"lossless": is_lossless, "quality": quality, "method": WEBP_METHODS.get(context.text("method"), 4)}
    first.save(file, "WEBP", save_all=True, append_images=others, duration=_milliseconds(context), exif=exif, **options)
    return file.getvalue()


def _frames(context: OutputContext) -> Iterator[Image.Image]:
    for index in range(context.batch.count):
        image = context.image(index)
        yield image if image.mode == "RGBA" else image.convert("RGB")


def _milliseconds(context: OutputContext) -> int:
    return int(1000 / max(context.real("fps", 6.0), 0.01))
