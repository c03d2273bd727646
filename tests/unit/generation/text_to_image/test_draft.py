"""Drafts of images: what no API has in its spelling, and what they come to whoever makes them."""

from dataclasses import replace
from typing import Any

import pytest

from civitai_mock.api.v1.job_types import JOB_TYPES_BY_TYPE
from civitai_mock.domain.air import Air
from civitai_mock.domain.errors import FieldError
from civitai_mock.domain.json_types import JsonObject
from civitai_mock.domain.resource import Resource
from civitai_mock.domain.sampling import Sampling
from civitai_mock.generation.control_nets.spec import ControlNetDraft
from civitai_mock.generation.job_types.draft import Plan
from civitai_mock.generation.job_types.text_to_image import SeededDrafts, TextToImageDraft, TextToImageSpec
from civitai_mock.generation.media import ImageFile
from civitai_mock.generation.networks.resources import NetworkDraft
from civitai_mock.generation.text_to_image.draft import HiresDraft, RefinerDraft, UpscaleDraft
from tests.support.generation import MODELS, graph_of, graph_of_job, job_of, plan, references_of, resolve
from tests.support.table import table

SDXL = MODELS["sdxl"]
LORA = "urn:air:sdxl:lora:civitai:58390@62833"
REFINER = "urn:air:sdxl:checkpoint:civitai:3@4"
UPSCALER = "urn:air:other:upscaler:civitai:147759@164821"
CONTROL_NET = "urn:air:sdxl:controlnet:civitai:38784@44716"
URL = "https://images.example/fox.png"
NO_PUBLIC_NAME = Sampling("res_multistep", "beta")

OF_V1: JsonObject = {
    "model": SDXL,
    "params": {
        "prompt": "a fox",
        "negativePrompt": "snow",
        "scheduler": "DPM2MKarras",
        "steps": 30,
        "cfgScale": 7.5,
        "width": 768,
        "height": 1024,
        "seed": 7,
        "clipSkip": 2,
        "sourceImage": URL,
        "denoiseStrength": 0.5,
        "hires": {"scale": 1.25, "steps": 9, "denoiseStrength": 0.4, "upscaler": UPSCALER},
        "upscale": {"model": UPSCALER, "scale": 2},
        "refiner": {"model": REFINER, "switchAt": 0.7},
    },
    "additionalNetworks": {LORA: {"strength": 0.8, "triggerWord": "wow"}},
    "controlNets": [
        {
            "preprocessor": "Canny",
            "weight": 0.6,
            "startStep": 0.1,
            "endStep": 0.9,
            "imageUrl": URL,
            "model": CONTROL_NET,
        },
    ],
    "quantity": 4,
}
DRAFT = TextToImageDraft(
    model=SDXL,
    prompt="a fox",
    negative_prompt="snow",
    sampling=Sampling("dpmpp_2m", "karras"),
    steps=30,
    cfg_scale=7.5,
    width=768,
    height=1024,
    seed=7,
    clip_skip=2,
    source_image=URL,
    denoise_strength=0.5,
    hires=HiresDraft(scale=1.25, steps=9, denoise_strength=0.4, upscaler=UPSCALER),
    upscale=UpscaleDraft(model=UPSCALER, scale=2),
    refiner=RefinerDraft(model=REFINER, switch_at=0.7),
    networks=(NetworkDraft(air=LORA, strength=0.8, trigger_word="wow"),),
    control_nets=(
        ControlNetDraft(
            preprocessor="Canny", weight=0.6, start_step=0.1, end_step=0.9, image_url=URL, model=CONTROL_NET
        ),
    ),
    quantity=4,
)
PLAIN = TextToImageDraft(model=SDXL, prompt="a fox")


def test_the_same_image_is_the_same_spec_and_the_same_graph_whoever_asks_for_it() -> None:
    assert resolve(DRAFT) == plan(OF_V1)
    assert graph_of_job(job_of(resolve(DRAFT))) == graph_of(OF_V1)


