"""Faults that hit jobs: what each preset, and each plain action, puts on the wire of version 1 and 2."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from typing import Any

import httpx
import pytest

from civitai_mock.domain.fault_presets import Hook, fault_presets
from tests.support import served_app as v1
from tests.support import v2_workflows as v2
from tests.support.served_app import CHECKPOINT, PATIENCE_SECONDS, Opened, serve_all

FAULTS, CLOCK = "/_mock/faults", "/_mock/clock"
POLLS, MANUAL = "polls", "manual"
MINUTE = 60
PARAMS = {"prompt": "a fox", "steps": 20, "cfgScale": 7, "width": 64, "height": 64, "seed": 7}
IMAGE_GEN = {"engine": "sdcpp", "ecosystem": "sdxl", "operation": "createImage", "model": CHECKPOINT}


@dataclass(frozen=True, slots=True)
class World:
    """Is a server whose jobs go wrong, by version 1 and version 2."""

    opened: Opened

    @property
    def client(self) -> httpx.AsyncClient:
        return self.opened.client

    async def set_rule(self, **rule: Any) -> str:
        answer = await self.client.post(FAULTS, json=rule)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def submit(self, *, quantity: int = 2, progress: str = "", fault: str = "", **members: Any) -> Any:
        headers = _headers(progress, fault)
        body = v1.template(params=PARAMS, quantity=quantity, **members)
        answer = await self.client.post(v1.JOBS, json=body, headers=headers)
        assert answer.status_code == 202, answer.text
        return answer.json()["jobs"][0]

    async def status(self, job: Any, *, detailed: bool = False) -> Any:
        answer = await self.client.get(f"{v1.JOBS}/{job['jobId']}?detailed={str(detailed).lower()}")
        assert answer.status_code in (200, 202), answer.text
        return answer.json()

    async def ended(self, **request: Any) -> Any:
        """Return the detailed status of a new job once it has ended."""
        job = await self.submit(**request)
        await self.opened.wait_until_ended(job["jobId"])
        return await self.status(job, detailed=True)

    async def events(self, job: Any) -> Sequence[Any]:
        events: Sequence[Any] = (await self.client.get(f"/v1/producer/jobs/{job['jobId']}/events")).json()
        return events

    async def submit_workflow(self, *, progress: str = "", fault: str = "", quantity: int = 2, **members: Any) -> Any:
        step = v2.step("imageGen", {**IMAGE_GEN, "prompt": "a fox", "width": 64, "height": 64, "quantity": quantity})
        answer = await self.client.post(
            v2.WORKFLOWS, json=v2.template(step, **members), headers=_headers(progress, fault)
        )
        assert answer.status_code in (200, 202), answer.text
        return answer.json()

    async def workflow(self, workflow: Any, query: str = "") -> Any:
        answer = await self.client.get(f"{v2.WORKFLOWS}/{workflow['id']}?{query}")
        assert answer.status_code in (200, 202), answer.text
        return answer.json()

    async def over(self, **request: Any) -> Any:
        """Return a new workflow once it is over."""
        workflow = await self.workflow(await self.submit_workflow(**request), f"wait={PATIENCE_SECONDS}")
        assert workflow["status"] in v2.OVER
        return workflow

    async def until(self, job: Any, event_type: str) -> None:
        """Return once the last event of a job is of a type."""

        async def is_so() -> bool:
            return bool((await self.status(job))["lastEvent"]["type"] == event_type)

        await eventually(is_so)

    async def freeze(self) -> None:
        assert (await self.client.put(CLOCK, json={"mode": "frozen"})).status_code == 200

    async def advance(self, by: str) -> None:
        answer = await self.client.post(f"{CLOCK}/advance", json={"by": by})
        assert answer.status_code == 200, answer.text

    async def in_a_day(self) -> str:
        """Return a date before that at which jobs are deleted."""
        now = datetime.fromisoformat((await self.client.get(CLOCK)).json()["now"])
        return (now + timedelta(hours=24)).isoformat()

    async def told(self, job: Any) -> Any:
        return (await self.client.get(f"/_mock/jobs/{job['jobId']}")).json()["faults"]


async def eventually(is_so: Callable[[], Awaitable[bool]]) -> None:
    """Return when something is so, while the scheduler works."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        for _ in count():
            if await is_so():
                return
            await asyncio.sleep(0)  # the memory store answers without letting other tasks run


