"""Rules of faults and scenarios, in one process, and in several on one file or on one MongoDB."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.control_plane.test_every_layout import ask
from tests.support.deployment import MONOLITH, PROCESSES_ON_SQLITE, Deployment, deployed
from tests.support.served_app import JOBS, PATIENCE_SECONDS, template

FAULTS, SERVER, SCENARIO = "/_mock/faults", "/_mock/faults?scope=server", "/_mock/scenarios/flaky"
IN_A, IN_B = {"X-Mock-Namespace": "a"}, {"X-Mock-Namespace": "b"}
STATUS = {"method": "GET", "route": f"{JOBS}/{{jobId}}"}
UNKNOWN = f"{JOBS}/00000000-0000-0000-0000-000000000000"
NORMAL, FAULTY = 404, 503


def rule(**members: Any) -> dict[str, Any]:
    return {"match": STATUS, "action": {"status": FAULTY}, **members}


async def statuses(client: httpx.AsyncClient, number: int, base: str = "/ns/a") -> list[int]:
    """Return what so many requests get that come one after the other, to one process after the other."""
    return [(await client.get(base + UNKNOWN)).status_code for _ in range(number)]


async def together(client: httpx.AsyncClient, number: int, base: str = "/ns/a") -> list[int]:
    answers = await asyncio.gather(*(client.get(base + UNKNOWN) for _ in range(number)))
    return [answer.status_code for answer in answers]


async def test_a_rule_fires_exactly_as_often_as_it_may(deployment: Deployment) -> None:
    client = deployment.client
    await ask(client, "POST", FAULTS, rule(times=7), **IN_A)
    assert sorted(await together(client, 40)) == [NORMAL] * 33 + [FAULTY] * 7
    assert await statuses(client, 4) == [NORMAL] * 4
    for _ in deployment.apis:
        told = await ask(client, "GET", f"{FAULTS}/fault-1", **IN_A)
        assert (told["hits"], told["left"]) == (7, 0)


async def test_all_processes_tell_the_same_last_hit(deployment: Deployment) -> None:
    client = deployment.client
    await ask(client, "PUT", "/_mock/clock", {"mode": "frozen", "now": "2026-03-01T12:00:00Z"}, **IN_A)
    await ask(client, "POST", FAULTS, rule(), **IN_A)
    await together(client, 20)
    for minute in (5, 9):
        date = f"2026-03-01T12:{minute:02}:00"
        await ask(client, "PUT", "/_mock/clock", {"mode": "frozen", "now": f"{date}Z"}, **IN_A)
        assert FAULTY in await statuses(client, 1)
        told = [(await ask(client, "GET", f"{FAULTS}/fault-1", **IN_A)) for _ in deployment.apis]
        assert {each["lastHitAt"] for each in told} == {f"{date}.0000000Z"}


async def test_a_rule_of_the_server_is_counted_over_all_namespaces(deployment: Deployment) -> None:
    client = deployment.client
    await ask(client, "POST", SERVER, rule(times=5))
    found = await asyncio.gather(together(client, 20), together(client, 20, "/ns/b"))
    assert [status for each in found for status in each].count(FAULTY) == 5
    assert (await ask(client, "GET", SERVER))["items"][0]["hits"] == 5


async def test_a_rule_is_obeyed_by_all_from_the_answer_on(deployment: Deployment) -> None:
    client = deployment.client
    for _ in range(3):
        await ask(client, "POST", FAULTS, rule(), **IN_A)
        assert await statuses(client, len(deployment.apis)) == [FAULTY] * len(deployment.apis)
        await ask(client, "DELETE", FAULTS, **IN_A)
        assert await statuses(client, len(deployment.apis)) == [NORMAL] * len(deployment.apis)
    await ask(client, "POST", FAULTS, rule(), **IN_A)
    await ask(client, "POST", "/_mock/reset", **IN_A)
    assert await statuses(client, len(deployment.apis)) == [NORMAL] * len(deployment.apis)


async def test_matches_are_counted_over_all_processes(deployment: Deployment) -> None:
    client = deployment.client
    await ask(client, "POST", FAULTS, rule(after=2, every=3), **IN_A)
    assert await statuses(client, 9) == [NORMAL] * 4 + [FAULTY, NORMAL, NORMAL, FAULTY, NORMAL]


async def test_equal_seeds_have_equal_dice(deployment: Deployment) -> None:
    client = deployment.client
    for name, headers in (("a", IN_A), ("b", IN_B)):
        await ask(client, "PUT", f"/_mock/namespaces/{name}", {"seed": 7})
        await ask(client, "POST", FAULTS, rule(probability=0.5), **headers)
    in_a, in_b = await statuses(client, 30), await statuses(client, 30, "/ns/b")
    assert in_a == in_b
    assert set(in_a) == {NORMAL, FAULTY}


async def test_a_dry_run_knows_what_every_process_answered(deployment: Deployment) -> None:
    client = deployment.client
    await statuses(client, 6)
    for _ in deployment.apis:
        found = await ask(client, "POST", f"{FAULTS}/dry-run", rule(after=1, times=4), **IN_A)
        times = [item["time"] for item in found["items"]]
        assert (found["count"], len(times), times) == (4, 4, sorted(times, reverse=True))
        assert "incomplete" not in found


@pytest.mark.long
async def test_a_restart_of_all_processes_repeats_neither_dice_nor_count(tmp_path: Path) -> None:
    async with deployed(MONOLITH, tmp_path) as deployment:
        await set_dice(deployment.client)
        expected = await statuses(deployment.client, 60)
    found = []
    for is_first in (True, False, False):
        async with deployed(PROCESSES_ON_SQLITE, tmp_path) as deployment:
            if is_first:
                await set_dice(deployment.client)
            found += await statuses(deployment.client, 20)
    assert found == expected
    assert (found[:3], set(found[3:])) == ([502] * 3, {NORMAL, FAULTY})


async def set_dice(client: httpx.AsyncClient) -> None:
    await ask(client, "PUT", "/_mock/namespaces/a", {"seed": 7})
    await ask(client, "POST", FAULTS, {"match": STATUS, "action": {"status": 502}, "times": 3}, **IN_A)
    await ask(client, "POST", FAULTS, rule(probability=0.5), **IN_A)


async def test_a_scenario_goes_its_way_whichever_process_is_asked(deployment: Deployment) -> None:
    client = deployment.client
    steps = {f"s{number}": rule(next=f"s{number + 1}") for number in range(3)}
    await ask(client, "PUT", SCENARIO, {"start": "s0", "states": {**steps, "s3": {}}}, **IN_A)
    assert await statuses(client, 5) == [FAULTY] * 3 + [NORMAL] * 2
    for _ in deployment.apis:
        assert (await ask(client, "GET", SCENARIO, **IN_A))["state"] == "s3"
    await ask(client, "PUT", f"{SCENARIO}/state", {"state": "s1"}, **IN_A)
    assert sorted(await together(client, 20)) == [NORMAL] * 18 + [FAULTY] * 2


async def test_no_pattern_holds_a_server_up(deployment: Deployment) -> None:
    client = deployment.client
    await ask(client, "POST", FAULTS, {"match": {"prompt": {"pattern": "(a+)+$"}}, "action": {"status": 500}}, **IN_A)
    params = {**template()["params"], "prompt": "a" * 20_000 + "!"}
    async with asyncio.timeout(PATIENCE_SECONDS):
        answer = await client.post(f"/ns/a{JOBS}", json=template(params=params))
    assert answer.status_code in {202, 400}
    assert (await ask(client, "GET", FAULTS, **IN_A))["items"][0]["hits"] == 0
