"""A comic that is drawn on a fleet, as an app sees it: over HTTP, with the clock frozen."""

from collections import Counter
from pathlib import Path
from typing import Any

from tests.support.event_loop import until_found
from tests.support.served_app import CHECKPOINT, JOBS, Opened, serve_all

PODS, COSTS = "/_mock/fleet/pods", "/_mock/costs"
SPOT = {"name": "spot", "kind": "spot", "bootSeconds": {"min": 270, "max": 270}}
FLEET = {"providers": [SPOT, {"name": "serverless", "kind": "serverless"}]}
PANEL = {"$type": "textToImage", "model": CHECKPOINT, "params": {"prompt": "a fox", "steps": 4}}


async def ask(opened: Opened, method: str, path: str, body: Any = None, *, status: int = 200) -> Any:
    answer = await opened.client.request(method, path, json={} if body is None else body)
    assert answer.status_code == status, answer.text
    return answer.json() if answer.content else None


async def begin(opened: Opened, **members: Any) -> list[str]:
    """Freeze the clock, give the namespace a fleet, submit a comic of forty panels, and return the ids of its jobs."""
    await ask(opened, "PUT", "/_mock/clock", {"mode": "frozen", "now": "2026-01-31T12:00:00Z"})
    await ask(opened, "PUT", "/_mock/fleet", FLEET)
    body = {"batch": {"id": "comic-1", "seed": 7}, "jobs": [{**PANEL, **members}] * 40}
    return [job["jobId"] for job in (await ask(opened, "POST", JOBS, body, status=202))["jobs"]]


async def advance(opened: Opened, by: str) -> None:
    assert (await ask(opened, "POST", "/_mock/clock/advance", {"by": by}))["status"] == "ready"


async def the_pod(opened: Opened) -> dict[str, Any]:
    (pod,) = (await ask(opened, "GET", PODS))["items"]
    found: dict[str, Any] = pod
    return found


async def has_pods(opened: Opened) -> bool:
    return bool((await ask(opened, "GET", PODS))["items"])


async def ends(opened: Opened, job_ids: list[str]) -> list[Any]:
    return [(await ask(opened, "GET", f"{JOBS}/{job_id}"))["lastEvent"] for job_id in job_ids]


async def test_a_comic_is_drawn_on_a_pod_that_is_gone_five_minutes_later() -> None:
    async with serve_all() as opened:
        job_ids = await begin(opened)
        await until_found(lambda: has_pods(opened))
        pod = await the_pod(opened)
        assert (pod["podId"], pod["text"], pod["jobsInQueue"]) == ("spot-1", "starting, about 4 min", 40)
        told = [(await ask(opened, "GET", f"{JOBS}/{job_id}"))["serviceProviders"] for job_id in job_ids]
        assert {(each["spot"]["support"], each["serverless"]["support"]) for each in told} == {
            ("Unavailable", "Available")
        }
        first = min(each["spot"]["queuePosition"]["estimatedStartDate"] for each in told)
        assert first == "2026-01-31T12:04:30.0000000Z"
        await advance(opened, "275s")
        assert ((await the_pod(opened))["state"], (await the_pod(opened))["text"]) == ("GENERATING", "1 of 40")
        await advance(opened, "760s")
        assert (await the_pod(opened))["state"] == "IDLE"
        last = await ends(opened, job_ids)
        assert Counter((event["type"], event["provider"], event["workerId"]) for event in last) == {
            ("Succeeded", "spot", "spot-1"): 40
        }
        await advance(opened, "300s")
        assert (await the_pod(opened))["state"] == "SHUTDOWN"
        costs = await ask(opened, "GET", f"{COSTS}?groupBy=properties.batchId")
        assert (costs["billed"], costs["baseline"], costs["saved"]) == (129_653, 1_000_000, 870_347)
        assert costs["groups"] == [{"name": "comic-1", "pictures": 40, "perPicture": 60_000, "billed": 0}]


