"""The fleet of a namespace in a store: one writer at a time, and each cost once."""

import asyncio
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from civitai_mock.domain.fleet.costs import CostEntry
from civitai_mock.domain.namespaces import Epoch
from civitai_mock.ports import Stores
from tests.support.dates import START
from tests.support.jobs import SECOND

STATE: dict[str, Any] = {"pods": [{"ä.$": None}], "seed": 2**53, "at": [0.1, True]}
ENTRY = CostEntry(
    id="job/1",
    provider="spot",
    began_at=START,
    ended_at=START + SECOND,
    billed=0,
    pictures=3,
    per_picture=4500,
    job_id="1",
    properties={"comicId": "a.b$", "n": [1, None]},
)


def entry(name: str, begins: int, ends: int) -> CostEntry:
    return replace(ENTRY, id=name, began_at=START + begins * SECOND, ended_at=START + ends * SECOND)


async def test_a_state_is_read_as_it_was_saved(stores: Stores) -> None:
    assert await stores.fleet.read() is None
    assert await stores.fleet.save(None, STATE) == 1
    assert await stores.fleet.read() == (1, STATE)
    assert await stores.fleet.save(1, {}) == 2
    assert await stores.fleet.read() == (2, {})


@pytest.mark.parametrize("version", [None, 1, 3])
async def test_who_does_not_know_the_last_state_changes_nothing(stores: Stores, version: int | None) -> None:
    for before in (None, 1):
        assert await stores.fleet.save(before, STATE) is not None
    assert await stores.fleet.save(version, {}) is None
    assert await stores.fleet.read() == (2, STATE)


@pytest.mark.parametrize("version", [None, 1])
async def test_of_all_who_save_at_once_one_is_first(stores: Stores, version: int | None) -> None:
    if version is not None:
        await stores.fleet.save(None, {})
    saved = await asyncio.gather(*[stores.fleet.save(version, {"by": number}) for number in range(10)])
    (number,) = [number for number, after in enumerate(saved) if after is not None]
    assert await stores.fleet.read() == ((version or 0) + 1, {"by": number})


async def test_costs_are_kept_once_each(stores: Stores) -> None:
    pod = replace(ENTRY, id="pod/spot-1", job_id=None, properties=None, pod={"pod_id": "spot-1"}, billed=33_000)
    await stores.fleet.add_costs([])
    await stores.fleet.add_costs([ENTRY])
    await stores.fleet.add_costs([replace(ENTRY, billed=9), pod])
    await stores.fleet.add_costs([pod])
    assert list(await stores.fleet.costs()) == [ENTRY, pod]


@pytest.mark.parametrize(
    ("since", "until", "names"),
    [
        (None, None, ["a", "b", "c"]),
        (1, None, ["a", "b", "c"]),
        (2, None, ["b", "c"]),
        (4, None, []),
        (None, 0, []),
        (None, 2, ["a", "b"]),
        (2, 2, ["b"]),
        (2, 3, ["b", "c"]),
    ],
)
async def test_costs_of_a_time_are_those_that_meet_it(
    stores: Stores, since: int | None, until: int | None, names: list[str]
) -> None:
    await stores.fleet.add_costs([entry("c", 2, 3), entry("a", 0, 1), entry("b", 1, 3)])

    def at(seconds: int | None) -> datetime | None:
        return None if seconds is None else START + seconds * SECOND

    found = await stores.fleet.costs(since=at(since), until=at(until))
    assert [each.id for each in found] == names


async def test_each_life_has_its_own_fleet(stores: Stores) -> None:
    other = stores.in_epoch(Epoch("other", 77)).fleet
    await stores.fleet.save(None, STATE)
    await stores.fleet.add_costs([ENTRY])
    assert (await other.read(), list(await other.costs())) == (None, [])
    assert await other.save(None, {}) == 1
    assert await stores.fleet.read() == (1, STATE)