def _headers(progress: str, fault: str) -> Mapping[str, str]:
    named = {"x-mock-progress": progress, "x-mock-fault": fault}
    return {name: value for name, value in named.items() if value}


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with serve_all(missing_resources="lenient", simulation_pictures="blank", job_lifetime_hours=48) as opened:
        yield World(opened)


def test_each_preset_of_jobs_has_a_test_here_and_can_be_set() -> None:
    tested = {name.removeprefix("test_").replace("_", "-") for name in globals() if name.startswith("test_")}
    presets = {name: preset for name, preset in fault_presets().items() if preset.hook is Hook.JOB}
    assert presets.keys() <= tested
    assert all(preset.is_available for preset in presets.values())


FAILURES = {
    "node-crash": (
        {
            "error": "AttributeError",
            "message": "'NoneType' object has no attribute 'patcher'",
            "reason": "'NoneType' object has no attribute 'patcher'",
            "node_id": "KSampler",
            "class_type": "KSampler",
        },
        "'NoneType' object has no attribute 'patcher'",
        [],
    ),
    "failed-with-reason": (
        {"message": "The generation failed.", "reason": "The generation failed."},
        "The generation failed.",
        ["The generation failed."],
    ),
    "failed-silent": ({}, None, []),
}


async def _check_failure(world: World, preset: str) -> None:
    context, reason, errors = FAILURES[preset]
    rule = await world.set_rule(preset=preset)
    job = await world.ended()
    assert (job["lastEvent"]["type"], job["lastEvent"]["context"]) == ("Failed", context)
    assert not any(result["available"] for result in job["result"])
    assert await world.told(job["job"] | {"jobId": job["jobId"]}) == [{"attempt": 1, "rule": rule, "preset": preset}]
    workflow = await world.over()
    (step,) = workflow["steps"]
    assert (workflow["status"], step["status"]) == ("failed", "failed")
    assert {found.get("reason") for found in step["jobs"]} == {reason}
    assert step["output"]["errors"] == errors
    assert not any(image["available"] for image in step["output"]["images"])


async def test_node_crash(world: World) -> None:
    await _check_failure(world, "node-crash")


async def test_failed_with_reason(world: World) -> None:
    await _check_failure(world, "failed-with-reason")


async def test_failed_silent(world: World) -> None:
    await _check_failure(world, "failed-silent")


async def _check_results(world: World, preset: str, available: Sequence[bool]) -> None:
    await world.set_rule(preset=preset)
    job = await world.ended()
    assert (job["lastEvent"]["type"], job["scheduled"]) == ("Succeeded", False)
    assert [result["available"] for result in job["result"]] == available
    assert ["blobUrl" in result for result in job["result"]] == available
    (step,) = (await world.over())["steps"]
    assert step["status"] == "succeeded"
    assert [image["available"] for image in step["output"]["images"]] == available
    assert ["url" in image for image in step["output"]["images"]] == available
    for result in job["result"]:
        stored = await world.opened.stores.blobs.stat(result["blobKey"])
        assert (stored is not None) == result["available"]


async def test_batch_partial(world: World) -> None:
    await _check_results(world, "batch-partial", [True, False])


async def test_succeeded_unavailable(world: World) -> None:
    await _check_results(world, "succeeded-unavailable", [False, False])


async def test_completed_empty(world: World) -> None:
    await _check_results(world, "completed-empty", [])


async def test_output_blocked(world: World) -> None:
    await world.set_rule(preset="output-blocked", params={"blockedReason": "Vetoed"})
    job = await world.ended(quantity=1)
    assert job["lastEvent"]["type"] == "Succeeded"
    assert job["lastEvent"]["context"]["blockedReason"] == "Vetoed"
    assert [set(result) & {"available", "blobUrl"} for result in job["result"]] == [{"available"}]
    assert [result["available"] for result in job["result"]] == [False]
    (step,) = (await world.over(quantity=1))["steps"]
    (image,) = step["output"]["images"]
    assert (step["status"], image["available"], image["blockedReason"]) == ("succeeded", False, "Vetoed")
    assert step["jobs"][0]["blockedReason"] == "Vetoed"
    answer = await world.client.get(image["url"], follow_redirects=True)
    assert "/blobs/blocked/" in str(answer.url)
    assert (answer.status_code, answer.headers["x-blocked-reason"]) == (403, "Vetoed")


