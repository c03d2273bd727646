"""Scenarios under /_mock: set as JSON or YAML, told with their state, put into another one, and read from a file."""

from pathlib import Path
from typing import Any

import pytest

from civitai_mock.domain.fault_presets import Hook
from civitai_mock.domain.faults.conditions import FaultSubject
from civitai_mock.settings import SettingsError
from tests.support.served_app import Opened, Served, serve, serve_all, template

SCENARIOS = "/_mock/scenarios"
FLAKY = f"{SCENARIOS}/flaky"
IN_A = {"X-Mock-Namespace": "a"}
GET = {"method": "GET"}
DOCUMENT: dict[str, Any] = {
    "start": "first",
    "states": {
        "first": {"match": GET, "action": {"status": 500}, "next": "second"},
        "second": {"match": GET, "action": {"status": 503}, "next": "well"},
        "well": {},
    },
}
YAML = """\
start: first
states:
  first: {match: {method: GET}, action: {status: 500}, next: second}
  second: {match: {method: GET}, action: {status: 503}, next: well}
  well: {}
"""
FILE = "flaky:\n" + "".join(f"  {line}\n" for line in YAML.splitlines())
REQUEST = FaultSubject(hook=Hook.REQUEST, method="GET", route="/v1/consumer/jobs/{jobId}")


async def ask(opened: Opened, method: str, path: str, body: Any = None, **headers: str) -> Any:
    answer = await opened.client.request(method, path, json={} if body is None else body, headers=headers)
    assert answer.status_code in {200, 204}, answer.text
    return answer.json() if answer.content else None


async def fired(opened: Opened, number: int = 1) -> list[str | None]:
    rules = [(await opened.namespace.faults.choose(REQUEST)).rule for _ in range(number)]
    return [None if rule is None else rule.id for rule in rules]


async def states(opened: Opened, **headers: str) -> dict[str, str]:
    items = (await ask(opened, "GET", SCENARIOS, **headers))["items"]
    return {item["name"]: item["state"] for item in items}


async def test_a_scenario_is_told_with_its_state(served: Served) -> None:
    told = {"name": "flaky", **DOCUMENT, "state": "first"}
    assert await ask(served, "PUT", FLAKY, DOCUMENT) == told
    assert (await ask(served, "GET", FLAKY), (await ask(served, "GET", SCENARIOS))["items"]) == (told, [told])
    assert await fired(served) == ["flaky/first"]
    assert await ask(served, "GET", FLAKY) == told | {"state": "second"}
    assert await fired(served, 2) == ["flaky/second", None]
    assert await states(served) == {"flaky": "well"}


@pytest.mark.parametrize("media_type", ["application/yaml", "text/yaml; charset=utf-8", "application/x-yaml"])
async def test_yaml_says_the_same(served: Served, media_type: str) -> None:
    answer = await served.client.put(FLAKY, content=YAML, headers={"Content-Type": media_type})
    assert (answer.status_code, answer.json()) == (200, {"name": "flaky", **DOCUMENT, "state": "first"})
    assert await fired(served) == ["flaky/first"]


async def test_a_state_is_set_and_a_put_begins_anew(served: Served) -> None:
    await ask(served, "PUT", FLAKY, DOCUMENT)
    for state in ("well", "second", "second"):
        assert (await ask(served, "PUT", f"{FLAKY}/state", {"state": state}))["state"] == state
    assert await fired(served, 2) == ["flaky/second", None]
    assert (await ask(served, "PUT", FLAKY, DOCUMENT))["state"] == "first"
    assert await fired(served) == ["flaky/first"]


async def test_namespaces_have_their_scenarios_by_themselves_until_a_reset(served: Served) -> None:
    await ask(served, "PUT", FLAKY, DOCUMENT, **IN_A)
    assert (await states(served), await states(served, **IN_A)) == ({}, {"flaky": "first"})
    await ask(served, "POST", "/_mock/reset", **IN_A)
    assert await states(served, **IN_A) == {}


async def test_a_deleted_scenario_does_nothing_more(served: Served) -> None:
    await ask(served, "PUT", FLAKY, DOCUMENT)
    assert await ask(served, "DELETE", FLAKY) is None
    assert (await states(served), await fired(served), served.namespace.faults.is_any_set) == ({}, [None], False)


