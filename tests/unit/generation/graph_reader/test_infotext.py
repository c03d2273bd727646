"""Infotexts, and how common readers find them in PNG files."""

import io
import json
from collections.abc import Mapping
from dataclasses import replace

import pytest
from PIL import Image, PngImagePlugin

from civitai_mock.drawing.drawn_images import draw
from civitai_mock.generation.graph_reader.image_batches.batch import ImageBatch
from civitai_mock.generation.graph_reader.infotext import infotext, png_texts
from civitai_mock.generation.graph_reader.nodes import Nodes
from civitai_mock.generation.graph_reader.output_images import OutputImages, read_output_images
from civitai_mock.generation.graph_reader.samplers import Lora, SamplerPass
from civitai_mock.generation.media import ImageContent
from tests.support.comfy_graphs import load_graph, recorded_graph
from tests.support.generation import MODELS, graph_of
from tests.support.paths import DATA

SAMPLED = SamplerPass(
    seed=2076391464,
    steps=20,
    cfg=7.0,
    sampler="euler_ancestral",
    noise_schedule="normal",
    prompt_text="RAW photo, portrait",
    negative_text="(deformed:1.3)",
    model="sdxl/civitai/101055/128078.safetensors",
    width=768,
    height=512,
)
OUTPUT = OutputImages(node_id="9", batch=ImageBatch(width=768, height=512), passes=(SAMPLED,))
GRAPH_JSON = json.dumps({"6": {"class_type": "CLIPTextEncode", "inputs": {"text": "лиса в снегу"}}})


def infotext_of(sampled: SamplerPass) -> str:
    return infotext(replace(OUTPUT, passes=(sampled,)))


def settings_of(output: OutputImages) -> list[str]:
    return infotext(output).splitlines()[-1].split(", ")


def read_back(texts: Mapping[str, str]) -> Mapping[str, str]:
    image = Image.open(io.BytesIO(draw(OUTPUT, 0, texts=texts, content=ImageContent.BLANK)))
    image.load()
    assert isinstance(image, PngImagePlugin.PngImageFile)
    return image.text


def test_parameters_read_like_those_of_a1111() -> None:
    assert infotext(OUTPUT) == (
        "RAW photo, portrait\n"
        "Negative prompt: (deformed:1.3)\n"
        "Steps: 20, Sampler: euler_ancestral, Schedule type: normal, CFG scale: 7, Seed: 2076391464, "
        "Size: 768x512, Model: sdxl/civitai/101055/128078"
    )


@pytest.mark.parametrize(
    ("sampled", "part"),
    [
        (replace(SAMPLED, loras=(Lora(file_name="lora/style.safetensors", strength=0.8),)), "<lora:lora/style:0.8>\n"),
        (replace(SAMPLED, guidance=3.5), "Distilled CFG Scale: 3.5"),
        (replace(SAMPLED, denoise=0.55), "Denoising strength: 0.55"),
        (replace(SAMPLED, seed=2**64 - 1), "Seed: 18446744073709551615"),
    ],
)
def test_parameters_have_the_rest_where_there_is_any(sampled: SamplerPass, part: str) -> None:
    assert part in infotext_of(sampled)
    assert part not in infotext_of(SAMPLED)


def test_parameters_leave_out_what_is_empty() -> None:
    assert infotext_of(SamplerPass(seed=1, steps=2)) == "Steps: 2, Seed: 1"


def test_an_image_without_sampling_has_parameters_too() -> None:
    assert infotext(replace(OUTPUT, passes=())) == "Steps: 0, Seed: 0, Size: 768x512"


def test_the_graph_comes_before_the_parameters() -> None:
    texts = png_texts(GRAPH_JSON, OUTPUT)
    assert list(texts) == ["prompt", "parameters"]
    assert texts["prompt"] == GRAPH_JSON


@pytest.mark.parametrize("text", ["a red fox", "un été doré", "лиса в снегу", "狐 🦊", "line\nline", ""], ids=ascii)
def test_any_text_is_read_back(text: str) -> None:
    assert read_back({"parameters": text}) == {"parameters": text}


def test_half_a_character_does_no_harm() -> None:
    assert read_back(png_texts(GRAPH_JSON, replace(OUTPUT, passes=(replace(SAMPLED, prompt_text="\ud83e"),))))


def test_a_null_character_cannot_end_a_text() -> None:
    assert infotext_of(replace(SAMPLED, prompt_text="a\0b")).startswith("ab\n")


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("sd1-clip-skip", ["Clip skip: 2"]),
        ("sd1-vae", ["VAE: vae/sd1/civitai/5/55"]),
        ("sd1-source-image", ["Size: 832x640", "Denoising strength: 0.6"]),
        ("sd1-size", ["Size: 832x1216"]),
        (
            "sdxl-hires",
            ["Steps: 20", "Size: 1024x1024", "Denoising strength: 0.5", "Hires upscale: 1.5", "Hires steps: 20"],
        ),
        ("sdxl-hires", ["Hires upscaler: Latent (nearest-exact)"]),
        ("flux1-hires-upscaler", ["Hires upscale: 2", "Hires steps: 10", "Hires upscaler: upscaler/other/"]),
        ("sd1-upscale", ["Size: 512x512", "Postprocess upscaler: upscaler/other/"]),
        ("sd1-all-extras", ["Size: 512x512", "Hires upscale: 1.5", "Postprocess upscale by: 2.5"]),
        ("sdxl-refiner", ["Steps: 20", "Refiner: sdxl/civitai/1/2", "Refiner switch at: 0.8"]),
        (
            "sdxl-refiner-and-all-extras",
            ["Steps: 30", "Denoising strength: 0.4", "Refiner switch at: 0.5", "Hires upscale: 1.5"],
        ),
    ],
)
def test_parameters_tell_what_a_graph_of_ours_does(name: str, parts: list[str]) -> None:
    (output,) = read_output_images(Nodes(load_graph(DATA / "golden" / "graphs" / f"{name}.json")))
    settings = infotext(output).splitlines()[-1]
    assert [part for part in parts if f", {part}" not in f", {settings}"] == []


def test_an_image_grows_from_the_size_that_is_drawn() -> None:
    """Latent space makes 128 x 72 of it, and 192 x 104 of that."""
    graph = graph_of({"model": MODELS["sd1"], "params": {"width": 131, "height": 77, "hires": {}}})
    (output,) = read_output_images(Nodes(graph))
    assert {"Size: 128x72", "Hires upscale: 1.5"} <= set(settings_of(output))


def test_the_size_of_an_image_from_elsewhere_is_not_guessed() -> None:
    (output,) = read_output_images(Nodes(recorded_graph("sd1_img2img")))
    assert not {"Size", "Hires upscale"} & {part.partition(":")[0] for part in settings_of(output)}


def test_how_large_an_upscaler_makes_an_image_is_not_guessed() -> None:
    (output,) = read_output_images(Nodes(load_graph(DATA / "golden" / "graphs" / "sd1-upscale.json")))
    assert "Postprocess upscale by" not in infotext(output)


def test_a_plain_graph_has_no_other_settings() -> None:
    (output,) = read_output_images(Nodes(load_graph(DATA / "golden" / "graphs" / "sd1-plain.json")))
    assert not {"Hires", "Refiner", "Clip", "VAE", "Denoising", "Postprocess"} & set(infotext(output).split())


def test_a_value_that_would_read_as_two_is_quoted() -> None:
    assert 'Model: "a, b: c"' in infotext_of(replace(SAMPLED, model="a, b: c"))
