"""Templates of v1: which type reads them, and how their faults are reported."""

import math
from datetime import UTC, datetime, timedelta

import pytest

from civitai_mock.api.v1.job_types import JOB_TYPES, JOB_TYPES_BY_TYPE, parse_template
from civitai_mock.api.v1.job_types.text_to_image import TextToImageJobRequest
from civitai_mock.domain.errors import InvalidRequestError
from civitai_mock.domain.json_types import Json, JsonObject
from civitai_mock.generation.job_types.text_to_image import TextToImageDraft
from tests.support.generation import references_of
from tests.support.table import table

MODEL = "urn:air:sd1:checkpoint:civitai:4384@128713"
LORA = "urn:air:sd1:lora:civitai:82098@87153"
MINIMAL: JsonObject = {"model": MODEL, "params": {}}


def errors_of(template: Json, *, path: str = "") -> dict[str, list[str]]:
    with pytest.raises(InvalidRequestError) as caught:
        parse_template(template, path=path)
    assert caught.value.message == "One or more validation errors occurred."
    return caught.value.errors


@pytest.mark.parametrize("name", ["textToImage", "TEXTTOIMAGE", "texttoimage", "TextToImageJobTemplate", None])
def test_the_type_is_matched_in_any_case_and_spelling(name: str | None) -> None:
    assert isinstance(parse_template({"$type": name, **MINIMAL}).draft, TextToImageDraft)


def test_a_template_without_type_is_a_text_to_image() -> None:
    assert isinstance(parse_template(MINIMAL).draft, TextToImageDraft)


def test_the_registries_have_each_type_by_both_of_its_names() -> None:
    assert JOB_TYPES["textToImage"] is JOB_TYPES_BY_TYPE["TextToImageV2"] is TextToImageJobRequest


@pytest.mark.parametrize("name", ["batch", "", 5, [], {}, True])
def test_an_unknown_type_is_refused_with_the_known_ones(name: Json) -> None:
    (message,) = errors_of({"$type": name, **MINIMAL}, path="jobs[1]")["jobs[1].$type"]
    assert message.endswith(f"known: {', '.join(JOB_TYPES)}.")


@pytest.mark.parametrize("template", [[], [MINIMAL], "textToImage", 5, None, True])
def test_a_template_that_is_not_an_object_is_refused(template: Json) -> None:
    assert errors_of(template) == {"$": ["Expected a JSON object."]}
    assert errors_of(template, path="jobs[0]") == {"jobs[0]": ["Expected a JSON object."]}


FAULTS: dict[str, tuple[JsonObject, str]] = {
    "no model": ({"model": None}, "model"),
    "a model that is no AIR": ({"model": "DreamShaper"}, "model"),
    "a model that climbs": ({"model": "urn:air:sd1:checkpoint:civitai:../../etc@1"}, "model"),
    "no params": ({"params": None}, "params"),
    "params that are no object": ({"params": [1]}, "params"),
    "too few steps": ({"params": {"steps": 0}}, "params.steps"),
    "too many steps": ({"params": {"steps": 151}}, "params.steps"),
    "steps as a fraction": ({"params": {"steps": 20.0}}, "params.steps"),
    "steps as a truth value": ({"params": {"steps": True}}, "params.steps"),
    "too little cfgScale": ({"params": {"cfgScale": 0.9}}, "params.cfgScale"),
    "too much cfgScale": ({"params": {"cfgScale": 30.1}}, "params.cfgScale"),
    "cfgScale as text": ({"params": {"cfgScale": "7"}}, "params.cfgScale"),
    "cfgScale that is no number": ({"params": {"cfgScale": math.nan}}, "params.cfgScale"),
    "endless cfgScale": ({"params": {"cfgScale": math.inf}}, "params.cfgScale"),
    "too narrow": ({"params": {"width": 63}}, "params.width"),
    "too wide": ({"params": {"width": 2049}}, "params.width"),
    "too low": ({"params": {"height": 63}}, "params.height"),
    "too high": ({"params": {"height": 2049}}, "params.height"),
    "a seed below -1": ({"params": {"seed": -2}}, "params.seed"),
    "a seed above 32 bits": ({"params": {"seed": 2**32}}, "params.seed"),
    "a seed as text": ({"params": {"seed": "42"}}, "params.seed"),
    "clip skip 0": ({"params": {"clipSkip": 0}}, "params.clipSkip"),
    "clip skip 25": ({"params": {"clipSkip": 25}}, "params.clipSkip"),
    "an unknown scheduler": ({"params": {"scheduler": "Euler a"}}, "params.scheduler"),
    "a prompt that is no text": ({"params": {"prompt": 5}}, "params.prompt"),
    "a prompt with NUL": ({"params": {"prompt": "a\0b"}}, "params.prompt"),
    "a prompt without end": ({"params": {"negativePrompt": "🦊" * 20_001}}, "params.negativePrompt"),
    "no image": ({"quantity": 0}, "quantity"),
    "too many images": ({"quantity": 101}, "quantity"),
    "a batch of none": ({"batchSize": 0}, "batchSize"),
    "networks that are no map": ({"additionalNetworks": [LORA]}, "additionalNetworks"),
    "a network that is no object": ({"additionalNetworks": {LORA: 1}}, f"additionalNetworks.{LORA}"),
    "networks without end": (
        {"additionalNetworks": {f"urn:air:sd1:lora:civitai:{number}@1": {} for number in range(101)}},
        "additionalNetworks",
    ),
    "a strength as text": ({"additionalNetworks": {LORA: {"strength": "1"}}}, f"additionalNetworks.{LORA}.strength"),
    "a strength beyond all": ({"additionalNetworks": {LORA: {"strength": 101}}}, f"additionalNetworks.{LORA}.strength"),
    "a type of network that is none": (
        {"additionalNetworks": {LORA: {"type": "x"}}},
        f"additionalNetworks.{LORA}.type",
    ),
    "a named network without AIR": ({"additionalNetworks": {"mine": {"strength": 1}}}, "additionalNetworks.mine"),
    "a named network with a bad AIR": ({"additionalNetworks": {"mine": {"id": "x"}}}, "additionalNetworks.mine.id"),
    "control nets that are no list": ({"controlNets": {"preprocessor": "Canny"}}, "controlNets"),
    "a preprocessor that is none": ({"controlNets": [{"preprocessor": "x"}]}, "controlNets[0].preprocessor"),
    "a named priority that is none": ({"priority": "urgent"}, "priority"),
    "a priority that says nothing": ({"priority": {}}, "priority"),
    "a priority as truth value": ({"priority": True}, "priority"),
    "a priority beyond 32 bits": ({"priority": {"max": 2**31}}, "priority"),
    "a timeout as number": ({"timeout": 600}, "timeout"),
    "no time at all": ({"timeout": "00:00:00"}, "timeout"),
    "more time than a day": ({"timeout": "1.00:00:01"}, "timeout"),
    "no date": ({"expireAt": "tomorrow"}, "expireAt"),
    "a date as number": ({"expireAt": 1767225600}, "expireAt"),
    "a date before all dates": ({"expireAt": "0001-01-01T00:00:00+14:00"}, "expireAt"),
    "properties that are no object": ({"properties": []}, "properties"),
    "a provider that is no text": ({"providers": ["a", 5]}, "providers[1]"),
    "negative retries": ({"retries": -1}, "retries"),
}


