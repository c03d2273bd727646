"""The fleet of a namespace under /_mock: set, told, taken away, and read from the file of FLEET."""

from pathlib import Path
from typing import Any

import pytest

from civitai_mock.domain.fleet.document import HYBRID, as_json
from civitai_mock.settings import SettingsError
from tests.support.served_app import Served, serve

FLEET, PODS, COSTS = "/_mock/fleet", "/_mock/fleet/pods", "/_mock/costs"
IN_A = {"X-Mock-Namespace": "a"}
SPOT = {"name": "cheap", "kind": "spot"}
SERVERLESS = {"name": "SaladML", "kind": "serverless"}
NOTHING = {"currency": "USD", "providers": [], "baseline": 0, "billed": 0, "saved": 0}


async def put(served: Served, fleet: Any, **headers: str) -> dict[str, Any]:
    answer = await served.client.put(FLEET, json=fleet, headers=headers)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def status(served: Served, path: str = FLEET, **headers: str) -> int:
    return (await served.client.get(path, headers=headers)).status_code


async def test_a_namespace_has_no_fleet_until_it_is_given_one(served: Served) -> None:
    assert [await status(served, path) for path in (FLEET, PODS, COSTS)] == [404, 404, 200]
    assert await put(served, {}, **IN_A) == as_json(HYBRID)
    assert (await served.client.get(FLEET, headers=IN_A)).json() == as_json(HYBRID)
    assert [await status(served), await status(served, **IN_A)] == [404, 200]
    assert (await served.client.request("DELETE", FLEET, json={}, headers=IN_A)).status_code == 204
    assert await status(served, **IN_A) == 404


async def test_settings_show_the_fleet_that_was_set(served: Served) -> None:
    async def shown() -> tuple[Any, str]:
        items = (await served.client.get("/_mock/settings", params={"take": 500})).json()["items"]
        (found,) = [item for item in items if item["name"] == "FLEET"]
        return found["value"], found["origin"]

    assert await shown() == (None, "default")
    assert (await put(served, {}), "api") == await shown()


async def test_what_a_document_leaves_out_is_filled_in(served: Served) -> None:
    told = await put(served, {"providers": [SPOT, SERVERLESS], "urgentFrom": 5, "batchBy": "properties.comicId"})
    assert (told["urgentFrom"], told["batchBy"]) == (5, "properties.comicId")
    assert [(each["name"], each["kind"]) for each in told["providers"]] == [
        ("cheap", "spot"),
        ("SaladML", "serverless"),
    ]
    assert told["providers"][0]["bootSeconds"] == {"min": 240.0, "max": 300.0}
    assert {rule["use"] for rule in told["policy"]} == {"cheap", "SaladML"}
    assert await put(served, told) == told


@pytest.mark.parametrize(
    ("fleet", "path", "hint"),
    [
        ([], "$", "Expected a JSON object"),
        ({"provders": []}, "provders", "Did you mean 'providers'?"),
        ({"providers": []}, "providers", "at least one"),
        ({"providers": [SPOT, SERVERLESS | {"name": "cheap"}]}, "providers[1].name", "called 'cheap' already"),
        ({"providers": [SPOT | {"idleShutdownSeconds": -1}]}, "providers[0].idleShutdownSeconds", "from 0"),
        ({"providers": [SPOT | {"maxPods": 0}]}, "providers[0].maxPods", "from 1"),
        ({"providers": [SPOT | {"bootSeconds": {"min": 3, "max": 2}}]}, "providers[0].bootSeconds.min", "at most max"),
        ({"providers": [SPOT], "policy": [{"use": "serverless"}]}, "policy[0].use", "Unknown provider 'serverless'"),
    ],
)
async def test_what_is_wrong_is_a_400_with_its_path_and_changes_nothing(
    served: Served, fleet: Any, path: str, hint: str
) -> None:
    answer = await served.client.put(FLEET, json=fleet)
    assert answer.status_code == 400, answer.text
    assert hint in answer.json()["errors"][path][0]
    assert await status(served) == 404


