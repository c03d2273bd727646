"""Fault presets: the rows of the file, and which rows are refused."""

import copy
from collections.abc import Callable, Mapping
from math import log
from statistics import NormalDist
from typing import Any

import pytest

from civitai_mock.domain.delays import Z99, LogNormalDelay, parse_delay
from civitai_mock.domain.fault_presets import FaultPreset, Hook, ParamType, PresetParam, fault_presets, parse_presets
from civitai_mock.domain.json_types import Json, JsonObject, as_object, as_text
from tests.support.table import table

# What the incidents are known by.
NAMES = {
    Hook.REQUEST: """
        status-hang whatif-park whatif-slow-ok lost-answer html-error maintenance-page validation-500 throttle
        unauthorized reset half-body slow-drip bad-json answer-200 result-object result-array extra-members
        insufficient-buzz prompt-flagged flagged-silent early-access
    """,
    Hook.JOB: """
        unknown-status unknown-provider stuck-queued stuck-running queue-flood cold-start provider-outage preempted
        lost-after-restart node-crash failed-with-reason failed-silent batch-partial cancel-repriced completed-empty
        succeeded-unavailable output-blocked mature-hidden
    """,
    Hook.BLOB: "blob-late blob-expired blob-lost blob-timeout silent-censor",
    Hook.CALLBACK: "callback-duplicate callback-late callback-reorder callback-drop callback-301",
    Hook.STREAM: "stream-deaf stream-gap",
}
# The numbers of the incidents, which are the defaults.
DEFAULTS = {
    "status-hang": {"seconds": 20},
    "whatif-park": {"seconds": 30},
    "lost-answer": {"status": 502, "reset": False},
    "html-error": {"status": 525},
    "throttle": {"retryAfter": 30, "accepted": False},
    "slow-drip": {"bytesPerSecond": 1},
    "queue-flood": {"preceding": 8663, "perMinute": 235},
    "cold-start": {"seconds": 45},
    "preempted": {"warning": 30},
    "batch-partial": {"available": 1},
    "blob-late": {"seconds": 5},
    "prompt-flagged": {"term": "peg"},
    "callback-late": {"seconds": 60},
    "stream-gap": {"events": 5},
}
# Actions that rules have as well, in the same words.
PLAIN: Mapping[str, JsonObject] = {
    "status-hang": {"hang": "20s"},
    "maintenance-page": {"status": 200},
    "unauthorized": {"status": 401},
    "reset": {"reset": True},
    "half-body": {"halfBody": True},
    "slow-drip": {"slowDrip": 1},
    "bad-json": {"badJson": True},
    "lost-after-restart": {"lose": True},
    "batch-partial": {"partial": 1},
    "completed-empty": {"noResult": True},
    "blob-late": {"late": "5s"},
    "blob-expired": {"expired": True},
    "blob-lost": {"lost": True},
    "blob-timeout": {"silent": "60s"},
    "callback-duplicate": {"duplicate": True},
    "callback-late": {"late": "60s"},
    "callback-reorder": {"reorder": True},
    "callback-drop": {"drop": True},
}
ROW: dict[str, Any] = {
    "name": "made-up",
    "hook": "request",
    "fits": ["status"],
    "action": {"hang": "{seconds}s", "body": {"text": "{text}", "of": 1}},
    "params": {
        "seconds": {"type": "number", "default": 2.5, "min": 0, "max": 60, "unit": "seconds", "docs": "How long."},
        "text": {"type": "text", "default": "peg", "docs": "What is said."},
    },
    "evidence": "a test",
    "docs": {"v1": "Something.", "v2": None},
    "isAvailable": True,
}


def test_every_incident_has_a_preset_at_its_hook() -> None:
    found: dict[Hook, set[str]] = {hook: set() for hook in Hook}
    for preset in fault_presets().values():
        found[preset.hook].add(preset.name)
    assert found == {hook: set(names.split()) for hook, names in NAMES.items()}


def test_the_numbers_of_the_incidents_are_the_defaults() -> None:
    for name, defaults in DEFAULTS.items():
        assert {key: param.default for key, param in fault_presets()[name].params.items()} == defaults, name


def test_plain_actions_have_the_words_that_rules_use() -> None:
    for name, action in PLAIN.items():
        assert fault_presets()[name].usual_action().items() >= action.items(), name


