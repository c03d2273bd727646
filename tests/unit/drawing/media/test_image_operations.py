"""Operations on images, and what their files say."""

import io
from typing import Any

import pytest
from PIL import ExifTags, Image, ImageFilter

from civitai_mock.domain.errors import JobError
from civitai_mock.drawing.media import image_files
from civitai_mock.drawing.media.image_operations import convert
from civitai_mock.drawing.media.operations import derive
from civitai_mock.generation.file_recipes import ImageRecipe
from civitai_mock.generation.graph_reader.samplers import SamplerPass
from civitai_mock.generation.media import ImageFile, ImageFormat, MediaInput
from civitai_mock.generation.operations import (
    BlackenImage,
    Blur,
    ConvertImage,
    KeepImage,
    PreviewImage,
    RedrawImage,
    Region,
    RemoveBackground,
    Resize,
    UpscaleImage,
)
from tests.support.media import done, frames, image_bytes, made, opened
from tests.support.pixel_graphs import gradient
from tests.support.table import table

SOURCE_FORMATS = ["PNG", "JPEG", "WEBP", "GIF", "BMP"]
PARAMETERS = "a fox, лиса 🦊\nNegative prompt: blurry\nSteps: 20, Seed: 5"
GRAPH = '{"3": {"class_type": "KSampler"}}'
TEXTS = {"parameters": PARAMETERS, "prompt": GRAPH}


def told(content: bytes) -> dict[str, str]:
    return dict(image_files.texts_of(Image.open(io.BytesIO(content))))


def written(fmt: ImageFormat, texts: dict[str, str] = TEXTS, **options: Any) -> bytes:
    return image_files.encode(gradient(), ImageFile(format=fmt, **options), texts)


@pytest.mark.parametrize("source", SOURCE_FORMATS)
@pytest.mark.parametrize("fmt", ImageFormat)
def test_any_image_is_converted_to_any_format(source: str, fmt: ImageFormat) -> None:
    file = made(ConvertImage(file=ImageFile(format=fmt)), image_bytes(fmt=source))
    image = opened(file.content)
    assert (image.format, image.size, file.content_type) == (fmt.upper(), (192, 320), f"image/{fmt}")
    assert (file.facts.width, file.facts.height) == (192, 320)


@pytest.mark.parametrize("fmt", [ImageFormat.JPEG, ImageFormat.PNG, ImageFormat.WEBP])
def test_an_image_says_how_it_was_made_also_after_conversion(fmt: ImageFormat) -> None:
    assert told(written(fmt)) == TEXTS
    assert told(convert(written(ImageFormat.PNG), ImageFile(format=fmt))) == TEXTS
    assert told(convert(written(fmt), ImageFile(format=ImageFormat.PNG))) == TEXTS


@pytest.mark.parametrize("fmt", ImageFormat)
def test_an_image_says_a_note_behind_its_parameters(fmt: ImageFormat) -> None:
    assert told(written(fmt, note='{"a":1}'))["parameters"] == f'{PARAMETERS}, Civitai metadata: {{"a":1}}'
    assert told(written(fmt, {}, note="alone"))["parameters"] == "Civitai metadata: alone"
    assert "parameters" not in told(written(fmt, note="x", has_metadata=False))


def test_a_gif_says_its_parameters_in_a_comment() -> None:
    assert told(written(ImageFormat.GIF)) == {"parameters": PARAMETERS}


@pytest.mark.parametrize("fmt", ImageFormat)
def test_an_image_without_metadata_says_nothing(fmt: ImageFormat) -> None:
    assert told(convert(written(ImageFormat.PNG), ImageFile(format=fmt, has_metadata=False))) == {}


def test_parameters_stand_where_a1111_reads_them() -> None:
    comment = opened(written(ImageFormat.JPEG)).getexif().get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.UserComment]
    assert comment == b"UNICODE\0" + PARAMETERS.encode("utf-16-be")


@pytest.mark.parametrize("fmt", [ImageFormat.JPEG, ImageFormat.WEBP, ImageFormat.GIF])
def test_texts_too_long_for_a_file_are_cut_off(fmt: ImageFormat) -> None:
    """Parameters are kept as far as there is room, a graph whole or not at all: half of one is of no use."""
    texts = {"parameters": "ü" * 100_000, "prompt": "x" * 70_000}
    found = told(written(fmt, texts))
    assert list(found) == ["parameters"]
    assert len(found["parameters"]) == 24_000


@pytest.mark.parametrize("quality", [1, 100])
def test_quality_and_losslessness_are_as_asked_for(quality: int) -> None:
    assert len(written(ImageFormat.JPEG, quality=1)) < len(written(ImageFormat.JPEG, quality=100))
    lossless = opened(written(ImageFormat.WEBP, is_lossless=True, quality=quality))
    assert lossless.convert("RGB").tobytes() == gradient().convert("RGB").tobytes()


