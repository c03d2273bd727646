"""Source images, hires passes, upscaling and refiners in graphs: as a real server ran them, and on every skeleton."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from civitai_mock.domain.json_types import JsonObject
from civitai_mock.generation.work import GraphWork, InputImage
from tests.support.comfy_graphs import recorded_graph
from tests.support.generation import MODELS, graph_of, make_found, planned_job, work_of
from tests.support.graph_check import faults, links

SD1, SDXL, FLUX1 = MODELS.values()
SCHNELL = "urn:air:flux1:checkpoint:civitai:618692@699279"
UPSCALER = "urn:air:other:upscaler:civitai:147759@164821"
REFINER = "urn:air:sdxl:checkpoint:civitai:1@2"
LORAS: JsonObject = {"urn:air:sd1:lora:civitai:1@2": {}, "urn:air:sd1:lora:civitai:3@4": {}}
MOST_LORAS: JsonObject = {f"urn:air:sd1:lora:civitai:{number}@1": {} for number in range(100)}
VAE: JsonObject = {"urn:air:sd1:vae:civitai:5@6": {}}
BLOB_KEY = "AC146E9943652A7D6359696406CAFFBF3796C4AD81CD3711502EEBA988663395"
URL = "https://images.example/fox.png?size=512"


def template(params: JsonObject, *, model: str = SD1, **members: Any) -> JsonObject:
    return {"model": model, "params": {"prompt": "a fox", **params}, **members}


def work(template: JsonObject) -> GraphWork:
    made = work_of(template)
    assert isinstance(made, GraphWork)
    return made


def inputs_of(graph: Mapping[str, Any], class_type: str) -> list[Any]:
    """Of all nodes of a class, in the order of the graph."""
    return [node["inputs"] for node in graph.values() if node["class_type"] == class_type]


def all_inputs(graph: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return [named for node in graph.values() for named in node["inputs"].items()]


def shape(graph: Mapping[str, Any], node_id: str) -> Any:
    """What a node is made of: classes and how they are linked, without the names of nodes or any values.

    The first image of a file is the only one of those that the recorded graphs read.
    """
    above = {name: (output, shape(graph, target)) for name, (target, output) in links(graph[node_id]).items()}
    if graph[node_id]["class_type"] == "ImageFromBatch":
        return above["image"][1]
    return graph[node_id]["class_type"], above


def shape_of_output(graph: Mapping[str, Any]) -> Any:
    (output,) = (node_id for node_id, node in graph.items() if node["class_type"] == "SaveImage")
    return shape(graph, output)


@pytest.mark.parametrize("model", [SD1, FLUX1])
def test_a_second_pass_has_all_networks_however_many(model: str) -> None:
    """As many as a request may name, by AIR and by tag."""
    asked = template({"prompt": "<lora:mine>" * 100, "hires": {}}, model=model, additionalNetworks=MOST_LORAS)
    assert len(inputs_of(graph_of(asked), "LoraLoader")) == 200


@pytest.mark.parametrize(
    ("recorded", "asked"),
    [
        ("sd1_img2img_resized", template({"sourceImage": BLOB_KEY})),
        ("sd1_hiresfix_upscale_model", template({"hires": {"upscaler": UPSCALER}})),
        (
            "sd1_loras_clipskip_embedding_vae_hiresfix",
            template({"clipSkip": 2, "hires": {}}, additionalNetworks=LORAS | VAE),
        ),
        ("sdxl_base_refiner", template({"refiner": {"model": REFINER}}, model=SDXL)),
    ],
)
def test_a_graph_is_built_like_the_one_that_a_real_server_ran(recorded: str, asked: JsonObject) -> None:
    assert shape_of_output(graph_of(asked)) == shape_of_output(recorded_graph(recorded))


@pytest.mark.parametrize("model", MODELS.values())
def test_of_an_animation_only_the_first_image_is_read(model: str) -> None:
    """ComfyUI would draw as many images as it has, and those of a batch from one after another."""
    control_net: JsonObject = {"preprocessor": "Canny", "imageUrl": URL}
    graph = graph_of(template({"sourceImage": BLOB_KEY}, model=model, controlNets=[control_net], quantity=2))
    loaders = {node_id for node_id, node in graph.items() if node["class_type"] == "LoadImage"}
    readers = [node for node in graph.values() if {target for target, _ in links(node).values()} & loaders]
    assert [node["class_type"] for node in readers] == ["ImageFromBatch", "ImageFromBatch"]
    assert [(one["batch_index"], one["length"]) for one in inputs_of(graph, "ImageFromBatch")] == [(0, 1), (0, 1)]


@pytest.mark.parametrize(
    ("source", "image"),
    [(BLOB_KEY, {"blob_key": BLOB_KEY}), (URL, {"url": URL})],
)
def test_the_source_image_is_announced_under_the_name_that_the_graph_reads(source: str, image: dict[str, str]) -> None:
    asked = template({"sourceImage": source})
    name = f"{planned_job(asked).id}_source"
    made = work(asked)
    assert made.images == (InputImage(name=name, **image),)
    assert inputs_of(made.graph, "LoadImage") == [{"image": name}]


def test_without_a_source_image_there_is_none_to_load() -> None:
    assert work(template({"hires": {}})).images == ()


@pytest.mark.parametrize(
    ("width", "height", "scale", "first", "second"),
    [
        (512, 512, 1.5, (512, 512), (768, 768)),
        (640, 360, 1.15, (640, 360), (736, 408)),
        (833, 1217, 2, (832, 1216), (1664, 2432)),
        (2048, 1024, 2, (2048, 1024), (4096, 2048)),
    ],
    ids=["whole", "not below 736 by a rounding error", "sides between cells", "as large as may be"],
)
def test_both_passes_have_sides_that_latent_space_knows(
    width: int, height: int, scale: float, first: tuple[int, int], second: tuple[int, int]
) -> None:
    params: JsonObject = {
        "width": width,
        "height": height,
        "sourceImage": BLOB_KEY,
        "hires": {"scale": scale, "upscaler": UPSCALER},
    }
    scales = inputs_of(graph_of(template(params)), "ImageScale")
    assert [(one["width"], one["height"]) for one in scales] == [first, second]


def test_a_hires_pass_leaves_the_first_one_as_it_was() -> None:
    graph = graph_of(template({"steps": 30, "hires": {"steps": 12, "denoiseStrength": 0.35}}))
    first, second = inputs_of(graph, "KSampler")
    assert (first["steps"], first["denoise"]) == (30, 1)
    assert (second["steps"], second["denoise"]) == (12, 0.35)
    same = first.keys() - {"steps", "denoise", "latent_image"}
    assert {name: first[name] for name in same} == {name: second[name] for name in same}


def test_a_hires_pass_of_flux_shares_all_but_its_noise_levels() -> None:
    graph = graph_of(template({"hires": {}}, model=FLUX1))
    first, second = inputs_of(graph, "SamplerCustomAdvanced")
    assert {name for name in first if first[name] != second[name]} == {"sigmas", "latent_image"}
    assert [one["denoise"] for one in inputs_of(graph, "BasicScheduler")] == [1, 0.5]


@pytest.mark.parametrize(
    ("upscale", "scaled"),
    [({}, []), ({"scale": 2.5}, [(2160, 1280)])],
    ids=["as large as the model makes it", "to a size"],
)
def test_a_finished_image_is_scaled_with_a_model(upscale: JsonObject, scaled: list[tuple[int, int]]) -> None:
    """After all passes: 576x344 by 1.5 is 864x512 in whole cells."""
    params: JsonObject = {"width": 576, "height": 344, "hires": {}, "upscale": {"model": UPSCALER, **upscale}}
    graph = graph_of(template(params))
    assert [(one["width"], one["height"]) for one in inputs_of(graph, "ImageScale")] == scaled


def test_a_file_that_two_features_need_is_loaded_once() -> None:
    graph = graph_of(template({"hires": {"upscaler": UPSCALER}, "upscale": {"model": UPSCALER}}))
    assert inputs_of(graph, "UpscaleModelLoader") == [
        {"model_name": "upscaler/other/civitai/147759/164821.safetensors"}
    ]


@pytest.mark.parametrize(
    ("params", "refiner", "base_steps", "refiner_steps"),
    [
        ({"steps": 20}, {}, (20, 0, 16), (20, 16, 10000)),
        ({"steps": 30}, {"switchAt": 0.5}, (30, 0, 15), (30, 15, 10000)),
        ({"steps": 2}, {"switchAt": 0.99}, (2, 0, 1), (2, 1, 10000)),
        ({"steps": 20}, {"switchAt": 0.001}, (20, 0, 1), (20, 1, 10000)),
        ({"steps": 20, "sourceImage": BLOB_KEY}, {}, (26, 6, 22), (26, 22, 10000)),
        (
            {"steps": 150, "sourceImage": BLOB_KEY, "denoiseStrength": 0.01},
            {},
            (10000, 9850, 9970),
            (10000, 9970, 10000),
        ),
    ],
    ids=["default", "half", "almost never", "almost at once", "from an image", "hardly changed"],
)
def test_base_and_refiner_share_the_steps(
    params: JsonObject, refiner: JsonObject, base_steps: tuple[int, ...], refiner_steps: tuple[int, ...]
) -> None:
    graph = graph_of(template({**params, "refiner": {"model": REFINER, **refiner}}, model=SDXL))
    steps = [(one["steps"], one["start_at_step"], one["end_at_step"]) for one in inputs_of(graph, "KSamplerAdvanced")]
    assert steps == [base_steps, refiner_steps]


def test_loras_and_skipped_layers_are_for_the_base_only() -> None:
    asked = template({"clipSkip": 2, "refiner": {"model": REFINER}}, model=SDXL, additionalNetworks=LORAS)
    graph = graph_of(asked)
    base, refiner = inputs_of(graph, "KSamplerAdvanced")
    assert graph[base["model"][0]]["class_type"] == "LoraLoader"
    assert graph[refiner["model"][0]]["inputs"] == {"ckpt_name": "sdxl/civitai/1/2.safetensors"}
    encoders = inputs_of(graph, "CLIPTextEncodeSDXLRefiner")
    assert [one["clip"] for one in encoders] == [[refiner["model"][0], 1]] * 2


def test_a_refined_image_is_decoded_with_the_vae_of_the_base() -> None:
    graph = graph_of(template({"refiner": {"model": REFINER}}, model=SDXL))
    assert inputs_of(graph, "VAEDecode")[0]["vae"] == ["CheckpointLoaderSimple", 2]


def test_the_pass_after_a_refiner_is_the_base_alone() -> None:
    graph = graph_of(template({"hires": {}, "refiner": {"model": REFINER}}, model=SDXL))
    (second,) = inputs_of(graph, "KSampler")
    assert graph[second["model"][0]]["inputs"] == {"ckpt_name": "sdxl/civitai/101055/128078.safetensors"}


EXTRAS = st.fixed_dictionaries(
    {},
    optional={
        "steps": st.integers(2, 150),
        "width": st.integers(64, 1024),
        "height": st.integers(64, 1024),
        "sourceImage": st.sampled_from([BLOB_KEY, URL]),
        "hires": st.fixed_dictionaries(
            {},
            optional={
                "scale": st.floats(1, 4, exclude_min=True),
                "steps": st.integers(1, 150),
                "denoiseStrength": st.floats(0.01, 1),
                "upscaler": st.just(UPSCALER),
            },
        ),
        "upscale": st.fixed_dictionaries(
            {"model": st.just(UPSCALER), "scale": st.floats(1, 2, exclude_min=True)},
        ),
    },
)
REFINEMENTS = st.fixed_dictionaries(
    {"model": st.just(REFINER)}, optional={"switchAt": st.floats(0, 1, exclude_min=True, exclude_max=True)}
)


@given(
    st.sampled_from([SD1, SDXL, FLUX1, SCHNELL]),
    EXTRAS,
    st.none() | REFINEMENTS,
    st.floats(0.01, 1),
    st.booleans(),
    st.integers(1, 64),
)
def test_comfyui_would_accept_the_graphs_of_any_extras(
    model: str, extras: JsonObject, refiner: JsonObject | None, denoise: float, networks: bool, quantity: int
) -> None:
    """On every skeleton that may be used for it."""
    params: JsonObject = {**extras}
    if "sourceImage" in params:
        params["denoiseStrength"] = denoise
    if model == SDXL and refiner is not None:
        params["refiner"] = refiner
    made = work(template(params, model=model, quantity=quantity, additionalNetworks=LORAS | VAE if networks else {}))
    for graph in (made.graph, *made.alternatives):
        assert faults(graph) == []


@pytest.mark.parametrize("model", [SD1, SDXL, FLUX1, SCHNELL])
def test_every_skeleton_draws_over_a_source_image(model: str) -> None:
    """One that had no slot for the strength would begin from noise alone."""
    made = work(template({"sourceImage": BLOB_KEY, "denoiseStrength": 0.4}, model=model))
    for graph in (made.graph, *made.alternatives):
        (strength,) = (value for name, value in all_inputs(graph) if name == "denoise")
        assert strength == 0.4
        assert "Empty" not in repr(graph)


def test_a_resource_of_an_extra_may_have_a_file_name_of_its_own() -> None:
    found = make_found(UPSCALER, fileName="4x_foolhardy_Remacri.pth")
    graph = graph_of(template({"upscale": {"model": "@civitai/164821"}}), {"@civitai/164821": found})
    assert inputs_of(graph, "UpscaleModelLoader") == [{"model_name": "4x_foolhardy_Remacri.pth"}]
