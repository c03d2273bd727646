"""Rules: how they are written, and what is refused by which path."""

import json
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from civitai_mock.domain.delays import FixedDelay, LogNormalDelay, RangeDelay
from civitai_mock.domain.errors import InvalidRequestError
from civitai_mock.domain.fault_presets import FaultPreset, Hook, fault_presets
from civitai_mock.domain.faults import rules
from civitai_mock.domain.faults.actions import (
    PLAIN_ACTIONS,
    Action,
    Answer,
    BlobState,
    Broken,
    CallbackMishap,
    DelayAnswer,
    Effect,
    FailJob,
    Hang,
    JobFate,
    Late,
    PartialResult,
    PresetEffect,
    PresetWord,
    RejectJob,
    SilentBlob,
    SlowDrip,
    StickJob,
)
from civitai_mock.domain.faults.rules import FaultRule, Scope, check_available, parse_fault_header, parse_rule
from civitai_mock.domain.faults.scenarios import parse_scenario
from civitai_mock.domain.stages import Stage
from tests.support.dates import START
from tests.support.table import table

JOB_ROUTE = "/v1/consumer/jobs/{jobId}"
ROUTES = ("/v1/consumer/jobs", JOB_ROUTE, "/v2/consumer/workflows/{workflowId}")
SECOND = timedelta(seconds=1)
RESET: dict[str, Any] = {"action": {"reset": True}}


def parse(value: Any) -> FaultRule:
    return parse_rule(value, rule_id="r1", set_at=START, routes=ROUTES)


def test_a_preset_that_nothing_can_do_yet_is_refused_wherever_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    later = replace(fault_presets()["throttle"], is_available=False)
    monkeypatch.setattr(rules, "fault_presets", lambda: {"throttle": later})
    for refuse in (
        lambda: check_available(parse({"preset": "throttle"})),
        lambda: check_available(parse_fault_header("throttle")),
        lambda: parse_scenario({"start": "a", "states": {"a": {"preset": "throttle"}}}, name="x"),
    ):
        with pytest.raises(InvalidRequestError) as raised:
            refuse()
        assert "is not available yet" in str(raised.value.errors)


@table(
    ("action", "effect", "hooks"),
    [
        ({"status": 503}, Answer(status=503), {Hook.REQUEST}),
        (
            {"status": 200, "body": {"a": [1]}, "headers": {"Content-Type": "text/x", "Retry-After": 5}},
            Answer(status=200, body={"a": [1]}, headers={"Content-Type": "text/x", "Retry-After": "5"}),
            {Hook.REQUEST},
        ),
        ({"delay": "2s"}, DelayAnswer(FixedDelay(duration=2 * SECOND)), {Hook.REQUEST}),
        ({"delay": {"min": "1s", "max": "2s"}}, DelayAnswer(RangeDelay(least=SECOND, most=2 * SECOND)), {Hook.REQUEST}),
        (
            {"delay": {"p50": "1s", "p99": "2s"}},
            DelayAnswer(LogNormalDelay(p50=SECOND, p99=2 * SECOND)),
            {Hook.REQUEST},
        ),
        ({"hang": "PT20S"}, Hang(20 * SECOND), {Hook.REQUEST}),
        ({"reset": True}, Broken.RESET, {Hook.REQUEST}),
        ({"halfBody": True}, Broken.HALF_BODY, {Hook.REQUEST}),
        ({"slowDrip": 1}, SlowDrip(1), {Hook.REQUEST}),
        ({"badJson": True}, Broken.BAD_JSON, {Hook.REQUEST}),
        ({"fail": {}}, FailJob(), {Hook.JOB}),
        (
            {"fail": {"stage": "CLAIMED", "error": "E", "message": "m", "nodeId": "3", "classType": "KSampler"}},
            FailJob(stage=Stage.CLAIMED, error="E", message="m", node_id="3", class_type="KSampler"),
            {Hook.JOB},
        ),
        ({"reject": True}, RejectJob(is_late=False), {Hook.JOB}),
        ({"lateReject": {"reason": "busy"}}, RejectJob(is_late=True, reason="busy"), {Hook.JOB}),
        ({"expireClaim": True}, JobFate.EXPIRE_CLAIM, {Hook.JOB}),
        ({"stick": True}, StickJob(Stage.CLAIMED), {Hook.JOB}),
        ({"stick": "QUEUED"}, StickJob(Stage.QUEUED), {Hook.JOB}),
        ({"lose": True}, JobFate.LOSE, {Hook.JOB}),
        ({"partial": 0}, PartialResult(0), {Hook.JOB}),
        ({"noResult": True}, JobFate.NO_RESULT, {Hook.JOB}),
        ({"late": "5s"}, Late(FixedDelay(duration=5 * SECOND)), {Hook.BLOB, Hook.CALLBACK}),
        ({"expired": True}, BlobState.EXPIRED, {Hook.BLOB}),
        ({"lost": True}, BlobState.LOST, {Hook.BLOB}),
        ({"silent": True}, SilentBlob(), {Hook.BLOB}),
        ({"silent": "60s"}, SilentBlob(60 * SECOND), {Hook.BLOB}),
        ({"duplicate": True}, CallbackMishap.DUPLICATE, {Hook.CALLBACK}),
        ({"reorder": True}, CallbackMishap.REORDER, {Hook.CALLBACK}),
        ({"drop": True}, CallbackMishap.DROP, {Hook.CALLBACK}),
    ],
)
def test_an_action_is_read(action: dict[str, Any], effect: Effect, hooks: set[Hook]) -> None:
    assert parse({"match": {}, "action": action}).action == Action(hooks=frozenset(hooks), effects=(effect,))


