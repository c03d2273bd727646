"""Recipes give the same bytes in every process, until the version of the painter is raised."""

import io
import json
import os
import struct
import subprocess
import sys
import zlib
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256

import pytest
from PIL import Image

from civitai_mock.drawing.artist import StandInArtist, draw_recipe
from civitai_mock.drawing.painter.scenes import SCENES
from civitai_mock.drawing.painter.style import SCENE_OF
from civitai_mock.generation.graph_reader.image_batches.batch import Loaded
from civitai_mock.generation.graph_reader.nodes import Nodes
from civitai_mock.generation.graph_reader.output_images import read_output_images
from civitai_mock.generation.media import ImageContent
from civitai_mock.generation.recipe import PAINTER_VERSION, GraphRecipe, read_recipe, recipe_text
from tests.support.comfy_graphs import RECORDED, Graph, load_graph, node, text_to_image
from tests.support.golden import Golden
from tests.support.paths import DATA

WORD_OF = {scene: word for word, scene in SCENE_OF.items()}
SIZES = [(64, 64), (512, 512), (768, 512), (512, 1024), (2048, 1536)]
DRAW = """
import sys
from civitai_mock.drawing.artist import draw_recipe
from civitai_mock.generation.graph_reader.nodes import Nodes
from civitai_mock.generation.graph_reader.output_images import read_output_images
from civitai_mock.generation.recipe import read_recipe
sys.stdout.buffer.write(draw_recipe(read_recipe(sys.argv[1]), sys.argv[2]))
"""


def recipe(index: int = 0, content: ImageContent = ImageContent.DRAWN) -> GraphRecipe:
    return GraphRecipe(job_id="a job", node_id="9", index=index, image_content=content)


def graph(words: str = "a red fox", *, width: int = 512, height: int = 512, batch: int = 1) -> Graph:
    return text_to_image(prompt_text=words, width=width, height=height, batch=batch)


def recipes() -> Iterator[tuple[str, GraphRecipe, Graph]]:
    for scene in SCENES:
        yield f"scene {scene}", recipe(), graph(f"{WORD_OF[scene]}, blue")
    for width, height in SIZES:
        yield f"{width}x{height}", recipe(), graph(width=width, height=height)
    yield "third of a batch", recipe(2), graph(batch=3)
    yield "words beyond ASCII", recipe(), graph("лиса 🦊 “quoted”")
    for path in RECORDED:
        recorded = load_graph(path)
        for output in read_output_images(Nodes(recorded)):
            if output.is_drawn_image:
                yield f"{path.stem} {output.node_id}", replace(recipe(), node_id=output.node_id), recorded
    yield "blank", recipe(content=ImageContent.BLANK), graph()


def chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    place = 8
    while place < len(png):
        (length,) = struct.unpack(">I", png[place : place + 4])
        yield png[place + 4 : place + 8], png[place + 8 : place + 8 + length]
        place += length + 12


def digest(png: bytes) -> str:
    """Return a digest of all but how well the pixels are packed, which is a matter of the packages that are there."""
    parts = [kind + (zlib.decompress(body) if kind == b"IDAT" else body) for kind, body in chunks(png)]
    return sha256(b"".join(parts)).hexdigest()[:32]


def test_the_painter_draws_what_its_version_stands_for(golden: Golden) -> None:
    """Where this fails, raise PAINTER_VERSION, and let `pytest --rewrite` write the file of the new version."""
    drawn = {name: digest(draw_recipe(one, json.dumps(graph))) for name, one, graph in recipes()}
    golden.check_json_once(DATA / "golden" / "painter" / f"{PAINTER_VERSION}.json", drawn)


def test_every_recipe_of_the_golden_file_draws_something_else() -> None:
    drawn = [digest(draw_recipe(one, json.dumps(graph))) for _, one, graph in recipes()]
    assert len(set(drawn)) == len(drawn)


@pytest.mark.parametrize("content", ImageContent)
def test_a_process_draws_the_very_bytes_that_another_one_draws(content: ImageContent) -> None:
    text, graph_text = recipe_text(recipe(content=content)), json.dumps(graph())
    drawn = [
        subprocess.run(
            [sys.executable, "-c", DRAW, text, graph_text],
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert drawn[0] == drawn[1] == draw_recipe(read_recipe(text), graph_text)


def test_an_image_to_image_has_the_size_that_its_source_had() -> None:
    made: Graph = {
        **text_to_image(),
        "1": node("LoadImage", image="fox.png"),
        "2": node("VAEEncode", pixels=["1", 0], vae=["4", 2]),
    }
    made["3"]["inputs"]["latent_image"] = ["2", 0]
    loaded = {"fox.png": Loaded(width=192, height=320, has_alpha=True)}
    parsed = read_recipe(recipe_text(replace(recipe(), loaded=loaded)))
    assert isinstance(parsed, GraphRecipe)
    assert parsed.loaded == loaded
    assert Image.open(io.BytesIO(draw_recipe(parsed, json.dumps(made)))).size == (192, 320)


async def test_an_artist_draws_recipes() -> None:
    async with StandInArtist(image_content=ImageContent.BLANK) as artist:
        drawn = await artist.draw_recipe(recipe(), json.dumps(graph()))
    assert drawn == draw_recipe(recipe(), json.dumps(graph()))
