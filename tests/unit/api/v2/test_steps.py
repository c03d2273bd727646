"""Step types of v2: what they make of inputs, beside what v1 makes of the same."""

import re
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import pytest

from civitai_mock.api.v2 import steps
from civitai_mock.api.v2.description.echo import echo_input
from civitai_mock.api.v2.steps import STEP_TYPES
from civitai_mock.api.v2.steps.step_type import StepType
from civitai_mock.domain.errors import NotFoundError
from civitai_mock.domain.json_types import JsonObject
from civitai_mock.domain.maturity import NsfwLevel
from tests.support.generation import MODELS, graph_of_job, job_of, plan
from tests.support.v2_steps import LORA, SEED, SEEN, TYPES, job_in_step, plans_of

OF_V2: JsonObject = {
    "model": MODELS["sdxl"],
    "prompt": "a fox",
    "negativePrompt": "snow",
    "scheduler": "dpM2MKarras",
    "steps": 30,
    "cfgScale": 7.5,
    "width": 768,
    "height": 1024,
    "seed": 7,
    "clipSkip": 2,
    "additionalNetworks": {LORA: {"strength": 0.8, "triggerWord": "wow"}},
}
OF_V1: JsonObject = {
    "model": MODELS["sdxl"],
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
    },
    "additionalNetworks": {LORA: {"strength": 0.8, "triggerWord": "wow"}},
}


def test_every_step_type_is_registered() -> None:
    folder = Path(str(steps.__file__)).parent
    modules = [import_module(f"{steps.__name__}.{module.name}") for module in iter_modules([str(folder)])]
    defined = {
        found
        for module in modules
        for found in vars(module).values()
        if isinstance(found, type) and issubclass(found, StepType) and hasattr(found, "name")
    }
    assert defined == {type(step_type) for step_type in STEP_TYPES.values()}


def test_an_unknown_step_type_is_not_found() -> None:
    with pytest.raises(NotFoundError, match="There is no step type 'dream'"):
        TYPES.cost("dream", {})


def test_one_image_has_the_same_spec_and_graph_through_both_versions() -> None:
    """But for the file that it is given out as."""
    (made,) = plans_of("textToImage", OF_V2)
    spec: Any = made.spec
    assert replace(spec, file=None) == plan(OF_V1).spec
    assert graph_of_job(job_of(made)) == graph_of_job(job_of(plan(OF_V1)))


def test_each_job_of_a_step_draws_other_images() -> None:
    specs: list[Any] = [made.spec for made in plans_of("textToImage", {**OF_V2, "quantity": 3, "batchSize": 2})]
    assert [(spec.params.seed, spec.quantity) for spec in specs] == [(7, 2), (9, 2), (11, 2)]


def test_a_seed_is_drawn_where_none_was_sent() -> None:
    (made,) = plans_of("textToImage", {"prompt": "a fox", "model": MODELS["sdxl"]})
    spec: Any = made.spec
    assert spec.params.seed == SEED


@pytest.mark.parametrize("source", [None, "https://example.com/fox.png"])
def test_an_image_of_a_model_without_a_graph_is_drawn(source: str | None) -> None:
    model = "urn:air:qwen:checkpoint:civitai:1864281@2110043"
    plans = plans_of("textToImage", {**OF_V2, "model": model, "sourceImage": source, "quantity": 2, "batchSize": 2})
    specs: list[Any] = [made.spec for made in plans]
    assert [(spec.job_type, spec.seed) for spec in specs] == [("ImageGen", seed) for seed in (7, 8, 9, 10)]
    assert [(spec.models, spec.sources) for spec in specs] == [
        ({"model": model}, {} if source is None else {"sourceImage": source})
    ] * 4
    assert plans[0].slots("j")[0].blob_key.endswith(".jpeg")


@pytest.mark.parametrize(("sent", "ending"), [({}, ".jpeg"), ({"outputFormat": "webP"}, ".webp")])
def test_blobs_have_ids_of_26_digits_with_the_ending_of_their_format(sent: Any, ending: str) -> None:
    """As captures have them; a job that is run again makes the same."""
    (made,) = plans_of("textToImage", {**OF_V2, **sent, "batchSize": 2})
    ids = [slot.blob_key for slot in made.slots("j")]
    assert all(re.fullmatch(rf"[0-9A-HJKMNP-TV-Z]{{26}}\{ending}", blob_id) for blob_id in ids), ids
    assert len({*ids, *(slot.blob_key for slot in made.slots("k"))}) == 4
    assert ids == [slot.blob_key for slot in made.slots("j")]


def test_an_output_shows_its_slots_before_they_are_filled() -> None:
    (made,) = plans_of("textToImage", OF_V2)
    output: Any = TYPES.output("textToImage", OF_V2, [job_in_step(made)], view=SEEN)
    (image,) = output["images"]
    assert (image["type"], image["width"], image["height"], image["available"]) == ("image", 768, 1024, False)
    assert image["url"].startswith(f"http://here/v2/consumer/blobs/{image['id']}?sig=")


@pytest.mark.parametrize(("is_allowed", "reason"), [(False, "MatureContent"), (True, None)])
def test_a_mature_image_is_withheld_unless_the_workflow_allows_it(is_allowed: bool, reason: str | None) -> None:
    (made,) = plans_of("textToImage", OF_V2)
    job = job_in_step(made)
    (slot,) = job.slots
    assert slot.facts is not None
    mature = replace(job, slots=(replace(slot, facts=replace(slot.facts, nsfw_level=NsfwLevel.X)),))
    view = replace(SEEN, allows_mature_content=is_allowed)
    output: Any = TYPES.output("textToImage", OF_V2, [mature], view=view)
    assert output["images"][0].get("blockedReason") == reason


def test_an_echo_answers_its_message_once_it_has_a_result() -> None:
    (made,) = plans_of("echo", {"message": "hi"})
    job = job_of(made)
    assert TYPES.output("echo", {"message": "hi"}, [job], view=SEEN) is None
    assert TYPES.output("echo", {"message": "hi"}, [replace(job, result={"message": "hi"})], view=SEEN) == {
        "message": "hi"
    }


@pytest.mark.parametrize(
    ("sent", "base"),
    [
        ({"width": 1024, "height": 1024, "steps": 20}, 8),  # published prices
        ({"width": 1024, "height": 1024, "steps": 32}, 13),  # 12.8
        ({"width": 512, "height": 512, "steps": 20, "model": MODELS["sd1"]}, 4),
        ({"width": 1024, "height": 1024, "steps": 20, "quantity": 2, "batchSize": 3}, 48),
    ],
)
def test_an_image_costs_by_ecosystem_pixels_steps_and_number(sent: Any, base: int) -> None:
    assert TYPES.cost("textToImage", echo_input("textToImage", {**OF_V2, **sent})).base == base
