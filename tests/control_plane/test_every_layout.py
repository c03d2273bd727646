"""The control plane as its users see it, in one process, and in several on one file or on one MongoDB."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import httpx
import pytest

from civitai_mock.domain.dotnet import parse_timespan
from tests.support.deployment import Deployment
from tests.support.served_app import JOBS, PATIENCE_SECONDS, template
from tests.support.v2_workflows import WORKFLOWS, image
from tests.support.v2_workflows import template as workflow

IN_A, IN_B = {"X-Mock-Namespace": "a"}, {"X-Mock-Namespace": "b"}
NEW_YEAR = "2027-01-01T00:00:00Z"
SEEN = ["Initialized", "Claimed", "Updated", "Updated", "Succeeded"]
ENDED = {"Succeeded", "Failed", "Deleted", "Expired"}


async def ask(client: httpx.AsyncClient, method: str, path: str, body: Any = None, **headers: str) -> Any:
    """Return the decoded answer to a change, which is obeyed by all processes."""
    answer = await client.request(method, path, json={} if body is None else body, headers=headers)
    assert answer.status_code in {200, 201, 204}, answer.text
    found = answer.json() if answer.content else None
    assert "notYet" not in (found or {}), found
    return found


async def submit(
    client: httpx.AsyncClient, base: str = "", *, count: int = 1, headers: Mapping[str, str] | None = None
) -> Sequence[str]:
    body = template() if count == 1 else {"$type": "batch", "jobs": [template() for _ in range(count)]}
    answer = await client.post(base + JOBS, json=body, headers=headers)
    assert answer.status_code == 202, answer.text
    found = answer.json()
    return [job["jobId"] for job in found.get("jobs", [found])]


async def event(client: httpx.AsyncClient, job_id: str, base: str = "") -> Any:
    answer = await client.get(f"{base}{JOBS}/{job_id}")
    assert answer.status_code in {200, 202}, answer.text
    return answer.json()["lastEvent"]


async def end_of(client: httpx.AsyncClient, job_id: str, base: str = "") -> Any:
    async with asyncio.timeout(PATIENCE_SECONDS):
        found = await event(client, job_id, base)
        while found["type"] not in ENDED:
            await asyncio.sleep(0)  # as a store in memory answers without letting other tasks run
            found = await event(client, job_id, base)
    return found


async def test_a_job_of_one_namespace_is_run_and_seen_there_alone(deployment: Deployment) -> None:
    client = deployment.client
    (job_id,) = await submit(client, "/ns/a")
    assert (await end_of(client, job_id, "/ns/a"))["type"] == "Succeeded"
    statuses = [(await client.get(f"{base}{JOBS}/{job_id}")).status_code for base in ("", "/ns/b", "/ns/a")]
    assert statuses == [404, 404, 200]
    result = (await client.get(f"/ns/a{JOBS}/{job_id}")).json()["result"][0]
    assert "/ns/a/blobs/" in result["blobUrl"]
    assert (await client.get(result["blobUrl"])).status_code == 200
    assert (await client.get(result["blobUrl"].replace("/ns/a/", "/ns/b/"))).status_code in {403, 404}


async def test_a_token_leads_into_its_namespace_from_the_answer_on(deployment: Deployment) -> None:
    client = deployment.client
    await ask(client, "PUT", "/_mock/namespaces/a", {"tokens": ["of-a"]})
    (job_id,) = await submit(client, headers={"Authorization": "Bearer of-a"})
    for _ in deployment.apis:
        assert (await client.get(f"/ns/a{JOBS}/{job_id}")).status_code in {200, 202}


async def test_a_reset_leaves_nothing_and_what_comes_then_runs(deployment: Deployment) -> None:
    client = deployment.client
    await ask(client, "PUT", "/_mock/progress", {"mode": "time", "stages": {"SENT_TO_COMFY": "1h"}}, **IN_A)
    before = await submit(client, "/ns/a", count=20)
    waiting = asyncio.create_task(client.post(f"/ns/a{JOBS}?wait=true", json=template()))
    await end_of(client, (await submit(client, "/ns/b"))[0], "/ns/b")  # by then the others have begun
    await ask(client, "POST", "/_mock/reset", **IN_A)
    async with asyncio.timeout(PATIENCE_SECONDS / 2):  # the wait itself would last twice as long
        assert (await waiting).status_code in {404, 409}
    for job_id in before:
        assert (await client.get(f"/ns/a{JOBS}/{job_id}")).status_code == 404
    (after,) = await submit(client, "/ns/a")
    assert (await end_of(client, after, "/ns/a"))["type"] == "Succeeded"
    listed = (await client.get("/_mock/jobs", headers=IN_A)).json()["items"]
    assert [job["jobId"] for job in listed] == [after]


async def test_a_deleted_namespace_is_forgotten_with_all_that_was_set(deployment: Deployment) -> None:
    client = deployment.client
    await ask(client, "PUT", "/_mock/namespaces/a", {"seed": 7, "balance": 3})
    (job_id,) = await submit(client, "/ns/a")
    await ask(client, "DELETE", "/_mock/namespaces/a")
    for _ in deployment.apis:
        assert (await client.get("/_mock/namespaces/a")).status_code == 404
    assert (await client.get(f"/ns/a{JOBS}/{job_id}")).status_code == 404


@pytest.mark.parametrize("each", [1, 2])
async def test_one_poll_loop_sees_every_stage_as_often_as_it_was_told(deployment: Deployment, each: int) -> None:
    client = deployment.client
    await ask(client, "PUT", "/_mock/progress", {"mode": "polls", "each": each}, **IN_A)
    (job_id,) = await submit(client, "/ns/a")
    looks = each * (len(SEEN) - 1) + 1
    seen = [(await event(client, job_id, "/ns/a"))["type"] for _ in range(looks)]
    assert seen == [*[kind for kind in SEEN[:-1] for _ in range(each)], SEEN[-1]]


async def test_twenty_pollers_see_all_stages_together_and_none_goes_back(deployment: Deployment) -> None:
    client = deployment.client
    await ask(client, "PUT", "/_mock/progress", {"mode": "polls", "each": 8}, **IN_A)
    (job_id,) = await submit(client, "/ns/a")

    async def poll() -> list[str]:
        return [str((await client.get(f"/ns/a{JOBS}/{job_id}")).json()["lastEvent"]["dateTime"]) for _ in range(5)]

    loops = await asyncio.gather(*(poll() for _ in range(20)))
    assert all(loop == sorted(loop) for loop in loops)
    events = (await client.get(f"/_mock/jobs/{job_id}", headers=IN_A)).json()["events"]
    assert {moment for loop in loops for moment in loop} == {found["dateTime"] for found in events}


async def test_a_job_is_moved_by_orders(deployment: Deployment) -> None:
    client = deployment.client
    (job_id,) = await submit(client, "/ns/a", headers={"X-Mock-Progress": "manual"})
    path = f"/_mock/jobs/{job_id}"
    moved = [(await ask(client, "POST", f"{path}/advance", **IN_A))["stage"] for _ in range(2)]
    assert moved == ["CLAIMED", "PROMPT_PREPARED"]
    await ask(client, "POST", f"{path}/fail", {"message": "boom"}, **IN_A)
    assert (await event(client, job_id, "/ns/a"))["context"]["message"] == "boom"


async def test_time_that_is_moved_ends_every_job_when_it_is_due(deployment: Deployment) -> None:
    client = deployment.client
    await ask(client, "PUT", "/_mock/clock", {"mode": "frozen", "now": NEW_YEAR}, **IN_A)
    stages = {"SENT_TO_COMFY": {"min": "1s", "max": "10m"}}
    await ask(client, "PUT", "/_mock/progress", {"mode": "time", "stages": stages}, **IN_A)
    job_ids = await submit(client, "/ns/a", count=30)
    found = await ask(client, "POST", "/_mock/clock/advance", {"by": "1h"}, **IN_A)
    assert (found["status"], found["now"]) == ("ready", "2027-01-01T01:00:00.0000000Z")
    ends = [await event(client, job_id, "/ns/a") for job_id in job_ids]
    assert {end["type"] for end in ends} == {"Succeeded"}
    durations = [parse_timespan(end["claimDuration"]) for end in ends]
    assert all(timedelta(seconds=1) <= duration <= timedelta(minutes=10) for duration in durations)
    assert len({end["dateTime"] for end in ends}) == len(ends)


async def test_a_clock_goes_to_what_is_due_next_and_never_back(deployment: Deployment) -> None:
    client = deployment.client
    await ask(client, "PUT", "/_mock/clock", {"mode": "frozen", "now": NEW_YEAR}, **IN_A)
    await ask(client, "PUT", "/_mock/progress", {"mode": "time", "stages": {"SENT_TO_COMFY": "90s"}}, **IN_A)
    (job_id,) = await submit(client, "/ns/a")
    found = await ask(client, "POST", "/_mock/clock/advance", {"toNext": True}, **IN_A)
    assert found["now"] == "2027-01-01T00:01:30.0000000Z"
    assert (await event(client, job_id, "/ns/a"))["type"] == "Succeeded"
    back = await client.post("/_mock/clock/advance", json={"to": NEW_YEAR}, headers=IN_A)
    assert back.status_code == 400


async def test_a_workflow_runs_through_its_steps_while_time_is_moved(deployment: Deployment) -> None:
    client = deployment.client
    await ask(client, "PUT", "/_mock/clock", {"mode": "frozen", "now": NEW_YEAR}, **IN_A)
    await ask(client, "PUT", "/_mock/progress", {"mode": "time", "stages": {"SENT_TO_COMFY": "1m"}}, **IN_A)
    first = {**image(), "name": "first"}
    second = {**image(sourceImage={"$ref": "first", "path": "output.images[0].url"}), "name": "second"}
    answer = await client.post(f"/ns/a{WORKFLOWS}", json=workflow(first, second))
    assert answer.status_code == 202, answer.text
    await ask(client, "POST", "/_mock/clock/advance", {"by": "10m"}, **IN_A)
    found = (await client.get(f"/ns/a{WORKFLOWS}/{answer.json()['id']}")).json()
    assert found["status"] == "succeeded", found
    assert found["completedAt"].startswith("2027-01-01T00:02:00")


async def test_the_one_job_of_a_namespace_runs_while_another_has_more_than_it_can_run(deployment: Deployment) -> None:
    client = deployment.client
    await ask(client, "PUT", "/_mock/progress", {"mode": "time", "stages": {"SENT_TO_COMFY": "1h"}}, **IN_A)
    for _ in range(3):
        await submit(client, "/ns/a", count=100)
    (job_id,) = await submit(client, "/ns/b")
    assert (await end_of(client, job_id, "/ns/b"))["type"] == "Succeeded"
    assert (await client.get("/_mock/queue", headers=IN_A)).json()["items"]
