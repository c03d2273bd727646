"""The echo of inputs: for every kind of input that the description has."""

import json
from time import process_time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from civitai_mock.api.v2.description.document import recipe_schemas
from civitai_mock.api.v2.description.echo import echo_input, shown_input
from civitai_mock.domain.errors import InvalidRequestError
from tests.support.rows import row
from tests.support.table import table
from tests.support.v2_description import answer_faults
from tests.support.v2_inputs import InputKind, input_kinds, make_input

REFERENCE: dict[str, Any] = {"$ref": "first", "path": "output.images[0].url"}
# Recipes only: no step of a workflow has them.
RECIPES_ONLY = {"batchOCRSafetyClassification", "humanoidImageMask", "tryOnU"}
SDXL: dict[str, Any] = {
    "engine": "sdcpp",
    "ecosystem": "sdxl",
    "operation": "createImage",
    "model": "urn:air:sdxl:checkpoint:civitai:101055@128078",
    "prompt": "a lighthouse",
}


every_recipe = pytest.mark.parametrize("recipe", sorted(recipe_schemas()))


def _kinds(recipe: str) -> list[InputKind]:
    return [kind for kind in input_kinds() if kind.step_type == recipe]


def _kinds_twice(recipe: str) -> list[tuple[InputKind, bool]]:
    return [(kind, is_full) for kind in _kinds(recipe) for is_full in (False, True)]


def _step(kind: InputKind, shown: object) -> dict[str, Any]:
    return {
        "$type": kind.step_type,
        "input": shown,
        "name": "$0",
        "priority": "low",
        "jobs": [],
        "status": "unassigned",
        "metadata": {},
    }


def test_all_recipes_have_kinds_of_input() -> None:
    assert {kind.step_type for kind in input_kinds()} == recipe_schemas().keys()
    assert len(recipe_schemas()) == 48


@every_recipe
def test_an_input_of_each_kind_is_echoed_as_the_description_has_it(recipe: str) -> None:
    for kind, is_full in _kinds_twice(recipe):
        with row(f"{kind}, {is_full=}"):
            sent = make_input(kind, is_full=is_full)
            shown = shown_input(kind.step_type, echo_input(kind.step_type, sent))
            if kind.step_type not in RECIPES_ONLY:
                assert answer_faults("WorkflowStep", _step(kind, shown)) == []


@every_recipe
def test_the_echo_of_an_echo_is_the_same(recipe: str) -> None:
    for kind, is_full in _kinds_twice(recipe):
        with row(f"{kind}, {is_full=}"):
            echo = echo_input(kind.step_type, make_input(kind, is_full=is_full))
            assert echo_input(kind.step_type, echo) == echo
            assert echo_input(kind.step_type, shown_input(kind.step_type, echo)) == echo


@every_recipe
def test_a_reference_may_stand_in_the_place_of_each_member(recipe: str) -> None:
    for kind in _kinds(recipe):
        with row(kind):
            sent = make_input(kind, is_full=True)
            if not isinstance(sent, dict):
                assert echo_input(kind.step_type, REFERENCE) == REFERENCE
                continue
            for member in sent.keys() - {"for"}:  # this one is a reference anyway
                echo = echo_input(kind.step_type, sent | {member: REFERENCE})
                assert isinstance(echo, dict)
                assert echo[member] in (REFERENCE, sent[member])  # the word that picks the schema may be known already


@every_recipe
def test_unknown_members_are_dropped_at_every_depth(recipe: str) -> None:
    for kind in _kinds(recipe):
        with row(kind):
            sent = make_input(kind, is_full=True)
            assert echo_input(kind.step_type, _with_unknown(sent)) == echo_input(kind.step_type, sent)


def _with_unknown(value: object) -> Any:
    return value | {"neverHeardOf": {"a": 1}} if isinstance(value, dict) else value


def test_defaults_are_those_that_were_captured() -> None:
    assert echo_input("imageGen", SDXL) == SDXL | {
        "width": 1024,
        "height": 1024,
        "steps": 20,
        "cfgScale": 7,
        "quantity": 1,
        "sampleMethod": "euler",
        "schedule": "discrete",
        "loras": {},
        "embeddings": [],
        "uCache": "off",
        "outputFormat": "jpeg",
    }