def test_transparency_becomes_white_in_a_jpeg() -> None:
    clear = image_bytes(mode="RGBA")
    image = Image.open(io.BytesIO(clear))
    image.putalpha(0)
    file = io.BytesIO()
    image.save(file, "PNG")
    assert opened(convert(file.getvalue(), ImageFile())).getpixel((5, 5)) == (255, 255, 255)


def test_an_image_that_lies_on_its_side_is_turned() -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    turned = opened(convert(image_bytes(fmt="JPEG", exif=exif.tobytes()), ImageFile()))
    assert turned.size == (320, 192)
    assert ExifTags.Base.Orientation not in turned.getexif()


def test_an_image_is_scaled_by_its_width() -> None:
    assert opened(made(ConvertImage(transforms=(Resize(width=48),)), image_bytes()).content).size == (48, 80)
    assert opened(made(ConvertImage(transforms=(Resize(width=1),)), image_bytes((64, 2))).content).size == (1, 1)


@pytest.mark.parametrize("is_outside", [False, True])
def test_an_image_is_blurred_in_a_region_or_around_it(is_outside: bool) -> None:
    noise = Image.effect_noise((100, 100), 80)
    file = io.BytesIO()
    noise.save(file, "PNG")
    blur = Blur(radius=5, is_outside=is_outside, regions=(Region(x1=10, y1=10, x2=60, y2=60),))
    changed = made(ConvertImage(file=ImageFile(format=ImageFormat.PNG), transforms=(blur,)), file.getvalue())
    pixels, before = opened(changed.content).convert("L"), noise
    inside, outside = (20, 20, 50, 50), (70, 70, 100, 100)
    sharp, soft = (inside, outside) if is_outside else (outside, inside)
    assert pixels.crop(sharp).tobytes() == before.crop(sharp).tobytes()
    assert spread(pixels.crop(soft)) < spread(before.crop(soft)) / 3


def spread(image: Image.Image) -> float:
    low, high = image.filter(ImageFilter.MedianFilter(3)).getextrema()
    assert isinstance(low, int | float)
    assert isinstance(high, int | float)
    return high - low


@pytest.mark.parametrize("fmt", ImageFormat)
def test_an_image_becomes_black_and_is_as_before_otherwise(fmt: ImageFormat) -> None:
    before = written(fmt)
    after = made(BlackenImage(), before)
    image = opened(after.content)
    assert (image.format, image.size, after.content_type) == (fmt.upper(), gradient().size, f"image/{fmt}")
    assert image.convert("RGB").getextrema() == ((0, 0),) * 3
    assert told(after.content) == told(before)


def test_a_bitmap_is_not_blackened() -> None:
    with pytest.raises(JobError, match="BMP"):
        made(BlackenImage(), image_bytes(fmt="BMP"))


def test_a_blur_without_regions_is_of_the_whole_image() -> None:
    everywhere = made(ConvertImage(transforms=(Blur(radius=9, is_outside=True),)), image_bytes())
    assert opened(everywhere.content).tobytes() != opened(convert(image_bytes(), ImageFile())).tobytes()


def animation(count: int = 5) -> bytes:
    file = io.BytesIO()
    first, *others = [gradient((64, 48)).rotate(20 * index) for index in range(count)]
    first.save(file, "WEBP", save_all=True, append_images=others, duration=40)
    return file.getvalue()


@pytest.mark.parametrize(("most", "kept"), [(None, 5), (3, 3), (9, 5)])
@pytest.mark.parametrize("fmt", [ImageFormat.WEBP, ImageFormat.GIF])
def test_an_animation_stays_one_with_as_many_frames_as_wanted(fmt: ImageFormat, most: int | None, kept: int) -> None:
    operation = ConvertImage(file=ImageFile(format=fmt), max_frames=most, transforms=(Resize(width=32),))
    images = frames(made(operation, animation()).content)
    assert [image.size for image in images] == [(32, 24)] * kept


@pytest.mark.parametrize("fmt", [ImageFormat.JPEG, ImageFormat.PNG])
def test_of_an_animation_the_first_frame_becomes_a_still_image(fmt: ImageFormat) -> None:
    assert len(frames(made(ConvertImage(file=ImageFile(format=fmt)), animation()).content)) == 1


@pytest.mark.parametrize("factor", [2, 4, 8])
def test_an_image_becomes_larger(factor: int) -> None:
    large = made(UpscaleImage(factor=factor), image_bytes((20, 30)))
    assert opened(large.content).size == (20 * factor, 30 * factor)
    assert large.facts.height == 30 * factor


def test_an_image_that_would_be_too_large_is_refused() -> None:
    with pytest.raises(JobError, match="would be too large: 32768 x 32768"):
        done(UpscaleImage(factor=8), image_bytes((4096, 4096)))
    with pytest.raises(JobError, match="would be too large"):
        done(
            ConvertImage(transforms=(Resize(width=4096),)),
            image_bytes((1, 64)),
        )