async def test_mature_hidden(world: World) -> None:
    await world.set_rule(preset="mature-hidden")
    job = await world.ended(quantity=1)
    assert job["job"]["promptClassificationResult"] == {"scan": True, "sexual": True, "cr": False, "young": False}
    assert job["result"][0]["available"]
    workflow = await world.over(quantity=1)
    assert workflow["nsfwLevel"] == "x"
    shown = {}
    for query in ("", "hideMatureContent=true", "hideMatureContent=false"):
        (step,) = (await world.workflow(workflow, query))["steps"]
        (shown[query],) = step["output"]["images"]
    assert {image["nsfwLevel"] for image in shown.values()} == {"x"}
    assert [query for query, image in shown.items() if "url" in image] == ["hideMatureContent=false"]
    (listed,) = (await world.client.get(v2.WORKFLOWS)).json()["items"]
    assert "url" not in listed["steps"][0]["output"]["images"][0]


async def test_unknown_status(world: World) -> None:
    await world.set_rule(preset="unknown-status")
    job = await world.ended()
    events = await world.events(job)
    assert [event["type"] for event in events] == ["Initialized", "Claimed", "Updated", "Running", "Succeeded"]
    assert {"comfy_prompt_request", "comfy_prompt_response"} <= events[3]["context"].keys()
    assert not any("mockStatus" in event["context"] for event in events)
    workflow = await world.submit_workflow(progress=POLLS, quantity=1)
    statuses: list[tuple[str, str]] = []
    while not statuses or statuses[-1][0] not in v2.OVER:
        (step,) = (await world.workflow(workflow))["steps"]
        statuses.append((step["status"], step["jobs"][0]["status"]))
    assert statuses.count(("queued", "queued")) == 1
    assert statuses[-1] == ("succeeded", "succeeded")


async def test_unknown_provider(world: World) -> None:
    await world.set_rule(preset="unknown-provider")
    for compat in ("default", "official"):
        headers = {"x-mock-compat": compat, "x-mock-progress": MANUAL}
        job = (await world.client.post(v1.JOBS, json=v1.template(params=PARAMS), headers=headers)).json()["jobs"][0]
        assert job["serviceProviders"].keys() == {"FalAI"}, compat
        await world.client.post(f"/_mock/jobs/{job['jobId']}/advance", json={})
        claimed = (await world.client.get(f"{v1.JOBS}/{job['jobId']}", headers=headers)).json()
        assert (claimed["lastEvent"]["provider"], *claimed["serviceProviders"]) == ("FalAI", "FalAI"), compat
        await world.client.post(f"/_mock/jobs/{job['jobId']}/succeed", json={})
        ended = (await world.client.get(f"{v1.JOBS}/{job['jobId']}", headers=headers)).json()
        assert (ended["lastEvent"]["type"], ended["lastEvent"]["provider"]) == ("Succeeded", "FalAI"), compat
    assert (await world.ended())["lastEvent"]["provider"] == "FalAI"


async def test_stuck_queued(world: World) -> None:
    await world.freeze()
    await world.set_rule(preset="stuck-queued")
    for progress in ("", POLLS):
        job = await world.submit(progress=progress, expireAt=await world.in_a_day())
        for shown in (job, await world.status(job), await world.status(job)):
            assert (shown["lastEvent"]["type"], shown["scheduled"]) == ("Initialized", True)
            assert shown["serviceProviders"]["local"]["support"] == "Unavailable"
        await world.advance("24h")
        expired = await world.status(job)
        assert (expired["lastEvent"]["type"], expired["scheduled"]) == ("Expired", False)


async def test_stuck_queued_by_version_2(world: World) -> None:
    await world.freeze()
    await world.set_rule(preset="stuck-queued")
    workflow = await world.submit_workflow(quantity=1)
    (step,) = (await world.workflow(workflow))["steps"]
    assert {step["status"], step["jobs"][0]["status"]} == {"scheduled"}
    assert step["queuePosition"]["support"] == "unavailable"
    await world.advance("48h")
    assert (await world.workflow(workflow))["status"] == "expired"


