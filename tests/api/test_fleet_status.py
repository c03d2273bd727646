"""What statuses, coverage and health say of a fleet; without one they say what they always did."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from civitai_mock.domain.dotnet import format_date
from civitai_mock.domain.fleet.pods import Pod, PodState, Use
from civitai_mock.domain.fleet.state import FleetState, Placement, state_json
from tests.api.test_event_stream import MINE
from tests.support.jobs import make_claim
from tests.support.listener import listening
from tests.support.served_app import CHECKPOINT, JOBS, Served, template
from tests.support.v2_workflows import WorkflowClient, image

OFFICIAL = {"X-Mock-Compat": "official"}
MEAN_BOOT = timedelta(seconds=270)


def pod(served: Served, state: PodState, **changes: Any) -> Pod:
    now = served.clock.now()
    booted_at = None if state in {PodState.BOOT_REQUESTED, PodState.BOOTING} else now
    made = Pod(
        pod_id="spot-1",
        provider="spot",
        state=state,
        since=now,
        requested_at=now,
        price_per_hour=440_000,
        starts_at=now,
        ready_at=now + timedelta(seconds=100),
        booted_at=booted_at,
    )
    return replace(made.used_for(Use.BOOT, at=now), **changes)


async def give_fleet(served: Served, *pods: Pod, fleet: Any = None, **members: Any) -> None:
    """Give the namespace a fleet, which is as a scheduler would have stored it."""
    assert (await served.client.put("/_mock/fleet", json=fleet or {})).status_code == 200
    state = replace(FleetState(pods=pods), **members)
    assert await served.stores.fleet.save(None, state_json(state)) == 1


async def shown(served: Served, job_id: str, **headers: str) -> dict[str, Any]:
    status: dict[str, Any] = (await served.client.get(f"{JOBS}/{job_id}", headers=headers)).json()
    return status


def starts(status: dict[str, Any]) -> dict[str, str]:
    return {name: each["queuePosition"]["estimatedStartDate"] for name, each in status["serviceProviders"].items()}


def preceding(status: dict[str, Any]) -> dict[str, int]:
    return {name: each["queuePosition"]["precedingJobs"] for name, each in status["serviceProviders"].items()}


def supports(status: dict[str, Any]) -> dict[str, str]:
    return {name: each["support"] for name, each in status["serviceProviders"].items()}


async def test_each_provider_of_a_fleet_has_its_support_and_its_place_in_the_queue(served: Served) -> None:
    await give_fleet(served)
    submitted = (await served.client.post(JOBS, json={"jobs": [template(), template()]})).json()["jobs"]
    now = served.clock.now()
    status, later = sorted(submitted, key=lambda each: int(preceding(each)["spot"]))
    assert supports(status) == {"spot": "Unavailable", "serverless": "Available"}
    assert starts(status) == {"spot": format_date(now + MEAN_BOOT), "serverless": format_date(now)}
    assert preceding(later) == {"spot": 1, "serverless": 1}
    assert starts(later) == {
        "spot": format_date(now + MEAN_BOOT + timedelta(seconds=12.27)),
        "serverless": format_date(now + timedelta(seconds=0.4)),
    }
    assert status["scheduled"] is True


async def test_a_pod_that_boots_says_when_it_will_be_there(served: Served) -> None:
    await give_fleet(served, pod(served, PodState.BOOTING))
    status = await shown(served, await served.submit_one())
    assert supports(status)["spot"] == "Unavailable"
    assert starts(status)["spot"] == format_date(served.clock.now() + timedelta(seconds=100))
    served.clock.advance(200)
    assert starts(await shown(served, status["jobId"]))["spot"] == format_date(served.clock.now())


@pytest.mark.parametrize("state", [PodState.READY, PodState.GENERATING, PodState.IDLE])
async def test_a_pod_that_is_up_takes_jobs(served: Served, state: PodState) -> None:
    await give_fleet(served, pod(served, state))
    assert supports(await shown(served, await served.submit_one())) == {"spot": "Available", "serverless": "Available"}


@pytest.mark.parametrize("state", [PodState.PREEMPTION_WARN, PodState.FALLBACK, PodState.SHUTDOWN])
async def test_a_pod_that_goes_takes_none(served: Served, state: PodState) -> None:
    await give_fleet(served, pod(served, state))
    assert supports(await shown(served, await served.submit_one()))["spot"] == "Unavailable"


async def test_a_busy_pod_is_free_when_its_job_ends(served: Served) -> None:
    now = served.clock.now()
    placement = Placement(
        job_id="a",
        batch="b",
        provider="spot",
        worker="spot-1",
        reason="urgent",
        pictures=1,
        at=now,
        ends_at=now + timedelta(seconds=5),
    )
    await give_fleet(served, pod(served, PodState.GENERATING, jobs=("a",)), placements={"a": placement})
    assert starts(await shown(served, await served.submit_one()))["spot"] == format_date(now + timedelta(seconds=5))


async def test_a_provider_without_room_is_unavailable(served: Served) -> None:
    full = {"providers": [{"name": "serverless", "kind": "serverless", "capacity": "never"}]}
    await give_fleet(served, fleet=full)
    assert supports(await shown(served, await served.submit_one())) == {"serverless": "Unavailable"}
    coverage = (await served.client.get(f"/v1/consumer/coverage?model={CHECKPOINT}")).json()
    assert coverage[CHECKPOINT] == {"availability": "Unavailable", "workers": 0}


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        (["spot"], ["spot"]),
        (["serverless", "nobody"], ["serverless"]),
        (["serverless", "spot"], ["spot", "serverless"]),
        ([], ["spot", "serverless"]),
    ],
)
async def test_only_providers_are_told_that_the_request_names(
    served: Served, asked: list[str], names: list[str]
) -> None:
    await give_fleet(served)
    status = await shown(served, await served.submit_one(providers=asked))
    assert (list(status["serviceProviders"]), status["scheduled"]) == (names, True)


async def test_who_names_no_provider_of_the_fleet_is_not_scheduled(served: Served) -> None:
    await give_fleet(served)
    submitted = await served.submit(providers=["nobody"])
    assert (submitted["jobs"][0]["serviceProviders"], submitted["jobs"][0]["scheduled"]) == ({}, False)
    status = await shown(served, submitted["jobId"])
    assert (status["serviceProviders"], status["scheduled"], status["lastEvent"]["type"]) == ({}, False, "Initialized")


async def test_without_a_fleet_providers_of_a_request_change_nothing(served: Served) -> None:
    asked, plain = [await served.submit_one(**members) for members in ({"providers": ["spot"]}, {})]
    for job_id in (asked, plain):
        status = await shown(served, job_id)
        assert (list(status["serviceProviders"]), status["scheduled"]) == (["local"], True)


async def test_official_clients_see_official_names(served: Served) -> None:
    await give_fleet(served)
    job_id = await served.submit_one()
    assert list((await shown(served, job_id, **OFFICIAL))["serviceProviders"]) == ["RunPods", "SaladML"]
    claim = replace(make_claim("spot-1", at=served.clock.now()), provider="spot")
    (claimed,) = await served.stores.queue.claim(claim, limit=1)
    await served.enter(claimed, {})
    told = [(await shown(served, job_id, **headers))["lastEvent"] for headers in ({}, OFFICIAL)]
    assert [(event["provider"], event["workerId"]) for event in told] == [("spot", "spot-1"), ("RunPods", "spot-1")]


async def test_official_names_of_a_fleet_stay_as_they_are(served: Served) -> None:
    names = [{"name": "SaladML", "kind": "spot"}, {"name": "mine", "kind": "serverless"}]
    await give_fleet(served, fleet={"providers": names})
    status = await shown(served, await served.submit_one(), **OFFICIAL)
    assert list(status["serviceProviders"]) == ["SaladML", "OctoML"]


async def test_the_queue_position_of_a_workflow_is_that_of_who_gets_it(served: Served) -> None:
    await give_fleet(served, fleet={"providers": [{"name": "spot", "kind": "spot"}]})
    client = WorkflowClient(served.client)
    submitted = await client.submit(image())
    position = submitted["steps"][0]["jobs"][0]["queuePosition"]
    assert position["support"] == "unavailable"
    assert position["startAt"].startswith((served.clock.now() + MEAN_BOOT).strftime("%Y-%m-%dT%H:%M:%S"))


async def test_coverage_and_health_count_the_pods_that_are_up(served: Served) -> None:
    await give_fleet(
        served, pod(served, PodState.GENERATING, jobs=("a",)), pod(served, PodState.BOOTING, pod_id="spot-2")
    )
    coverage = (await served.client.get(f"/v1/consumer/coverage?model={CHECKPOINT}")).json()
    assert coverage[CHECKPOINT] == {"availability": "Available", "workers": 1}
    health = (await served.client.get("/health")).json()
    assert [(worker["id"], worker["ready"], worker["maxInFlight"]) for worker in health["workers"]] == [
        ("spot-1", True, 1)
    ]
    assert health["status"] == "ok"


async def test_a_fleet_without_pods_is_well_as_it_boots_them(served: Served) -> None:
    await give_fleet(served)
    health = (await served.client.get("/health")).json()
    assert (health["status"], health["workers"]) == ("ok", [])
    assert (await served.client.get("/health/ready")).status_code == 200
    coverage = (await served.client.get(f"/v1/consumer/coverage?model={CHECKPOINT}")).json()
    assert coverage[CHECKPOINT] == {"availability": "Available", "workers": 0}


async def test_pods_are_listed_with_what_they_have_to_do(served: Served) -> None:
    over = pod(served, PodState.SHUTDOWN, pod_id="spot-0")
    busy = pod(served, PodState.GENERATING, jobs=("a",), planned=3, done=1, last_job_at=served.clock.now())
    await give_fleet(served, over, busy, waiting={"spot": 2})
    items = (await served.client.get("/_mock/fleet/pods")).json()["items"]
    at = format_date(served.clock.now())
    assert items[1] == {
        "podId": "spot-1",
        "provider": "spot",
        "state": "GENERATING",
        "status": "busy",
        "text": "2 of 5",
        "since": at,
        "bootedAt": at,
        "lastJobAt": at,
        "jobsInQueue": 3,
        "orders": ["preempt"],
        "billed": 0,
    }
    assert (items[0]["podId"], items[0]["state"], items[0]["jobsInQueue"]) == ("spot-0", "SHUTDOWN", 0)


async def test_an_unknown_pod_is_a_404(served: Served) -> None:
    await give_fleet(served)
    for order in ("preempt", "shutdown"):
        answer = await served.client.post(f"/_mock/fleet/pods/spot-9/{order}", json={})
        assert (answer.status_code, "no pod 'spot-9'" in answer.json()["detail"]) == (404, True)


async def test_statuses_are_as_before_once_a_fleet_is_taken_away(served: Served) -> None:
    job_id = (await served.client.post(JOBS, json=template())).json()["jobId"]
    before = await shown(served, job_id)
    await give_fleet(served)
    assert await shown(served, job_id) != before
    await served.client.request("DELETE", "/_mock/fleet", json={})
    assert await shown(served, job_id) == before


async def test_costs_are_told_to_who_follows_the_namespace_when_they_have_changed(served: Served) -> None:
    async with listening(served.app, MINE) as listener:
        await listener.begun()
        await give_fleet(served, pod(served, PodState.READY))
        (first,) = await listener.hears(1)
        assert (first.data["type"], first.data["billed"], first.id) == ("cost", 0, None)
        served.clock.advance(1)
        assert (await listener.hears(2))[1].data["billed"] == 122
        await served.stores.fleet.save(1, state_json(FleetState()))
        served.clock.advance(1)
        assert (await listener.hears(3))[2].data["billed"] == 0
        served.clock.advance(1)
        await served.client.request("DELETE", "/_mock/fleet", json={})
        assert len(listener.told) == 3
