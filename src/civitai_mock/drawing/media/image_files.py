"""Image files: open them within limits, and write them as JPEG, PNG, WebP or GIF with what they say of themselves."""

import io
import warnings
from collections.abc import Callable, Mapping, Sequence

from PIL import ExifTags, Image, ImageOps
from PIL.PngImagePlugin import PngInfo

from civitai_mock.domain.errors import JobError
from civitai_mock.generation.comfyui_facts import GRAPH_KEYWORD
from civitai_mock.generation.graph_reader.infotext import PARAMETERS_KEYWORD
from civitai_mock.generation.media import ImageFile, ImageFormat

# What Pillow makes of a broken file is said in an error; it also writes warnings of it to standard error.
warnings.filterwarnings("ignore", category=UserWarning, module="PIL")
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning, module="PIL")
MAX_PIXELS = 8192 * 8192
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
NOT_AN_IMAGE = (OSError, SyntaxError, ValueError, Image.DecompressionBombError)
# A1111 writes the parameters as a comment of the camera's user, in UTF-16; ComfyUI the graph into the camera's model.
USER_COMMENT, CAMERA_MODEL = ExifTags.Base.UserComment, ExifTags.Base.Model
UNICODE = b"UNICODE\0"
MOST_EXIF_BYTES = 64_000  # a JPEG has room for one segment of at most 65,533
MOST_COMMENT_CHARACTERS = 24_000
NOTE = "Civitai metadata"
FASTEST = 1
DEFAULT_DURATION = 100  # of a frame, in ms