def test_what_is_not_said_is_as_usual() -> None:
    rule = parse(RESET)
    assert (rule.id, rule.scope, rule.is_enabled, rule.preset) == ("r1", Scope(), True, None)
    assert rule.match.conditions == frozenset()


def test_a_scope_is_read() -> None:
    sent = {"probability": 0.5, "times": 3, "after": 2, "every": 4, "forSeconds": 90, "enabled": False}
    rule = parse(RESET | sent)
    assert rule.scope == Scope(probability=0.5, times=3, after=2, every=4, ends_at=START + 90 * SECOND)
    assert not rule.is_enabled


@pytest.mark.parametrize(
    ("sent", "ends_at"),
    [
        ({"until": "2026-02-01T00:00:00Z"}, datetime(2026, 2, 1, tzinfo=UTC)),
        ({"until": "2026-02-01T02:00:00+02:00"}, datetime(2026, 2, 1, tzinfo=UTC)),
        ({"until": "2126-02-01T00:00:00Z", "forSeconds": 1}, START + SECOND),
        ({"until": "2000-02-01T00:00:00Z", "forSeconds": 1}, datetime(2000, 2, 1, tzinfo=UTC)),
        ({}, None),
    ],
)
def test_a_rule_ends_by_the_first_of_its_ends(sent: dict[str, Any], ends_at: datetime | None) -> None:
    assert parse(RESET | sent).scope.ends_at == ends_at


def test_a_rule_that_was_told_is_taken_and_is_the_same_after_it_was_stored() -> None:
    sent = {"match": {"$type": "textToImage"}, "preset": "blob-late", "params": {"seconds": 9}, "times": 2}
    rule = parse(sent | {"id": "other", "hits": 1, "left": 1})
    assert rule.document == sent
    assert parse_rule(json.loads(json.dumps(dict(rule.document))), rule_id="r1", set_at=START) == rule
    assert parse_rule({"match": {"route": "/gone"}, **RESET}, rule_id="r1", set_at=START).match.route == "/gone"


@table("preset", fault_presets().values(), ids=lambda preset: preset.name)
def test_every_preset_does_something_at_its_hook(preset: FaultPreset) -> None:
    rule = parse({"preset": preset.name})
    assert rule.action.hooks == {preset.hook}
    assert rule.action.effects
    assert rule.preset == preset
    assert preset.hook in rule.hooks
    for hook in set(Hook) - {preset.hook}:
        assert hook not in rule.hooks


