"""What a `textToImage` request comes to: its defaults, seed, cost, resources, and how the job is shown."""

import json
from dataclasses import replace
from typing import Any

import pytest

from civitai_mock.api.v1.job_types import JOB_TYPES_BY_TYPE
from civitai_mock.domain.air import Air
from civitai_mock.domain.errors import InvalidRequestError, JobError
from civitai_mock.domain.job import JobResource
from civitai_mock.domain.json_types import JsonObject
from civitai_mock.domain.resource import Resource
from civitai_mock.generation.job_types import job_work
from tests.support.generation import (
    MODELS,
    SEED,
    SKELETONS,
    graph_of,
    graph_of_job,
    make_found,
    plan,
    planned_job,
    references_of,
    spec_of,
)
from tests.support.paths import DATA

CAPTURES = DATA / "captures"
LORA = "urn:air:sd1:lora:civitai:82098@87153"
VAE = "urn:air:sd1:vae:civitai:276082@311162"
EMBEDDING = "urn:air:sd1:embedding:civitai:7808@9208"
HYPERNET = "urn:air:sd1:hypernet:civitai:1@2"


def capture(name: str) -> Any:
    return json.loads((CAPTURES / name).read_text("utf-8"))


def template(params: JsonObject | None = None, *, model: str = MODELS["sd1"]) -> JsonObject:
    return {"model": model, "params": params or {}}


def with_networks(**networks: Any) -> JsonObject:
    return {**template({"prompt": "a fox"}), "additionalNetworks": networks}


def errors_of(template: JsonObject, **found: Resource) -> dict[str, list[str]]:
    with pytest.raises(InvalidRequestError) as caught:
        plan(template, found)
    return caught.value.errors


def params_of(template: JsonObject) -> Any:
    return spec_of(template)["params"]


@pytest.mark.parametrize(
    ("ecosystem", "defaults"),
    [
        ("sd1", {"scheduler": "EulerA", "steps": 20, "cfgScale": 7, "width": 512, "height": 512, "clipSkip": 1}),
        ("sdxl", {"scheduler": "EulerA", "steps": 20, "cfgScale": 7, "width": 1024, "height": 1024, "clipSkip": 1}),
        ("flux1", {"scheduler": "Undefined", "steps": 20, "cfgScale": 3.5, "width": 1024, "height": 1024}),
    ],
)
def test_what_is_left_out_gets_the_default_of_the_ecosystem(ecosystem: str, defaults: JsonObject) -> None:
    assert params_of(template(model=MODELS[ecosystem])) == {**defaults, "seed": SEED}


def test_what_is_given_stays_and_stands_in_the_order_of_real_answers() -> None:
    given: JsonObject = {
        "prompt": "a fox",
        "negativePrompt": "",
        "scheduler": "DPM2MKarras",
        "steps": 35,
        "cfgScale": 4.5,
        "width": 833,
        "height": 1216,
        "seed": 0,
        "clipSkip": 2,
    }
    assert list(params_of(template(given)).items()) == list(given.items())


@pytest.mark.parametrize("given", [{}, {"seed": -1}, {"seed": None}])
def test_a_seed_is_drawn_where_there_is_none(given: JsonObject) -> None:
    made = plan(template(given))
    assert made.seed == params_of(template(given))["seed"] == SEED


@pytest.mark.parametrize("seed", [0, 2**32 - 1])
def test_a_seed_that_is_given_is_used(seed: int) -> None:
    assert plan(template({"seed": seed})).seed == seed


@pytest.mark.parametrize("name", ["eulera", "EULERA", "eulerA", "EulerA"])
def test_a_scheduler_is_known_in_any_case(name: str) -> None:
    assert params_of(template({"scheduler": name}))["scheduler"] == "EulerA"


@pytest.mark.parametrize(
    ("width", "height", "steps", "quantity", "cost"),
    [
        (768, 512, 20, 1, 0.9600000000000002),
        (832, 1216, 35, 1, 4.3225),
        (832, 1216, 35, 2, 8.645),
        (512, 512, 50, 1, 1.6),
    ],
)
def test_the_cost_is_that_of_real_answers(width: int, height: int, steps: int, quantity: int, cost: float) -> None:
    made = plan({**template({"width": width, "height": height, "steps": steps}), "quantity": quantity})
    assert made.cost == cost
    assert made.images == quantity


