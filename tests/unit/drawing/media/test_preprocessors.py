"""What preprocessors make of an image, and perceptual hashes."""

import hashlib
import io
from collections.abc import Callable
from functools import partial
from typing import TypeAlias, get_args

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

from civitai_mock.domain.errors import JobError
from civitai_mock.domain.json_types import JsonObject
from civitai_mock.drawing.media.operations import IMAGE_OPERATIONS, derive
from civitai_mock.drawing.media.perceptual_hash import distance, perceptual_hash
from civitai_mock.drawing.media.preprocessors import PREPROCESSORS
from civitai_mock.drawing.media.recipes import make_file
from civitai_mock.drawing.media.video_operations import VIDEO_OPERATIONS
from civitai_mock.generation.file_recipes import ImageRecipe
from civitai_mock.generation.graph_reader.samplers import SamplerPass
from civitai_mock.generation.media import ImageFile, ImageFormat, MediaInput
from civitai_mock.generation.operations import HashMedia, JudgeMedia, Operation, PreprocessImage
from tests.support.media import done, image_bytes, made, opened
from tests.support.pixel_graphs import saved

PNG = ImageFile(format=ImageFormat.PNG)
MOST_BITS = 4  # of 64
Change: TypeAlias = Callable[[Image.Image], Image.Image]
WORDS = [
    "a fox in the forest",
    "a lighthouse at sea",
    "a city at night",
    "a bowl of fruit",
    "two planets",
    "a portrait",
]


def drawing(words: str = WORDS[0], size: tuple[int, int] = (320, 192)) -> Image.Image:
    sampled = SamplerPass(prompt_text=words, seed=3)
    return opened(make_file(ImageRecipe(sampled=sampled, width=size[0], height=size[1], file=PNG)))


def test_each_operation_has_a_function() -> None:
    assert {*IMAGE_OPERATIONS, *VIDEO_OPERATIONS} == set(get_args(Operation))


@pytest.mark.parametrize("kind", [*PREPROCESSORS, "newer-than-this"])
def test_a_preprocessor_makes_an_image_of_the_resolution(kind: str) -> None:
    source = saved(drawing())
    image = opened(made(PreprocessImage(kind=kind, resolution=256, file=PNG), source).content)
    assert (image.mode, image.size) == ("RGB", (448, 256))
    assert len(image.getcolors(256 * 448) or ()) > 1
    assert (
        image.tobytes() == opened(made(PreprocessImage(kind=kind, resolution=256, file=PNG), source).content).tobytes()
    )


def test_families_differ_from_each_other() -> None:
    kinds = ["canny", "hed", "scribble", "anyline", "binary", "zoe-depth", "bae-normal", "openpose", "densepose"]
    kinds += ["mediapipe-face", "uniformer", "color", "shuffle", "tile"]
    source = saved(drawing())
    images = {made(PreprocessImage(kind=kind, resolution=128, file=PNG), source).content for kind in kinds}
    assert len(images) == len(kinds)


def test_a_threshold_decides_what_is_white() -> None:
    source = image_bytes((256, 256), mode="RGB")
    shares = [white_share(PreprocessImage(kind="binary", threshold=threshold), source) for threshold in (40, 80, 160)]
    assert shares[0] > shares[1] > shares[2]


def white_share(operation: PreprocessImage, source: bytes) -> float:
    pixels = np.asarray(opened(made(operation, source).content).convert("L"))
    return float((pixels > 128).mean())


def test_a_shuffle_depends_on_its_seed() -> None:
    source = saved(drawing())
    shuffled = {made(PreprocessImage(kind="shuffle", seed=seed, file=PNG), source).content for seed in (1, 2)}
    assert len(shuffled) == 2


def test_people_stand_as_the_image_has_them() -> None:
    poses = {
        made(PreprocessImage(kind="openpose", resolution=128, file=PNG), saved(drawing(words))).content
        for words in WORDS
    }
    assert len(poses) == len(WORDS)


def test_a_very_long_image_does_not_become_a_very_large_one() -> None:
    image = opened(made(PreprocessImage(kind="tile", resolution=4096), image_bytes((4000, 40))).content)
    assert image.width * image.height <= 4096 * 4160


@pytest.mark.parametrize("words", WORDS)
@pytest.mark.parametrize(
    "change",
    [
        lambda image: image.resize((image.width // 2, image.height // 2)),
        lambda image: image.resize((image.width * 3, image.height * 2)),
        lambda image: Image.open(io.BytesIO(saved(image.convert("RGB"), "JPEG", quality=30))),
        lambda image: Image.open(io.BytesIO(saved(image.convert("RGB"), "WEBP", quality=20))),
        lambda image: image.filter(ImageFilter.GaussianBlur(2)),
        lambda image: ImageEnhance.Brightness(image).enhance(0.8),
        lambda image: image.convert("L"),
    ],
    ids=["half", "larger", "JPEG", "WebP", "blurred", "darker", "grey"],
)
def test_a_hash_hardly_changes_with_what_nobody_sees(words: str, change: Change) -> None:
    image = drawing(words)
    assert distance(perceptual_hash(image), perceptual_hash(change(image))) <= MOST_BITS


def test_hashes_of_other_images_are_far_apart() -> None:
    hashes = [perceptual_hash(drawing(words)) for words in WORDS] + [perceptual_hash(ImageOps.flip(drawing()))]
    far = [distance(one, other) for place, one in enumerate(hashes) for other in hashes[:place]]
    assert min(far) >= 10


def test_a_hash_has_16_upper_case_hex_digits() -> None:
    result = done(HashMedia(), image_bytes()).result
    assert result is not None
    digits = result["perceptual"]
    assert isinstance(digits, str)
    assert len(digits) == 16
    assert set(digits) <= set("0123456789ABCDEF")
    plain = saved(Image.new("RGB", (8, 8)))
    assert done(HashMedia(), plain).result == {"perceptual": "0000000000000000"}


def test_a_hash_needs_a_file_that_shows_something() -> None:
    with pytest.raises(JobError, match="no file"):
        derive(HashMedia(), [MediaInput(source="gone")])
    with pytest.raises(JobError, match="not a readable"):
        done(HashMedia(), b"text")


def judge(text: str, *, threshold: float) -> JsonObject:
    return {"seen": text, "threshold": threshold}


@pytest.mark.parametrize(
    ("media", "seen"),
    [
        (MediaInput(source="https://a.test/fox.png"), "https://a.test/fox.png"),
        (MediaInput(source="https://a.test/song.mp3", content=b"ID3"), hashlib.sha256(b"ID3").hexdigest()),
        (MediaInput(source="https://a.test/fox.png", content=saved(Image.new("RGB", (8, 8)))), "0" * 16),
    ],
)
def test_what_is_judged_is_the_content_or_else_the_name(media: MediaInput, seen: str) -> None:
    operation = JudgeMedia(judge=partial(judge, threshold=0.5))
    assert derive(operation, [media]).result == {"seen": seen, "threshold": 0.5}
