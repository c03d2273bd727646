"""Operations that change the size of images: scale, crop, rotate, flip and stitch them."""

from collections.abc import Mapping

from PIL import Image

from civitai_mock.drawing.pixels.node_images import NodeImages, Operation, Size

FILTERS: Mapping[str, Image.Resampling] = {
    "nearest-exact": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "area": Image.Resampling.BOX,
    "bicubic": Image.Resampling.BICUBIC,
    "bislerp": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}
ROTATIONS: Mapping[str, Image.Transpose] = {
    "90 degrees": Image.Transpose.ROTATE_270,  # ComfyUI rotates clockwise
    "180 degrees": Image.Transpose.ROTATE_180,
    "270 degrees": Image.Transpose.ROTATE_90,
}
WHITE, BLACK = (255, 255, 255), (0, 0, 0)
COLOURS: Mapping[str, tuple[int, int, int]] = {
    "white": WHITE,
    "black": BLACK,
    "red": (255, 0, 0),
    "green": (0, 255, 0),
    "blue": (0, 0, 255),
}


def scaled(image: Image.Image, size: Size, *, method: str = "bilinear", crop: str = "disabled") -> Image.Image:
    """Scale as ComfyUI's common_upscale does; crop `center` cuts off both ends of the side that is too long."""
    if image.size == size:
        return image
    left = top = 0
    if crop == "center":
        before, after = image.width / image.height, size[0] / size[1]
        left = round((image.width - image.width * after / before) / 2) if before > after else 0
        top = round((image.height - image.height * before / after) / 2) if before < after else 0
    box = (left, top, max(image.width - left, left + 1), max(image.height - top, top + 1))
    return image.resize(size, FILTERS.get(method, Image.Resampling.BILINEAR), box)


def _scale(name: str) -> Operation:
    def operation(node: NodeImages) -> Image.Image:
        method, crop = node.view.text("upscale_method"), node.view.text("crop")
        return scaled(node.image(name), node.size, method=method or "lanczos", crop=crop)

    return operation


def _for_kontext(node: NodeImages) -> Image.Image:
    return scaled(node.image("image"), node.size, method="lanczos", crop="center")


def _crop(name: str) -> Operation:
    def operation(node: NodeImages) -> Image.Image:
        image = node.image(name)
        x, y = (max(node.view.whole(side, 0), 0) for side in ("x", "y"))
        x, y = min(x, image.width - node.size[0]), min(y, image.height - node.size[1])
        return image.crop((x, y, x + node.size[0], y + node.size[1]))

    return operation


def _encode(node: NodeImages) -> Image.Image:
    """Cut off what is not a whole latent cell, the same on both sides."""
    image = node.image("pixels").convert("RGB")
    left, top = (image.width - node.size[0]) // 2, (image.height - node.size[1]) // 2
    return image.crop((left, top, left + node.size[0], top + node.size[1]))


def _rotate(name: str) -> Operation:
    def operation(node: NodeImages) -> Image.Image:
        image, rotation = node.image(name), ROTATIONS.get(node.view.text("rotation"))
        return image if rotation is None else image.transpose(rotation)

    return operation


def _flip(name: str) -> Operation:
    def operation(node: NodeImages) -> Image.Image:
        is_upside_down = node.view.text("flip_method").startswith("x")
        flip = Image.Transpose.FLIP_TOP_BOTTOM if is_upside_down else Image.Transpose.FLIP_LEFT_RIGHT
        return node.image(name).transpose(flip)

    return operation


def _stitch(node: NodeImages) -> Image.Image:
    one = node.image("image1", min(node.index, node.count("image1") - 1))
    if not node.view.has("image2"):
        return one
    other = node.image("image2", min(node.index, node.count("image2") - 1))
    direction, colour = node.view.text("direction"), COLOURS.get(node.view.text("spacing_color"), (255, 255, 255))
    is_row = direction not in {"up", "down"}
    if node.view.nodes.value(node.view.node_id, "match_image_size") is not False:
        gap = node.size[0] - one.width if is_row else node.size[1] - one.height
        space = max(node.view.whole("spacing_width", 0), 0)
        room = max(gap - space - space % 2, 1)
        other = scaled(other, (room, one.height) if is_row else (one.width, room), method="lanczos")
    around = colour if colour == WHITE else BLACK  # the gap's colour is never used to fill up a smaller image
    sheet = Image.new("RGBA" if "RGBA" in {one.mode, other.mode} else "RGB", node.size, around)
    first, last = (other, one) if direction in {"left", "up"} else (one, other)
    sheet.paste(colour, _gap(sheet, first, last, is_row=is_row))
    sheet.paste(first, _middle(sheet, first, is_row=is_row, at_end=False))
    sheet.paste(last, _middle(sheet, last, is_row=is_row, at_end=True))
    return sheet


def _gap(sheet: Image.Image, first: Image.Image, last: Image.Image, *, is_row: bool) -> tuple[int, int, int, int]:
    if is_row:
        return first.width, 0, max(sheet.width - last.width, first.width), sheet.height
    return 0, first.height, sheet.width, max(sheet.height - last.height, first.height)


def _middle(sheet: Image.Image, image: Image.Image, *, is_row: bool, at_end: bool) -> Size:
    x, y = (sheet.width - image.width, sheet.height - image.height) if at_end else (0, 0)
    return (x, (sheet.height - image.height) // 2) if is_row else ((sheet.width - image.width) // 2, y)


def _fit(node: NodeImages) -> Image.Image:
    image = node.image("image")
    factor = min(node.size[0] / image.width, node.size[1] / image.height)
    inner = (max(int(image.width * factor), 1), max(int(image.height * factor), 1))
    sheet = Image.new(image.mode, node.size, "black" if node.view.text("padding_color") == "black" else "white")
    small = scaled(image, inner, method=node.view.text("interpolation"))
    sheet.paste(small, ((node.size[0] - inner[0]) // 2, (node.size[1] - inner[1]) // 2))
    return sheet


# An image that is drawn can be drawn at once in the size that these make of it.
RESIZING: Mapping[str, Operation] = {
    **dict.fromkeys(
        ("ImageScale", "ImageScaleBy", "ImageScaleToMaxDimension", "ImageScaleToTotalPixels"), _scale("image")
    ),
    "FluxKontextImageScale": _for_kontext,
    "ImageUpscaleWithModel": _scale("image"),
}
OPERATIONS: Mapping[str, Operation] = {
    **RESIZING,
    "ImageCrop": _crop("image"),
    "CropMask": _crop("mask"),
    "ImageFlip": _flip("image"),
    "ImageRotate": _rotate("image"),
    "ImageStitch": _stitch,
    "ResizeAndPadImage": _fit,
    "LatentCrop": _crop("samples"),
    "LatentFlip": _flip("samples"),
    "LatentRotate": _rotate("samples"),
    **dict.fromkeys(("LatentUpscale", "LatentUpscaleBy"), _scale("samples")),
    **dict.fromkeys(("VAEEncode", "VAEEncodeTiled", "VAEEncodeForInpaint", "InpaintModelConditioning"), _encode),
}