def test_every_word_of_presets_is_used_by_one() -> None:
    rules = [parse({"preset": name}) for name in fault_presets()]
    effects = [effect for rule in rules for effect in rule.action.effects]
    assert {effect.word for effect in effects if isinstance(effect, PresetEffect)} == set(PresetWord)
    known = {*PLAIN_ACTIONS, *PresetWord, "body", "headers", "accepted", "detail"}
    assert {word for preset in fault_presets().values() for word in preset.action} <= known


@pytest.mark.parametrize(
    ("sent", "action"),
    [
        (
            {"preset": "whatif-park", "params": {"seconds": 1}},
            Action(
                hooks=frozenset({Hook.REQUEST}),
                effects=(DelayAnswer(FixedDelay(duration=SECOND)), Answer(status=500)),
            ),
        ),
        (
            {"preset": "flagged-silent"},
            Action(
                hooks=frozenset({Hook.REQUEST}),
                effects=(Answer(status=400, detail="Content flagged for review"),),
            ),
        ),
        (
            {"preset": "queue-flood", "params": {"perMinute": 0}},
            Action(
                hooks=frozenset({Hook.JOB}),
                effects=(PresetEffect(PresetWord.FLOOD, {"preceding": 8663, "perMinute": 0}),),
            ),
        ),
    ],
)
def test_a_preset_is_an_action_with_its_params(sent: dict[str, Any], action: Action) -> None:
    assert parse(sent).action == action


def test_params_that_are_false_are_not_done() -> None:
    usual, reset = parse({"preset": "lost-answer"}), parse({"preset": "lost-answer", "params": {"reset": True}})
    assert (usual.action.accepted, reset.action.accepted) == (True, True)
    assert Broken.RESET not in usual.action.effects
    assert Broken.RESET in reset.action.effects
    throttled = parse({"preset": "throttle", "params": {"retryAfter": 7}}).action
    assert not throttled.accepted
    (answer,) = throttled.effects
    assert isinstance(answer, Answer)
    assert (answer.status, answer.headers["Retry-After"]) == (429, "7")