async def test_a_reset_takes_a_fleet_away_and_a_snapshot_has_it(served: Served) -> None:
    told = await put(served, {"urgentFrom": 3})
    saved = (await served.client.get("/_mock/namespaces/default/snapshot")).content
    assert (await served.client.post("/_mock/reset", json={})).status_code == 204
    assert await status(served) == 404
    zipped = {"Content-Type": "application/zip"}
    assert (await served.client.put("/_mock/namespaces/a/snapshot", content=saved, headers=zipped)).status_code == 204
    assert (await served.client.get(FLEET, headers=IN_A)).json() == told


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (None, "hybrid"),
        ("fleet.json", '{"urgentFrom": 10}'),
        ("fleet.yaml", "urgentFrom: 10\nbatchBy: submission\n"),
    ],
)
async def test_the_setting_gives_each_namespace_a_fleet_which_can_be_taken_away(
    tmp_path: Path, name: str | None, content: str
) -> None:
    if name is not None:
        (tmp_path / name).write_text(content)
    async with serve(fleet=content if name is None else str(tmp_path / name)) as served:
        assert (await served.client.get(FLEET)).json() == as_json(HYBRID)
        assert await status(served, PODS) == 200
        assert (await served.client.request("DELETE", FLEET, json={})).status_code == 204
        assert [await status(served), await status(served, PODS)] == [404, 404]
        assert (await served.client.post("/_mock/reset", json={})).status_code == 204
        assert await status(served) == 200


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("fleet.json", '{\n"urgentFrom":}', "line 2: Expecting value."),
        ("fleet.yaml", "providers: [", "line 1: "),
        ("fleet.yaml", "urgentFrom: 1\nurgentfrom: 2", "line 2: urgentfrom: Unknown member"),
        ("fleet.yaml", "providers:\n- {name: a, kind: spot}\n- {name: a, kind: spt}", "line 3: providers[1].kind"),
        (
            "fleet.yaml",
            "providers:\n- {name: a, kind: spot, engines: [b]}",
            "line 2: providers[0].engines[0]: No ComfyUI",
        ),
        ("fleet.yaml", "- 1", "line 1: $: Expected a JSON object."),
        ("fleet.yaml", None, "cannot be read: No such file or directory; expected hybrid or a file"),
        ("hybird", None, "hybird cannot be read: No such file or directory; expected hybrid or a file"),
    ],
)
async def test_a_bad_setting_stops_the_start_with_one_line(
    tmp_path: Path, name: str, content: str | None, told: str
) -> None:
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(SettingsError) as caught:
        async with serve(fleet=str(tmp_path / name)):
            pass
    (line,) = str(caught.value).splitlines()
    assert (line.startswith(f"FLEET: {tmp_path / name}"), told in line) == (True, True), line


async def test_where_nothing_was_drawn_nothing_is_due(served: Served) -> None:
    assert (await served.client.get(COSTS)).json() == NOTHING
    await put(served, {})
    costs = (await served.client.get(COSTS, params={"groupBy": "job"})).json()
    assert [(each["name"], each["pictures"], each["billed"]) for each in costs["providers"]] == [
        ("spot", 0, 0),
        ("serverless", 0, 0),
    ]
    assert (costs["groups"], costs["saved"]) == ([], 0)


async def test_a_time_that_ends_before_it_begins_is_a_400(served: Served) -> None:
    dates = {"from": "2026-02-01T00:00:00Z", "to": "2026-01-01T00:00:00Z"}
    answer = await served.client.get(COSTS, params=dates)
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["from"])
    assert (await served.client.get(COSTS, params={**dates, "to": dates["from"]})).json() == NOTHING
    assert (await served.client.get(COSTS, params={"from": "soon"})).status_code == 400
