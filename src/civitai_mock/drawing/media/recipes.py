"""Make the files of recipes."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from PIL import Image, ImageOps

from civitai_mock.domain.blob import BlobFacts
from civitai_mock.drawing.media.image_files import check_size, encode
from civitai_mock.drawing.media.placeholders import make_placeholder
from civitai_mock.drawing.painter.poster import paint
from civitai_mock.drawing.png import GREY
from civitai_mock.generation.file_recipes import FileRecipe, ImageRecipe, PlaceholderRecipe, SoundRecipe, VideoRecipe
from civitai_mock.generation.graph_reader.image_batches.batch import ImageBatch
from civitai_mock.generation.graph_reader.infotext import PARAMETERS_KEYWORD, infotext
from civitai_mock.generation.graph_reader.output_images import OutputImages
from civitai_mock.generation.media import ImageContent, ImageFile, MadeFile


def make_file(recipe: FileRecipe) -> bytes:
    """Make the file of a recipe, always the same for the same recipe. It blocks, so it needs a thread."""
    return MAKERS[type(recipe)](recipe)


def draw_image(
    output: OutputImages, index: int, *, texts: Mapping[str, str], content: ImageContent, file: ImageFile
) -> bytes:
    """Draw one image of an output, as the file that was asked for."""
    return encode(_image(output, index, content), file, texts)


def _image(output: OutputImages, index: int, content: ImageContent) -> Image.Image:
    if content == ImageContent.BLANK:
        return Image.new("RGB", (output.batch.width, output.batch.height), tuple(GREY))
    return Image.fromarray(paint(output, index).rgb())


def redraw(recipe: ImageRecipe, before: Image.Image, strength: float) -> MadeFile:
    """Draw the image of a recipe over another one, of which the rest of `strength` stays; size 0 is that of the other.

    Raise `JobError` for more pixels than an image may have.
    """
    width, height = recipe.width or before.width, recipe.height or before.height
    check_size(width, height)
    output = _output(replace(recipe, width=width, height=height))
    fitted = ImageOps.fit(before.convert("RGB"), (width, height))
    image = Image.blend(fitted, _image(output, 0, recipe.image_content), strength)
    content = encode(image, recipe.file, {PARAMETERS_KEYWORD: infotext(output)})
    return MadeFile(
        content=content, content_type=recipe.content_type, facts=BlobFacts(width=image.width, height=image.height)
    )


def draw_pixels(recipe: ImageRecipe) -> Image.Image:
    return _image(_output(recipe), 0, recipe.image_content)


def _make_image(recipe: ImageRecipe) -> bytes:
    texts = {PARAMETERS_KEYWORD: infotext(_output(recipe))}
    return encode(draw_pixels(recipe), recipe.file, texts)


def _output(recipe: ImageRecipe) -> OutputImages:
    """Return what an output node would give out that had made the image."""
    sampled = replace(recipe.sampled, width=recipe.width, height=recipe.height)
    return OutputImages(node_id="", batch=ImageBatch(width=recipe.width, height=recipe.height), passes=(sampled,))


def _make_video(recipe: VideoRecipe) -> bytes:
    # PyAV is large: imported when the first video or sound is made.
    from civitai_mock.drawing.media.moving_images import make_video  # noqa: PLC0415

    return make_video(recipe)


def _make_sound(recipe: SoundRecipe) -> bytes:
    from civitai_mock.drawing.media.sounds import make_sound  # noqa: PLC0415

    return make_sound(recipe)


# Each takes the recipe that is its key, which a mapping's type cannot say.
MAKERS: Mapping[type[FileRecipe], Callable[[Any], bytes]] = {
    ImageRecipe: _make_image,
    VideoRecipe: _make_video,
    SoundRecipe: _make_sound,
    PlaceholderRecipe: make_placeholder,
}