async def test_stuck_running(world: World) -> None:
    await world.freeze()
    await world.set_rule(preset="stuck-running")
    job = await world.submit(expireAt=await world.in_a_day())
    workflow = await world.submit_workflow(quantity=1)
    await world.until(job, "Claimed")
    for _ in range(3):
        await world.advance("1h")
        stuck = await world.status(job)
        assert (stuck["lastEvent"]["type"], stuck["lastEvent"]["retryAttempt"]) == ("Claimed", 0)
        (step,) = (await world.workflow(workflow))["steps"]
        assert {step["status"], step["jobs"][0]["status"]} == {"processing"}
    await world.advance("21h")
    assert (await world.status(job))["lastEvent"]["type"] == "Expired"
    await world.advance("24h")
    assert (await world.workflow(workflow))["status"] == "expired"


async def test_stuck_running_where_requests_move_jobs(world: World) -> None:
    await world.set_rule(preset="stuck-running")
    job = await world.submit(progress=POLLS)
    types = [(await world.status(job))["lastEvent"]["type"] for _ in range(5)]
    assert types == ["Initialized", "Claimed", "Claimed", "Claimed", "Claimed"]


async def test_queue_flood(world: World) -> None:
    await world.freeze()
    rule = await world.set_rule(preset="queue-flood")
    job, workflow = await world.submit(), await world.submit_workflow(quantity=1)
    positions, starts, of_workflow = [], [], []
    for minute in range(3):
        position = (await world.status(job))["serviceProviders"]["local"]["queuePosition"]
        positions.append(position["precedingJobs"])
        starts.append(position["estimatedStartDate"])
        (step,) = (await world.workflow(workflow))["steps"]
        of_workflow.append((step["queuePosition"]["precedingJobs"], step["queuePosition"]["startAt"]))
        if minute < 2:
            await world.advance("1m")
    assert positions == [8663, 8898, 9133]
    assert [jobs for jobs, _ in of_workflow] == positions
    assert starts == sorted(set(starts))
    assert [start for _, start in of_workflow] == sorted({start for _, start in of_workflow})
    await world.client.request("DELETE", f"{FAULTS}/{rule}", json={})
    await world.opened.wait_until_ended(job["jobId"])
    assert (await world.status(job))["lastEvent"]["type"] == "Succeeded"


async def test_cold_start(world: World) -> None:
    await world.freeze()
    await world.set_rule(preset="cold-start")
    cold = await world.submit()
    await world.until(cold, "Claimed")
    await world.advance("44s")
    assert (await world.status(cold))["lastEvent"]["type"] == "Claimed"
    await world.advance("1s")
    events = await world.events(cold)
    assert [event["type"] for event in events] == ["Initialized", "Claimed", "Updated", "Updated", "Succeeded"]
    assert {event["context"].get("comfy_load_ms") for event in events[2:]} == {45_000}
    warm = await world.submit()
    await world.opened.wait_until_ended(warm["jobId"])
    workflow = await world.submit_workflow(quantity=1, fault="cold-start")

    async def is_preparing() -> bool:
        return bool((await world.workflow(workflow))["steps"][0]["status"] == "preparing")

    await eventually(is_preparing)
    await world.advance("45s")
    assert (await world.workflow(workflow))["status"] == "succeeded"


@pytest.mark.parametrize(
    ("fault", "event_type", "retries"),
    [("preempted", "LateRejected", 0), ("preempted; warning=0", "ClaimExpired", 1)],
)
async def test_preempted(world: World, fault: str, event_type: str, retries: int) -> None:
    job = await world.submit(fault=fault)
    await world.opened.wait_until_ended(job["jobId"])
    events = await world.events(job)
    types = [event["type"] for event in events]
    assert types == [
        *["Initialized", "Claimed", "Updated", "Updated", event_type],
        *["Claimed", "Updated", "Updated", "Succeeded"],
    ]
    first, again = (event for event in events if event["type"] == "Claimed")
    assert again["provider"] != first["provider"]
    assert (first["retryAttempt"], again["retryAttempt"]) == (0, retries)
    workflow = await world.over(fault=fault)
    assert workflow["status"] == "succeeded"
    assert all(image["available"] for image in workflow["steps"][0]["output"]["images"])


