"""Look at jobs, graphs and namespaces from the command line."""

import re
from collections.abc import Callable

import pytest

from tests.cli.conftest import World
from tests.support.served_app import template


def test_jobs_are_a_table_with_the_youngest_first(world: World) -> None:
    older, younger = world.submit(), world.submit()
    head, first, second = world.done("jobs").splitlines()
    assert head.split() == ["job", "status", "type", "created", "cost", "prompt"]
    assert [line.split()[:2] for line in (first, second)] == [[younger, "Succeeded"], [older, "Succeeded"]]
    assert {line[head.index("prompt") :] for line in (first, second)} == {"a fox"}


def test_of_no_jobs_only_the_head_is_printed(world: World) -> None:
    assert len(world.done("jobs").splitlines()) == 1
    assert world.json("jobs") == []


def test_a_job_is_shown_with_its_events(world: World) -> None:
    job = world.submit()
    printed = world.done("jobs", job)
    assert re.search(rf"^jobId +{job}$", printed, re.MULTILINE)
    events = printed.partition("\nevent ")[2].splitlines()[1:]
    assert [line.split()[0] for line in events] == ["Initialized", "Claimed", "Updated", "Updated", "Succeeded"]
    assert world.json("jobs", job) == world.http.get(f"/_mock/jobs/{job}").json()


def test_a_failed_job_says_why(world: World) -> None:
    world.http.put("/_mock/progress", json={"mode": "manual"})
    job = world.http.post("/v1/consumer/jobs", json=template()).json()["jobId"]
    world.http.post(f"/_mock/jobs/{job}/fail", json={"message": "out of memory"})
    assert world.done("jobs", job).splitlines()[-1].split(maxsplit=3)[::3] == ["Failed", "out of memory"]


def test_the_graph_of_a_job_is_printed_as_comfyui_loads_it(world: World) -> None:
    job = world.submit()
    assert world.json("graph", job) == world.http.get(f"/_mock/jobs/{job}/graph").json()
    assert world.done("graph", job) == world.done("graph", job, "--json")


@pytest.mark.parametrize("words", ["jobs nobody", "graph nobody", "jobs a%2Fb?c"])
def test_what_is_not_there_is_said_on_standard_error(world: World, words: str) -> None:
    ended = world.run(words)
    assert (ended.status, ended.out) == (1, "")
    assert ended.err == f"civitai-mock: The job '{words.split()[1]}' does not exist.\n"


def test_namespaces_are_listed_without_their_tokens(new_world: Callable[[], World]) -> None:
    world = new_world()
    document = {"tokens": [f"of-{world.name}-1", f"of-{world.name}-2"], "seed": 7, "balance": {"blue": 5}}
    world.http.put(f"/_mock/namespaces/{world.name}", json=document)
    printed = world.done("namespaces")
    assert f"of-{world.name}" not in printed
    (row,) = [line.split() for line in printed.splitlines() if line.startswith(f"{world.name} ")]
    assert row[:6] == [world.name, "7", "blue=5", "-", "-", "2"]
    assert world.name in {each["name"] for each in world.json("namespaces")}


def test_a_job_that_a_fault_hit_says_which_rule_did(world: World) -> None:
    world.done("fault add node-crash --param message=boom --times 1")
    hit, spared = world.submit(), world.submit()
    printed = world.done("jobs", hit)
    assert "boom" in printed
    assert printed.splitlines()[-1].split() == ["fault-1", "1", "node-crash"]
    assert "fault-1" not in world.done("jobs", spared)
