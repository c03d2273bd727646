"""Recipes without a graph: what they make, and that they make it again."""

import io
import json
import os
import subprocess
import sys
from dataclasses import replace
from hashlib import sha256

import numpy as np
import pytest
from PIL import Image

from civitai_mock.domain.blob import BlobFacts
from civitai_mock.domain.errors import TransientError
from civitai_mock.drawing.artist import StandInArtist, draw_recipe
from civitai_mock.drawing.media.image_files import texts_of
from civitai_mock.drawing.media.moving_images import Scene
from civitai_mock.drawing.media.placeholders import PLACEHOLDERS
from civitai_mock.drawing.media.recipes import MAKERS, draw_pixels, make_file
from civitai_mock.drawing.media.sounds import KINDS as SOUNDS
from civitai_mock.drawing.media.sounds import melody
from civitai_mock.generation.file_recipes import (
    KINDS,
    FileRecipe,
    ImageRecipe,
    PlaceholderRecipe,
    SoundRecipe,
    VideoRecipe,
)
from civitai_mock.generation.graph_reader.samplers import Lora, SamplerPass
from civitai_mock.generation.media import ImageContent, ImageFile, ImageFormat
from civitai_mock.generation.recipe import PAINTER_VERSION, GraphRecipe, read_recipe, recipe_text
from tests.support.comfy_graphs import text_to_image
from tests.support.golden import Golden
from tests.support.media import opened
from tests.support.paths import DATA
from tests.support.table import table

SAMPLED = SamplerPass(
    seed=7,
    steps=20,
    cfg=7.0,
    sampler="euler",
    prompt_text="a red fox",
    negative_text="blurry",
    model="sdxl/base.safetensors",
    loras=(Lora(file_name="style.safetensors", strength=0.8),),
)
IMAGE = ImageRecipe(sampled=SAMPLED, width=320, height=192)
VIDEO = VideoRecipe(sampled=SAMPLED, width=64, height=48, seconds=1.0)
RECIPES: dict[str, FileRecipe] = {
    "video": VIDEO,
    "video with sound": replace(VIDEO, has_sound=True),
    "blank video": replace(VIDEO, image_content=ImageContent.BLANK),
    **{kind: SoundRecipe(content_type=kind, seconds=0.7, seed=3) for kind in SOUNDS},
    **{kind: PlaceholderRecipe(content_type=kind, seed=4, metadata={"ss_epoch": "1"}) for kind in PLACEHOLDERS},
    "jpeg": IMAGE,
    "png": replace(IMAGE, file=ImageFile(format=ImageFormat.PNG)),
    "webp": replace(IMAGE, file=ImageFile(format=ImageFormat.WEBP, quality=50)),
    "gif": replace(IMAGE, file=ImageFile(format=ImageFormat.GIF)),
    "blank": replace(IMAGE, image_content=ImageContent.BLANK),
}
DRAW = """
import sys
from hashlib import sha256
from civitai_mock.drawing.artist import draw_recipe
from civitai_mock.generation.recipe import read_recipe
for text in sys.argv[1:]:
    print(sha256(draw_recipe(read_recipe(text), "")).hexdigest())
"""
FULL_TEXT = (
    "a red fox <lora:style:0.8>\nNegative prompt: blurry\n"
    "Steps: 20, Sampler: euler, CFG scale: 7, Seed: 7, Size: 320x192, Model: sdxl/base"
)


def test_there_is_a_maker_for_each_kind_of_recipe() -> None:
    assert set(MAKERS) == set(KINDS.values())


@table("recipe", RECIPES.values(), ids=list(RECIPES))
def test_a_stored_recipe_is_the_recipe(recipe: FileRecipe) -> None:
    assert read_recipe(recipe_text(recipe)) == recipe