def open_image(content: bytes, *, width: int | None = None) -> Image.Image:
    """Return the first image of a file, decoded; one that may be smaller is decoded no larger than `width` needs.

    Raise `JobError` for other bytes, a broken file, or too many pixels.
    """
    try:
        image = Image.open(io.BytesIO(content), formats=FORMATS)
    except NOT_AN_IMAGE as error:
        raise JobError("The file is not a readable PNG, JPEG, WebP, GIF or BMP image.", cause=str(error)) from error
    if image.width * image.height > MAX_PIXELS:
        raise JobError(
            f"The image is too large: {image.width} x {image.height} are more than {MAX_PIXELS} pixels.",
            width=image.width,
            height=image.height,
        )
    if width is not None:
        image.draft("RGB", (width, max(image.height * width // image.width, 1)))
    try:
        image.load()
    except NOT_AN_IMAGE as error:
        raise broken_image() from error
    return image


def check_size(width: int, height: int) -> None:
    """Raise `JobError` for more pixels than an image may have."""
    if width * height > MAX_PIXELS:
        raise JobError(f"The image would be too large: {width} x {height} are more than {MAX_PIXELS} pixels.")


def broken_image() -> JobError:
    return JobError("The image is broken.")


def upright(image: Image.Image) -> Image.Image:
    """Return an image, RGB or RGBA, as EXIF says that it has to be turned."""
    turned = ImageOps.exif_transpose(image)
    return turned.convert("RGBA" if turned.has_transparency_data else "RGB")


def texts_of(image: Image.Image) -> Mapping[str, str]:
    """Return what an image says of how it was made, by the keywords of PNG."""
    said = {name: image.info[name] for name in (PARAMETERS_KEYWORD, GRAPH_KEYWORD) if name in image.info}
    texts = {name: text for name, text in said.items() if isinstance(text, str)}
    if image.format == "GIF" and isinstance(image.info.get("comment"), bytes):
        texts[PARAMETERS_KEYWORD] = image.info["comment"].decode("utf-8", "replace")
    return texts or _exif_texts(image.getexif())


def encode(
    image: Image.Image, file: ImageFile, texts: Mapping[str, str], *, others: Sequence[Image.Image] = ()
) -> bytes:
    """Write an image as a file; `others` follow it in an animation, where the format can hold one.

    `texts` are by the keywords of PNG; of what is too long for EXIF the graph is left out first. Raise `JobError` for
    an image that the format cannot hold: none of its sides may be too long.
    """
    buffer = io.BytesIO()
    try:
        WRITERS[file.format](image, buffer, file, _noted(texts, file.note) if file.has_metadata else {}, others)
    except (OSError, ValueError) as error:
        raise JobError(
            f"The image cannot be written as {file.format}; it has {image.width} x {image.height} pixels.",
            cause=str(error),
        ) from error
    return buffer.getvalue()


def _noted(texts: Mapping[str, str], note: str | None) -> Mapping[str, str]:
    """Return the texts with a note where the website reads one: behind the last setting of the parameters."""
    if not note:
        return texts
    parameters = filter(None, (texts.get(PARAMETERS_KEYWORD), f"{NOTE}: {note}"))
    return {**texts, PARAMETERS_KEYWORD: ", ".join(parameters)}


def _write_jpeg(
    image: Image.Image, buffer: io.BytesIO, file: ImageFile, texts: Mapping[str, str], _: Sequence[Image.Image]
) -> None:
    _on_white(image).save(buffer, "JPEG", quality=file.quality, exif=_exif(texts))


def _write_png(
    image: Image.Image, buffer: io.BytesIO, _: ImageFile, texts: Mapping[str, str], __: Sequence[Image.Image]
) -> None:
    chunks = PngInfo()
    for keyword, text in texts.items():
        chunks.add_text(keyword, text)
    image.save(buffer, "PNG", compress_level=FASTEST, pnginfo=chunks)


def _write_webp(
    image: Image.Image, buffer: io.BytesIO, file: ImageFile, texts: Mapping[str, str], others: Sequence[Image.Image]
) -> None:
    options = {"quality": file.quality, "lossless": file.is_lossless, "method": 2, "exif": _exif(texts)}
    image.save(buffer, "WEBP", **options, **_animated(image, others))


def _write_gif(
    image: Image.Image, buffer: io.BytesIO, _: ImageFile, texts: Mapping[str, str], others: Sequence[Image.Image]
) -> None:
    comment = texts.get(PARAMETERS_KEYWORD, "")[:MOST_COMMENT_CHARACTERS].encode()
    image.save(buffer, "GIF", **({"comment": comment} if comment else {}), **_animated(image, others))


WRITERS: Mapping[
    ImageFormat, Callable[[Image.Image, io.BytesIO, ImageFile, Mapping[str, str], Sequence[Image.Image]], None]
] = {
    ImageFormat.JPEG: _write_jpeg,
    ImageFormat.PNG: _write_png,
    ImageFormat.WEBP: _write_webp,
    ImageFormat.GIF: _write_gif,
}


def _animated(image: Image.Image, others: Sequence[Image.Image]) -> Mapping[str, object]:
    if not others:
        return {}
    durations = [frame.info.get("duration", DEFAULT_DURATION) for frame in (image, *others)]
    return {"save_all": True, "append_images": others, "duration": durations, "loop": 0}


def _on_white(image: Image.Image) -> Image.Image:
    """Return an image without transparency, which a JPEG cannot have."""
    if image.mode != "RGBA":
        return image.convert("RGB")
    paper = Image.new("RGB", image.size, "white")
    paper.paste(image, mask=image.getchannel("A"))
    return paper


def _exif(texts: Mapping[str, str]) -> bytes:
    """Return EXIF with the parameters, and the graph where there is room for it; nothing where there is nothing."""
    parameters = texts.get(PARAMETERS_KEYWORD, "")[:MOST_COMMENT_CHARACTERS]
    graph = f"{GRAPH_KEYWORD}:{texts[GRAPH_KEYWORD]}" if GRAPH_KEYWORD in texts else ""
    exif = Image.Exif()
    if parameters:
        exif.get_ifd(ExifTags.IFD.Exif)[USER_COMMENT] = UNICODE + parameters.encode("utf-16-be", "replace")
    if graph and len(graph.encode()) + 2 * len(parameters) < MOST_EXIF_BYTES:
        exif[CAMERA_MODEL] = graph
    return exif.tobytes() if parameters or CAMERA_MODEL in exif else b""


def _exif_texts(exif: Image.Exif) -> Mapping[str, str]:
    texts = {}
    comment = exif.get_ifd(ExifTags.IFD.Exif).get(USER_COMMENT)
    if isinstance(comment, bytes) and comment.startswith(UNICODE):
        texts[PARAMETERS_KEYWORD] = comment[len(UNICODE) :].decode("utf-16-be", "replace")
    keyword, _, graph = str(exif.get(CAMERA_MODEL, "")).partition(":")
    if keyword == GRAPH_KEYWORD:
        texts[GRAPH_KEYWORD] = graph
    return texts