def test_the_references_of_a_draft_have_the_names_of_its_fields() -> None:
    assert DRAFT.references() == {
        "model": SDXL,
        f"networks.{LORA}": LORA,
        "control_nets[0].model": CONTROL_NET,
        "hires.upscaler": UPSCALER,
        "upscale.model": UPSCALER,
        "refiner.model": REFINER,
    }
    assert DRAFT.image_urls() == {"source_image": URL, "control_nets[0].image_url": URL}


def test_v1_spells_each_of_them_by_its_path() -> None:
    assert list(references_of(OF_V1)) == [
        "model",
        f"additionalNetworks.{LORA}",
        "controlNets[0].model",
        "params.hires.upscaler",
        "params.upscale.model",
        "params.refiner.model",
    ]


OF_STEP = replace(DRAFT, seed=None, file=ImageFile(), extension=".jpg")


def test_drafts_that_differ_by_their_seed_come_to_what_each_of_them_does_alone() -> None:
    seeded = SeededDrafts(OF_STEP)
    assert seeded(3).references() == OF_STEP.references()
    assert seeded(3).image_urls() == OF_STEP.image_urls()
    assert [resolve(seeded(seed)) for seed in (3, 4, 5)] == [resolve(replace(OF_STEP, seed=seed)) for seed in (3, 4, 5)]


def test_only_one_of_them_is_resolved_until_a_resource_is_another_one(monkeypatch: pytest.MonkeyPatch) -> None:
    seeds: list[int | None] = []
    resolve_one = TextToImageDraft.resolve

    def noted(draft: TextToImageDraft, **options: Any) -> Plan:
        seeds.append(draft.seed)
        return resolve_one(draft, **options)

    monkeypatch.setattr(TextToImageDraft, "resolve", noted)
    seeded, named = SeededDrafts(OF_STEP), Resource(air=Air.parse(SDXL), fields={"fileName": "mine.safetensors"})
    plans = [resolve(seeded(seed), found) for seed, found in ((3, {}), (4, {}), (5, {SDXL: named}), (6, {SDXL: named}))]
    assert seeds == [3, 5]
    assert [made.resources[0].file_name == "mine.safetensors" for made in plans] == [False, False, True, True]


FAULTS: list[tuple[dict[str, Any], str, str]] = [
    ({"model": LORA}, "model", "model"),
    ({"refiner": RefinerDraft(model=LORA)}, "refiner.model", "params.refiner.model"),
    ({"refiner": RefinerDraft(model=REFINER), "steps": 1}, "refiner", "params.refiner"),
    ({"hires": HiresDraft(upscaler=LORA)}, "hires.upscaler", "params.hires.upscaler"),
    ({"hires": HiresDraft(scale=9)}, "hires.scale", "params.hires.scale"),
    ({"upscale": UpscaleDraft(model=LORA)}, "upscale.model", "params.upscale.model"),
    ({"upscale": UpscaleDraft(model=UPSCALER, scale=99)}, "upscale", "params.upscale"),
    ({"networks": (NetworkDraft(air=SDXL),)}, f"networks.{SDXL}", f"additionalNetworks.{SDXL}"),
    (
        {"networks": (NetworkDraft(air=SDXL, name="my_own[0].id"),)},
        "networks.my_own[0].id",
        "additionalNetworks.my_own[0].id",
    ),
    (
        {"control_nets": (*DRAFT.control_nets, ControlNetDraft(preprocessor="Canny", image_url=URL, model=LORA))},
        "control_nets[1].model",
        "controlNets[1].model",
    ),
    ({"source_image": URL, "quantity": 65}, "quantity", "quantity"),
]


@table(("changes", "field", "path"), FAULTS, ids=[fault[1] for fault in FAULTS])
def test_a_fault_names_a_field_which_v1_spells_in_its_way(changes: dict[str, Any], field: str, path: str) -> None:
    with pytest.raises(FieldError) as caught:
        resolve(replace(PLAIN, **changes))
    assert list(caught.value.errors) == [field]
    spelled = caught.value.spelled(JOB_TYPES_BY_TYPE["TextToImageV2"].spell)
    assert list(spelled.errors) == [path]


