"""Let things go wrong from the command line."""

import pytest

from tests.cli.conftest import World
from tests.support.served_app import JOBS

STATUS = "/v1/consumer/jobs/{jobId}"


def test_a_fault_is_added_fires_so_often_and_is_listed(world: World) -> None:
    world.submit()
    added = f"fault add html-error --param status=525 --times 1 --method GET --route {STATUS}"
    assert world.done(added) == "rule fault-1 is set\n"
    assert [world.http.get(f"{JOBS}/nobody").status_code for _ in range(2)] == [525, 404]
    head, row = world.done("fault list").splitlines()
    assert head.split() == ["rule", "what", "params", "match", "times", "hits", "left", "enabled"]
    assert row.split() == [
        "fault-1",
        "html-error",
        "status=525",
        "method=GET,",
        f"route={STATUS}",
        "1",
        "1",
        "0",
        "yes",
    ]


def test_what_is_sent_of_a_rule_has_the_types_of_its_preset(world: World) -> None:
    rule = world.json("fault add throttle --param accepted=true --param retryAfter=3")
    assert rule["params"] == {"accepted": True, "retryAfter": 3}
    assert "match" not in rule
    assert world.json("fault add prompt-flagged --param term=7 --method post")["params"] == {"term": "7"}
    assert world.json("fault list") == world.http.get("/_mock/faults").json()["items"]


def test_rules_with_actions_are_listed_too(world: World) -> None:
    world.http.post("/_mock/faults", json={"action": {"status": 418}, "enabled": False})
    (row,) = world.done("fault list").splitlines()[1:]
    assert row.split() == ["fault-1", "status=418", "-", "-", "-", "0", "-", "no"]


def test_rules_are_removed_one_by_one_or_together(world: World) -> None:
    for _ in range(3):
        world.done("fault add answer-200")
    assert world.done("fault remove fault-2") == "rule fault-2 is gone\n"
    assert [rule["id"] for rule in world.json("fault list")] == ["fault-1", "fault-3"]
    assert world.done("fault clear") == f"namespace {world.name} has no rules any more\n"
    assert world.json("fault list") == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            "fault add blob-lat",
            "preset: Unknown preset 'blob-lat'; /_mock/presets lists all. Did you mean 'blob-late'?",
        ),
        ("fault add throttle --param retryAfter=soon", "params.retryAfter: "),
        ("fault add throttle --param retry=1", "params.retry: "),
        ("fault add throttle --times 0", "times: "),
        ("fault add throttle --route /v1/nothing", "match.route: "),
        ("fault remove fault-9", "There is no rule 'fault-9' here."),
    ],
)
def test_a_rule_that_cannot_be_is_refused(world: World, words: str, said: str) -> None:
    world.submit()
    ended = world.run(words)
    assert (ended.status, ended.out) == (1, "")
    assert ended.err.startswith(f"civitai-mock: {said}")