@table(
    ("sent", "path", "hint"),
    [
        ({}, "$", "exactly one of preset, action"),
        ({"preset": "reset", **RESET}, "action", "exactly one of preset, action"),
        ({"preset": "blob-lat"}, "preset", "Did you mean 'blob-late'?"),
        ({"preset": 5}, "preset", "Expected a text"),
        ({"preset": "blob-late", "params": {"second": 5}}, "params.second", "Did you mean 'seconds'?"),
        ({"preset": "blob-late", "params": {"seconds": "5"}}, "params.seconds", "Expected a number from 0 to 3600"),
        ({"preset": "blob-late", "params": {"seconds": -1}}, "params.seconds", "Expected a number from 0 to 3600"),
        ({"preset": "throttle", "params": {"retryAfter": 1.5}}, "params.retryAfter", "Expected a whole number from 0"),
        ({"preset": "throttle", "params": {"accepted": 1}}, "params.accepted", "Expected true or false"),
        ({"preset": "prompt-flagged", "params": {"term": ""}}, "params.term", "Expected a text of 1 to 1000"),
        ({"preset": "blob-lost", "params": {"seconds": 5}}, "params.seconds", "No member is known here"),
        ({"preset": "whatif-slow-ok", "params": {"p50": 60}}, "params", "p50 must be at most p99"),
        ({"params": {}, **RESET}, "params", "Unknown member 'params'"),
        ({"probabilty": 1, **RESET}, "probabilty", "Did you mean 'probability'?"),
        ({"probability": 1.1, **RESET}, "probability", "Expected a number from 0 to 1"),
        ({"times": 0, **RESET}, "times", "Expected a whole number from 1"),
        ({"every": 0, **RESET}, "every", "Expected a whole number from 1"),
        ({"after": -1, **RESET}, "after", "Expected a whole number from 0"),
        ({"forSeconds": 0, **RESET}, "forSeconds", "Expected a number from 0.001"),
        ({"until": "tomorrow", **RESET}, "until", "Expected a date"),
        ({"until": "9999-12-31T00:00:00Z", **RESET}, "until", "Expected a date from"),
        ({"enabled": "no", **RESET}, "enabled", "Expected true or false"),
        ({"action": {}}, "action", "exactly one of delay, hang"),
        ({"action": {"hang": "2s", "delay": "2s"}}, "action.hang", "exactly one of"),
        ({"action": {"hang": "soon"}}, "action.hang", "Expected a duration"),
        ({"action": {"delay": "soon"}}, "action.delay", "expected a duration"),
        ({"action": {"delay": {"min": "1s", "mx": "2s"}}}, "action.delay.mx", "Did you mean 'max'?"),
        ({"action": {"late": 5}}, "action.late", "expected a duration"),
        ({"action": {"reset": False}}, "action.reset", "switched off by its member 'enabled'"),
        ({"action": {"reset": 1}}, "action.reset", "Expected true or false"),
        ({"action": {"reset": True, "body": 1}}, "action.body", "Unknown member 'body'"),
        ({"action": {"status": 99}}, "action.status", "Expected a whole number from 200 to 599"),
        ({"action": {"status": 200, "detail": "x"}}, "action.detail", "Unknown member 'detail'"),
        ({"action": {"status": 200, "headers": []}}, "action.headers", "Expected a JSON object"),
        ({"action": {"status": 200, "headers": {"a b": "x"}}}, "action.headers.a b", "Expected a header"),
        ({"action": {"status": 200, "headers": {"A": "x\r\nB: y"}}}, "action.headers.A", "Expected a header"),
        ({"action": {"status": 200, "headers": {"A": True}}}, "action.headers.A", "Expected a header"),
        (
            {"action": {"status": 200, "headers": {"content-LENGTH": "5"}}},
            "action.headers.content-LENGTH",
            "follows from",
        ),
        (
            {"action": {"status": 200, "headers": {f"x-{number}": "x" for number in range(51)}}},
            "action.headers",
            "Expected at most 50 headers",
        ),
        ({"action": {"slowDrip": 0}}, "action.slowDrip", "Expected a whole number from 1"),
        ({"action": {"fail": {"stage": "SENT_TO_CONFY"}}}, "action.fail.stage", "Did you mean 'SENT_TO_COMFY'?"),
        ({"action": {"fail": {"node": "5"}}}, "action.fail.node", "Unknown member 'node'"),
        ({"action": {"fail": True}}, "action.fail", "Expected a JSON object"),
        ({"action": {"reject": False}}, "action.reject", "Expected a JSON object"),
        ({"action": {"stick": "QUEUD"}}, "action.stick", "Did you mean 'QUEUED'?"),
        ({"action": {"partial": -1}}, "action.partial", "Expected a whole number from 0"),
        ({"action": {"silent": 5}}, "action.silent", "Expected a duration"),
        ({"match": {"methd": "GET"}, **RESET}, "match.methd", "Did you mean 'method'?"),
        ({"match": {"route": "/v1/consumer/job"}, **RESET}, "match.route", "Did you mean '/v1/consumer/jobs'?"),
        ({"match": {"prompt": "fox"}, **RESET}, "match.prompt", "Expected a JSON object"),
        ({"match": {"prompt": {}}, **RESET}, "match.prompt", "exactly one of contains, pattern"),
        ({"match": {"prompt": {"contains": "a", "pattern": "b"}}, **RESET}, "match.prompt.pattern", "exactly one of"),
        ({"match": {"prompt": {"pattern": "("}}, **RESET}, "match.prompt.pattern", "that RE2 takes; missing )"),
        ({"match": {"prompt": {"pattern": 5}}, **RESET}, "match.prompt.pattern", "Expected a text"),
        ({"match": {"header": {}}, **RESET}, "match.header", "Expected 1 to 20 headers"),
        ({"match": {"header": {"x": 1}}, **RESET}, "match.header.x", "Expected a text"),
        ({"match": {"imageGiven": "yes"}, **RESET}, "match.imageGiven", "Expected true or false"),
        ({"match": {"attempt": 0}, "action": {"lose": True}}, "match.attempt", "Expected a whole number from 1"),
        ({"match": {"attempt": 1}, **RESET}, "match.attempt", "No request has this"),
        ({"match": {"header": {"x": "1"}}, "action": {"lose": True}}, "match.header", "No job has this"),
        ({"match": {"method": "GET"}, "action": {"drop": True}}, "match.method", "No callback has this"),
        (
            {"match": {"method": "GET", "attempt": 1}, "action": {"late": "5s"}},
            "match",
            "No blob or callback has all of this",
        ),
    ],
)
def test_what_is_wrong_is_told_by_its_path(sent: dict[str, Any], path: str, hint: str) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        parse(sent)
    assert list(refused.value.errors) == [path]
    assert hint in " ".join(refused.value.errors[path])


