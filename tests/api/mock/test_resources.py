"""/_mock/resources: what the dashboard shows and changes, which is no request of an app."""

import httpx
import pytest

RESOURCES = "/_mock/resources"
AIR = "urn:air:sdxl:lora:civitai:7@8"
JSON = {"content-type": "application/json"}


async def test_resources_are_listed_page_by_page_and_searched(client: httpx.AsyncClient) -> None:
    first = (await client.get(f"{RESOURCES}?take=5")).json()
    assert (first["first"], len(first["items"])) == (1, 5)
    seen = [each["air"] for each in first["items"]]
    page = first
    while "next" in page:
        page = (await client.get(RESOURCES, params={"take": 5, "cursor": page["next"]})).json()
        assert page["first"] == len(seen) + 1
        seen += [each["air"] for each in page["items"]]
    assert len(seen) == first["total"]
    assert seen == sorted(set(seen))
    found = (await client.get(RESOURCES, params={"q": "detail tweaker"})).json()
    assert [each["modelName"] for each in found["items"]] == ["Detail Tweaker XL"]
    past_the_end = await client.get(RESOURCES, params={"q": "detail tweaker", "cursor": first["next"]})
    assert past_the_end.json()["items"] == []


@pytest.mark.parametrize("cursor", ["abc", "LTE", "OTk5OTk5OTk5OTk5OTk5OTk5OTk"])
async def test_a_cursor_that_the_list_did_not_give_out_is_refused(client: httpx.AsyncClient, cursor: str) -> None:
    answer = await client.get(RESOURCES, params={"cursor": cursor})
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == ["cursor"]


async def test_a_resource_is_added_replaced_and_deleted(client: httpx.AsyncClient) -> None:
    added = await client.post(RESOURCES, json={"air": AIR, "modelName": "a fox"})
    assert added.status_code == 201
    assert (await client.post(RESOURCES, json={"air": AIR})).status_code == 409
    assert (await client.get(f"{RESOURCES}/{AIR}")).json() == added.json()
    assert (await client.get(f"/v2/resources/{AIR}")).json() == added.json()
    replaced = await client.put(f"{RESOURCES}/{AIR}", json={"air": AIR, "modelName": "a wolf"})
    assert replaced.json()["modelName"] == "a wolf"
    assert (await client.request("DELETE", f"{RESOURCES}/{AIR}", headers=JSON)).status_code == 204
    assert (await client.get(f"{RESOURCES}/{AIR}")).status_code == 404


async def test_what_is_wrong_is_named(client: httpx.AsyncClient) -> None:
    for answer in (
        await client.post(RESOURCES, json={"air": "nonsense"}),
        await client.get(f"{RESOURCES}/nonsense"),
        await client.put(f"{RESOURCES}/{AIR}", json={"air": "urn:air:sdxl:lora:civitai:9@9"}),
    ):
        assert answer.status_code == 400
        assert list(answer.json()["errors"]) == ["air"]


async def test_who_looks_meets_no_fault_and_is_not_in_the_journal(client: httpx.AsyncClient) -> None:
    await client.post("/_mock/faults", json={"action": {"status": 503}})
    assert (await client.get("/v2/resources")).status_code == 503
    assert (await client.get(RESOURCES)).status_code == 200
    assert [each["path"] for each in (await client.get("/_mock/journal")).json()["items"]] == ["/v2/resources"]


async def test_the_state_tells_of_scenarios_that_go_wrong_and_of_a_fleet(client: httpx.AsyncClient) -> None:
    calm = (await client.get("/_mock/state")).json()
    assert (calm["scenarios"], calm["hasFleet"]) == ([], False)
    states = {"calm": {}, "storm": {"action": {"status": 503}}}
    await client.put("/_mock/scenarios/weather", json={"start": "calm", "states": states})
    assert (await client.get("/_mock/state")).json()["scenarios"] == []
    await client.put("/_mock/scenarios/weather/state", json={"state": "storm"})
    await client.put("/_mock/fleet", json={})
    storm = (await client.get("/_mock/state")).json()
    assert (storm["scenarios"], storm["hasFleet"]) == ([{"name": "weather", "state": "storm"}], True)
    assert storm["version"] != calm["version"]