@pytest.mark.parametrize(
    ("method", "path"), [("GET", FLAKY), ("DELETE", FLAKY), ("PUT", f"{FLAKY}/state"), ("GET", f"{SCENARIOS}/Flaky")]
)
async def test_an_unknown_scenario_is_a_404(served: Served, method: str, path: str) -> None:
    answer = await served.client.request(method, path, json={"state": "well"} if method == "PUT" else {})
    assert (answer.status_code, "There is no scenario" in answer.json()["detail"]) == (404, True)


@pytest.mark.parametrize(
    ("content", "media_type", "path", "hint"),
    [
        ('{"start": "frist", "states": {"first": {}}}', "application/json", "start", "Did you mean 'first'?"),
        ('{"start": "a", "states": {"a": {"preset": "blob-lat"}}}', "application/json", "states.a.preset", "blob-late"),
        ("", "application/json", "start", "is required"),
        ("start: [", "application/yaml", "$", "Line 1: "),
        ("start: a\nstart: b", "application/yaml", "$", "Line 2: The name 'start' is there twice."),
        ("start: a\nstates: {a: {nxt: a}}", "text/yaml", "states.a.nxt", "Did you mean 'next'?"),
        (
            "start: a\nstates: {a: {match: {route: '/v1/consumer/jobs/{job}'}, next: a}}",
            "application/yaml",
            "states.a.match.route",
            "Did you mean '/v1/consumer/jobs/{jobId}'?",
        ),
    ],
)
async def test_what_is_wrong_is_a_400_with_its_path_and_changes_nothing(
    served: Served, content: str, media_type: str, path: str, hint: str
) -> None:
    answer = await served.client.put(FLAKY, content=content, headers={"Content-Type": media_type})
    assert answer.status_code == 400, answer.text
    assert (path, hint in answer.json()["errors"][path][0]) == (path, True), answer.json()
    assert await states(served) == {}


async def test_an_unknown_state_is_a_400(served: Served) -> None:
    await ask(served, "PUT", FLAKY, DOCUMENT)
    for body, hint in (({"state": "secnd"}, "Did you mean 'second'?"), ({}, "is required")):
        answer = await served.client.put(f"{FLAKY}/state", json=body)
        assert (answer.status_code, hint in answer.json()["errors"]["state"][0]) == (400, True)


@pytest.mark.parametrize("name", ["a b", "x" * 65, ".."])
async def test_a_name_is_one_that_a_header_can_have(served: Served, name: str) -> None:
    answer = await served.client.put(f"{SCENARIOS}/{name.replace('.', '%2E')}", json=DOCUMENT)
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == ["name"]


async def test_another_type_is_a_415(served: Served) -> None:
    answer = await served.client.put(FLAKY, content=YAML, headers={"Content-Type": "text/plain"})
    assert answer.status_code == 415


async def test_too_many_scenarios_are_a_409() -> None:
    async with serve(scenarios_max=1) as served:
        await ask(served, "PUT", FLAKY, DOCUMENT)
        await ask(served, "PUT", FLAKY, DOCUMENT)
        answer = await served.client.put(f"{SCENARIOS}/other", json=DOCUMENT)
        assert (answer.status_code, "SCENARIOS_MAX" in answer.json()["detail"]) == (409, True)


async def test_a_restart_finds_scenarios_in_their_states(tmp_path: Path) -> None:
    store: Any = {"mongodb_uri": None, "data_dir": str(tmp_path)}
    async with serve_all(**store) as opened:
        await ask(opened, "PUT", FLAKY, DOCUMENT)
        assert await fired(opened) == ["flaky/first"]
    async with serve_all(**store) as opened:
        assert await fired(opened, 2) == ["flaky/second", None]


async def test_a_snapshot_has_scenarios_in_their_states(served: Served) -> None:
    await ask(served, "PUT", FLAKY, DOCUMENT)
    await fired(served)
    saved = (await served.client.get("/_mock/namespaces/default/snapshot")).content
    zipped = {"Content-Type": "application/zip"}
    answer = await served.client.put("/_mock/namespaces/a/snapshot", content=saved, headers=zipped)
    assert answer.status_code == 204, answer.text
    assert await states(served, **IN_A) == {"flaky": "second"}