def test_a_background_becomes_transparent() -> None:
    file = made(RemoveBackground(), image_bytes((200, 300)))
    image = opened(file.content)
    assert (image.mode, image.size, file.content_type) == ("RGBA", (200, 300), "image/png")
    alpha = image.getchannel("A")
    assert (alpha.getpixel((2, 2)), alpha.getpixel((100, 150))) == (0, 255)
    webp = made(RemoveBackground(file=ImageFile(format=ImageFormat.WEBP)), image_bytes())
    assert opened(webp.content).mode == "RGBA"


@pytest.mark.parametrize(
    ("size", "small"),
    [((900, 1800), (450, 900)), ((200, 100), (200, 100)), ((451, 3), (450, 3)), ((5000, 10), (450, 1))],
)
@pytest.mark.parametrize("fmt", ["PNG", "JPEG"])
def test_a_preview_is_never_wider_than_450_pixels(size: tuple[int, int], small: tuple[int, int], fmt: str) -> None:
    file = made(PreviewImage(), image_bytes(size, fmt))
    assert opened(file.content).size == small
    assert (file.content_type, told(file.content)) == ("image/jpeg", {})


@table(
    ("content", "message"),
    [
        (b"no image", "not a readable"),
        (image_bytes()[:400], "broken"),
        (image_bytes(fmt="JPEG")[:900], "broken"),
        (b"", "not a readable"),
    ],
)
@table("operation", [ConvertImage(), UpscaleImage(), PreviewImage(), RemoveBackground()])
def test_other_bytes_end_the_job(content: bytes, message: str, operation: ConvertImage) -> None:
    with pytest.raises(JobError, match=message):
        done(operation, content)


def test_a_bomb_is_refused_before_it_is_decoded() -> None:
    bomb = replace_size(image_bytes((8, 8)), 60_000, 60_000)
    with pytest.raises(JobError, match=r"too large|not a readable"):
        done(ConvertImage(), bomb)


def replace_size(png: bytes, width: int, height: int) -> bytes:
    return png[:16] + width.to_bytes(4, "big") + height.to_bytes(4, "big") + png[24:]


@pytest.mark.parametrize(("fmt", "width"), [(ImageFormat.JPEG, 66_000), (ImageFormat.WEBP, 17_000)])
def test_an_image_that_its_format_cannot_hold_ends_the_job(fmt: ImageFormat, width: int) -> None:
    with pytest.raises(JobError, match=f"cannot be written as {fmt}; it has {width} x 2"):
        done(ConvertImage(file=ImageFile(format=fmt)), image_bytes((width, 2)))
    assert made(ConvertImage(file=ImageFile(format=ImageFormat.PNG)), image_bytes((width, 2))).facts.width == width


def test_an_operation_needs_an_image() -> None:
    with pytest.raises(JobError, match="no image"):
        derive(UpscaleImage(), [MediaInput(source="gone")])
    with pytest.raises(JobError, match="no image"):
        derive(UpscaleImage(), [])


def redrawing(*, width: int = 0, height: int = 0, strength: float = 0.5, seed: int = 1) -> RedrawImage:
    sampled = SamplerPass(prompt_text="a red fox", seed=seed, steps=4)
    file = ImageFile(format=ImageFormat.PNG)
    return RedrawImage(recipe=ImageRecipe(sampled=sampled, width=width, height=height, file=file), strength=strength)


def test_an_image_is_drawn_over_what_is_left_of_another_one() -> None:
    before = image_bytes((64, 48))
    untouched, half, anew = (opened(made(redrawing(strength=strength), before).content) for strength in (0, 0.5, 1))
    assert untouched.tobytes() == opened(before).tobytes() != anew.tobytes()
    assert Image.blend(untouched, anew, 0.5).tobytes() == half.tobytes()


def test_an_image_drawn_over_another_is_as_large_unless_it_has_a_size() -> None:
    as_large, wide = made(redrawing(), image_bytes()), made(redrawing(width=96, height=64), image_bytes())
    assert [opened(file.content).size for file in (as_large, wide)] == [(192, 320), (96, 64)]
    assert (wide.facts.width, wide.facts.height) == (96, 64)
    assert "a red fox" in told(wide.content)["parameters"]


def test_each_seed_draws_another_image_over_the_same_one() -> None:
    first, again, other = (made(redrawing(seed=seed), image_bytes()).content for seed in (1, 1, 2))
    assert first == again != other


@pytest.mark.parametrize("fmt", SOURCE_FORMATS)
def test_an_image_is_kept_as_it_is(fmt: str) -> None:
    before = image_bytes(fmt=fmt)
    kept = made(KeepImage(), before)
    assert (kept.content, kept.content_type) == (before, f"image/{fmt.lower()}")
    assert (kept.facts.width, kept.facts.height) == (192, 320)


def test_what_is_not_an_image_is_not_kept() -> None:
    with pytest.raises(JobError, match="not a readable"):
        made(KeepImage(), b"a text")
