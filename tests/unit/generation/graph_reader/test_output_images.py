"""How the output images of graphs are made, ours and anybody's."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from civitai_mock.generation.comfyui_facts import TEXT_INPUTS
from civitai_mock.generation.control_nets.preprocessors import RECIPES
from civitai_mock.generation.graph_reader.image_batches import COUNTING, SIZING
from civitai_mock.generation.graph_reader.nodes import Nodes
from civitai_mock.generation.graph_reader.output_images import OutputImages, read_output_images
from civitai_mock.generation.graph_reader.samplers import IMAGE_INPUTS, SAMPLER_INPUTS
from civitai_mock.providers.simulator.graph_check import GraphRefusedError, check_graph
from tests.support.comfy_graphs import RECORDED, Graph, load_graph, node, recorded_graph, text_to_image
from tests.support.generation import MODELS, graph_of
from tests.support.golden import Golden
from tests.support.paths import DATA
from tests.support.table import table

FACTS = DATA / "golden" / "output_images.json"
OURS = DATA / "golden" / "graphs"
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
IDS = st.sampled_from(["1", "2", "3", "57:9", "x"])
VALUES = st.recursive(LEAVES | st.tuples(IDS, st.integers(0, 2)).map(list), lambda inner: st.lists(inner, max_size=3))
NAMES = st.sampled_from(
    sorted(
        SAMPLER_INPUTS.union(SIZING, COUNTING, IMAGE_INPUTS, TEXT_INPUTS)
        | {"model", "positive", "negative", "guider", "sigmas", "lora_name", "end_at_step", "value"}
    )
)
CLASSES = st.sampled_from(["SaveImage", "PreviewImage", "KSampler", "EmptyLatentImage", "ConditioningZeroOut"])
NODES = st.fixed_dictionaries({"class_type": CLASSES, "inputs": st.dictionaries(NAMES, VALUES)})


def only(graph: Graph) -> OutputImages:
    (output,) = read_output_images(Nodes(graph))
    return output


def changed(name: str, changes: dict[str, dict[str, Any]], **new: Any) -> Graph:
    """A recorded graph with some inputs of some nodes replaced, and some nodes added."""
    graph = recorded_graph(name)
    for node_id, inputs in changes.items():
        graph[node_id]["inputs"] |= inputs
    return graph | new


def test_recorded_graphs_read_as_reviewed(golden: Golden) -> None:
    read = {path.stem: [asdict(one) for one in read_output_images(Nodes(load_graph(path)))] for path in RECORDED}
    golden.check_json(FACTS, json.loads(json.dumps(read)))


@table("path", sorted(OURS.glob("*.json")), ids=lambda path: path.stem)
def test_graphs_of_this_server_read_in_full(path: Path) -> None:
    output = only(load_graph(path))
    main = output.main
    assert all((main.prompt_text, main.model, main.sampler, main.noise_schedule, main.steps, main.seed))
    assert output.batch.width >= 64


def test_the_first_pass_is_the_main_one() -> None:
    output = only(recorded_graph("sdxl_base_refiner"))
    assert [one.model for one in output.passes] == ["sdxl_slim.safetensors", "sdxl_refiner_slim.safetensors"]
    assert output.main.model == "sdxl_slim.safetensors"


def test_a_refiner_does_only_its_own_steps() -> None:
    output = only(recorded_graph("sdxl_base_refiner"))
    assert output.effort == pytest.approx({"8": 4 * 64 * 64 / 1e6, "9": 1 * 64 * 64 / 1e6})


@pytest.mark.parametrize(
    ("ecosystem", "size"), [("sd1", (1920, 1920)), ("sdxl", (3840, 3840)), ("flux1", (3840, 3840))]
)
def test_a_graph_of_this_server_with_all_extras_reads_as_what_was_asked_for(
    ecosystem: str, size: tuple[int, int]
) -> None:
    """A hires pass by 1.5 and an upscale by 2.5 of two images from one that is given."""
    output = only(load_graph(OURS / f"{ecosystem}-all-extras.json"))
    assert (output.batch.width, output.batch.height, output.batch.count) == (*size, 2)
    assert [(one.steps, one.denoise) for one in output.passes] == [(20, 0.75), (20, 0.5)]
    assert output.source.endswith("_source")


def test_a_late_start_from_an_image_is_a_denoise() -> None:
    """30 of the last 75 steps, half of them by a refiner, and then a hires pass."""
    output = only(load_graph(OURS / "sdxl-refiner-and-all-extras.json"))
    assert [one.model for one in output.passes] == [
        "sdxl/civitai/101055/128078.safetensors",
        "sdxl/civitai/1/2.safetensors",
        "sdxl/civitai/101055/128078.safetensors",
    ]
    assert (output.main.steps, output.main.denoise) == (30, 0.4)
    assert output.effort["KSamplerAdvanced"] == pytest.approx(15 * 0.4 * 1.024**2)
    assert (output.batch.width, output.batch.height) == (1536 * 4, 1536 * 4)


def test_loras_come_in_the_order_of_their_chain() -> None:
    output = only(recorded_graph("sd1_loras_clipskip_embedding_vae_hiresfix"))
    assert [(lora.file_name, lora.strength) for lora in output.main.loras] == [
        ("sd15_style_a.safetensors", 0.8),
        ("sd15_style_b.safetensors", 0.5),
    ]


def test_a_controlnet_between_mixes_no_roles() -> None:
    main = only(recorded_graph("sd1_controlnet")).main
    assert (main.prompt_text, main.negative_text) == ("a red fox in snow", "text, watermark")


@table("ecosystem", MODELS)
@table("preprocessor", RECIPES)
def test_an_image_that_guides_the_drawing_changes_nothing_else(ecosystem: str, preprocessor: str) -> None:
    net: Any = {"preprocessor": preprocessor, "imageUrl": "https://images.example/fox.png"}
    params = {"prompt": "a fox", "negativePrompt": "text", "seed": 7, "width": 64, "height": 128}
    lora = f"urn:air:{ecosystem}:lora:civitai:1@2"
    plain: dict[str, Any] = {"model": MODELS[ecosystem], "params": params, "additionalNetworks": {lora: {}}}
    guided = graph_of({**plain, "controlNets": [net, net]})
    assert only(guided) == only(graph_of(plain))
    assert only(guided).main.prompt_text == "a fox"


def test_a_zeroed_conditioning_has_no_words() -> None:
    zeroed = node("ConditioningZeroOut", conditioning=["6", 0])
    graph = changed("sd1_txt2img", {"3": {"negative": ["20", 0]}}, **{"20": zeroed})
    assert only(graph).main.negative_text == ""


def test_two_encoders_of_one_text_say_it_once() -> None:
    graph = changed("sdxl_txt2img_sdxl_encode", {"3": {"text_g": "a red fox", "text_l": "a red fox"}})
    assert only(graph).main.prompt_text == "a red fox"


def test_values_are_followed_to_the_nodes_that_hold_them() -> None:
    graph = changed(
        "sd1_txt2img",
        {"3": {"seed": ["20", 0], "steps": ["21", 0]}, "5": {"width": ["22", 0]}, "6": {"text": ["23", 0]}},
        **{
            "20": node("PrimitiveInt", value=["24", 0]),
            "21": node("PrimitiveInt", value="7"),
            "22": node("PrimitiveInt", value=128),
            "23": node("PrimitiveString", value="a lighthouse"),
            "24": node("PrimitiveInt", value=18446744073709551615),
        },
    )
    output = only(graph)
    assert (output.main.seed, output.main.steps, output.main.prompt_text) == (2**64 - 1, 7, "a lighthouse")
    assert output.batch.width == 128


def test_values_that_go_round_in_a_circle_are_none() -> None:
    assert Nodes({"1": node("PrimitiveInt", value=["1", 0])}).value("1", "value") is None


@pytest.mark.parametrize(
    ("graph", "size"),
    [
        (text_to_image(width=65, height=71), (64, 64)),
        (text_to_image(width=72, height=72), (72, 72)),
        (recorded_graph("sd1_hiresfix_upscale_model"), (96, 96)),
        (recorded_graph("sd1_loras_clipskip_embedding_vae_hiresfix"), (96, 96)),
        (recorded_graph("upscale_with_model"), (1024, 1024)),
        (recorded_graph("sd1_img2img"), (512, 512)),
        (changed("sd1_img2img_resized", {"12": {"width": 128, "height": 96}}), (128, 96)),
        (changed("sd1_img2img_resized", {"12": {"width": 128, "height": 0}}), (128, 128)),
        (changed("sd1_txt2img", {"5": {"width": None, "height": "wide"}}), (512, 512)),
    ],
)
def test_sizes_follow_the_pixels(graph: Graph, size: tuple[int, int]) -> None:
    batch = only(graph).batch
    assert (batch.width, batch.height) == size


def test_a_part_of_a_batch_keeps_its_place() -> None:
    batch = only(recorded_graph("sd1_latent_from_batch")).batch
    assert (batch.count, batch.first) == (1, 1)


def test_batches_multiply() -> None:
    repeated = node("RepeatLatentBatch", samples=["5", 0], amount=4)
    graph = changed("sd1_batch3", {"3": {"latent_image": ["20", 0]}}, **{"20": repeated})
    assert only(graph).batch.count == 12


def test_output_nodes_come_by_number_and_then_as_in_the_graph() -> None:
    classes = dict.fromkeys(("z", "57:10", "10", "57:9", "9", "a"), "SaveImage")
    outputs = read_output_images(Nodes(text_to_image(outputs=classes)))
    assert [output.node_id for output in outputs] == ["9", "10", "57:9", "57:10", "z", "a"]


@given(st.dictionaries(IDS, NODES | VALUES))
def test_a_graph_of_any_shape_is_read_or_refused(graph: Graph) -> None:
    try:
        outputs = check_graph(graph)
    except GraphRefusedError:
        return
    for one in outputs:
        assert 1 <= one.batch.width <= 16384
        assert 1 <= one.batch.height <= 16384
        assert sum(one.effort.values()) >= 0
