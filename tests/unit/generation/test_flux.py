"""FLUX.1, dev and schnell, for servers with a file for each part and for those with one for all."""

from dataclasses import replace
from typing import Any

import pytest

from civitai_mock.api.v1.job_types import JOB_TYPES_BY_TYPE
from civitai_mock.domain.json_types import JsonObject
from civitai_mock.generation.ecosystems.flux1 import FLUX1
from civitai_mock.generation.job_types import job_work
from civitai_mock.generation.work import GraphWork
from civitai_mock.providers.comfyui.graphs.file_names import Names, find_in_role
from tests.support.comfy_graphs import recorded_graph
from tests.support.generation import MODELS, SKELETONS, make_found, planned_job
from tests.support.golden import Golden
from tests.support.graph_check import EVERY_NODE, faults
from tests.support.paths import DATA
from tests.support.table import table

GOLDEN = DATA / "golden" / "flux"
DEV = MODELS["flux1"]
SCHNELL = "urn:air:flux1:checkpoint:civitai:618692@699279"
LORA, VAE = "urn:air:flux1:lora:civitai:1@11", "urn:air:flux1:vae:civitai:2@22"
PARAMS: JsonObject = {"prompt": "a red fox", "negativePrompt": "text", "seed": 42}
EXTRAS: JsonObject = {"additionalNetworks": {LORA: {"strength": 0.8}, VAE: {}}}
CONTROL_NET: JsonObject = {"controlNets": [{"preprocessor": "Canny", "imageUrl": "https://images.example/fox.png"}]}
FORMS = ("files", "checkpoint")
CASES: dict[str, JsonObject] = {
    f"{kind}-{name}": {"model": model, "params": PARAMS, **extras}
    for kind, model in {"dev": DEV, "schnell": SCHNELL}.items()
    for name, extras in {"plain": {}, "lora-and-vae": EXTRAS}.items()
}


def work_of(template: JsonObject, **fields: str) -> GraphWork:
    model = str(template["model"])
    found = {model: make_found(model, **fields)} if fields else None
    work = job_work(planned_job(template, found), SKELETONS)
    assert isinstance(work, GraphWork)
    return work


def shape(graph: Any, node_id: str) -> Any:
    """A node and all that it reads, whatever their ids and values."""
    node = graph[node_id]
    inputs = {
        name: (shape(graph, value[0]), value[1]) if isinstance(value, list) else None
        for name, value in node["inputs"].items()
    }
    return node["class_type"], inputs


def whole_shape(graph: Any) -> Any:
    (output,) = (node_id for node_id, node in graph.items() if node["class_type"] == "SaveImage")
    return shape(graph, output)


@pytest.mark.parametrize("name", CASES)
def test_both_graphs_are_the_reviewed_ones(golden: Golden, name: str) -> None:
    work = work_of(CASES[name])
    for form, graph in zip(FORMS, (work.graph, *work.alternatives), strict=True):
        golden.check_json(GOLDEN / f"{name}-{form}.json", graph)
        assert faults(graph) == []


@pytest.mark.parametrize(
    ("name", "number", "recorded"),
    [
        ("dev-plain", 0, "flux_dev_txt2img_custom"),
        ("dev-plain", 1, "flux_dev_fp8_checkpoint"),
        ("schnell-plain", 0, "flux_schnell_txt2img_custom"),
        ("schnell-plain", 1, "flux_schnell_fp8_checkpoint"),
    ],
)
def test_a_graph_is_wired_as_one_that_a_server_ran(name: str, number: int, recorded: str) -> None:
    work = work_of(CASES[name])
    built = (work.graph, *work.alternatives)[number]
    assert whole_shape(built) == whole_shape(recorded_graph(recorded))


@table(
    ("model", "fields", "steps"),
    [
        (DEV, {}, 20),
        (DEV, {"versionName": "Dev", "modelName": "FLUX"}, 20),
        (SCHNELL, {}, 4),
        (SCHNELL.upper().replace("URN:AIR", "urn:air"), {}, 4),
        ("urn:air:flux1:checkpoint:huggingface:x@699279", {}, 20),
        ("urn:air:flux1:checkpoint:civitai:1@2", {"fileName": "sub/flux1-SCHNELL-fp8.safetensors"}, 4),
        ("urn:air:flux1:checkpoint:civitai:1@2", {"modelName": "Pixel Schnell"}, 4),
        ("urn:air:flux1:checkpoint:civitai:1@2", {"versionName": "Schnell"}, 4),
        ("urn:air:flux1:checkpoint:civitai:1@2", {"resourceName": "flux.1-schnell"}, 4),
        ("urn:air:flux1kontext:checkpoint:civitai:1@2", {}, 20),
        ("urn:air:fluxkrea:checkpoint:civitai:1@2", {}, 20),
        ("urn:air:sdxl:checkpoint:civitai:1@2", {"modelName": "schnell"}, 20),
    ],
)
def test_a_resource_is_schnell_by_its_names_or_its_version(model: str, fields: dict[str, str], steps: int) -> None:
    work = work_of({"model": model, "params": {}}, **fields)
    assert all(f"'steps': {steps}," in repr(graph) for graph in (work.graph, *work.alternatives))


