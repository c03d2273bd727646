"""The list of fault presets."""

import pytest

from civitai_mock.domain.fault_presets import fault_presets
from tests.support.served_app import Served, serve

PRESETS = "/_mock/presets"


async def test_each_preset_is_listed_with_what_it_does_and_where_it_comes_from(served: Served) -> None:
    items = {item["name"]: item for item in (await served.client.get(PRESETS)).json()["items"]}
    assert items.keys() == fault_presets().keys()
    assert items["blob-late"] == {
        "name": "blob-late",
        "hook": "blob",
        "fits": [],
        "action": {"late": "5s"},
        "params": {
            "seconds": {
                "type": "number",
                "default": 5,
                "min": 0,
                "max": 3600,
                "unit": "seconds",
                "docs": "How long the blob cannot be had.",
            }
        },
        "evidence": "dust PR 13689",
        "docs": items["blob-late"]["docs"],
        "isAvailable": True,
    }
    assert set(items["blob-late"]["docs"]) == {"v1", "v2"}
    assert items["answer-200"]["docs"]["v2"] is None
    assert items["throttle"]["params"]["accepted"] == {
        "type": "boolean",
        "default": False,
        "docs": "Whether the request is carried out all the same.",
    }


async def test_presets_come_page_by_page(served: Served) -> None:
    first = (await served.client.get(PRESETS, params={"take": 30})).json()
    rest = (await served.client.get(PRESETS, params={"take": 30, "cursor": first["next"]})).json()
    assert [item["name"] for item in first["items"] + rest["items"]] == sorted(fault_presets())
    assert "next" not in rest


@pytest.mark.parametrize(("query", "status"), [("scope=server", 200), ("scope=servers", 400), ("take=x", 400)])
async def test_presets_are_the_same_in_every_scope(served: Served, query: str, status: int) -> None:
    answer = await served.client.get(f"{PRESETS}?{query}", headers={"x-mock-namespace": "here"})
    assert answer.status_code == status, answer.text
    if status == 200:
        assert answer.json() == (await served.client.get(PRESETS)).json()


async def test_no_preset_is_listed_without_a_control_plane() -> None:
    async with serve(admin="off") as served:
        assert (await served.client.get(PRESETS)).status_code == 404
