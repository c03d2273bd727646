"""Drawn PNG files have the exact size, and the same bytes for the same facts."""

import hashlib
import io
import subprocess
import sys
from dataclasses import replace

import pytest
from PIL import Image

from civitai_mock.drawing.drawn_images import draw
from civitai_mock.generation.graph_reader.image_batches.batch import ImageBatch
from civitai_mock.generation.graph_reader.output_images import OutputImages
from civitai_mock.generation.graph_reader.samplers import Lora, SamplerPass
from civitai_mock.generation.media import ImageContent
from tests.support.paths import ROOT

SAMPLED = SamplerPass(seed=42, steps=20, cfg=7.0, sampler="euler", prompt_text="a red fox", model="sd15.safetensors")
OUTPUT = OutputImages(node_id="9", batch=ImageBatch(width=320, height=288, count=2), passes=(SAMPLED,))
SIZES = [(1, 1), (9, 7), (64, 64), (255, 400), (256, 256), (512, 768), (832, 1216), (2048, 64), (2049, 2053)]

DRAW_ELSEWHERE = """
import hashlib
from tests.unit.drawing.test_png import OUTPUT, drawn
print(hashlib.sha256(drawn(OUTPUT)).hexdigest())
"""


def drawn(output: OutputImages, index: int = 0, images: ImageContent = ImageContent.DRAWN) -> bytes:
    return draw(output, index, texts={"prompt": "{}"}, content=images)


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def sized(width: int, height: int) -> OutputImages:
    return replace(OUTPUT, batch=ImageBatch(width=width, height=height))


def with_pass(**changes: object) -> OutputImages:
    return replace(OUTPUT, passes=(replace(SAMPLED, **changes),))  # type: ignore[arg-type]  # any field of it


def test_the_same_facts_come_to_the_same_bytes() -> None:
    assert drawn(OUTPUT) == drawn(OUTPUT)


@pytest.mark.slow
def test_another_process_draws_the_same_bytes() -> None:
    command = [sys.executable, "-c", DRAW_ELSEWHERE]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == hashlib.sha256(drawn(OUTPUT)).hexdigest()


@pytest.mark.parametrize(
    "other",
    [
        with_pass(prompt_text="a blue fox"),
        with_pass(negative_text="snow"),
        with_pass(seed=43),
        with_pass(model="sdxl.safetensors"),
        with_pass(loras=(Lora(file_name="style.safetensors", strength=1.0),)),
        with_pass(steps=21),
        with_pass(sampler="heun"),
        with_pass(cfg=7.5),
        replace(OUTPUT, passes=(SAMPLED, replace(SAMPLED, seed=43))),
        replace(OUTPUT, source="input.png"),
    ],
    ids=["prompt", "negative", "seed", "model", "lora", "steps", "sampler", "cfg", "second pass", "source"],
)
def test_every_fact_changes_the_image(other: OutputImages) -> None:
    assert opened(drawn(other)).convert("RGB").tobytes() != opened(drawn(OUTPUT)).convert("RGB").tobytes()


def test_each_image_of_a_batch_is_another_one() -> None:
    assert drawn(OUTPUT, 0) != drawn(OUTPUT, 1)


def test_an_image_taken_from_a_batch_is_the_one_of_its_place() -> None:
    taken = replace(OUTPUT, batch=replace(OUTPUT.batch, count=1, first=1))
    assert drawn(taken, 0) == drawn(OUTPUT, 1)


def test_neither_node_ids_nor_the_size_of_the_batch_matter() -> None:
    other = replace(OUTPUT, node_id="57:9", batch=replace(OUTPUT.batch, count=4), effort={"3": 1.0})
    assert drawn(other) == drawn(OUTPUT)


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("images", ImageContent)
def test_sizes_are_exact(width: int, height: int, images: ImageContent) -> None:
    image = opened(drawn(sized(width, height), images=images))
    assert (image.format, image.size) == ("PNG", (width, height))


def test_a_blank_image_is_plain_grey() -> None:
    image = opened(drawn(sized(33, 65), images=ImageContent.BLANK)).convert("RGB")
    assert image.getcolors() == [(33 * 65, (128, 128, 128))]


def test_a_drawn_image_has_many_colours() -> None:
    colours = opened(drawn(OUTPUT)).convert("RGB").getcolors(1 << 16)
    assert colours is not None
    assert len(colours) > 30


def test_starting_up_imports_neither_numpy_nor_pillow() -> None:
    code = (
        "import sys, civitai_mock.providers.simulator.simulator; sys.exit(any(name in sys.modules for name in "
        "('numpy', 'PIL')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
