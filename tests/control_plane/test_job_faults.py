"""Faults of jobs over all layouts of processes, and over a restart: each is decided once."""

import asyncio
from itertools import count
from pathlib import Path
from typing import Any

import httpx

from civitai_mock.bootstrap.application import Application
from tests.support.deployment import Deployment
from tests.support.served_app import JOBS, PATIENCE_SECONDS, make_settings, open_app, template

FAULTS = "/_mock/faults"
JOB_COUNT = 12
PARAMS = {"prompt": "a fox", "width": 64, "height": 64}


async def submit(client: httpx.AsyncClient, **headers: str) -> str:
    answer = await client.post(JOBS, json=template(params=PARAMS), headers=headers)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["jobId"])


async def last_event(client: httpx.AsyncClient, job_id: str) -> Any:
    return (await client.get(f"{JOBS}/{job_id}")).json()["lastEvent"]


async def until(client: httpx.AsyncClient, job_id: str, *event_types: str) -> str:
    """Return the type of the last event of a job once it is one of these."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        for _ in count():
            found = str((await last_event(client, job_id))["type"])
            if found in event_types:
                break
            await asyncio.sleep(0.01)
    return found


async def ended(client: httpx.AsyncClient, job_id: str) -> str:
    return await until(client, job_id, "Succeeded", "Failed")


async def hits(client: httpx.AsyncClient, rule: str) -> int:
    return int((await client.get(f"{FAULTS}/{rule}")).json()["hits"])


async def test_a_rule_fires_as_often_as_it_may_whoever_runs_the_jobs(deployment: Deployment) -> None:
    client = deployment.client
    rule = (await client.post(FAULTS, json={"preset": "failed-silent", "times": 5})).json()["id"]
    jobs = await asyncio.gather(*(submit(client) for _ in range(JOB_COUNT)))
    ends = await asyncio.gather(*(ended(client, job_id) for job_id in jobs))
    assert (ends.count("Failed"), ends.count("Succeeded")) == (5, JOB_COUNT - 5)
    assert await hits(client, rule) == 5
    failed = {job_id for job_id, end in zip(jobs, ends, strict=True) if end == "Failed"}
    for _ in deployment.apis:
        found = (await client.get("/_mock/jobs", params={"fault": rule})).json()["items"]
        assert ({job["jobId"] for job in found}, len(found)) == (failed, 5)
        assert (await client.get("/_mock/jobs/count", params={"fault": rule})).json() == {"count": 5, "exact": True}


async def test_a_restart_neither_decides_again_nor_forgets(tmp_path: Path) -> None:
    settings = make_settings(mongodb_uri=None, data_dir=tmp_path / "data", simulation_pictures="blank")
    async with open_app(Application(settings)) as opened:
        answer = await opened.client.post(FAULTS, json={"preset": "stuck-running", "times": 1})
        rule = answer.json()["id"]
        stuck = await submit(opened.client)
        await until(opened.client, stuck, "Claimed")
    for _ in range(2):
        async with open_app(Application(settings)) as opened:
            await until(opened.client, stuck, "Claimed")
            assert await ended(opened.client, await submit(opened.client)) == "Succeeded"
            assert await hits(opened.client, rule) == 1
            assert (await last_event(opened.client, stuck))["type"] == "Claimed"


async def test_what_was_not_decided_is_not_counted_again_after_a_restart(tmp_path: Path) -> None:
    """The second match fires: that is another job, not the same one once more."""
    settings = make_settings(mongodb_uri=None, data_dir=tmp_path / "data", simulation_pictures="blank")
    async with open_app(Application(settings)) as opened:
        await opened.client.post(FAULTS, json={"preset": "failed-silent", "after": 1})
        first = await submit(opened.client, **{"x-mock-progress": "time; SENT_TO_COMFY=1h"})
        await until(opened.client, first, "Updated")
    async with open_app(Application(settings)) as opened:
        assert await ended(opened.client, await submit(opened.client)) == "Failed"
        assert not (await last_event(opened.client, first))["jobHasCompleted"]


async def test_a_rule_fires_as_often_as_it_may_whoever_moves_the_jobs(deployment: Deployment) -> None:
    """Two processes of the API get requests for the same job at the same instant."""
    client = deployment.client
    rule = (await client.post(FAULTS, json={"preset": "failed-silent", "times": 2})).json()["id"]
    jobs = [await submit(client, **{"x-mock-progress": "polls"}) for _ in range(4)]
    for _ in range(12):
        await asyncio.gather(*(last_event(client, job_id) for job_id in jobs for _ in range(4)))
    ends = [await ended(client, job_id) for job_id in jobs]
    assert (ends.count("Failed"), ends.count("Succeeded")) == (2, 2)
    assert await hits(client, rule) == 2