@table(("members", "path"), FAULTS.values(), ids=FAULTS.keys())
def test_a_fault_is_reported_at_its_path(members: JsonObject, path: str) -> None:
    template: JsonObject = {**MINIMAL, **members}
    assert list(errors_of(template)) == [path]
    assert list(errors_of(template, path="jobs[3]")) == [f"jobs[3].{path}"]


def test_all_faults_are_reported_at_once() -> None:
    template: JsonObject = {"params": {"steps": 0, "width": 1}, "quantity": 0}
    assert set(errors_of(template)) == {"model", "params.steps", "params.width", "quantity"}


@pytest.mark.parametrize("name", ["params", "properties"])
def test_messages_speak_of_json(name: str) -> None:
    assert errors_of({**MINIMAL, name: "x"}) == {name: ["Expected a JSON object."]}


def test_members_are_known_by_their_wire_name_only() -> None:
    draft = parse_template({**MINIMAL, "base_model": 5, "batch_size": 0, "creatorTip": 0.25})
    assert draft == parse_template(MINIMAL)


NULLABLE = ("name", "priority", "providers", "expireAt", "properties", "callbackUrl", "timeout", "retries")
OWN_NULLABLE = ("dependencies", "baseModel", "additionalNetworks", "controlNets", "quantity", "batchSize")
PARAMS = ("prompt", "negativePrompt", "scheduler", "steps", "cfgScale", "width", "height", "seed", "clipSkip")


def test_null_is_as_good_as_absent() -> None:
    nothing: JsonObject = dict.fromkeys(PARAMS)
    template: JsonObject = {"model": MODEL, "params": nothing, **dict.fromkeys(NULLABLE + OWN_NULLABLE)}
    assert parse_template(template) == parse_template(MINIMAL)


@table(
    ("value", "expected"),
    [
        (None, 0),
        (7, 7),
        ({"value": 7}, 7),
        ({"min": 1, "max": 3}, 3),
        ({"min": 2}, 2),
        ("High", 10),
        ("NORMAL", 0),
        ("low", -10),
    ],
)
def test_a_priority_has_many_forms(value: Json, expected: int) -> None:
    assert parse_template({**MINIMAL, "priority": value}).priority == expected


def test_the_shared_members_are_read() -> None:
    request = parse_template(
        {
            **MINIMAL,
            "expireAt": "2025-09-07T20:18:15.8196444+02:00",
            "timeout": "00:02:30",
            "properties": {"userId": 7, "nested": {"a": [None, True]}},
        }
    )
    assert request.expire_at == datetime(2025, 9, 7, 18, 18, 15, 819644, tzinfo=UTC)
    assert request.timeout == timedelta(minutes=2, seconds=30)
    assert request.properties == {"userId": 7, "nested": {"a": [None, True]}}
    assert request.max_retry_attempt == 5


def test_a_date_without_offset_is_utc() -> None:
    request = parse_template({**MINIMAL, "expireAt": "2026-01-31T12:00:00"})
    assert request.expire_at == datetime(2026, 1, 31, 12, tzinfo=UTC)


def test_the_retries_of_a_request_count() -> None:
    assert parse_template({**MINIMAL, "retries": 0}).max_retry_attempt == 0


def test_an_empty_list_of_control_nets_asks_for_none() -> None:
    """As the captures show a job that has none."""
    assert references_of({**MINIMAL, "controlNets": []}) == {"model": MODEL}


def test_the_schema_of_a_request_has_its_type_and_its_members_as_they_are_sent() -> None:
    schema = TextToImageJobRequest.model_json_schema()
    assert schema["title"] == "TextToImageJobRequest"
    assert schema["properties"]["$type"] == {"type": "string", "enum": ["textToImage", "TextToImageJobTemplate"]}
    assert {"additionalNetworks", "batchSize", "callbackUrl"} <= schema["properties"].keys()
    assert set(schema["required"]) == {"model", "params"}
