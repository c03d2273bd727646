"""imageGen: what each engine, ecosystem and operation comes to."""

import json
import re
from dataclasses import replace
from itertools import zip_longest
from typing import Any

import pytest

from civitai_mock.api.v2.description.document import published
from civitai_mock.api.v2.description.echo import echo_input
from civitai_mock.domain.json_types import as_object
from civitai_mock.domain.sampling import SAMPLE_METHODS, SAMPLINGS, SCHEDULES, Sampling
from civitai_mock.generation.file_recipes import ImageRecipe
from civitai_mock.generation.job_types import job_work
from civitai_mock.generation.media import ImageFormat
from civitai_mock.generation.operations import RedrawImage
from civitai_mock.generation.work import DerivedWork, GraphWork, JobWork, MediaWork
from tests.support.generation import MODELS, SKELETONS, graph_of_job, job_of, plan
from tests.support.graph_check import EVERY_NODE, faults
from tests.support.paths import DATA
from tests.support.table import table
from tests.support.v2_description import check_output
from tests.support.v2_inputs import InputKind, input_kinds, make_input
from tests.support.v2_steps import (
    EMBEDDING,
    LORA,
    SEED,
    SEEN,
    TYPES,
    VAE,
    fault_paths,
    job_in_step,
    plans_of,
    with_airs,
)

ANIMA = "urn:air:anima:checkpoint:civitai:2458426@2945208"
SDXL: Any = {
    "engine": "sdcpp",
    "ecosystem": "sdxl",
    "operation": "createImage",
    "model": MODELS["sdxl"],
    "prompt": "a fox",
}
FLUX1: Any = {
    "engine": "sdcpp",
    "ecosystem": "flux1",
    "operation": "createImage",
    "prompt": "a fox",
    "diffuserModel": MODELS["flux1"],
    "vaeModel": "urn:air:flux1:vae:civitai:618692@691640",
    "clipLModel": "urn:air:flux1:textencoder:civitai:618692@691641",
    "t5XXLModel": "urn:air:flux1:textencoder:civitai:618692@691642",
}
IMAGE = "https://example.com/fox.png"
KINDS = [kind for kind in input_kinds() if kind.step_type == "imageGen"]
WITH_GRAPHS = {
    f"{engine}{family}{operation}ImageGenInput"
    for engine, families in {"": ("Sd1", "Sdxl"), "Comfy": ("Sd1", "Sdxl", "Flux1")}.items()
    for family in families
    for operation in ("Create", "Variant")
} | {"Flux1SdCppCreateImageInput", "Flux1SdCppVariantImageGenInput"}


def works_of(sent: Any) -> list[JobWork]:
    return [job_work(job_of(made), SKELETONS) for made in plans_of("imageGen", sent)]


def work_of(sent: Any) -> Any:
    (work,) = works_of(sent)
    return work


def spec_of(sent: Any) -> Any:
    (made,) = plans_of("imageGen", sent)
    return made.spec


@table("is_full", [False, True], ids=["least", "full"])
@table("kind", KINDS, ids=str)
def test_every_kind_of_input_makes_a_job_for_each_image_and_a_valid_output(kind: InputKind, is_full: bool) -> None:
    sent = with_airs(make_input(kind, is_full=is_full))
    plans = plans_of("imageGen", sent)
    assert len(plans) == max(sent.get("quantity", 1), sent.get("numImages", 1))
    jobs = [job_in_step(made) for made in plans]
    assert all(len(job.slots) == 1 for job in jobs)
    assert len({slot.seed for job in jobs for slot in job.slots}) == len(jobs)
    works = [job_work(job, SKELETONS) for job in jobs]
    kinds = (GraphWork,) if kind.schema in WITH_GRAPHS else (MediaWork, DerivedWork)
    assert all(isinstance(work, kinds) for work in works)
    output = TYPES.output("imageGen", echo_input("imageGen", sent), jobs, view=SEEN)
    check_output("imageGen", output)
    assert TYPES.cost("imageGen", echo_input("imageGen", sent)).base > 0


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.schema in WITH_GRAPHS], ids=str)
def test_graphs_are_what_comfyui_takes(kind: InputKind) -> None:
    sent = with_airs(make_input(kind, is_full=True)) | {"steps": 20}
    for work in works_of(sent):
        assert isinstance(work, GraphWork)
        for graph in (work.graph, *work.alternatives):
            assert faults(graph, EVERY_NODE) == []


