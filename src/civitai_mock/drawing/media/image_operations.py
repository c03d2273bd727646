"""Operations on images: other formats and sizes, blur, and transparency."""

from collections.abc import Sequence
from itertools import islice

from PIL import Image, ImageDraw, ImageFilter, ImageSequence

from civitai_mock.domain.blob import BlobFacts
from civitai_mock.domain.errors import JobError
from civitai_mock.domain.media import UNKNOWN_TYPE, sniffed_type
from civitai_mock.drawing.media.image_files import (
    DEFAULT_DURATION,
    MAX_PIXELS,
    NOT_AN_IMAGE,
    broken_image,
    check_size,
    encode,
    open_image,
    texts_of,
    upright,
)
from civitai_mock.drawing.media.preprocessors import preprocess
from civitai_mock.drawing.media.recipes import redraw
from civitai_mock.generation.media import Derived, ImageFile, ImageFormat, MadeFile, MediaInput
from civitai_mock.generation.operations import (
    BlackenImage,
    Blur,
    ConvertImage,
    KeepImage,
    PreprocessImage,
    PreviewImage,
    RedrawImage,
    RemoveBackground,
    Resize,
    UpscaleImage,
)

ANIMATED = frozenset({ImageFormat.WEBP, ImageFormat.GIF})
MAX_FRAMES = 500
OVAL = (0.12, 0.06, 0.88, 0.97)  # left, top, right and bottom, in parts of the sides
EDGE = 0.01  # how wide the oval's edge is, in parts of the shorter side


def convert_image(operation: ConvertImage, inputs: Sequence[MediaInput]) -> Derived:
    image = open_input(inputs)
    texts, file = texts_of(image), operation.file
    first, *others = [_transformed(frame, operation.transforms) for frame in _frames(image, operation)]
    return _one_image(first, file, encode(first, file, texts, others=others))


def keep_image(_: KeepImage, inputs: Sequence[MediaInput]) -> Derived:
    """Return the bytes of an image that can be read; a name of its kind of file it is given by its bytes."""
    image, content = open_input(inputs), inputs[0].content or b""
    facts = BlobFacts(width=image.width, height=image.height)
    return Derived(files=[MadeFile(content=content, content_type=sniffed_type(content) or UNKNOWN_TYPE, facts=facts)])


def preview_image(operation: PreviewImage, inputs: Sequence[MediaInput]) -> Derived:
    image = upright(open_input(inputs, width=operation.width))
    small = _resized(image, min(image.width, operation.width))
    return _one_image(small, operation.file, encode(small, operation.file, {}))


def blacken_image(_: BlackenImage, inputs: Sequence[MediaInput]) -> Derived:
    """Raise `JobError` for a format that images are not given out in."""
    image = open_input(inputs)
    known = {image_format.upper(): image_format for image_format in ImageFormat}
    if image.format not in known:
        raise JobError(f"The image is a {image.format}, which is not written here.")
    file, black = ImageFile(format=known[image.format]), Image.new("RGB", upright(image).size)
    return _one_image(black, file, encode(black, file, texts_of(image)))


def upscale_image(operation: UpscaleImage, inputs: Sequence[MediaInput]) -> Derived:
    """Scale with a good filter; raise `JobError` for more pixels than an image may have."""
    image = open_input(inputs)
    small = upright(image)
    size = (small.width * operation.factor, small.height * operation.factor)
    check_size(*size)
    large = small.resize(size, Image.Resampling.LANCZOS)
    return _one_image(large, operation.file, encode(large, operation.file, texts_of(image)))


def redraw_image(operation: RedrawImage, inputs: Sequence[MediaInput]) -> Derived:
    before = upright(open_input(inputs))
    return Derived(files=[redraw(operation.recipe, before, operation.strength)])


def remove_background(operation: RemoveBackground, inputs: Sequence[MediaInput]) -> Derived:
    image = open_input(inputs)
    texts, cut = texts_of(image), upright(image).convert("RGBA")
    left, top, right, bottom = OVAL
    mask = Image.new("L", cut.size, 0)
    box = (cut.width * left, cut.height * top, cut.width * right, cut.height * bottom)
    ImageDraw.Draw(mask).ellipse(box, fill=255)
    cut.putalpha(mask.filter(ImageFilter.GaussianBlur(max(min(cut.size) * EDGE, 1))))
    return _one_image(cut, operation.file, encode(cut, operation.file, texts))


def preprocess_image(operation: PreprocessImage, inputs: Sequence[MediaInput]) -> Derived:
    image = preprocess(upright(open_input(inputs)).convert("RGB"), operation)
    return _one_image(image, operation.file, encode(image, operation.file, {}))


def convert(content: bytes, file: ImageFile) -> bytes:
    """Write an image anew, with the texts that it has."""
    (made,) = convert_image(ConvertImage(file=file), [MediaInput(source="", content=content)]).files
    return made.content


def open_input(inputs: Sequence[MediaInput], *, width: int | None = None) -> Image.Image:
    """Return the first input as `open_image` does; raise `JobError` for one that is not an image."""
    content = inputs[0].content if inputs else None
    if content is None:
        raise JobError("There is no image.")
    return open_image(content, width=width)


def _frames(image: Image.Image, operation: ConvertImage) -> Sequence[Image.Image]:
    """Return all images of an animation, if the format can hold them, as far as there is room for their pixels."""
    if operation.file.format not in ANIMATED or not getattr(image, "is_animated", False):
        return [upright(image)]
    most = min(operation.max_frames or MAX_FRAMES, MAX_FRAMES, max(MAX_PIXELS // (image.width * image.height), 1))
    try:
        return [_frame(frame) for frame in islice(ImageSequence.Iterator(image), most)]
    except NOT_AN_IMAGE as error:
        raise broken_image() from error


def _frame(animation: Image.Image) -> Image.Image:
    """Return a copy of the frame that an animation shows now, with its time."""
    frame = upright(animation)
    frame.info["duration"] = animation.info.get("duration", DEFAULT_DURATION)
    return frame


def _transformed(image: Image.Image, transforms: Sequence[Resize | Blur]) -> Image.Image:
    for transform in transforms:
        duration = image.info.get("duration")
        image = _resized(image, transform.width) if isinstance(transform, Resize) else _blurred(image, transform)
        if duration is not None:
            image.info["duration"] = duration
    return image


def _resized(image: Image.Image, width: int) -> Image.Image:
    if width == image.width:
        return image
    height = max(round(image.height * width / image.width), 1)
    check_size(width, height)
    return image.resize((width, height), Image.Resampling.LANCZOS)


def _blurred(image: Image.Image, blur: Blur) -> Image.Image:
    mask = Image.new("L", image.size, 255 if blur.is_outside or not blur.regions else 0)
    for region in blur.regions:
        box = (
            min(region.x1, region.x2),
            min(region.y1, region.y2),
            max(region.x1, region.x2),
            max(region.y1, region.y2),
        )
        mask.paste(0 if blur.is_outside else 255, box)
    return Image.composite(image.filter(ImageFilter.GaussianBlur(blur.radius)), image, mask)


def _one_image(image: Image.Image, file: ImageFile, content: bytes) -> Derived:
    facts = BlobFacts(width=image.width, height=image.height)
    return Derived(files=[MadeFile(content=content, content_type=file.content_type, facts=facts)])
