"""What a fleet has cost: the numbers of the wish list, and hand calculations to the microdollar."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from civitai_mock.domain.fleet.document import HYBRID, FleetDocument, parse_fleet
from civitai_mock.services.fleet.costs import CostPeriod, fleet_costs
from tests.support.docs import Page
from tests.support.paths import ROOT
from tests.unit.domain.fleet.world import START, World

SPOT, SERVERLESS = "spot", "serverless"
STEADY = replace(
    HYBRID, providers=(replace(HYBRID.providers[0], boot_min_seconds=270, boot_max_seconds=270), HYBRID.providers[1])
)
DOLLAR = 1_000_000


def run(pictures: int, *, only: str | None = None, document: FleetDocument = STEADY) -> World:
    """Have pictures drawn on a fleet, and wait until its pods are gone."""
    world = World(document=document)
    world.submit(pictures, allowed=None if only is None else (only,))
    world.run_until()
    return world


def costs(
    world: World,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    now: datetime | None = None,
    group_by: str = "provider",
) -> Any:
    period = CostPeriod(since=since, until=until, now=now or world.now)
    return fleet_costs(world.costs, world.state.pods, period, names=world.document.names, group_by=group_by)


def of(told: Any, name: str) -> Any:
    (found,) = [each for each in told["providers"] if each["name"] == name]
    return found


def test_a_comic_on_a_fresh_pod_is_as_calculated_by_hand() -> None:
    told = costs(run(40))
    assert of(told, SPOT) == {
        "name": SPOT,
        "pictures": 40,
        "bootSeconds": 270.0,
        "busySeconds": 490.8,
        "idleSeconds": 300.0,
        "perPicture": 60_000,
        "billed": 129_653,  # 1,060.8 s at $0.44 an hour are 129,653.3 microdollars
    }
    assert (of(told, SERVERLESS)["pictures"], of(told, SERVERLESS)["billed"]) == (0, 0)
    assert (told["baseline"], told["billed"], told["saved"]) == (1_000_000, 129_653, 870_347)
    assert told["currency"] == "USD"


def test_serverless_is_billed_by_the_picture() -> None:
    told = costs(run(20))
    assert of(told, SERVERLESS) == {
        "name": SERVERLESS,
        "pictures": 20,
        "bootSeconds": 0,
        "busySeconds": 130.0,  # ten workers that are cold at first, and two pictures each
        "idleSeconds": 0,
        "perPicture": 60_000,
        "billed": 60_000,
    }
    assert (told["baseline"], told["saved"]) == (500_000, 440_000)


@pytest.mark.parametrize(
    ("pictures", "with_tail", "is_cheaper"),
    [(21, False, False), (22, False, True), (46, True, False), (47, True, True)],
)
def test_a_pod_beats_serverless_from_so_many_pictures_on(pictures: int, with_tail: bool, is_cheaper: bool) -> None:
    """The boot alone is paid back by the 22nd picture, the idle tail as well by the 47th."""
    spot = run(pictures, only=SPOT)
    last = max(entry.ended_at for entry in spot.costs if entry.job_id is not None)
    billed = of(costs(spot, until=None if with_tail else last), SPOT)["billed"]
    assert (billed < of(costs(run(pictures, only=SERVERLESS)), SERVERLESS)["billed"]) is is_cheaper


def test_a_pod_that_is_still_there_is_billed_until_now() -> None:
    world = World(document=STEADY)
    world.submit(40)
    for seconds, billed in ((0, 0), (1, 122), (270, 33_000), (3600, 129_653)):
        world.run_until(world.after(seconds))
        told = costs(world)
        assert of(told, SPOT)["billed"] == billed, seconds
    assert of(told, SPOT)["bootSeconds"] == 270.0


@pytest.mark.parametrize(
    ("since", "until", "pictures", "billed"),
    [
        (None, None, 40, 129_653),
        (0, 270, 0, 33_000),
        (270, None, 40, 96_653),
        (0, 0, 0, 0),
        (5000, 6000, 0, 0),
        (None, 300, 2, 36_667),
        (1060.8, None, 0, 0),
    ],
)
def test_a_time_has_the_jobs_that_ended_in_it_and_its_part_of_the_pods(
    since: float | None, until: float | None, pictures: int, billed: int
) -> None:
    world = run(40)

    def at(seconds: float | None) -> datetime | None:
        return None if seconds is None else START + timedelta(seconds=seconds)

    told = costs(world, since=at(since), until=at(until))
    assert (of(told, SPOT)["pictures"], of(told, SPOT)["billed"]) == (pictures, billed)
    assert told["baseline"] == 25_000 * pictures


def test_jobs_are_told_by_a_property_and_each_by_itself() -> None:
    world = World(document=STEADY)
    world.submit(25, batch="a")
    world.submit(3, batch="b", urgent=True)
    world.run_until()
    by_comic = costs(world, group_by="properties.comicId")["groups"]
    assert [(each["pictures"], each["perPicture"], each["billed"]) for each in by_comic] == [
        (25, 37_500, 0),
        (3, 9_000, 9_000),
    ]
    by_job = costs(world, group_by="job")["groups"]
    assert ({each["pictures"] for each in by_job}, len(by_job)) == ({1}, 28)
    (others,) = costs(world, group_by="comic")["groups"]
    assert (others["name"], others["pictures"]) == ("", 28)


def test_providers_that_are_gone_are_told_behind_those_that_are_there() -> None:
    world = run(40)
    world.document = parse_fleet({"providers": [{"name": "mine", "kind": "serverless"}]})
    told = costs(world)
    assert [each["name"] for each in told["providers"]] == ["mine", SPOT]
    assert told["billed"] == 129_653


def test_the_document_of_the_page_is_the_built_in_one() -> None:
    (block,) = Page(ROOT / "docs" / "fleet.md").blocks("json")
    assert parse_fleet(json.loads(block.text)) == HYBRID


def test_the_table_of_the_page_is_what_the_tracker_says() -> None:
    rows = {
        "serverless, 40 pictures": costs(run(40, only=SERVERLESS)),
        "a fresh pod, 40 pictures": costs(run(40)),
        "a fresh pod, 400 pictures": costs(run(400)),
    }
    lines = [
        f"| {name} | {told['providers'][1 if 'server' in name else 0]['perPicture'] / DOLLAR:.2f} "
        f"| {told['billed'] / DOLLAR:.2f} | {told['baseline'] / DOLLAR:.2f} | {told['saved'] / DOLLAR:.2f} |"
        for name, told in rows.items()
    ]
    table = Page(ROOT / "docs" / "fleet.md").between("economics").splitlines()
    assert table[2:] == lines