def test_a_message_names_the_other_fields_as_the_api_spells_them() -> None:
    with pytest.raises(FieldError) as caught:
        resolve(replace(PLAIN, source_image=URL, quantity=65))
    fault = caught.value.spelled(lambda field: {"source_image": "input.sourceImage"}.get(field, f"input.{field}"))
    assert fault.errors == {
        "input.quantity": ["input.quantity must be at most 64 when input.sourceImage is set; found 65."]
    }


@pytest.mark.parametrize(
    ("changes", "member"),
    [
        ({"weight": -0.1}, "weight"),
        ({"weight": 10.5}, "weight"),
        ({"start_step": 1.1}, "start_step"),
        ({"end_step": -1}, "end_step"),
        ({"preprocessor": "LineArt"}, "preprocessor"),
        ({"image_url": None}, "image_url"),
        ({"blob_key": "KEY"}, "image_url"),
    ],
)
def test_a_control_net_is_one_that_comfyui_can_do(changes: dict[str, Any], member: str) -> None:
    good = ControlNetDraft(preprocessor="Canny", image_url=URL)
    with pytest.raises(FieldError) as caught:
        resolve(replace(PLAIN, control_nets=(good, replace(good, **changes))))
    assert list(caught.value.errors) == [f"control_nets[1].{member}"]


@pytest.mark.parametrize("layers", [-1, 25])
def test_a_text_encoder_has_so_many_layers_to_skip(layers: int) -> None:
    with pytest.raises(FieldError) as caught:
        resolve(replace(PLAIN, clip_skip=layers))
    assert list(caught.value.errors) == ["clip_skip"]


def test_comfyui_follows_a_chain_of_so_many_networks() -> None:
    networks = tuple(NetworkDraft(air=f"urn:air:sdxl:lora:civitai:{number}@1") for number in range(101))
    assert len(resolve(replace(PLAIN, networks=networks[1:])).resources) == 101
    with pytest.raises(FieldError) as caught:
        resolve(replace(PLAIN, networks=networks))
    assert list(caught.value.errors) == ["networks"]


def spec_of(draft: TextToImageDraft) -> TextToImageSpec:
    spec = resolve(draft).spec
    assert isinstance(spec, TextToImageSpec)
    return spec


def test_a_pair_without_a_public_name_is_drawn_stored_and_not_shown_by_v1() -> None:
    spec = spec_of(replace(PLAIN, sampling=NO_PUBLIC_NAME))
    assert TextToImageSpec.from_json(spec.to_json()) == spec
    job = job_of(resolve(replace(PLAIN, sampling=NO_PUBLIC_NAME)))
    sampler: Any = graph_of_job(job)["KSampler"]["inputs"]
    assert (sampler["sampler_name"], sampler["scheduler"]) == ("res_multistep", "beta")
    shown: Any = JOB_TYPES_BY_TYPE[job.type].describe(job)["params"]
    assert "scheduler" not in shown
    assert shown["steps"] == 20


def test_what_a_pair_leaves_open_is_the_choice_of_the_ecosystem() -> None:
    sampler: Any = graph_of_job(job_of(resolve(replace(PLAIN, sampling=Sampling("heun", "")))))["KSampler"]["inputs"]
    assert (sampler["sampler_name"], sampler["scheduler"]) == ("heun", "karras")


@pytest.mark.parametrize(("given", "stored"), [(None, 0.75), (0, 0.01), (0.005, 0.01), (0.01, 0.01), (1, 1), (1.5, 1)])
def test_so_much_is_drawn_anew_that_comfyui_can_do_it(given: float | None, stored: float) -> None:
    assert spec_of(replace(PLAIN, source_image=URL, denoise_strength=given)).params.denoise_strength == stored


def test_an_image_may_be_larger_than_v1_allows() -> None:
    latent: Any = graph_of_job(job_of(resolve(replace(PLAIN, width=4084, height=64))))["EmptyLatentImage"]["inputs"]
    assert (latent["width"], latent["height"]) == (4084, 64)