@pytest.mark.parametrize("sent", [None, [], "reset", 5])
def test_a_rule_is_an_object(sent: Any) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        parse(sent)
    assert refused.value.errors == {"$": ["Expected a JSON object."]}


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(InvalidRequestError) as refused:
        parse({"match": {"methd": "GET", "attempt": "x"}, "preset": "blob-late", "params": {"x": 1}, "times": "x"})
    assert set(refused.value.errors) == {"match.methd", "match.attempt", "params.x", "times"}


def test_a_condition_narrows_an_action_that_is_one_at_two_hooks() -> None:
    rule = parse({"match": {"attempt": 1}, "action": {"late": "5s"}})
    assert [hook for hook in Hook if hook in rule.hooks] == [Hook.CALLBACK]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=5,
)
WORDS = ["match", "action", "preset", "params", "probability", "times", "after", "every", "forSeconds", "until", "x"]
INNER = [*PLAIN_ACTIONS, "method", "route", "$type", "prompt", "header", "attempt", "seconds", "pattern", "headers"]


@given(st.dictionaries(st.sampled_from(WORDS), st.dictionaries(st.sampled_from(INNER), JSON, max_size=3) | JSON))
def test_whatever_is_sent_is_a_rule_or_refused(sent: dict[str, Any]) -> None:
    with suppress(InvalidRequestError):
        rule = parse(sent)
        assert any(hook in rule.hooks for hook in Hook)
        assert rule.action.effects


@pytest.mark.parametrize(
    ("text", "params"),
    [
        ("blob-late", {}),
        ("blob-late; seconds=5", {"seconds": 5}),
        (" blob-late ;seconds = 0.25 ", {"seconds": 0.25}),
        ("throttle; accepted=TRUE; retryAfter=3", {"accepted": True, "retryAfter": 3}),
        ("lost-answer; reset=false", {"reset": False}),
        ("prompt-flagged; term=5", {"term": "5"}),
        ("node-crash; message=a = b", {"message": "a = b"}),
    ],
)
def test_a_header_is_a_rule_with_a_preset(text: str, params: dict[str, Any]) -> None:
    name = text.partition(";")[0].strip()
    rule = parse_fault_header(text)
    assert rule == parse_rule({"preset": name, **({"params": params} if params else {})}, rule_id=name, set_at=START)


@table(
    ("text", "hint"),
    [
        ("", "Unknown preset ''"),
        ("blob-lat", "Did you mean 'blob-late'?"),
        ("blob-late; second=5", "Did you mean 'seconds'?"),
        ("blob-late; seconds", "Expected '<preset>; name=value'; found 'seconds'."),
        ("blob-late;", "Expected '<preset>; name=value'"),
        ("blob-late; seconds=5; seconds=6", "'seconds' is there twice"),
        ("blob-late; seconds=soon", "Expected a number from 0 to 3600"),
        ("blob-late; seconds=-1", "Expected a number from 0 to 3600"),
        ("blob-late; seconds=1_0", "Expected a number from 0 to 3600"),
        ("blob-late; seconds=nan", "Expected a number from 0 to 3600"),
        ("blob-late; seconds=" + "9" * 1900, "Expected a number from 0 to 3600"),
        ("throttle; accepted=yes", "Expected true or false"),
        ("throttle; retryAfter=1.0", "Expected a whole number"),
        ("blob-late; seconds=" + "9" * 2000, "Expected at most 2000 characters"),
        ("whatif-slow-ok; p50=60", "p50 must be at most p99"),
    ],
)
def test_a_wrong_header_is_a_fault_of_the_header(text: str, hint: str) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        parse_fault_header(text)
    assert list(refused.value.errors) == ["X-Mock-Fault"]
    assert hint in " ".join(refused.value.errors["X-Mock-Fault"])
