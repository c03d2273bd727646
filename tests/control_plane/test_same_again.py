"""In a namespace with a seed and a clock that stands, the same requests make the same, in whatever order they come."""

import asyncio
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.control_plane.conftest import EVERY_LAYOUT
from tests.support.deployment import MONOLITH, Deployment, deployed
from tests.support.golden import Golden
from tests.support.served_app import JOBS, PATIENCE_SECONDS, template
from tests.support.v2_workflows import WORKFLOWS, image
from tests.support.v2_workflows import template as workflow

GOLDEN = Path(__file__).parent / "same-again.json"
BASE = "/ns/seeded"
MOMENT = "2026-11-26T10:00:00Z"
REQUESTS = 50
IN_NAMESPACE = {"X-Mock-Namespace": "seeded"}
VARYING = {"traceId", "trace_id", "token"}  # each request has a trace of its own


def bodies() -> list[tuple[str, dict[str, Any]]]:
    """Return requests of v1 and v2, of which some are equal, without seeds of their own."""
    made: list[tuple[str, dict[str, Any]]] = []
    for number in range(REQUESTS):
        prompt = f"a fox in a forest, number {number % 10}"
        if number % 5 == 4:
            made.append((WORKFLOWS, workflow(image(prompt=prompt))))
        else:
            params = {**template()["params"], "prompt": prompt, "width": 64, "height": 64, "seed": -1}
            made.append((JOBS, template(params=params, quantity=1 + number % 2)))
    return made


async def everything(deployment: Deployment, *, at_once: int) -> dict[str, Any]:
    """Send all requests, so many at once, let an hour go by, and return all that came of them by its id."""
    client = deployment.client
    made = await client.put("/_mock/namespaces/seeded", json={"seed": 7})
    assert made.status_code == 200, made.text
    stopped = await client.put("/_mock/clock", json={"mode": "frozen", "now": MOMENT}, headers=IN_NAMESPACE)
    assert stopped.status_code == 200, stopped.text
    room = asyncio.Semaphore(at_once)
    paths = [
        path for answer in await asyncio.gather(*(post(client, room, *body) for body in bodies())) for path in answer
    ]
    advanced = await client.post("/_mock/clock/advance", json={"by": "1h"}, headers=IN_NAMESPACE)
    assert (advanced.status_code, advanced.json()["status"]) == (200, "ready"), advanced.text
    return {path: await look(client, path) for path in sorted(paths)}


async def post(client: httpx.AsyncClient, room: asyncio.Semaphore, path: str, body: dict[str, Any]) -> Sequence[str]:
    """Return the paths at which the status of each job, or of the workflow, is found."""
    async with room:
        answer = await client.post(BASE + path, json=body)
    assert answer.status_code in {200, 202}, answer.text
    found = answer.json()
    if path == WORKFLOWS:
        return [f"{path}/{found['id']}"]
    return [f"{path}/{job['jobId']}?detailed=true" for job in found.get("jobs", [found])]


async def look(client: httpx.AsyncClient, path: str) -> Any:
    """Return a status with a digest of each file in the place of its URL."""
    answer = await client.get(BASE + path)
    assert answer.status_code in {200, 202}, answer.text
    return await without_urls(client, answer.json())


async def without_urls(client: httpx.AsyncClient, value: Any) -> Any:
    if isinstance(value, list):
        return [await without_urls(client, item) for item in value]
    if isinstance(value, dict):
        kept = {name: item for name, item in value.items() if name not in VARYING}
        return {name: await without_urls(client, item) for name, item in kept.items()}
    if isinstance(value, str) and value.startswith("http") and "/blobs/" in value:
        file = await client.get(value, follow_redirects=True)
        assert file.status_code == 200, file.text
        return sha256(file.content).hexdigest()
    return value


@pytest.mark.parametrize("layout", EVERY_LAYOUT)
@pytest.mark.parametrize("at_once", [1, 16])
async def test_fifty_requests_make_the_same_each_time(
    golden: Golden, tmp_path: Path, layout: str, at_once: int
) -> None:
    async with deployed(layout, tmp_path, simulation_profile="realistic") as deployment:
        async with asyncio.timeout(PATIENCE_SECONDS):
            found = await everything(deployment, at_once=at_once)
    golden.check_json(GOLDEN, found)


async def test_after_a_reset_the_same_requests_make_the_same(tmp_path: Path) -> None:
    async with deployed(MONOLITH, tmp_path, simulation_profile="realistic") as deployment:
        first = await everything(deployment, at_once=16)
        assert (await deployment.client.post("/_mock/reset", json={}, headers=IN_NAMESPACE)).status_code == 204
        assert await everything(deployment, at_once=1) == first
