"""Graphs of every ecosystem and feature, as files to review; whatever is built, ComfyUI would accept."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from civitai_mock.domain.json_types import Json, JsonObject
from civitai_mock.domain.sampling import SAMPLINGS
from civitai_mock.generation.control_nets.preprocessors import RECIPES
from civitai_mock.generation.work import GraphWork
from tests.support.generation import MODELS, graph_of, graph_of_job, make_found, planned_job, work_of
from tests.support.golden import Golden
from tests.support.graph_check import EVERY_NODE, NODES, faults
from tests.support.paths import DATA

GOLDEN = DATA / "golden" / "graphs"
BLOB_KEY = "AC146E9943652A7D6359696406CAFFBF3796C4AD81CD3711502EEBA988663395"
IMAGE_URL, OTHER_URL = "https://images.example/fox.png", "https://images.example/boat.png"
UPSCALER = "urn:air:other:upscaler:civitai:147759@164821"
REFINER = "urn:air:sdxl:checkpoint:civitai:1@2"
PROMPTS: JsonObject = {"prompt": "a red fox in snow", "negativePrompt": "text, watermark", "seed": 42}


def network(ecosystem: str, kind: str, number: int) -> str:
    return f"urn:air:{ecosystem}:{kind}:civitai:{number}@{number}{number}"


def features(ecosystem: str) -> dict[str, JsonObject]:
    """What each golden file is about, as members of the request; `params` are added to the prompts."""
    lora, lycoris, first, second, vae, hypernet = (
        network(ecosystem, kind, number)
        for number, kind in enumerate(("lora", "lycoris", "embedding", "embedding", "vae", "hypernet"), start=1)
    )
    return {
        "plain": {},
        "lora-chain": {
            "additionalNetworks": {
                lycoris: {"strength": -0.5},
                "mine": {"id": lora, "type": "Lora", "strength": 0.8, "triggerWord": "foxy style"},
            }
        },
        "embeddings": {
            "params": {"prompt": "a red fox", "negativePrompt": "text,easynegative!"},
            "additionalNetworks": {
                first: {"triggerWord": "EasyNegative"},
                second: {"strength": 1.25, "triggerWord": "furry"},
            },
        },
        "vae": {"additionalNetworks": {vae: {}}},
        "hypernetwork": {"additionalNetworks": {hypernet: {"strength": 0.5}}},
        "clip-skip": {"params": {"clipSkip": 2}, "additionalNetworks": {lora: {}}},
        "prompt-syntax": {
            "params": {
                "prompt": r"[a red] fox, <lora:mine:0.6:0.8>, ((snow)) BREAK \[moon\] [day|night] <hypernet:soft:0.5>",
                "negativePrompt": "[[text]], <lora:other>",
            },
            "additionalNetworks": {lora: {"strength": 0.5}},
        },
        "batch": {"quantity": 4, "batchSize": 2},
        "size": {"params": {"width": 832, "height": 1217}},
        "sampler": {"params": {"scheduler": "dpM3MSDEExponential", "steps": 35, "cfgScale": 4.5}},
        "control-net-canny": {
            "controlNets": [{"preprocessor": "canny", "weight": 0.8, "endStep": 0.8, "blobKey": BLOB_KEY}]
        },
        "control-net-rembg": {"controlNets": [{"preprocessor": "Rembg", "imageUrl": IMAGE_URL}]},
        "control-nets-chained": {
            "params": {"width": 1000, "height": 640, "clipSkip": 2},
            "additionalNetworks": {lora: {}, vae: {}},
            "controlNets": [
                {"preprocessor": "DepthZoe", "imageUrl": IMAGE_URL, "model": network(ecosystem, "controlnet", 7)},
                {"preprocessor": "SoftedgePidinet", "weight": 0, "startStep": 0.25, "imageUrl": IMAGE_URL},
                {"preprocessor": "DepthZoe", "imageUrl": OTHER_URL, "model": network(ecosystem, "controlnet", 7)},
            ],
        },
        "source-image": {"params": {"sourceImage": BLOB_KEY, "denoiseStrength": 0.6, "width": 833, "height": 640}},
        "source-image-batch": {
            "params": {"sourceImage": IMAGE_URL},
            "additionalNetworks": {lora: {}, vae: {}},
            "quantity": 3,
        },
        "hires": {"params": {"hires": {}}},
        "hires-upscaler": {
            "params": {"hires": {"scale": 2, "steps": 10, "denoiseStrength": 0.35, "upscaler": UPSCALER}},
            "additionalNetworks": {lora: {}, vae: {}},
        },
        "upscale": {"params": {"upscale": {"model": UPSCALER}}},
        "all-extras": {
            "params": {
                "sourceImage": IMAGE_URL,
                "hires": {"upscaler": UPSCALER},
                "upscale": {"model": UPSCALER, "scale": 2.5},
            },
            "quantity": 2,
        },
    }


def refinements(lora: str) -> dict[str, JsonObject]:
    """What only SDXL has."""
    refiner: JsonObject = {"model": REFINER}
    return {
        "refiner": {"params": {"refiner": refiner}, "additionalNetworks": {lora: {}}},
        "refiner-and-all-extras": {
            "params": {
                "steps": 30,
                "sourceImage": BLOB_KEY,
                "denoiseStrength": 0.4,
                "refiner": {**refiner, "switchAt": 0.5},
                "hires": {},
                "upscale": {"model": UPSCALER},
            }
        },
    }


def template(model: str, feature: JsonObject) -> JsonObject:
    params: Any = feature.get("params", {})
    return {"model": model, **feature, "params": {**PROMPTS, **params}}


def only_of(ecosystem: str) -> dict[str, JsonObject]:
    return refinements(network(ecosystem, "lora", 1)) if ecosystem == "sdxl" else {}


CASES = {
    f"{ecosystem}-{name}": template(model, feature)
    for ecosystem, model in MODELS.items()
    for name, feature in (features(ecosystem) | only_of(ecosystem)).items()
}


@pytest.mark.parametrize("name", CASES)
def test_the_graph_is_the_reviewed_one(golden: Golden, name: str) -> None:
    graph = graph_of(CASES[name])
    golden.check_json(GOLDEN / f"{name}.json", graph)
    assert faults(graph, EVERY_NODE if "controlNets" in CASES[name] else NODES) == []


def test_every_reviewed_graph_is_still_built() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == set(CASES)


WORDS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=60)
NETWORKS = st.dictionaries(
    st.tuples(st.sampled_from(["lora", "LoCon", "dora", "embedding", "hypernet"]), st.integers(1, 5)),
    st.fixed_dictionaries({}, optional={"strength": st.floats(-10, 10), "triggerWord": WORDS}),
    max_size=4,
)
PARAMS = st.fixed_dictionaries(
    {},
    optional={
        "prompt": WORDS,
        "negativePrompt": WORDS,
        "scheduler": st.sampled_from(list(SAMPLINGS)),
        "steps": st.integers(1, 150),
        "cfgScale": st.floats(1, 30),
        "width": st.integers(64, 2048),
        "height": st.integers(64, 2048),
        "seed": st.integers(-1, 2**32 - 1),
        "clipSkip": st.integers(1, 24),
    },
)


CONTROL_NETS = st.lists(
    st.fixed_dictionaries(
        {"preprocessor": st.sampled_from(list(RECIPES)), "imageUrl": st.sampled_from([IMAGE_URL, OTHER_URL])},
        optional={"weight": st.floats(0, 10), "startStep": st.floats(0, 0.5), "endStep": st.floats(0.6, 1)},
    ),
    max_size=3,
)


@given(st.sampled_from(sorted(MODELS)), PARAMS, CONTROL_NETS)
def test_comfyui_would_accept_every_alternative_with_control_nets(
    ecosystem: str, params: JsonObject, control_nets: list[Json]
) -> None:
    work = work_of({"model": MODELS[ecosystem], "params": params, "controlNets": control_nets})
    assert isinstance(work, GraphWork)
    assert [faults(graph, EVERY_NODE) for graph in (work.graph, *work.alternatives)] == [[]] * (
        1 + len(work.alternatives)
    )


@given(st.sampled_from(sorted(MODELS)), PARAMS, NETWORKS, st.booleans(), st.integers(1, 100))
def test_comfyui_would_accept_the_graph_of_any_request(
    ecosystem: str, params: JsonObject, networks: dict[tuple[str, int], JsonObject], vae: bool, quantity: int
) -> None:
    named = {network(ecosystem, kind, number): fields for (kind, number), fields in networks.items()}
    if vae:
        named |= {network(ecosystem, "vae", 9): {}}
    request: JsonObject = {"model": MODELS[ecosystem], "params": params, "quantity": quantity}
    assert faults(graph_of({**request, "additionalNetworks": {**named}})) == []


def test_building_leaves_the_skeleton_as_it_was() -> None:
    before = graph_of(CASES["flux1-plain"])
    changed = graph_of(CASES["flux1-lora-chain"])
    changed["VAEDecode"]["inputs"] = {}
    assert graph_of(CASES["flux1-plain"]) == before


def test_a_resource_may_have_a_file_name_of_its_own() -> None:
    """And the path rule gives it otherwise (capture comfy-graph-sdxl-worker)."""
    by_rule = graph_of(CASES["sdxl-plain"])
    named = make_found(MODELS["sdxl"], fileName="sub/sd_xl_base_1.0.safetensors")
    overridden = graph_of(CASES["sdxl-plain"], {MODELS["sdxl"]: named})
    assert by_rule["CheckpointLoaderSimple"]["inputs"] == {"ckpt_name": "sdxl/civitai/101055/128078.safetensors"}
    assert overridden["CheckpointLoaderSimple"]["inputs"] == {"ckpt_name": "sub/sd_xl_base_1.0.safetensors"}


@pytest.mark.parametrize(
    ("ecosystem", "clip_skip", "layer"),
    [("sd1", None, None), ("sd1", 1, None), ("sd1", 2, -2), ("sdxl", 24, -24), ("flux1", 2, None)],
)
def test_clip_skip_is_a_node_where_it_changes_anything(
    ecosystem: str, clip_skip: int | None, layer: int | None
) -> None:
    graph: Any = graph_of({"model": MODELS[ecosystem], "params": {"clipSkip": clip_skip}})
    layers = [
        node["inputs"]["stop_at_clip_layer"] for node in graph.values() if node["class_type"] == "CLIPSetLastLayer"
    ]
    assert layers == ([] if layer is None else [layer])


def test_flux_has_no_place_for_a_negative_prompt() -> None:
    assert "watermark" not in repr(graph_of(CASES["flux1-plain"]))


def test_each_job_has_a_file_prefix_of_its_own() -> None:
    """ComfyUI answers a graph that it knows with the file it made before."""
    job = planned_job(CASES["sd1-plain"])
    one, other = (graph_of_job(replace(job, id=job_id)) for job_id in ("one", "other"))
    assert one.pop("SaveImage") != other.pop("SaveImage")
    assert one == other