def test_another_process_makes_the_very_same_bytes() -> None:
    environment = {**os.environ, "PYTHONHASHSEED": "3"}
    command = [sys.executable, "-c", DRAW, *map(recipe_text, RECIPES.values())]
    answer = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
    here = [sha256(make_file(recipe)).hexdigest() for recipe in RECIPES.values()]
    assert dict(zip(RECIPES, answer.split(), strict=True)) == dict(zip(RECIPES, here, strict=True))


@pytest.mark.parametrize("fmt", ImageFormat)
def test_an_image_has_the_size_and_the_format_of_its_recipe(fmt: ImageFormat) -> None:
    recipe = replace(IMAGE, file=ImageFile(format=fmt))
    image = opened(make_file(recipe))
    assert (image.format, image.size) == (fmt.upper(), (320, 192))
    assert (recipe.content_type, recipe.facts) == (f"image/{fmt}", BlobFacts(width=320, height=192))
    assert texts_of(image)["parameters"] == FULL_TEXT


def test_an_image_says_nothing_where_that_is_asked_for() -> None:
    assert texts_of(opened(make_file(replace(IMAGE, file=ImageFile(has_metadata=False))))) == {}


def test_files_show_what_the_version_of_the_painter_stands_for(golden: Golden) -> None:
    """Where this fails, raise PAINTER_VERSION, and let `pytest --rewrite` write the file of the new version.

    What encoders make of it is not compared: that is a matter of the packages that are there.
    """
    shown = {
        "image": draw_pixels(IMAGE).tobytes(),
        "blank image": draw_pixels(IMAGE.showing(ImageContent.BLANK)).tobytes(),
        "video": b"".join(frame.to_ndarray().tobytes() for frame in Scene(VIDEO, 64, 48).frames(5)),
        "sound": np.round(melody(3) * 1000).astype(np.int16).tobytes(),
        **{kind: make_file(RECIPES[kind]) for kind in PLACEHOLDERS},
    }
    digests = {name: sha256(content).hexdigest()[:32] for name, content in shown.items()}
    golden.check_json_once(DATA / "golden" / "painter" / f"files-{PAINTER_VERSION}.json", digests)


def test_other_seeds_and_texts_make_other_images() -> None:
    samplings = [SAMPLED, replace(SAMPLED, seed=8), replace(SAMPLED, prompt_text="a blue whale")]
    assert len({make_file(replace(IMAGE, sampled=sampled)) for sampled in samplings}) == len(samplings)


def test_a_blank_image_is_grey() -> None:
    assert opened(make_file(IMAGE.showing(ImageContent.BLANK))).getpixel((9, 9)) == (128, 128, 128)


@pytest.mark.parametrize("fmt", [ImageFormat.JPEG, ImageFormat.WEBP])
def test_an_image_of_a_graph_is_given_out_as_it_was_asked_for(fmt: ImageFormat) -> None:
    graph = json.dumps(text_to_image(prompt_text="a fox", width=256, height=128))
    plain = GraphRecipe(job_id="a job", node_id="9", index=0, image_content=ImageContent.DRAWN)
    recipe = replace(plain, file=ImageFile(format=fmt))
    assert read_recipe(recipe_text(recipe)) == recipe
    image = opened(draw_recipe(recipe, graph))
    assert (image.format, image.size) == (fmt.upper(), (256, 128))
    png = Image.open(io.BytesIO(draw_recipe(plain, graph)))
    assert texts_of(image) == texts_of(png)


def test_a_recipe_of_a_later_painter_is_left_to_it() -> None:
    text = recipe_text(IMAGE).replace('"painter":1', '"painter":99')
    with pytest.raises(TransientError, match="later version"):
        read_recipe(text)


async def test_an_artist_makes_recipes_and_converts_images() -> None:
    async with StandInArtist(image_content=ImageContent.BLANK) as artist:
        assert await artist.draw_recipe(IMAGE, "") == make_file(IMAGE)
        converted = await artist.convert(make_file(RECIPES["png"]), ImageFile(format=ImageFormat.WEBP))
    assert opened(converted).format == "WEBP"