def test_an_estimate_that_is_slow_takes_as_long_as_it_did() -> None:
    """Of a hundred, five took 30 to 40 seconds, and one more than 45."""
    delay = parse_delay(fault_presets()["whatif-slow-ok"].usual_action()["delay"], path="delay")
    assert isinstance(delay, LogNormalDelay)
    median, p99 = (log(duration.total_seconds()) for duration in (delay.p50, delay.p99))
    seconds = NormalDist(median, (p99 - median) / Z99)
    assert seconds.cdf(log(40)) - seconds.cdf(log(30)) == pytest.approx(0.05, abs=0.002)
    assert 1 - seconds.cdf(log(45)) == pytest.approx(0.01, abs=0.001)


def test_no_default_leaves_a_placeholder_behind() -> None:
    assert [preset.name for preset in fault_presets().values() if "{" in "".join(_texts(preset.usual_action()))] == []


def _texts(value: Json) -> list[str]:
    members = as_object(value).values()
    return [as_text(value), *(text for member in members for text in _texts(member))]


def test_a_row_is_read_and_its_action_gets_the_params() -> None:
    (preset,) = parse_presets([ROW]).values()
    assert isinstance(preset, FaultPreset)
    assert preset.usual_action() == {"hang": "2.5s", "body": {"text": "peg", "of": 1}}
    assert (preset.v1_docs, preset.v2_docs, preset.is_available) == ("Something.", None, True)
    assert preset.params["seconds"].unit == "seconds"


def _without(name: str) -> Callable[[dict[str, Any]], object]:
    return lambda row: row.pop(name)


def _with(**members: Any) -> Callable[[dict[str, Any]], object]:
    return lambda row: row.update(members)


def _param(name: str, **members: Any) -> Callable[[dict[str, Any]], object]:
    return lambda row: row["params"][name].update(members)


@table(
    ("spoil", "hint"),
    [
        (_without("evidence"), r"missing \(\['evidence'\]\)"),
        (_without("isAvailable"), "missing"),
        (_with(mood="bad"), r"not known \(\['mood'\]\)"),
        (_with(name="Made Up"), "lower-case words"),
        (_with(hook="door"), "'door' is not a valid Hook"),
        (_with(fits=["statuses"]), "'statuses' is not a valid Target"),
        (_with(action={}), "the action has to use each param"),
        (_with(action={"hang": "{seconds}s"}), "the action has to use each param"),
        (_with(action={"hang": "{seconds}s{minutes}", "body": "{text}"}), "the action has to use each param"),
        (_with(evidence=""), "evidence"),
        (_with(docs={"v1": None, "v2": None}), "docs of v1 or v2"),
        (_with(docs={"v1": "x"}), "missing"),
        (_with(isAvailable="yes"), "true or false"),
        (_param("seconds", default=61), "the default of seconds"),
        (_param("seconds", default=True), "the default of seconds"),
        (_param("seconds", type="integer"), "the default of seconds"),
        (_param("seconds", type="text"), "only then"),
        (_param("seconds", type="duration"), "'duration' is not a valid ParamType"),
        (_param("seconds", docs=""), "seconds has to have docs"),
        (_param("text", default=""), "the default of text"),
        (_param("text", default=["peg"]), "the default of text"),
        (_param("text", min=1, max=2), "only then"),
        (_param("text", longest=5), "not known"),
    ],
)
def test_a_wrong_row_is_refused_by_its_name(spoil: Callable[[dict[str, Any]], object], hint: str) -> None:
    row = copy.deepcopy(ROW)
    spoil(row)
    with pytest.raises(ValueError, match=f"^Fault preset '{row['name']}': .*{hint}"):
        parse_presets([row])


def test_a_name_is_there_once() -> None:
    with pytest.raises(ValueError, match="the name is there twice"):
        parse_presets([ROW, ROW])


@table(
    ("kind", "value", "takes"),
    [
        (ParamType.NUMBER, 0.5, True),
        (ParamType.NUMBER, 1, True),
        (ParamType.NUMBER, 11, False),
        (ParamType.NUMBER, -1, False),
        (ParamType.NUMBER, float("nan"), False),
        (ParamType.NUMBER, "1", False),
        (ParamType.NUMBER, True, False),
        (ParamType.INTEGER, 10, True),
        (ParamType.INTEGER, 1.0, False),
        (ParamType.INTEGER, None, False),
        (ParamType.BOOLEAN, False, True),
        (ParamType.BOOLEAN, 0, False),
        (ParamType.TEXT, "x", True),
        (ParamType.TEXT, "", False),
        (ParamType.TEXT, "x" * 1001, False),
        (ParamType.TEXT, {}, False),
    ],
)
def test_a_param_takes_what_its_type_and_bounds_say(kind: ParamType, value: Json, takes: bool) -> None:
    param = PresetParam(type=kind, default=1, least=0, most=10, unit=None, docs="A number.")
    assert param.takes(value) is takes