@table("word", published()["components"]["schemas"]["ImageTransformer"]["enum"])
@table("ecosystem", ["sd1", "sdxl", "flux1"])
def test_an_image_can_be_guided_by_every_preprocessor(ecosystem: str, word: str) -> None:
    net = {"preprocessor": word, "weight": 0.5, "startStep": 0, "endStep": 0.75, "image": IMAGE}
    model = {"engine": "comfy", "ecosystem": ecosystem, "model": MODELS[ecosystem]}
    work = work_of({**SDXL, **model, "controlNets": [net]})
    assert [image.url for image in work.images] == [IMAGE]
    for graph in (work.graph, *work.alternatives):
        assert faults(graph, EVERY_NODE) == []
    loader = next(node for node in work.graph.values() if node["class_type"] == "ControlNetLoader")
    role = next(role for role in work.roles if role.name == loader["inputs"]["control_net_name"])
    assert re.search(role.patterns[0], role.name.lower())


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        ({"image": None}, "controlNets[1].image"),
        ({"weight": 11}, "controlNets[1].weight"),
        ({"endStep": 20}, "controlNets[1].endStep"),
    ],
)
def test_what_is_wrong_with_a_control_net_is_a_fault_by_its_path(wrong: Any, path: str) -> None:
    net = {"preprocessor": "canny", "weight": 1, "startStep": 0, "endStep": 1, "image": IMAGE}
    sent = {**SDXL, "engine": "comfy", "controlNets": [net, {**net, **wrong}]}
    assert fault_paths("imageGen", sent) == {path}


def test_one_image_has_the_same_spec_and_graph_through_both_versions() -> None:
    """But for the file that it is given out as."""
    members: Any = {"negativePrompt": "snow", "steps": 30, "cfgScale": 6.5, "width": 832, "height": 1216, "seed": 7}
    (made,) = plans_of("imageGen", {**SDXL, **members, "sampleMethod": "euler_a", "loras": {LORA: 0.8}})
    of_v1 = plan(
        {
            "model": MODELS["sdxl"],
            "params": {**members, "prompt": "a fox", "scheduler": "EulerA"},
            "additionalNetworks": {LORA: {"strength": 0.8}},
        }
    )
    spec: Any = made.spec
    assert replace(spec, file=None) == of_v1.spec
    assert graph_of_job(job_of(made)) == graph_of_job(job_of(of_v1))


def test_the_ecosystem_of_the_recipe_says_which_graph_is_built() -> None:
    (body,) = json.loads((DATA / "captures/v2-request-imagegen-sdcpp.json").read_text("utf-8"))["steps"]
    spec = spec_of(body["input"])
    assert (spec.model, spec.ecosystem) == (ANIMA, "sdxl")
    work = work_of(body["input"])
    assert faults(work.graph) == []
    loaded = [node["inputs"].get("ckpt_name") for node in work.graph.values()]
    assert "anima/civitai/2458426/2945208.safetensors" in loaded


@pytest.mark.parametrize(
    "model", ["sdxl:checkpoint:civitai:101055@128078", "air:sdxl:checkpoint:civitai:101055@128078"]
)
def test_a_model_may_be_named_without_a_prefix(model: str) -> None:
    assert spec_of({**SDXL, "model": model}).model.lower() == MODELS["sdxl"]


def test_an_ecosystem_that_the_air_tells_is_not_stored() -> None:
    assert spec_of(SDXL).ecosystem is None


@pytest.mark.parametrize("ecosystem", ["pony", "Illustrious"])
def test_an_ecosystem_that_the_description_lacks_has_a_graph_if_there_is_one(ecosystem: str) -> None:
    model = f"urn:air:{ecosystem.lower()}:checkpoint:civitai:257749@290640"
    assert isinstance(work_of({**SDXL, "ecosystem": ecosystem, "model": model}), GraphWork)


@table("ecosystem", ["pony", "tomorrow"])
@table("member", [{"steps": 10**9}, {"width": 10**9}, {"n": 10**6}, {"loras": 5}, {"seed": -(10**30)}])
def test_members_of_what_is_newer_than_the_description_do_no_harm(ecosystem: str, member: Any) -> None:
    works = works_of({**SDXL, "ecosystem": ecosystem, **member})
    assert 1 <= len(works) <= 100