@pytest.mark.parametrize(("model", "guidance"), [(DEV, "'guidance': 5"), (SCHNELL, "")])
def test_cfg_scale_is_the_guidance_of_dev_and_has_no_place_in_schnell(model: str, guidance: str) -> None:
    work = work_of({"model": model, "params": {"cfgScale": 5}})
    for graph in (work.graph, *work.alternatives):
        assert ("FluxGuidance" in repr(graph)) == bool(guidance)
        assert guidance in repr(graph)
        assert "'cfg': 5" not in repr(graph)


def test_the_kind_is_stored_with_the_job_and_not_shown() -> None:
    job = planned_job({"model": DEV, "params": {}}, {DEV: make_found(DEV, versionName="Schnell")})
    described = JOB_TYPES_BY_TYPE[job.type].describe(job)
    work = job_work(job, SKELETONS)
    assert isinstance(work, GraphWork)
    assert "FluxGuidance" not in work.graph
    assert "schnell" not in repr(described)
    assert described["params"] == {**described["params"], "steps": 4, "cfgScale": 1}  # type: ignore[dict-item]


def test_a_job_from_before_there_were_kinds_is_built_as_then() -> None:
    job = planned_job({"model": SCHNELL, "params": {}})
    request = {name: value for name, value in job.spec.items() if name != "modelKind"}
    assert request != job.spec
    work = job_work(replace(job, spec=request), SKELETONS)
    assert isinstance(work, GraphWork)
    assert "FluxGuidance" in work.graph


def test_each_way_to_do_a_control_net_comes_with_each_form() -> None:
    plain, controlled = work_of(CASES["dev-plain"]), work_of({**CASES["dev-plain"], **CONTROL_NET})
    graphs = (controlled.graph, *controlled.alternatives)
    with_checkpoint = ["CheckpointLoaderSimple" in graph for graph in graphs]
    assert set(with_checkpoint) == {True, False}
    assert with_checkpoint == sorted(with_checkpoint)
    assert all("ControlNetApplyAdvanced" in repr(graph) and faults(graph, EVERY_NODE) == [] for graph in graphs)
    assert {role.name for role in plain.roles} < {role.name for role in controlled.roles}


FILES = {
    "t5xxl_fp8_e4m3fn.safetensors": {
        ("t5xxl_fp16.safetensors", "clip_l.safetensors"): "t5xxl_fp16.safetensors",
        ("t5xxl_fp16.safetensors", "t5xxl_fp8_e4m3fn_scaled.safetensors"): "t5xxl_fp8_e4m3fn_scaled.safetensors",
        ("sub\\T5XXL_FP16.safetensors",): "sub\\T5XXL_FP16.safetensors",
        ("t5/google_t5-v1_1-xxl_encoderonly-fp16.safetensors",): "t5/google_t5-v1_1-xxl_encoderonly-fp16.safetensors",
        ("b/t5xxl_fp16.safetensors", "a/t5xxl_fp16.safetensors"): "a/t5xxl_fp16.safetensors",
        ("umt5_xxl_fp8_e4m3fn_scaled.safetensors", "t5xxl.gguf", "oldt5_xxl_fp16.safetensors"): None,
        ("clip_l.safetensors", "t5_base.safetensors"): None,
    },
    "clip_l.safetensors": {
        ("clip_g.safetensors", "flux/clip-l.safetensors"): "flux/clip-l.safetensors",
        ("ViT-L-14-TEXT-detail-improved-hiT-GmP-TE-only-HF.safetensors",): (
            "ViT-L-14-TEXT-detail-improved-hiT-GmP-TE-only-HF.safetensors"
        ),
        ("clip_large.safetensors", "clip_l_hidream.safetensors", "t5xxl_fp16.safetensors"): None,
    },
    "ae.safetensors": {
        ("ae.sft", "flux_vae.safetensors"): "ae.sft",
        ("FLUX1\\ae.safetensors", "sdxl_vae.safetensors"): "FLUX1\\ae.safetensors",
        ("vae-ft-mse-840000.safetensors", "flux_vae.safetensors"): "flux_vae.safetensors",
        ("flux1-ae.safetensors",): "flux1-ae.safetensors",
        ("vae_flux.safetensors",): "vae_flux.safetensors",
        ("flux2-vae.safetensors", "flux2/ae.safetensors", "sdxl_vae.safetensors", "taef1"): None,
    },
}


@table(
    ("role", "names", "expected"),
    [(role, names, expected) for role, cases in FILES.items() for names, expected in cases.items()],
)
def test_a_part_of_flux_is_played_by_another_file_that_can(
    role: str, names: tuple[str, ...], expected: str | None
) -> None:
    (found,) = (known for known in FLUX1.roles if known.name == role)
    assert find_in_role(found, Names(names)) == expected