async def test_provider_outage(world: World) -> None:
    await world.freeze()
    rule = await world.set_rule(preset="provider-outage")
    job, workflow = await world.submit(), await world.submit_workflow(quantity=1)
    coverage = (await world.client.get("/v1/consumer/coverage", params={"model": CHECKPOINT})).json()
    assert (coverage[CHECKPOINT]["availability"], coverage[CHECKPOINT]["workers"]) == ("Unavailable", 0)
    health = (await world.client.get("/health")).json()
    assert (health["status"], [worker["ready"] for worker in health["workers"]]) == ("degraded", [False])
    assert (await world.client.get("/health/ready")).status_code == 503
    await world.advance("2h")
    waiting = await world.status(job)
    assert (waiting["lastEvent"]["type"], waiting["lastEvent"]["retryAttempt"]) == ("Initialized", 0)
    assert waiting["serviceProviders"]["local"]["support"] == "Unavailable"
    (step,) = (await world.workflow(workflow))["steps"]
    assert step["queuePosition"]["support"] == "unavailable"
    await world.client.request("DELETE", f"{FAULTS}/{rule}", json={})
    await world.opened.wait_until_ended(job["jobId"])
    assert (await world.status(job))["lastEvent"]["retryAttempt"] == 0
    assert (await world.workflow(workflow, f"wait={PATIENCE_SECONDS}"))["status"] == "succeeded"
    assert (await world.client.get("/health/ready")).status_code == 200


async def test_an_outage_of_one_model_leaves_the_others(world: World) -> None:
    await world.set_rule(preset="provider-outage", match={"ecosystem": "flux1"})
    coverage = (await world.client.get("/v1/consumer/coverage", params={"model": CHECKPOINT})).json()
    assert coverage[CHECKPOINT]["workers"] == 0 or coverage[CHECKPOINT]["availability"] == "Available"
    assert (await world.client.get("/health/ready")).status_code == 200
    assert (await world.ended())["lastEvent"]["type"] == "Succeeded"


async def test_an_outage_ends_when_its_rule_does(world: World) -> None:
    await world.freeze()
    await world.set_rule(preset="provider-outage", forSeconds=60)
    job = await world.submit()
    await world.advance("59s")
    assert (await world.status(job))["lastEvent"]["type"] == "Initialized"
    await world.advance("1s")
    await world.opened.wait_until_ended(job["jobId"])


async def _is_lost(world: World, path: str) -> bool:
    return (await world.client.get(path)).status_code == 404


async def test_lost_after_restart(world: World) -> None:
    kept = await world.ended()
    rule = await world.set_rule(preset="lost-after-restart")
    answer = (await world.client.post(v1.JOBS, json=v1.template(params=PARAMS))).json()
    workflow = await world.submit_workflow(quantity=1)
    for path in (f"{v1.JOBS}/{answer['jobId']}", f"{v2.WORKFLOWS}/{workflow['id']}"):
        await eventually(partial(_is_lost, world, path))
        assert (await world.client.get(path)).headers["content-type"].startswith("application/problem+json")
    listed = await world.client.get(v1.JOBS, params={"token": answer["token"]})
    assert (listed.status_code, listed.json()["jobs"]) == (200, [])
    assert (await world.status(kept))["lastEvent"]["type"] == "Succeeded"
    await world.client.request("DELETE", f"{FAULTS}/{rule}", json={})
    polled = await world.submit(progress=POLLS, fault="lost-after-restart")
    await world.status(polled)
    assert (await world.client.get(f"{v1.JOBS}/{polled['jobId']}")).status_code == 404


async def test_cancel_repriced(world: World) -> None:
    await world.set_rule(preset="cancel-repriced")
    job = await world.submit(quantity=4, progress=MANUAL)
    for _ in range(3):
        await world.client.post(f"/_mock/jobs/{job['jobId']}/advance", json={})
    assert (await world.client.delete(f"{v1.JOBS}/{job['jobId']}")).status_code in (200, 202, 204)
    canceled = await world.status(job)
    assert canceled["lastEvent"]["type"] == "Deleted"
    assert [result["available"] for result in canceled["result"]] == [True, True, False, False]
    assert canceled["cost"] == pytest.approx(job["cost"] / 2)
    assert (await world.client.get(canceled["result"][0]["blobUrl"])).status_code == 200
    spent = (await world.client.get("/v1/consumer/consumption")).json()
    assert spent["totalCost"] == pytest.approx(job["cost"] / 2)


