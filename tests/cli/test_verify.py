"""Verify from the command line which requests a server got."""

from tests.cli.conftest import World
from tests.support.served_app import JOBS

SUBMIT, STATUS = "/v1/consumer/jobs", "/v1/consumer/jobs/{jobId}"


def test_requests_that_came_are_counted(world: World) -> None:
    job = world.submit()
    for _ in range(2):
        world.http.get(f"{JOBS}/{job}")
    assert world.done("verify") == "as expected: 3 requests\n"
    assert world.done(f"verify --method GET --route {STATUS} --count 2") == "as expected: 2 requests\n"
    assert world.done("verify --method DELETE --count 0") == "as expected: 0 requests\n"
    assert world.done(f"verify --route {SUBMIT}") == "as expected: 1 request\n"
    assert world.json(f"verify --route {SUBMIT}") == {"count": 1}


def test_what_is_different_is_printed_with_the_nearest_request(world: World) -> None:
    job = world.submit()
    words = "verify --method DELETE --route /v1/consumer/jobs/{jobId} --count 1"
    world.http.get(f"{JOBS}/{job}")
    ended = world.run(words)
    assert (ended.status, ended.err) == (1, "")
    first, *rest = ended.out.splitlines()
    assert first.startswith("Expected 1 requests to match; found 0. Nearest: GET ")
    assert [line.split() for line in rest[:2]] == [["expected", "1"], ["actual", "0"]]
    assert (rest[2], rest[3].split()) == ("", ["nearest", "method", "path", "difference"])
    assert any(f"{JOBS}/{job}" in line and "GET" in line for line in rest[4:])


def test_a_difference_as_json_is_what_the_api_answers(world: World) -> None:
    world.submit()
    ended = world.run("verify --count 7 --json")
    assert (ended.status, ended.err) == (1, "")
    assert '"actual": 1' in ended.out
    assert '"nearest": [' in ended.out


def test_what_cannot_be_checked_is_said_on_standard_error(world: World) -> None:
    ended = world.run("verify --route /v1/nothing")
    assert (ended.status, ended.out) == (1, "")
    assert ended.err.startswith("civitai-mock: match.route: ")