@pytest.mark.parametrize("suffix", ["yaml", "json"])
async def test_every_namespace_has_the_scenarios_of_the_file_each_in_a_state_of_its_own(
    tmp_path: Path, suffix: str
) -> None:
    file = tmp_path / f"scenarios.{suffix}"
    file.write_text(FILE if suffix == "yaml" else f'{{"flaky": {YAML_AS_JSON}}}')
    async with serve(scenarios=file) as served:
        assert await fired(served) == ["flaky/first"]
        assert (await states(served), await states(served, **IN_A)) == ({"flaky": "second"}, {"flaky": "first"})
        await ask(served, "DELETE", FLAKY)
        assert (await states(served), await fired(served), await states(served, **IN_A)) == (
            {},
            [None],
            {"flaky": "first"},
        )
        await ask(served, "POST", "/_mock/reset")
        assert await fired(served) == ["flaky/first"]
        await ask(served, "PUT", FLAKY, {"start": "a", "states": {"a": {"action": {"status": 500}}}})
        assert await fired(served, 2) == ["flaky/a"] * 2


YAML_AS_JSON = """{"start": "first", "states": {
\t"first": {"match": {"method": "GET"}, "action": {"status": 500}, "next": "second"},
\t"second": {"match": {"method": "GET"}, "action": {"status": 503}, "next": "well"}, "well": {}}}"""


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("x.yaml", "flaky: [", ["line 1: ", "node content"]),
        ("x.json", '{\n"flaky":}', ["line 2: Expecting value."]),
        ("x.yaml", "- flaky", ["line 1: Expected an object"]),
        ("x.yaml", "# two\na b: {}", ["line 2: a b: Expected a name"]),
        ("x.yaml", "flaky: 1", ["line 1: flaky: Expected a JSON object."]),
        ("x.yaml", FILE.replace("next: well", "next: wel"), ["line 5: flaky.states.second.next: ", "mean 'well'?"]),
        (
            "x.yaml",
            FILE.replace("status: 500", "staus: 500").replace("GET", "{}", 1),
            ["line 4: flaky.states.first.match.method: ", "line 4: flaky.states.first.action.staus: "],
        ),
        (
            "x.yaml",
            FILE.replace("method: GET", "route: /v1/consumer/job", 1),
            ["line 4: flaky.states.first.match.route: Unknown route", "mean '/v1/consumer/jobs'?"],
        ),
        ("x.yaml", None, ["cannot be read: No such file"]),
    ],
)
async def test_a_bad_file_stops_the_start_with_line_and_path(
    tmp_path: Path, name: str, content: str | None, told: list[str]
) -> None:
    file = tmp_path / name
    if content is not None:
        file.write_text(content)
    with pytest.raises(SettingsError) as caught:
        async with serve(scenarios=file):
            pass
    assert [line.startswith(f"SCENARIOS: {file}") for line in str(caught.value).splitlines()].count(False) == 0
    assert all(part in str(caught.value) for part in told), str(caught.value)


async def test_jobs_meet_a_scenario_one_after_the_other() -> None:
    failing = {"action": {"fail": {"message": "boom"}}, "next": "well"}
    waiting = {"match": {"method": "POST"}, "next": "failing"}
    async with serve_all() as opened:
        await ask(
            opened, "PUT", FLAKY, {"start": "waiting", "states": {"waiting": waiting, "failing": failing, "well": {}}}
        )
        ends = [(await opened.run(template()))["lastEvent"] for _ in range(3)]
        assert [end["type"] for end in ends] == ["Failed", "Succeeded", "Succeeded"]
        assert ends[0]["context"]["message"] == "boom"
        assert await states(opened) == {"flaky": "well"}
        (entry,) = [
            each
            for each in (await ask(opened, "GET", "/_mock/journal?method=POST"))["items"]
            if {"id": "flaky/waiting", "matched": True} in each["rules"]
        ]
        assert "fault" not in entry