async def test_cancel_repriced_by_version_2(world: World) -> None:
    await world.set_rule(preset="cancel-repriced")
    image = {**IMAGE_GEN, "prompt": "a fox", "width": 64, "height": 64}
    steps = [v2.step("imageGen", image), v2.step("imageGen", image)]
    headers = {"x-mock-progress": MANUAL}
    workflow = (await world.client.post(v2.WORKFLOWS, json=v2.template(*steps), headers=headers)).json()
    first, second = [step["jobs"][0]["id"] for step in workflow["steps"]]
    await world.client.post(f"/_mock/jobs/{first}/succeed", json={})
    await world.client.post(f"/_mock/jobs/{second}/advance", json={})
    await world.client.put(f"{v2.WORKFLOWS}/{workflow['id']}", json={"status": "canceled"})
    canceled = await world.workflow(workflow)
    assert (canceled["status"], [step["status"] for step in canceled["steps"]]) == (
        "canceled",
        ["succeeded", "canceled"],
    )
    amounts = {entry["type"]: entry["amount"] for entry in canceled["transactions"]["list"]}
    assert 0 < amounts["credit"] < amounts["debit"]


PLAIN: Mapping[str, tuple[Any, Sequence[str], int]] = {
    "fail": (
        {"fail": {"stage": "CLAIMED", "error": "E", "message": "m", "nodeId": "3", "classType": "C"}},
        ["Initialized", "Claimed", "Failed"],
        0,
    ),
    "fail in the queue": ({"fail": {"stage": "QUEUED"}}, ["Initialized", "Failed"], 0),
    "fail at the end": (
        {"fail": {"stage": "COMFY_RESULT", "message": "m"}},
        ["Initialized", "Claimed", "Updated", "Updated", "Failed"],
        0,
    ),
    "reject": (
        {"reject": {"reason": "no"}},
        ["Initialized", "Rejected", "Claimed", "Updated", "Updated", "Succeeded"],
        0,
    ),
    "late reject": (
        {"lateReject": True},
        [
            *("Initialized", "Claimed", "Updated", "Updated", "LateRejected"),
            *("Claimed", "Updated", "Updated", "Succeeded"),
        ],
        0,
    ),
    "expire the claim": (
        {"expireClaim": True},
        ["Initialized", "Claimed", "ClaimExpired", "Claimed", "Updated", "Updated", "Succeeded"],
        1,
    ),
}


@pytest.mark.parametrize("progress", ["", POLLS])
@pytest.mark.parametrize("name", PLAIN)
async def test_plain_actions(world: World, name: str, progress: str) -> None:
    action, types, retries = PLAIN[name]
    await world.set_rule(action=action, match={"attempt": 1})
    job = await world.submit(progress=progress)
    if progress:
        for _ in range(20):
            await world.status(job)
    else:
        await world.opened.wait_until_ended(job["jobId"])
    events = await world.events(job)
    assert [event["type"] for event in events] == types
    assert events[-1]["retryAttempt"] == retries


async def test_what_fails_says_where(world: World) -> None:
    await world.set_rule(action=PLAIN["fail"][0])
    context = (await world.ended())["lastEvent"]["context"]
    assert context == {"error": "E", "message": "m", "reason": "m", "node_id": "3", "class_type": "C"}


async def test_a_rule_with_times_hits_so_many_jobs(world: World) -> None:
    await world.set_rule(preset="failed-silent", times=2)
    ends = [(await world.ended(quantity=1))["lastEvent"]["type"] for _ in range(4)]
    assert ends == ["Failed", "Failed", "Succeeded", "Succeeded"]


async def test_each_attempt_is_decided_by_itself(world: World) -> None:
    await world.set_rule(action={"expireClaim": True}, times=3)
    job = await world.ended(quantity=1)
    assert (job["lastEvent"]["type"], job["lastEvent"]["retryAttempt"]) == ("Succeeded", 3)
    assert [fault["attempt"] for fault in await world.told(job)] == [1, 2, 3]


async def test_a_step_that_makes_its_job_again_is_in_its_next_attempt(world: World) -> None:
    await world.set_rule(preset="failed-silent", match={"attempt": 1})
    step = v2.step("imageGen", {**IMAGE_GEN, "prompt": "a fox", "width": 64, "height": 64}, retries=1)
    answer = await world.client.post(f"{v2.WORKFLOWS}?wait={PATIENCE_SECONDS}", json=v2.template(step))
    assert answer.json()["status"] == "succeeded"
    assert [job["status"] for job in answer.json()["steps"][0]["jobs"]] == ["failed", "succeeded"]


