"""The painter: every scene on every shape of canvas, and the words that choose among them."""

from inspect import isfunction, signature

import numpy as np
import pytest

from civitai_mock.drawing.painter import scenes
from civitai_mock.drawing.painter.canvas import FULL, TONES, Canvas, Grid
from civitai_mock.drawing.painter.colour_ramp import ColourRamp, rgb_colours
from civitai_mock.drawing.painter.poster import MAX_PIXELS, paint
from civitai_mock.drawing.painter.scenes import SCENES
from civitai_mock.drawing.painter.seeded_random import SeededRandom
from civitai_mock.drawing.painter.style import HUE_OF, SCENE_OF, style_of
from civitai_mock.generation.graph_reader.image_batches.batch import ImageBatch
from civitai_mock.generation.graph_reader.output_images import OutputImages
from civitai_mock.generation.graph_reader.samplers import SamplerPass
from tests.support.table import table

SHAPES = [(64, 64), (480, 640), (1, 1), (3, 700), (700, 3)]
MATTER = {"sky"}  # a part of several scenes


def canvas(width: int, height: int) -> tuple[Canvas, np.ndarray]:
    tones = np.full((height, width), 255, np.uint8)
    return Canvas(tones), tones


@pytest.mark.parametrize("name", SCENES)
@pytest.mark.parametrize(("width", "height"), SHAPES)
def test_a_scene_covers_the_whole_canvas(name: str, width: int, height: int) -> None:
    board, tones = canvas(width, height)
    SCENES[name](board, SeededRandom(name))
    assert tones.max() < TONES


@pytest.mark.parametrize("name", SCENES)
def test_a_scene_uses_the_range_of_tones(name: str) -> None:
    board, tones = canvas(256, 256)
    SCENES[name](board, SeededRandom(name))
    assert int(tones.max()) - int(tones.min()) > TONES // 2


@pytest.mark.parametrize("name", SCENES)
def test_a_scene_follows_its_random_numbers(name: str) -> None:
    drawn = []
    for seed in (1, 1, 2):
        board, tones = canvas(64, 64)
        SCENES[name](board, SeededRandom(seed))
        drawn.append(tones.tobytes())
    assert drawn[0] == drawn[1] != drawn[2]


def test_every_scene_is_registered() -> None:
    drawing = {
        name
        for name, item in vars(scenes).items()
        if isfunction(item) and list(signature(item).parameters) == ["canvas", "random"]
    }
    assert {name for name in drawing if not name.startswith("_")} - MATTER == set(SCENES)


def test_words_name_only_scenes_that_exist() -> None:
    assert set(SCENE_OF.values()) <= set(SCENES)
    assert all(0 <= hue < 360 for hue in HUE_OF.values())


@pytest.mark.parametrize(
    ("prompt_text", "scene"),
    [
        ("a castle in the mountains", "skyline"),
        ("MOUNTAINS behind a castle", "ridges"),
        ("face portrait photo of woman", "bloom"),
        ("an (astronaut:1.2)", "planets"),
    ],
)
def test_the_first_word_that_names_a_scene_chooses_it(prompt_text: str, scene: str) -> None:
    style = style_of(SamplerPass(prompt_text=prompt_text), finish=SeededRandom(), scenes=tuple(SCENES))
    assert style.scene == scene


def test_prompt_texts_without_known_words_come_to_all_scenes() -> None:
    styles = [
        style_of(SamplerPass(prompt_text=f"zzz{n}"), finish=SeededRandom(), scenes=tuple(SCENES)) for n in range(100)
    ]
    assert {style.scene for style in styles} == set(SCENES)


@table("hue", range(0, 360, 45))
def test_colours_get_lighter_in_even_steps(hue: int) -> None:
    ramp = ColourRamp(dark_hue=hue, light_hue=hue + 60, chroma=0.18, darkest=0.15, lightest=0.97)
    brightness = rgb_colours(ramp, 64).astype(float) @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(brightness) > 0).all()
    assert brightness[0] < 30
    assert brightness[-1] > 220


def test_a_field_is_enlarged_without_a_seam() -> None:
    grid = Grid.over(1000, 700)
    rows = np.concatenate(list(grid.enlarge(0.5 + grid.x / 4 + grid.y / 4)))
    assert rows.shape == (700, 1000)
    assert np.abs(np.diff(rows, axis=0)).max() <= 2 * FULL / 4 / 700
    assert np.abs(np.diff(rows, axis=1)).max() <= 2 * FULL / 4 / 700


@pytest.mark.parametrize(("width", "height"), [(2048, 2048), (2049, 2048), (16384, 16384), (16384, 16), (5000, 7001)])
def test_no_picture_needs_more_than_a_bounded_canvas(width: int, height: int) -> None:
    poster = paint(OutputImages(node_id="9", batch=ImageBatch(width=width, height=height)), 0)
    rows, columns = poster.pixels.shape
    assert rows * columns <= MAX_PIXELS + rows + columns
    assert rows * poster.zoom >= height
    assert columns * poster.zoom >= width


def test_random_numbers_are_the_same_for_the_same_facts_only() -> None:
    assert (
        SeededRandom("a", 1).between(0, 1) == SeededRandom("a", 1).between(0, 1) != SeededRandom("a", 2).between(0, 1)
    )
    assert {SeededRandom(n).whole(1, 3) for n in range(60)} == {1, 2, 3}
    assert {SeededRandom(n).pick("ab") for n in range(60)} == {"a", "b"}
