"""Images outside of graphs: training samples, and what transformers make of an image."""

import io

import pytest
from PIL import Image

from civitai_mock.domain.errors import JobError
from civitai_mock.drawing.artist import StandInArtist
from civitai_mock.drawing.transformers import TRANSFORMERS, transform
from civitai_mock.generation.file_recipes import ImageRecipe
from civitai_mock.generation.graph_reader.samplers import SamplerPass
from civitai_mock.generation.media import ImageContent, MediaInput
from civitai_mock.generation.operations import RedrawImage
from tests.support.table import table


def square_on_black(*, fmt: str = "PNG", size: tuple[int, int] = (64, 48)) -> bytes:
    """A white square in the middle of a black image."""
    image = Image.new("RGB", size)
    image.paste((255, 255, 255), (20, 16, 40, 36))
    file = io.BytesIO()
    image.save(file, fmt)
    return file.getvalue()


def opened(image: bytes) -> Image.Image:
    return Image.open(io.BytesIO(image))


def tone(image: Image.Image, x: int, y: int) -> float:
    value = image.convert("L").getpixel((x, y))
    assert isinstance(value, int | float)
    return value


async def test_a_drawn_image_is_the_same_for_the_same_subject_and_seed() -> None:
    async with StandInArtist(image_content=ImageContent.DRAWN) as artist:
        images = [await artist.draw(subject, seed=seed) for subject, seed in [("a fox", 1), ("a fox", 1), ("a fox", 2)]]
    assert images[0] == images[1] != images[2]
    assert opened(images[0]).size == (512, 512)


async def test_an_image_drawn_over_another_shows_what_others_do() -> None:
    recipe = ImageRecipe(sampled=SamplerPass(prompt_text="a fox"), width=64, height=48)
    async with StandInArtist(image_content=ImageContent.BLANK) as artist:
        (file,) = (await artist.derive(RedrawImage(recipe=recipe, strength=1), [_black])).files
    assert len(opened(file.content).getcolors() or ()) == 1


async def _black() -> MediaInput:
    return MediaInput(source="", content=square_on_black())


@table("name", TRANSFORMERS)
@table("fmt", ["PNG", "JPEG", "WEBP"])
def test_a_transformed_image_is_a_png_of_the_same_size(name: str, fmt: str) -> None:
    changed = opened(transform(name, square_on_black(fmt=fmt)))
    assert (changed.format, changed.size) == ("PNG", (64, 48))


@pytest.mark.parametrize("name", ["Canny", "SoftedgePidinet"])
def test_edges_are_bright_and_areas_are_dark(name: str) -> None:
    changed = opened(transform(name, square_on_black()))
    assert tone(changed, 2, 26) < 10
    assert max(tone(changed, x, 26) for x in range(16, 24)) > 100


def test_what_is_low_and_bright_is_near() -> None:
    changed = opened(transform("DepthZoe", square_on_black()))
    assert tone(changed, 2, 2) < tone(changed, 2, 46)
    assert tone(changed, 2, 26) < tone(changed, 30, 26)


def test_the_background_becomes_transparent() -> None:
    changed = opened(transform("Rembg", square_on_black()))
    assert changed.getpixel((2, 2)) == (0, 0, 0, 0)
    assert changed.getpixel((30, 26)) == (255, 255, 255, 255)


@pytest.mark.parametrize(
    "content", [b"", b"text", b"\x89PNG\r\n\x1a\n", square_on_black()[:100], b"GIF89a" + b"\0" * 40]
)
def test_bytes_that_are_not_an_image_are_refused(content: bytes) -> None:
    with pytest.raises(JobError, match="not a readable PNG, JPEG or WebP image"):
        transform("Canny", content)


def test_an_image_that_is_too_large_is_refused_before_it_is_read() -> None:
    bomb = bytearray(square_on_black())
    bomb[16:24] = (6000).to_bytes(4, "big") * 2
    with pytest.raises(JobError):
        transform("Canny", bytes(bomb))