def test_each_image_has_the_seed_after_the_one_before() -> None:
    plans = plans_of("imageGen", {**SDXL, "quantity": 3, "seed": 5})
    assert [made.slots("j")[0].seed for made in plans] == [5, 6, 7]


@pytest.mark.parametrize("seed", [{}, {"seed": None}, {"seed": -1}])
def test_a_seed_is_drawn_where_none_was_given(seed: Any) -> None:
    assert spec_of({**SDXL, **seed}).params.seed == SEED


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ({}, SAMPLINGS["Euler"]),
        ({"sampleMethod": "euler_a", "schedule": "karras"}, Sampling("euler_ancestral", "karras")),
        ({"sampleMethod": "dpm++2m", "schedule": "karras"}, SAMPLINGS["DPM2MKarras"]),
    ],
)
def test_words_of_sdcpp_become_comfyuis(sent: Any, expected: Sampling) -> None:
    assert spec_of({**SDXL, **sent}).params.sampling == expected


def test_words_of_comfy_are_comfyuis() -> None:
    spec = spec_of({**SDXL, "engine": "comfy", "sampler": "dpmpp_3m_sde_gpu", "scheduler": "beta"})
    assert spec.params.sampling == Sampling("dpmpp_3m_sde_gpu", "beta")


def test_every_word_of_sdcpp_has_one_of_comfyui() -> None:
    schemas = published()["components"]["schemas"]
    assert set(schemas["SdCppSampleMethod"]["enum"]) <= SAMPLE_METHODS.keys()
    assert set(schemas["SdCppSchedule"]["enum"]) <= SCHEDULES.keys()
    for method, schedule in zip_longest(SAMPLE_METHODS, SCHEDULES, fillvalue="lcm"):
        assert faults(work_of({**SDXL, "sampleMethod": method, "schedule": schedule}).graph) == []


@pytest.mark.parametrize(
    ("engine", "member", "default"), [("sdcpp", "strength", 0.7), ("comfy", "denoiseStrength", 0.75)]
)
def test_a_variant_starts_from_its_image(engine: str, member: str, default: float) -> None:
    sent = {**SDXL, "engine": engine, "operation": "createVariant", "image": IMAGE}
    params = spec_of(sent).params
    assert (params.source_image, params.denoise_strength) == (IMAGE, default)
    assert spec_of({**sent, member: 0.3}).params.denoise_strength == 0.3


def test_flux1_takes_its_vae_by_name_and_has_its_text_encoders_checked() -> None:
    (made,) = plans_of("imageGen", FLUX1)
    assert {str(resource.air) for resource in made.resources} == {
        FLUX1[name] for name in FLUX1 if name.endswith("Model")
    }
    graph = graph_of_job(job_of(made))
    inputs = {name: value for node in graph.values() for name, value in as_object(node["inputs"]).items()}
    assert inputs["vae_name"] == "vae/flux1/civitai/618692/691640.safetensors"
    assert inputs["scheduler"] == "simple"


def test_an_edit_draws_over_its_first_image() -> None:
    edit = {"engine": "sdcpp", "ecosystem": "qwen", "model": "20b", "operation": "editImage", "prompt": "red"}
    work = work_of({**edit, "width": 0, "height": 0, "images": [IMAGE, IMAGE]})
    assert work.inputs == (IMAGE, IMAGE)
    assert isinstance(work.operation, RedrawImage)
    assert (work.operation.recipe.width, work.operation.recipe.height) == (0, 0)