async def test_a_pod_is_taken_away_by_an_order_and_serverless_draws_the_rest() -> None:
    async with serve_all() as opened:
        job_ids = await begin(opened)
        await advance(opened, "471s")  # the seventeenth panel is half drawn
        await ask(opened, "POST", f"{PODS}/spot-1/shutdown", status=409)
        assert (await ask(opened, "POST", f"{PODS}/spot-1/preempt"))["podId"] == "spot-1"
        refused = await ask(opened, "POST", f"{PODS}/spot-1/preempt", status=409)
        assert "cannot follow" in refused["detail"]
        await advance(opened, "1h")
        last = await ends(opened, job_ids)
        assert Counter((event["type"], event["provider"], event["retryAttempt"]) for event in last) == {
            ("Succeeded", "spot", 0): 17,
            ("Succeeded", "serverless", 0): 23,
        }
        costs = await ask(opened, "GET", COSTS)
        told = {each["name"]: (each["pictures"], each["perPicture"], each["billed"]) for each in costs["providers"]}
        assert told == {"spot": (17, 25_500, 61_233), "serverless": (23, 69_000, 69_000)}
        assert costs["baseline"] == 40 * 25_000
        assert [pod["billed"] for pod in (await ask(opened, "GET", PODS))["items"]] == [61_233]


async def test_pods_are_booted_and_shut_down_by_orders() -> None:
    async with serve_all() as opened:
        await ask(opened, "PUT", "/_mock/clock", {"mode": "frozen", "now": "2026-01-31T12:00:00Z"})
        await ask(opened, "PUT", "/_mock/fleet", FLEET)
        made = await ask(opened, "POST", PODS, {"provider": "spot"}, status=201)
        assert (made["podId"], made["state"]) == ("spot-1", "BOOT_REQUESTED")
        assert "may have 1" in (await ask(opened, "POST", PODS, status=409))["detail"]
        assert (await ask(opened, "POST", f"{PODS}/spot-1/shutdown"))["state"] == "SHUTDOWN"
        assert (await ask(opened, "POST", PODS, status=201))["podId"] == "spot-2"
        assert (
            "no provider of pods 'serverless'"
            in (await ask(opened, "POST", PODS, {"provider": "serverless"}, status=409))["detail"]
        )


async def test_urgent_and_small_batches_go_to_serverless_and_unknown_providers_stay_where_they_are() -> None:
    async with serve_all() as opened:
        urgent = await begin(opened, priority="High")
        body = {"jobs": [{**PANEL, "providers": ["nobody"]}]}
        (alone,) = (await ask(opened, "POST", JOBS, body, status=202))["jobs"]
        await advance(opened, "1h")
        assert {(event["type"], event["provider"]) for event in await ends(opened, urgent)} == {
            ("Succeeded", "serverless")
        }
        assert (await ask(opened, "GET", PODS))["items"] == []
        status = await ask(opened, "GET", f"{JOBS}/{alone['jobId']}")
        assert (status["serviceProviders"], status["scheduled"], status["lastEvent"]["type"]) == (
            {},
            False,
            "Initialized",
        )
        events = await ask(opened, "GET", f"/v1/producer/jobs/{urgent[0]}/events")
        assert {event["context"].get("fleet_reason") for event in events if event["type"] == "Claimed"} == {"urgent"}


async def test_costs_are_kept_over_a_restart_and_when_jobs_are_swept(tmp_path: Path) -> None:
    store: Any = {"mongodb_uri": None, "data_dir": str(tmp_path)}
    async with serve_all(**store) as opened:
        job_ids = await begin(opened)
        await advance(opened, "1h")
        before = await ask(opened, "GET", COSTS)
    async with serve_all(**store) as opened:
        assert await ask(opened, "GET", COSTS) == before
        await advance(opened, "100h")
        await opened.stores.jobs.sweep(opened.namespace.clock.now())
        await ask(opened, "GET", f"{JOBS}/{job_ids[0]}", status=404)
        assert await ask(opened, "GET", COSTS) == before
        assert before["billed"] == 129_653