def test_a_seed_is_only_there_if_it_was_sent() -> None:
    assert "seed" not in _echoed(SDXL)
    assert _echoed(SDXL | {"seed": 7})["seed"] == 7
    assert "seed" not in _echoed(SDXL | {"seed": None})


def test_null_counts_as_not_sent() -> None:
    assert _echoed(SDXL | {"schedule": None, "negativePrompt": None}) == _echoed(SDXL)


def test_sdcpp_shows_no_operation_and_flux2_another_name_of_its_model() -> None:
    assert "operation" not in _shown(SDXL)
    flux2: Any = {"engine": "flux2", "model": "klein", "operation": "createImage", "prompt": "a lighthouse"}
    shown = _shown(flux2)
    assert shown["modelVariant"] == "klein"
    assert "model" not in shown
    assert shown["operation"] == "createImage"


def test_a_missing_operation_of_sdcpp_is_inferred_from_the_other_members() -> None:
    shown = _shown(SDXL | {"operation": "createVariant", "image": "https://example.com/a.png", "strength": 0.5})
    assert "operation" not in shown
    assert _echoed(shown)["operation"] == "createVariant"


@pytest.mark.parametrize(
    ("step_type", "sent"),
    [
        ("videoGen", {"engine": "wan", "version": "v9.0", "prompt": "a lamp", "newMember": {"a": [None]}}),
        ("imageGen", {"engine": "sdcpp", "ecosystem": "newest", "prompt": "a lamp", "zoom": 3}),
        ("imageGen", {"engine": "flux2", "model": "newest", "zoom": 3}),
        ("imageGen", SDXL | {"ecosystem": "zImage", "model": "newest", "zoom": 3}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_words_that_are_newer_than_the_description_are_taken_with_their_members(
    step_type: str, sent: dict[str, Any]
) -> None:
    echo = echo_input(step_type, sent)
    assert isinstance(echo, dict)
    assert sent.items() <= echo.items()


def test_words_of_members_that_age_fast_are_taken_as_they_are() -> None:
    flux2 = {"engine": "flux2", "model": "klein", "operation": "createImage", "prompt": "a", "modelVersion": "12b"}
    assert _echoed(flux2)["modelVersion"] == "12b"


@table(
    ("changes", "path"),
    [
        ({"engine": "sdccp"}, "input.engine"),
        ({"engine": None}, "input.engine"),
        ({"engine": 7}, "$.input.engine"),
        ({"ecosystem": None}, "input.ecosystem"),
        ({"ecosystem": 7}, "$.input.ecosystem"),
        ({"operation": "editImage"}, "input.operation"),
        ({"prompt": None}, "$.input.prompt"),
        ({"prompt": "a" * 10_001}, "input.prompt"),
        ({"prompt": "a\0b"}, "input.prompt"),
        ({"width": 63}, "input.width"),
        ({"width": "512"}, "$.input.width"),
        ({"width": 512.5}, "$.input.width"),
        ({"width": True}, "$.input.width"),
        ({"steps": 151}, "input.steps"),
        ({"cfgScale": "7"}, "$.input.cfgScale"),
        ({"seed": 2**63}, "input.seed"),
        ({"schedule": "fast"}, "input.schedule"),
        ({"model": "no air"}, "input.model"),
        ({"model": "a:b@" + "c" * 510}, "input.model"),
        ({"loras": ["a"]}, "$.input.loras"),
        ({"loras": {"a": "b"}}, "$.input.loras.a"),
        ({"embeddings": ["no air"]}, "input.embeddings[0]"),
        ({"embeddings": [None]}, "$.input.embeddings[0]"),
    ],
    ids=str,
)
def test_a_wrong_member_is_named_by_its_path(changes: dict[str, Any], path: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        echo_input("imageGen", SDXL | changes)
    assert list(caught.value.errors) == [path]


def test_all_faults_are_named_at_once_and_with_their_place() -> None:
    with pytest.raises(InvalidRequestError) as caught:
        echo_input("imageGen", SDXL | {"width": 1, "height": "1", "steps": 1000}, path="steps[3].input")
    assert set(caught.value.errors) == {
        "steps[3].input.width",
        "$.steps[3].input.height",
        "steps[3].input.steps",
    }


def test_members_are_read_in_any_case_and_the_official_spelling_counts() -> None:
    assert _echoed({**SDXL, "Width": 512})["width"] == 512
    assert _echoed({**SDXL, "WIDTH": 512, "width": 768})["width"] == 768
    assert _echoed({"Engine": "sdcpp", **{name: item for name, item in SDXL.items() if name != "engine"}})
    assert _echoed({**SDXL, "outputFormat": "webp"})["outputFormat"] == "webP"


def test_both_spellings_of_comfy_nodes_are_the_same() -> None:
    theirs: Any = {"4": {"class_type": "KSampler", "_meta": {"title": "a"}, "inputs": {"model": ["5", 0], "steps": 8}}}
    ours: Any = {"4": {"classType": "KSampler", "meta": {"title": "a"}, "inputs": {"model": ["5", 0], "steps": 8}}}
    assert echo_input("comfy", {"comfyWorkflow": theirs}) == echo_input("comfy", {"comfyWorkflow": ours})


def test_a_step_that_is_repeated_is_echoed_too() -> None:
    each: Any = {"$ref": "$arguments", "path": "images", "as": "image"}
    template: Any = {"$type": "imageGen", "input": SDXL | {"prompt": {"$ref": "image", "path": "caption"}, "no": 1}}
    echo = _echoed({"for": each, "template": template}, "repeat")
    assert echo["for"] == each
    assert echo["template"]["priority"] == "low"
    assert echo["template"]["input"]["schedule"] == "discrete"
    assert "no" not in echo["template"]["input"]
    shown: Any = shown_input("repeat", echo)
    assert "operation" not in shown["template"]["input"]
    with pytest.raises(InvalidRequestError) as caught:
        echo_input("repeat", {"for": each, "template": {"$type": "nope"}})
    assert list(caught.value.errors) == ["input.template.$type"]


@pytest.mark.parametrize(
    "changes",
    [
        {f"unknown{number}": number for number in range(100_000)},
        {"loras": {f"urn:air:sdxl:lora:civitai:{number}@1": "a" for number in range(100_000)}},
        {"embeddings": [7] * 100_000},
        {"embeddings": ["a:b:c:" + "/" * 505 + "!"] * 100_000},
        {"embeddings": ["a:b:c:" + "/" * 10_000 + "!"] * 100},
    ],
    ids=["unknown members", "wrong loras", "wrong items", "slow items", "long items"],
)
def test_hostile_inputs_take_no_longer_than_large_ones(changes: dict[str, Any]) -> None:
    started = process_time()
    with pytest.raises(InvalidRequestError) as caught:
        echo_input("imageGen", SDXL | {"width": 1} | changes)
    assert process_time() - started < 10, "a bound is missing: it takes a fraction of a second otherwise"
    assert len(json.dumps(caught.value.errors)) < 50_000


def test_deep_values_are_not_walked() -> None:
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    echo = echo_input("customComfy", {"resources": ["a"], "trace": "none", "workflow": {"1": deep}})
    assert isinstance(echo, dict)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(kind=st.sampled_from(input_kinds()), data=st.data())
def test_whatever_is_sent_is_refused_with_paths_or_has_an_echo_that_stays(kind: InputKind, data: st.DataObject) -> None:
    sent = make_input(kind, is_full=data.draw(st.booleans()))
    if isinstance(sent, dict):
        names = st.sampled_from(sorted(sent)) | st.text(max_size=8)
        sent |= data.draw(st.dictionaries(names, JSON, max_size=3))
    else:
        sent = data.draw(JSON)
    try:
        echo = echo_input(kind.step_type, sent)
    except InvalidRequestError:
        return
    assert echo_input(kind.step_type, echo) == echo


def _echoed(sent: Any, step_type: str = "imageGen") -> dict[str, Any]:
    echo = echo_input(step_type, sent)
    assert isinstance(echo, dict)
    return echo


def _shown(sent: Any, step_type: str = "imageGen") -> dict[str, Any]:
    shown = shown_input(step_type, _echoed(sent, step_type))
    assert isinstance(shown, dict)
    return shown
