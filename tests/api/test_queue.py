"""Where in the queue a job is, and what it costs to know."""

from typing import Any

import pytest

from tests.support.served_app import JOBS, Served, serve_all, template


async def _position(served: Served, job_id: str) -> Any:
    status = (await served.client.get(f"{JOBS}/{job_id}")).json()
    return status["serviceProviders"]["local"].get("queuePosition")


async def test_the_jobs_before_one_are_those_that_are_claimed_before_it(served: Served) -> None:
    priorities = [0, 10, -10, 10, 0, 5]
    ids = []
    for priority in priorities:
        ids.append(await served.submit_one(priority=priority))
        served.clock.advance(1)
    positions = {job_id: await _position(served, job_id) for job_id in ids}
    claimed = [(await served.claim()).id for _ in ids]
    assert sorted(ids, key=lambda job_id: positions[job_id]["precedingJobs"]) == claimed
    assert [positions[job_id]["precedingJobs"] for job_id in claimed] == list(range(6))
    assert [positions[job_id]["precedingCost"] for job_id in claimed] == [pytest.approx(0.96 * n) for n in range(6)]


async def test_jobs_of_one_request_stand_behind_each_other_at_once(served: Served) -> None:
    await served.submit()
    served.clock.advance(1)
    body = (await served.client.post(JOBS, json={"jobs": [template()] * 3})).json()
    told = [job["serviceProviders"]["local"]["queuePosition"]["precedingJobs"] for job in body["jobs"]]
    assert sorted(told) == [1, 2, 3]


async def test_the_estimate_is_by_what_ended_in_the_last_five_minutes(served: Served) -> None:
    for _ in range(3):
        await served.submit()
        await served.finish()
    await served.submit()
    served.clock.advance(1)
    last = await served.submit_one()
    position = await _position(served, last)
    assert position["throughputRate"] == pytest.approx(3 / 300)
    assert position["estimatedStartDuration"] == "00:01:40"
    assert position["estimatedStartDate"] == "2025-09-06T18:19:57.1679430Z"
    served.clock.advance(301)
    assert (await _position(served, last))["throughputRate"] == 0


async def test_a_claimed_job_has_no_position(served: Served) -> None:
    job_id = await served.submit_one()
    await served.enter(await served.claim(), {})
    assert await _position(served, job_id) is None


async def test_the_store_is_asked_at_most_every_half_second_and_never_about_claimed_jobs(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = _count_looks(served, monkeypatch)
    job_id = await served.submit_one()
    await served.enter(await served.claim(), {})
    before = len(looks)
    served.clock.advance(10)
    for _ in range(3):
        await served.client.get(f"{JOBS}/{job_id}")
    assert len(looks) == before
    waiting = await served.submit_one()
    for _ in range(3):
        await served.client.get(f"{JOBS}/{waiting}")
    assert len(looks) == before + 1
    served.clock.advance(0.5)
    await served.client.get(f"{JOBS}/{waiting}")
    assert len(looks) == before + 2


async def test_the_queue_is_read_anew_once_the_clock_of_a_namespace_is_moved() -> None:
    async with serve_all() as opened:
        client = opened.client
        await client.put("/_mock/clock", json={"mode": "frozen", "now": "2026-01-31T12:00:00Z"})
        await client.put("/_mock/progress", json={"mode": "manual"})
        ended = (await client.post(JOBS, json=template())).json()["jobId"]
        assert (await client.post(f"/_mock/jobs/{ended}/succeed", json={})).status_code == 200
        waiting, rates = "", []
        for by in ("1s", "1h"):
            assert (await client.post("/_mock/clock/advance", json={"by": by})).json()["status"] == "ready"
            waiting = waiting or (await client.post(JOBS, json=template())).json()["jobId"]
            status = (await client.get(f"{JOBS}/{waiting}")).json()
            rates.append(status["serviceProviders"]["local"]["queuePosition"]["throughputRate"])
        assert rates == [pytest.approx(1 / 300), 0]


def _count_looks(served: Served, monkeypatch: pytest.MonkeyPatch) -> list[None]:
    looks: list[None] = []
    queue = served.stores.queue
    snapshot = queue.snapshot

    async def counting(_: object, **asked: Any) -> Any:
        looks.append(None)
        return await snapshot(**asked)

    monkeypatch.setattr(type(queue), "snapshot", counting)
    return looks
