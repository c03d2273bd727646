"""Operations on colours: load, blend, blur, sharpen, quantize and compose images of the same size."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageFilter, ImageOps

from civitai_mock.drawing.pixels.node_images import NodeImages, Operation
from civitai_mock.drawing.pixels.scaling import scaled
from civitai_mock.generation.comfyui_facts import LATENT_CELL

Tones: TypeAlias = NDArray[np.float32]

MAX_RADIUS = 31
SHARPENING = 10  # times alpha
BLENDS: Mapping[str, Callable[[Image.Image, Image.Image], Image.Image]] = {
    "multiply": ImageChops.multiply,
    "screen": ImageChops.screen,
    "overlay": ImageChops.overlay,
    "soft_light": ImageChops.soft_light,
}
MAX_KERNEL = 31
PAD_GREY = (127, 127, 127, 127)  # a half, rounded down


def _blurred(node: NodeImages) -> Image.Image:
    image = node.image("image")
    radius = min(node.view.whole("blur_radius", 1), MAX_RADIUS)
    return _image(_smooth(_tones(image), radius, node.view.real("sigma", 1.0)), image.mode)


def _sharpened(node: NodeImages) -> Image.Image:
    """Add what a blur would take away, `strength` times."""
    image = node.image("image")
    radius = min(node.view.whole("sharpen_radius", 1), MAX_RADIUS)
    tones, strength = _tones(image), SHARPENING * node.view.real("alpha", 1.0)
    return _image(tones + strength * (tones - _smooth(tones, radius, node.view.real("sigma", 1.0))), image.mode)


def _smooth(tones: Tones, radius: int, sigma: float) -> Tones:
    """Blur along one axis and then the other; beyond the edge the image is mirrored."""
    if radius < 1:
        return tones
    weights = np.exp(-(np.linspace(-1, 1, 2 * radius + 1) ** 2) / (2 * max(sigma, 0.01) ** 2))
    for axis in (0, 1):
        lines = np.moveaxis(tones, axis, 0)
        padded = np.pad(lines, [(radius, radius)] + [(0, 0)] * (tones.ndim - 1), mode="reflect")
        total = np.zeros_like(lines)
        for offset, weight in enumerate(weights / weights.sum()):
            total += np.float32(weight) * padded[offset : offset + len(lines)]
        tones = np.moveaxis(total, 0, axis)
    return tones


def _tones(image: Image.Image) -> Tones:
    return np.asarray(image).astype(np.float32)


def _image(tones: Tones, mode: str) -> Image.Image:
    image = Image.fromarray(np.clip(tones, 0, 255).astype(np.uint8))
    return image if image.mode == mode else image.convert(mode)


def _empty(node: NodeImages) -> Image.Image:
    colour = node.view.whole("color", 0)
    return Image.new("RGB", node.size, (colour >> 16 & 255, colour >> 8 & 255, colour & 255))


def _loaded(node: NodeImages) -> Image.Image:
    image = _of_file(node, "image")
    if node.view.output == 0:
        return image.convert("RGB")
    return ImageOps.invert(image.getchannel("A")) if image.mode == "RGBA" else Image.new("L", node.size)


def _channel(node: NodeImages) -> Image.Image:
    """Return a channel as it is, but the alpha channel inverted: what is transparent is masked."""
    image, name = _of_file(node, "image").convert("RGBA"), node.view.text("channel")
    channel = image.getchannel(name[:1].upper() if name in {"red", "green", "blue"} else "A")
    return channel if name in {"red", "green", "blue"} else ImageOps.invert(channel)


def _of_file(node: NodeImages, name: str) -> Image.Image:
    images = node.file(node.view.text(name))
    return images[node.index % len(images)] if images else Image.new("RGB", node.size)


def _frame(node: NodeImages) -> Image.Image:
    return _of_file(node, "file")


def _inverted(node: NodeImages) -> Image.Image:
    image = node.image("image")
    inverted = ImageOps.invert(image.convert("RGB"))
    if image.mode == "RGBA":
        inverted.putalpha(ImageOps.invert(image.getchannel("A")))
    return inverted


def _blended(node: NodeImages) -> Image.Image:
    one = node.colours("image1")
    other = scaled(node.colours("image2"), one.size, method="bicubic", crop="center")
    blend, share = BLENDS.get(node.view.text("blend_mode")), min(max(node.view.real("blend_factor", 0.5), 0), 1)
    if node.view.text("blend_mode") == "difference":  # not cut off at black before it is mixed
        return ImageChops.subtract(one, other.point(lambda value: round(value * share)))
    return Image.blend(one, blend(one, other) if blend else other, share)


def _quantized(node: NodeImages) -> Image.Image:
    dither = Image.Dither.NONE if node.view.text("dither") == "none" else Image.Dither.FLOYDSTEINBERG
    image, count = node.colours("image"), min(max(node.view.whole("colors", 256), 1), 256)
    return image.quantize(count, palette=image.quantize(count), dither=dither).convert("RGB")


def _edges(node: NodeImages) -> Image.Image:
    edges = node.colours("image").convert("L").filter(ImageFilter.GaussianBlur(1)).filter(ImageFilter.FIND_EDGES)
    threshold = 100 * node.view.real("low_threshold", 0.4)
    edges = edges.point(lambda value: 255 * (value > threshold))
    sheet = Image.new("L", edges.size)  # the filter leaves the outermost pixels as they were
    sheet.paste(edges.crop((1, 1, max(edges.width - 1, 1), max(edges.height - 1, 1))), (1, 1))
    return sheet.convert("RGB")


def _noisy(node: NodeImages) -> Image.Image:
    image = node.colours("image")
    random = np.random.default_rng([max(node.view.whole("seed", 0), 0), node.index])
    noise = random.normal(0, 255 * node.view.real("strength", 0.5), (image.height, image.width, 3))
    return Image.fromarray(np.clip(np.asarray(image) + noise, 0, 255).astype(np.uint8))


def _to_yuv(node: NodeImages) -> Image.Image:
    """Return one channel of three as an image of its own."""
    channel = node.colours("image").convert("YCbCr").getchannel(min(node.view.output, 2))
    return Image.merge("RGB", [channel] * 3)


def _from_yuv(node: NodeImages) -> Image.Image:
    channels = [scaled(node.image(name).convert("L"), node.size) for name in ("Y", "U", "V")]
    return Image.merge("YCbCr", channels).convert("RGB")


def _morphed(node: NodeImages) -> Image.Image:
    image, kernel = node.colours("image"), min(max(node.view.whole("kernel_size", 3), 1), MAX_KERNEL) | 1
    return MORPHOLOGY.get(node.view.text("operation"), _shrunk)(image, kernel)


def _shrunk(image: Image.Image, kernel: int) -> Image.Image:
    return image.filter(ImageFilter.MinFilter(kernel))


def _grown(image: Image.Image, kernel: int) -> Image.Image:
    return image.filter(ImageFilter.MaxFilter(kernel))


def _open(image: Image.Image, kernel: int) -> Image.Image:
    return _grown(_shrunk(image, kernel), kernel)


def _closed(image: Image.Image, kernel: int) -> Image.Image:
    return _shrunk(_grown(image, kernel), kernel)


MORPHOLOGY: Mapping[str, Callable[[Image.Image, int], Image.Image]] = {
    "erode": _shrunk,
    "dilate": _grown,
    "open": _open,
    "close": _closed,
    "gradient": lambda image, kernel: ImageChops.subtract(_grown(image, kernel), _shrunk(image, kernel)),
    "top_hat": lambda image, kernel: ImageChops.subtract(image, _open(image, kernel)),
    "bottom_hat": lambda image, kernel: ImageChops.subtract(_closed(image, kernel), image),
}


def _composed(node: NodeImages) -> Image.Image:
    image, source = node.image("destination").copy(), node.image("source")
    if node.view.nodes.value(node.view.node_id, "resize_source") is True:
        source = scaled(source, image.size)
    place = (node.view.whole("x", 0), node.view.whole("y", 0))
    if not node.view.has("mask"):
        image.paste(source.convert(image.mode), place)
    else:
        image.paste(source.convert(image.mode), place, scaled(node.mask("mask"), source.size))
    return image


def _mixed(name: str, other: str) -> Operation:
    """Blend latents as if they were images."""

    def operation(node: NodeImages) -> Image.Image:
        one, two = node.colours(name), scaled(node.colours(other), node.size, crop="center")
        factor = node.view.real("blend_factor", node.view.real("ratio", 0.5))
        return Image.blend(two, one, min(max(factor, 0), 1))

    return operation


def _pasted(node: NodeImages) -> Image.Image:
    image = node.colours("samples_to").copy()
    left, top = (node.view.whole(name, 0) // LATENT_CELL * LATENT_CELL for name in ("x", "y"))
    image.paste(node.colours("samples_from"), (left, top))
    return image


def padded_image(node: NodeImages) -> Image.Image:
    left, top = node.view.whole("left", 0), node.view.whole("top", 0)
    image = node.image("image")
    sheet = Image.new(image.mode, node.size, PAD_GREY[: len(image.getbands())])
    sheet.paste(image, (left, top))
    return sheet


OPERATIONS: Mapping[str, Operation] = {
    **dict.fromkeys(("LoadImage", "LoadImageOutput", "WebcamCapture"), _loaded),
    "LoadImageMask": _channel,
    "LoadVideo": _frame,
    "EmptyImage": _empty,
    "Canny": _edges,
    "ImageAddNoise": _noisy,
    "ImageBlend": _blended,
    "ImageBlur": _blurred,
    "ImageCompositeMasked": _composed,
    "ImageInvert": _inverted,
    "ImageQuantize": _quantized,
    "ImageRGBToYUV": _to_yuv,
    "ImageSharpen": _sharpened,
    "ImageYUVToRGB": _from_yuv,
    "LatentBlend": _mixed("samples1", "samples2"),
    "LatentComposite": _pasted,
    "LatentCompositeMasked": _composed,
    "LatentInterpolate": _mixed("samples1", "samples2"),
    "Morphology": _morphed,
}