def test_a_plan_is_plain_json_that_needs_no_request() -> None:
    made = spec_of(capture("v1-create-request-sd1-lora.json"))
    assert json.loads(json.dumps(made)) == made
    assert made["additionalNetworks"] == {LORA: {"type": "Lora", "strength": 1}}
    assert made["model"] == MODELS["sd1"]


def test_whole_numbers_have_no_point() -> None:
    request = json.dumps(spec_of({**with_networks(**{LORA: {"strength": 1.0}}), "params": {"cfgScale": 7.0}}))
    assert '"cfgScale": 7,' in request
    assert '"strength": 1}' in request


def test_references_are_known_by_their_path() -> None:
    assert references_of(with_networks(**{LORA: {}, "mine": {"id": VAE}})) == {
        "model": MODELS["sd1"],
        f"additionalNetworks.{LORA}": LORA,
        "additionalNetworks.mine.id": VAE,
    }


def test_resources_are_the_model_and_then_the_networks_in_the_order_of_their_airs() -> None:
    one, other = with_networks(a={"id": VAE}, b={"id": LORA}), with_networks(**{LORA: {}, VAE: {}})
    names = ["sd1/civitai/4384/128713.safetensors", "lora/sd1/civitai/82098/87153.safetensors"]
    for made in (plan(one), plan(other)):
        assert [resource.file_name for resource in made.resources] == [
            *names,
            "vae/sd1/civitai/276082/311162.safetensors",
        ]
    assert graph_of(one) == graph_of(other)


def test_a_resource_is_taken_as_it_was_found() -> None:
    """Here by its compressed AIR, with a file name and trained words of its own."""
    found = make_found(EMBEDDING, fileName="easy.pt", trainedWords=["easynegative"])
    params: JsonObject = {"negativePrompt": "easynegative, text"}
    request: JsonObject = {**template(params), "additionalNetworks": {"@civitai/9208": {}}}
    job = planned_job(request, {"@civitai/9208": found})
    graph = graph_of_job(job)
    assert job.resources[1].air == found.air
    assert graph["CLIPTextEncode_1"]["inputs"] == {
        "text": "embedding:easy.pt, text",
        "clip": ["CheckpointLoaderSimple", 1],
    }


def test_a_model_may_be_named_by_its_compressed_air() -> None:
    found = make_found(MODELS["sdxl"])
    made = spec_of(template(model="@civitai/128078"), {"@civitai/128078": found})
    assert made["model"] == MODELS["sdxl"]


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (
            "urn:air:wanvideo:checkpoint:civitai:1@2",
            "The ecosystem of 'urn:air:wanvideo:checkpoint:civitai:1@2' is not supported;"
            " known: sd1, sdxl, pony, illustrious, noobai, flux1, flux1kontext, fluxkrea.",
        ),
        (LORA, f"'{LORA}' is not a model; expected a checkpoint."),
        ("urn:air:sd1:unet:civitai:1@2", "'urn:air:sd1:unet:civitai:1@2' is not a model; expected a checkpoint."),
    ],
)
def test_a_model_that_cannot_be_used_is_refused(model: str, message: str) -> None:
    assert errors_of(template(model=model)) == {"model": [message]}


@pytest.mark.parametrize("kind", ["checkpoint", "Checkpoint", "unet", "diffusionmodel"])
def test_flux_takes_its_diffusion_model_under_each_of_its_types(kind: str) -> None:
    assert plan(template(model=f"urn:air:flux1:{kind}:civitai:1@2")).images == 1


@pytest.mark.parametrize(
    ("networks", "path"),
    [
        ({MODELS["sd1"]: {}}, f"additionalNetworks.{MODELS['sd1']}"),
        ({"urn:air:sd1:upscaler:civitai:1@2": {}}, "additionalNetworks.urn:air:sd1:upscaler:civitai:1@2"),
        ({LORA: {}, "mine": {"id": LORA.upper()}}, "additionalNetworks.mine.id"),
        ({VAE: {}, "mine": {"id": f"{VAE}0"}}, "additionalNetworks.mine.id"),
        ({HYPERNET: {"strength": 10.5}}, f"additionalNetworks.{HYPERNET}"),
    ],
    ids=["a checkpoint", "an upscaler", "the same twice", "two VAEs", "too strong a hypernetwork"],
)
def test_a_network_that_cannot_be_used_is_refused(networks: JsonObject, path: str) -> None:
    assert list(errors_of(with_networks(**networks))) == [path]