@pytest.mark.parametrize(
    ("match", "hits"),
    [
        ({"$type": "textToImage"}, True),
        ({"$type": "wdTagging"}, False),
        ({"model": CHECKPOINT}, True),
        ({"ecosystem": "sdxl"}, True),
        ({"prompt": {"contains": "FOX"}}, True),
        ({"prompt": {"contains": "dog"}}, False),
        ({"imageGiven": True}, False),
        ({"method": "POST", "route": "/v1/consumer/jobs"}, True),
        ({"route": "/v2/consumer/workflows"}, False),
        ({"attempt": 2}, False),
    ],
)
async def test_rules_match_what_a_job_was_asked_for(world: World, match: Any, hits: bool) -> None:
    await world.set_rule(preset="failed-silent", match=match)
    assert (await world.ended(quantity=1))["lastEvent"]["type"] == ("Failed" if hits else "Succeeded")


async def test_a_rule_matches_the_type_of_a_step(world: World) -> None:
    await world.set_rule(preset="failed-silent", match={"$type": "imageGen"})
    assert (await world.over())["status"] == "failed"
    assert (await world.ended())["lastEvent"]["type"] == "Succeeded"


async def test_what_a_header_asks_for_comes_before_rules(world: World) -> None:
    await world.set_rule(preset="failed-silent")
    job = await world.ended(fault="failed-with-reason; message=no luck")
    assert job["lastEvent"]["context"]["message"] == "no luck"
    assert await world.told(job) == [
        {
            "attempt": 1,
            "rule": "failed-with-reason",
            "preset": "failed-with-reason",
            "params": {"message": "no luck"},
        }
    ]
    assert (await world.ended())["lastEvent"]["context"] == {}
    workflow = await world.over(fault="failed-with-reason; message=no luck")
    assert workflow["steps"][0]["output"]["errors"] == ["no luck"]


async def test_a_job_that_takes_time_fails_when_that_is_over(world: World) -> None:
    await world.freeze()
    await world.set_rule(preset="node-crash")
    job = await world.submit(progress="time; SENT_TO_COMFY=10s")
    await world.until(job, "Updated")
    await world.advance("9s")
    assert (await world.status(job))["lastEvent"]["type"] == "Updated"
    await world.advance("1s")
    assert (await world.status(job))["lastEvent"]["type"] == "Failed"


async def test_half_of_the_results_are_there_when_half_of_the_time_is_over(world: World) -> None:
    await world.freeze()
    await world.set_rule(preset="cancel-repriced")
    job = await world.submit(quantity=3, progress="time; SENT_TO_COMFY=10s")
    await world.until(job, "Updated")
    await world.advance("10s")
    halfway = await world.status(job)
    assert [result["available"] for result in halfway["result"]] == [True, True, False]
    assert halfway["scheduled"]
    await world.advance("10s")
    done = await world.status(job)
    assert [result["available"] for result in done["result"]] == [True, True, True]
    assert (done["lastEvent"]["type"], done["cost"]) == ("Succeeded", job["cost"])


async def test_who_waits_hears_of_the_failure(world: World) -> None:
    await world.set_rule(preset="failed-silent")
    answer = await world.client.post(f"{v1.JOBS}?wait=true", json=v1.template(params=PARAMS))
    assert answer.json()["jobs"][0]["lastEvent"]["type"] == "Failed"


async def test_jobs_that_run_no_graph_go_wrong_as_well(world: World) -> None:
    tagging = {"$type": "wdTagging", "model": "wd-v1-4-vit-tagger-v2", "mediaUrl": "https://x/a.png", "threshold": 0.5}
    await world.set_rule(preset="completed-empty")
    job = await world.opened.run(tagging)
    assert (job["lastEvent"]["type"], job["result"]) == ("Succeeded", [])
    await world.client.request("DELETE", FAULTS, json={})
    await world.set_rule(preset="node-crash", match={"$type": "wdTagging"})
    context = (await world.opened.run(tagging))["lastEvent"]["context"]
    assert (context["error"], "node_id" in context) == ("AttributeError", False)
