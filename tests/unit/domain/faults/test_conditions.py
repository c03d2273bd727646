"""Conditions: what holds for which subject, and which one is told as the first that failed."""

from typing import Any

import pytest

from civitai_mock.domain.errors import InvalidRequestError
from civitai_mock.domain.fault_presets import Hook
from civitai_mock.domain.faults.conditions import AT_HOOKS, Condition, FaultSubject, Match, resource_identity
from civitai_mock.domain.faults.rules import parse_rule
from tests.support.dates import START
from tests.support.table import table

SUBJECT = FaultSubject(
    hook=Hook.REQUEST,
    method="POST",
    route="/v1/consumer/jobs",
    headers={"user-agent": "app/1", "x-run": "7"},
    types=("textToImage", "wdTagging"),
    models=("urn:air:sdxl:checkpoint:civitai:101055@128078",),
    ecosystems=("sdxl",),
    prompts=("a quiet Fox", "no dogs"),
    image_given=False,
    attempt=2,
)
NOTHING = FaultSubject(hook=Hook.REQUEST)


def _match(sent: dict[str, Any]) -> Match:
    action: dict[str, Any] = {"lose": True} if "attempt" in sent else {"reset": True}
    return parse_rule({"match": sent, "action": action}, rule_id="r", set_at=START).match


@table(
    "sent",
    [
        {},
        {"method": "post"},
        {"route": "/v1/consumer/jobs"},
        {"$type": "TEXTTOIMAGE"},
        {"$type": "wdTagging"},
        {"model": "urn:air:sdxl:checkpoint:civitai:101055@128078"},
        {"model": "@civitai/128078"},
        {"model": "civitai:101055@128078"},
        {"ecosystem": "SDXL"},
        {"prompt": {"contains": "fox"}},
        {"prompt": {"contains": "DOGS"}},
        {"prompt": {"pattern": "^no d.gs$"}},
        {"header": {"User-Agent": "app/1", "X-RUN": "7"}},
        {"imageGiven": False},
        {"attempt": 2},
        {"method": "POST", "ecosystem": "sdxl", "prompt": {"pattern": "Fox"}, "header": {"x-run": "7"}},
    ],
)
def test_a_condition_holds(sent: dict[str, Any]) -> None:
    match = _match(sent)
    assert match.first_failed(SUBJECT) is None
    assert match.conditions == set(sent)


@table(
    ("sent", "failed"),
    [
        ({"method": "GET"}, Condition.METHOD),
        ({"route": "/v1/consumer/jobs/{jobId}"}, Condition.ROUTE),
        ({"$type": "text"}, Condition.TYPE),
        ({"model": "@civitai/1"}, Condition.MODEL),
        ({"ecosystem": "sd1"}, Condition.ECOSYSTEM),
        ({"prompt": {"contains": "cat"}}, Condition.PROMPT),
        ({"prompt": {"pattern": "fox"}}, Condition.PROMPT),
        ({"header": {"x-run": "8"}}, Condition.HEADER),
        ({"header": {"x-run": "7", "x-other": "7"}}, Condition.HEADER),
        ({"imageGiven": True}, Condition.IMAGE_GIVEN),
        ({"attempt": 1}, Condition.ATTEMPT),
        ({"method": "GET", "prompt": {"contains": "cat"}}, Condition.METHOD),
        ({"prompt": {"contains": "cat"}, "route": "/"}, Condition.ROUTE),
    ],
)
def test_the_first_condition_that_fails_is_told(sent: dict[str, Any], failed: Condition) -> None:
    assert _match(sent).first_failed(SUBJECT) is failed


@table(
    "sent",
    [
        {"method": "GET"},
        {"route": "/"},
        {"$type": "x"},
        {"model": "x"},
        {"ecosystem": "x"},
        {"prompt": {"contains": "x"}},
        {"prompt": {"pattern": ".*"}},
        {"header": {"x": "1"}},
        {"imageGiven": False},
        {"imageGiven": True},
        {"attempt": 1},
    ],
)
def test_no_condition_holds_for_what_is_not_known(sent: dict[str, Any]) -> None:
    assert {_match(sent).first_failed(NOTHING)} == set(map(Condition, sent))


@pytest.mark.parametrize(
    ("route", "is_reserved"),
    [
        ("/_mock/faults", True),
        ("/_mock", True),
        ("/health", True),
        ("/health/live", True),
        ("/healthy", False),
        ("/v1/consumer/jobs", False),
        (None, False),
    ],
)
def test_the_control_plane_and_health_are_hit_by_name_alone(route: str | None, is_reserved: bool) -> None:
    subject = FaultSubject(hook=Hook.REQUEST, method="GET", route=route)
    for match in (Match(), Match(method="GET")):
        assert match.first_failed(subject) is (Condition.ROUTE if is_reserved else None)
    assert Match(route=route).first_failed(subject) is (None if route or not is_reserved else Condition.ROUTE)


@pytest.mark.parametrize(
    ("text", "identity"),
    [
        ("urn:air:sdxl:checkpoint:civitai:101055@128078", "@civitai/128078"),
        ("@civitai/128078", "@civitai/128078"),
        ("@Civitai/128078", "@civitai/128078"),
        ("@huggingface/ABC", "@huggingface/abc"),
        ("urn:air:flux1:checkpoint:huggingface:A/b@main", "urn:air:flux1:checkpoint:huggingface:a/b@main"),
        ("WD-vit", "wd-vit"),
    ],
)
def test_models_are_compared_by_what_their_spellings_share(text: str, identity: str) -> None:
    assert resource_identity(text) == identity


@pytest.mark.parametrize("hook", Hook)
def test_a_condition_that_cannot_hold_at_a_hook_is_refused_there(hook: Hook) -> None:
    action: dict[Hook, dict[str, Any]] = {
        Hook.REQUEST: {"preset": "reset"},
        Hook.JOB: {"preset": "node-crash"},
        Hook.BLOB: {"preset": "blob-lost"},
        Hook.CALLBACK: {"preset": "callback-drop"},
        Hook.STREAM: {"preset": "stream-deaf"},
    }
    values: dict[Condition, Any] = {
        Condition.PROMPT: {"contains": "x"},
        Condition.HEADER: {"x": "1"},
        Condition.IMAGE_GIVEN: True,
        Condition.ATTEMPT: 1,
    }
    taken = set()
    for condition in Condition:
        rule = action[hook] | {"match": {condition.value: values.get(condition, "x")}}
        try:
            parse_rule(rule, rule_id="r", set_at=START)
        except InvalidRequestError:
            continue
        taken.add(condition)
    assert taken == AT_HOOKS[hook]