@table(
    ("sent", "size"),
    [
        ({"engine": "openai", "model": "gpt-image-1", "operation": "createImage", "size": "1536x1024"}, (1536, 1024)),
        ({"engine": "openai", "model": "gpt-image-2", "operation": "createImage", "width": 512}, (512, 1024)),
        ({"engine": "google", "model": "imagen4", "aspectRatio": "16:9"}, (1376, 768)),
        ({"engine": "google", "model": "nano-banana-pro", "aspectRatio": "2:3", "resolution": "2K"}, (1664, 2496)),
        ({"engine": "grok", "operation": "createImage", "aspectRatio": "19.5:9"}, (1504, 704)),
        ({"engine": "wan", "version": "v2.5", "operation": "text-to-image", "imageSize": "landscape_4_3"}, (1024, 768)),
        ({"engine": "gemini", "model": "2.5-flash", "operation": "createImage"}, (1024, 1024)),
        (
            {
                "engine": "fal",
                "model": "krea2",
                "operation": "createImage",
                "imageStyleReferences": [],
                "size": "large",
            },
            (1536, 1536),
        ),
        ({"engine": "fal", "model": "maiImage", "operation": "createImage", "aspectRatio": "auto"}, (1024, 1024)),
        ({"engine": "seedream", "width": 4096, "height": 4096}, (4096, 4096)),
    ],
)
def test_an_image_has_the_size_that_was_asked_for_in_whatever_words(sent: Any, size: tuple[int, int]) -> None:
    (recipe,) = work_of({"prompt": "a fox", **sent}).files
    assert isinstance(recipe, ImageRecipe)
    assert (recipe.width, recipe.height) == size


@pytest.mark.parametrize("sent", [SDXL, {"engine": "seedream", "prompt": "a fox"}], ids=["graph", "drawing"])
def test_a_text_of_the_caller_goes_into_the_file(sent: Any) -> None:
    assert spec_of({**sent, "imageMetadata": '{"app":"mine"}'}).file.note == '{"app":"mine"}'


@pytest.mark.parametrize(("word", "ending"), [("jpeg", ".jpg"), ("png", ".png"), ("webP", ".webp")])
@pytest.mark.parametrize("sent", [SDXL, {"engine": "seedream", "prompt": "a fox"}], ids=["graph", "drawing"])
def test_blobs_are_named_as_the_real_ones(sent: Any, word: str, ending: str) -> None:
    (made,) = plans_of("imageGen", {**sent, "outputFormat": word})
    assert made.slots("j")[0].blob_key == f"j-0{ending}"
    spec: Any = made.spec
    assert spec.file.format == ImageFormat(word.lower())


@pytest.mark.parametrize(
    ("sent", "path"),
    [
        ({"loras": {MODELS["sdxl"]: 1}}, f"loras.{MODELS['sdxl']}"),
        ({"loras": {LORA: 101}}, f"loras.{LORA}"),
        ({"embeddings": [EMBEDDING, MODELS["sdxl"]]}, "embeddings[1]"),
        ({"vaeModel": MODELS["sdxl"]}, "vaeModel"),
        ({"model": LORA}, "model"),
    ],
)
def test_a_resource_that_cannot_be_used_is_a_fault_by_its_path(sent: Any, path: str) -> None:
    assert fault_paths("imageGen", {**SDXL, **sent}) == {path}


def test_the_model_of_a_recipe_with_another_name_for_it_is_a_fault_by_that_name() -> None:
    assert fault_paths("imageGen", {**FLUX1, "diffuserModel": LORA}) == {"diffuserModel"}


@table(
    ("sent", "base", "fixed"),
    [
        ({"steps": 40}, 16, {}),  # capture
        ({"steps": 32, "loras": {LORA: 1}, "vaeModel": VAE}, 13, {"additionalResources": 1}),  # capture, but for fees
        ({"width": 512, "height": 512, "quantity": 3}, 6, {}),
        ({"engine": "comfy", "steps": 30}, 8, {}),
        ({"engine": "seedream"}, 50, {}),
        ({**FLUX1, "width": 1024}, 28, {}),
        ({"engine": "flux2", "model": "klein", "modelVersion": "9b", "steps": 20, "cfgScale": 1}, 24, {}),
        ({"engine": "flux2", "model": "klein", "operation": "editImage", "steps": 20, "cfgScale": 2}, 48, {}),
        ({"quantity": {"$ref": "$0", "path": "output.n"}, "loras": {"$ref": "$0", "path": "output.l"}}, 8, {}),
    ],
)
def test_an_image_costs_by_engine_pixels_steps_and_number(sent: Any, base: int, fixed: Any) -> None:
    cost = TYPES.cost("imageGen", echo_input("imageGen", {**SDXL, **sent}))
    assert (cost.base, cost.fixed) == (base, fixed)
