"""Faults of blobs and callbacks, in one process, and in several on one file or on one MongoDB."""

import asyncio
from typing import Any

import httpx

from tests.control_plane.test_every_layout import NEW_YEAR, ask, end_of
from tests.support.deployment import Deployment
from tests.support.event_loop import until_found
from tests.support.served_app import JOBS, template

FAULTS = "/_mock/faults"
IN_A = {"X-Mock-Namespace": "a"}
NOBODY = "http://127.0.0.1:9/hook"
INSTANT = {"X-Mock-Progress": "instant"}


async def make(client: httpx.AsyncClient, **changes: Any) -> str:
    """Return the path of the status of a job that has ended."""
    answer = await client.post(f"/ns/a{JOBS}", json=template(**changes), headers=INSTANT)
    assert answer.status_code == 202, answer.text
    job_id = answer.json()["jobId"]
    assert (await end_of(client, job_id, "/ns/a"))["type"] == "Succeeded"
    return f"/ns/a{JOBS}/{job_id}"


async def image(client: httpx.AsyncClient, path: str) -> Any:
    return (await client.get(path)).json()["result"][0]


async def by_all(deployment: Deployment, url: str) -> set[int]:
    """Return what all processes answer."""
    return {(await deployment.client.get(url)).status_code for _ in range(2 * len(deployment.apis))}


async def test_what_goes_wrong_with_a_blob_is_the_same_whichever_process_is_asked(deployment: Deployment) -> None:
    client = deployment.client
    await ask(client, "PUT", "/_mock/clock", {"mode": "frozen", "now": NEW_YEAR}, **IN_A)
    for action in ({"late": "10s"}, {"expired": True}, {"lost": True}):
        await ask(client, "POST", FAULTS, {"action": action, "times": 1}, **IN_A)
    late, expired, lost, usual = [await make(client) for _ in range(4)]
    urls = [(await image(client, path))["blobUrl"] for path in (late, expired, lost, usual)]
    assert [await by_all(deployment, url) for url in urls] == [{404}, {403}, {404}, {200}]
    await ask(client, "DELETE", FAULTS, **IN_A)
    assert [await by_all(deployment, url) for url in urls] == [{404}, {403}, {404}, {200}]
    for _ in deployment.apis:
        assert [(await image(client, path))["available"] for path in (late, expired, lost)] == [True, True, False]
        assert await by_all(deployment, (await image(client, expired))["blobUrl"]) == {200}
    await ask(client, "POST", "/_mock/clock/advance", {"by": "10s"}, **IN_A)
    assert [await by_all(deployment, url) for url in urls] == [{200}, {403}, {404}, {200}]


async def test_a_rule_hits_exactly_so_many_blobs(deployment: Deployment) -> None:
    client = deployment.client
    await ask(client, "POST", FAULTS, {"action": {"late": "1h"}, "times": 3}, **IN_A)
    urls = [(await image(client, await make(client)))["blobUrl"] for _ in range(8)]
    answers = await asyncio.gather(*(client.get(url) for url in urls))
    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [404] * 3
    for url, answer in zip(urls, answers, strict=True):
        assert await by_all(deployment, url) == {answer.status_code}


async def test_a_rule_drops_exactly_so_many_callbacks(deployment: Deployment) -> None:
    client = deployment.client
    await ask(client, "POST", FAULTS, {"action": {"drop": True}, "times": 7}, **IN_A)
    paths = [await make(client, callbackUrl=NOBODY) for _ in range(4)]

    async def callbacks() -> list[list[Any]]:
        jobs = [await ask(client, "GET", f"/_mock/jobs/{path.rpartition('/')[2]}", **IN_A) for path in paths]
        return [job["callbacks"] for job in jobs]

    def dropped(found: list[list[Any]]) -> int:
        return [callback["delivery"] for of_job in found for callback in of_job].count("dropped")

    def is_tried(of_job: list[Any]) -> bool:
        return any(callback["attempts"] for callback in of_job) or dropped([of_job]) == len(of_job)

    async def are_all_tried() -> bool:
        """Say so once all callbacks of each job were dropped, or one was tried, and what was counted is also kept."""
        found = await callbacks()
        return all(map(is_tried, found)) and dropped(found) >= 7

    await until_found(are_all_tried)
    assert dropped(await callbacks()) == 7
