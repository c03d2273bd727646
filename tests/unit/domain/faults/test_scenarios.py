"""Scenarios are read with all that is wrong in them."""

from typing import Any

import pytest

from civitai_mock.domain.errors import InvalidRequestError
from civitai_mock.domain.fault_presets import Hook
from civitai_mock.domain.faults.scenarios import Scenario, parse_scenario
from tests.support.table import table

FAIL = {"action": {"status": 500}, "next": "b"}


def _scenario(**states: Any) -> Scenario:
    return parse_scenario({"start": "a", "states": states}, name="x")


def test_a_state_is_kept_as_a_number() -> None:
    scenario = _scenario(a=FAIL, b={}, c={})
    assert [scenario.state_of(number) for number in range(5)] == ["a", "a", "b", "c", "a"]
    assert [scenario.number_of(state) for state in ("a", "b", "c")] == [1, 2, 3]


@pytest.mark.parametrize(
    ("states", "hooks"),
    [
        ({"a": {}}, set()),
        ({"a": {"match": {"method": "GET"}}}, set()),
        ({"a": {"next": "a"}}, {Hook.REQUEST}),
        ({"a": {"match": {"attempt": 2}, "next": "a"}}, {Hook.JOB}),
        ({"a": FAIL, "b": {"action": {"lose": True}}}, {Hook.REQUEST, Hook.JOB}),
        ({"a": {"action": {"late": "5s"}}}, {Hook.BLOB, Hook.CALLBACK}),
        ({"a": {"action": {"late": "5s"}, "match": {"attempt": 1}}}, {Hook.CALLBACK}),
    ],
)
def test_a_scenario_takes_hold_where_one_of_its_states_does(states: dict[str, Any], hooks: set[Hook]) -> None:
    assert _scenario(**states).hooks == hooks


@table(
    ("document", "path", "hint"),
    [
        ([], "$", "Expected a JSON object"),
        ({"states": {"a": {}}}, "start", "is required"),
        ({"start": "a"}, "states", "is required"),
        ({"start": "a", "states": {}}, "states", "1 to 100 states"),
        ({"start": "a", "states": {str(number): {} for number in range(101)}}, "states", "1 to 100 states"),
        ({"start": "first", "states": {"frist": {}}}, "start", "Did you mean 'frist'?"),
        ({"start": "a", "states": {"a": {"next": "B"}, "b": {}}}, "states.a.next", "Did you mean 'b'?"),
        ({"start": "a", "states": {"a": None}}, "states.a", "is required"),
        ({"start": "a", "states": {"a": 1}}, "states.a", "Expected a JSON object"),
        ({"start": "a", "states": {"a": {}, "a b": {}}}, "states.a b", "a name of 1 to 64"),
        ({"start": "a", "states": {"a": {"prest": "x"}}}, "states.a.prest", "Did you mean"),
        ({"start": "a", "states": {"a": {"preset": "blob-lat"}}}, "states.a.preset", "Did you mean 'blob-late'?"),
        ({"start": "a", "states": {"a": {"params": {}}}}, "states.a.params", "Unknown member"),
        ({"start": "a", "states": {"a": FAIL | {"times": 2}, "b": {}}}, "states.a.times", "Unknown member"),
        ({"start": "a", "states": {"a": {"match": {"metod": "GET"}}}}, "states.a.match.metod", "mean 'method'?"),
        (
            {"start": "a", "states": {"a": FAIL | {"match": {"attempt": 1}}, "b": {}}},
            "states.a.match.attempt",
            "never fire",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_path(document: Any, path: str, hint: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        parse_scenario(document, name="x")
    assert path in caught.value.errors
    assert any(hint in message for message in caught.value.errors[path]), caught.value.errors


def test_a_route_is_checked_where_all_are_known() -> None:
    document: Any = {"start": "a", "states": {"a": {"match": {"route": "/v1/job"}, "next": "a"}}}
    parse_scenario(document, name="x")
    with pytest.raises(InvalidRequestError) as caught:
        parse_scenario(document, name="x", routes=["/v1/jobs"])
    assert list(caught.value.errors) == ["states.a.match.route"]