def test_an_embedding_whose_file_comfyui_cannot_name_is_refused() -> None:
    found = make_found(EMBEDDING, fileName="easy negative.pt")
    assert list(errors_of(with_networks(**{EMBEDDING: {}}), **{EMBEDDING: found})) == [
        f"additionalNetworks.{EMBEDDING}"
    ]


def test_a_resource_whose_air_has_no_type_is_what_the_request_says() -> None:
    found = {"civitai:5@6": make_found("civitai:5@6")}
    made = spec_of(with_networks(**{"civitai:5@6": {"type": "textualInversion"}}), found)
    assert made["additionalNetworks"] == {"urn:air:civitai:5@6": {"type": "TextualInversion", "strength": 1}}


def test_the_type_of_an_air_counts_more_than_that_of_the_request() -> None:
    made = spec_of(with_networks(**{LORA: {"type": "Vae"}}))
    assert made["additionalNetworks"] == {LORA: {"type": "Lora", "strength": 1}}


@pytest.mark.parametrize("word", ["", "  ", None])
def test_a_blank_trigger_word_is_none(word: str | None) -> None:
    made = spec_of(with_networks(**{LORA: {"triggerWord": word}}))
    assert made["additionalNetworks"] == {LORA: {"type": "Lora", "strength": 1}}


def test_a_network_of_another_ecosystem_is_accepted() -> None:
    graph: Any = graph_of({**template(model=MODELS["flux1"]), "additionalNetworks": {LORA: {}}})
    assert graph["LoraLoader"]["inputs"]["lora_name"] == "lora/sd1/civitai/82098/87153.safetensors"


def test_a_job_is_shown_with_the_members_of_a_real_answer() -> None:
    shown = capture("v1-job-claimed-detailed.json")["job"]
    request = capture("v1-create-request-sdxl.json")
    request["params"]["seed"] = 1211611058
    described = JOB_TYPES_BY_TYPE["TextToImageV2"].describe(planned_job(request))
    assert described == {name: shown[name] for name in described}
    assert list(described) == ["baseModel", "model", "params", "additionalNetworks", "controlNets"]
    assert json.dumps(described["params"]) == json.dumps(shown["params"])


def test_networks_are_shown_by_their_compressed_airs() -> None:
    job = planned_job(with_networks(mine={"id": LORA, "strength": 0.5, "triggerWord": "x"}))
    described = JOB_TYPES_BY_TYPE[job.type].describe(job)
    assert described["additionalNetworks"] == {"@civitai/87153": {"type": "Lora", "strength": 0.5, "triggerWord": "x"}}
    assert "baseModel" not in described


def test_the_graph_has_what_the_worker_of_a_real_answer_has() -> None:
    """Core nodes take the place of its text encoders and of its output."""
    real = capture("comfy-graph-sdxl-worker.json")
    request = capture("v1-create-request-sdxl.json")
    request["params"]["seed"] = 2076391464
    built = json.loads(json.dumps(graph_of(request)).replace("CLIPTextEncode", "smZ CLIPTextEncode"))
    for node_id in ("CheckpointLoaderSimple", "EmptyLatentImage", "KSampler", "VAEDecode"):
        assert built[node_id] == real[node_id]


def test_a_job_of_a_type_that_is_gone_ends() -> None:
    job = planned_job(template())
    with pytest.raises(JobError, match=r"^'ComfyV9' is not a job type\.$"):
        job_work(replace(job, type="ComfyV9"), SKELETONS)


def test_a_job_of_an_ecosystem_that_is_gone_ends() -> None:
    job = planned_job(template())
    gone = JobResource(air=Air.parse("urn:air:sd0:checkpoint:civitai:1@2"), file_name="x")
    with pytest.raises(JobError, match="ecosystem"):
        job_work(replace(job, resources=(gone,), spec={**job.spec, "model": str(gone.air)}), SKELETONS)
