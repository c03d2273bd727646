"""Set scenarios from the command line."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import World
from tests.support.served_app import JOBS

FAIL_TWICE = """\
start: first
states:
  first: {match: {method: GET}, action: {status: 500}, next: second}
  second: {match: {method: GET}, action: {status: 502}, next: over}
  over: {}
"""
AS_JSON = {"start": "calm", "states": {"calm": {}, "storm": {"action": {"status": 503}}}}


@pytest.fixture
def yaml_file(tmp_path: Path) -> str:
    file = tmp_path / "fail-twice.yaml"
    file.write_text(FAIL_TWICE)
    return str(file)


def test_a_scenario_is_set_from_yaml_and_told_with_its_state(world: World, yaml_file: str) -> None:
    assert world.done("scenario put twice", yaml_file) == "scenario twice is in state first\n"
    assert [world.http.get(f"{JOBS}/nobody").status_code for _ in range(2)] == [500, 502]
    assert world.done("scenario state twice") == "over\n"
    head, row = world.done("scenario list").splitlines()
    assert (head.split(), row.split()) == (
        ["scenario", "state", "states"],
        ["twice", "over", "first,", "second,", "over"],
    )


def test_a_scenario_is_set_from_json_and_its_state_is_set(world: World, tmp_path: Path) -> None:
    file = tmp_path / "weather"  # what it is, is seen by its content
    file.write_text(f"\n {json.dumps(AS_JSON)}")
    assert world.json("scenario put weather", str(file))["state"] == "calm"
    assert world.done("scenario state weather storm") == "scenario weather is in state storm\n"
    assert world.http.get(f"{JOBS}/nobody").status_code == 503
    assert world.json("scenario state weather") == world.http.get("/_mock/scenarios/weather").json()
    assert [each["name"] for each in world.json("scenario list")] == ["weather"]


def test_what_is_wrong_with_a_file_is_said_with_its_line_or_path(world: World, tmp_path: Path) -> None:
    file = tmp_path / "bad"
    for content, said in (
        ("start: a\nstates: [\n", "Line "),
        ('{"start": "a", "states": {"b": {"presett": "throttle"}}}', "states.b.presett: "),
        ("\xff\xfe", "$: "),
    ):
        file.write_text(content, "latin-1")
        ended = world.run("scenario put bad", str(file))
        assert (ended.status, ended.out) == (1, "")
        assert said in ended.err


@pytest.mark.parametrize("words", ["scenario state nobody", "scenario state nobody over"])
def test_a_scenario_that_is_not_there_has_no_state(world: World, words: str) -> None:
    world.submit()
    ended = world.run(words)
    assert (ended.status, ended.out) == (1, "")
    assert "nobody" in ended.err
