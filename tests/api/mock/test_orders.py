"""Orders to jobs: advance, succeed, fail, reject and lose, whoever moves them otherwise."""

import asyncio
import io
from typing import Any

import httpx
import pytest
from PIL import Image

from civitai_mock.domain.stages import Stage
from tests.support.event_loop import settle, until_found
from tests.support.served_app import JOBS, Opened, Served, serve, serve_all, template
from tests.support.v2_workflows import WORKFLOWS, image
from tests.support.v2_workflows import template as workflow

MANUAL = {"x-mock-progress": "manual"}
STAGES = ["CLAIMED", "PROMPT_PREPARED", "SENT_TO_COMFY", "COMFY_RESULT"]
UNKNOWN = "00000000-0000-4000-8000-000000000000"


async def submit(opened: Opened, *, progress: str = "manual", **changes: Any) -> str:
    answer = await opened.client.post(JOBS, json=template(**changes), headers={"x-mock-progress": progress})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["jobId"])


async def order(opened: Opened, job_id: str, word: str, *, status: int = 200, **body: Any) -> Any:
    answer = await opened.client.post(f"/_mock/jobs/{job_id}/{word}", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


async def event_of(opened: Opened, job_id: str) -> Any:
    return (await opened.client.get(f"{JOBS}/{job_id}")).json()["lastEvent"]


async def test_a_job_is_advanced_stage_by_stage_and_then_no_further(served: Served) -> None:
    job_id = await submit(served)
    assert (await event_of(served, job_id))["type"] == "Initialized"
    moved = [await order(served, job_id, "advance") for _ in STAGES]
    assert [job["stage"] for job in moved] == STAGES
    assert {job["jobId"] for job in moved} == {job_id}
    assert (await event_of(served, job_id))["type"] == "Succeeded"
    refused = await order(served, job_id, "advance", status=409)
    assert refused["detail"] == f"The job '{job_id}' has ended already: Succeeded."


async def test_an_order_needs_no_body(served: Served) -> None:
    job_id = await submit(served)
    answer = await served.client.post(
        f"/_mock/jobs/{job_id}/advance", headers={"content-type": "application/json"}, content=b""
    )
    assert (answer.status_code, answer.json()["stage"]) == (200, "CLAIMED")


@pytest.mark.parametrize("steps", range(4))
async def test_a_job_succeeds_from_any_stage_with_what_is_laid_over_its_result(served: Served, steps: int) -> None:
    job_id = await submit(served, quantity=3)
    for _ in range(steps):
        await order(served, job_id, "advance")
    done = await order(served, job_id, "succeed", result=[{"available": False}, {"seed": 4711}])
    assert (done["stage"], done["outcome"]) == ("COMFY_RESULT", "SUCCEEDED")
    first, second, third = (await served.client.get(f"{JOBS}/{job_id}")).json()["result"]
    assert (first["available"], "blobUrl" in first) == (False, False)
    assert (second["available"], second["seed"]) == (True, 4711)
    assert (third["available"], third["seed"]) == (True, 7)
    events = await served.stores.jobs.events(job_id)
    assert [str(event.stage) for event in events] == ["QUEUED", *STAGES]


async def test_more_changes_than_results_are_a_400_and_nothing_happens(served: Served) -> None:
    job_id = await submit(served)
    refused = await order(served, job_id, "succeed", status=400, result=[{}, {"available": False}])
    assert refused["errors"] == {"result[1]": ["The job has 1 results; found 2."]}
    assert (await event_of(served, job_id))["type"] == "Initialized"


async def test_a_job_fails_with_the_words_of_a_node(served: Served) -> None:
    job_id = await submit(served)
    await order(served, job_id, "advance")
    body: Any = {"error": "AttributeError", "message": "no patcher", "nodeId": "12", "classType": "FluxNode"}
    failed = await order(served, job_id, "fail", **body)
    assert (failed["status"], failed["outcome"]) == ("Failed", "FAILED")
    event = await event_of(served, job_id)
    expected = {"error": "AttributeError", "message": "no patcher", "node_id": "12", "class_type": "FluxNode"}
    assert event["context"] == expected | {"reason": "no patcher"}
    assert (event["jobHasCompleted"], event["workerId"]) == (True, "requests")


async def test_a_job_fails_without_any_words_and_before_anybody_has_it(served: Served) -> None:
    job_id = await submit(served)
    await order(served, job_id, "fail")
    event = await event_of(served, job_id)
    assert event["context"]["message"] == event["context"]["reason"] == "The job was made to fail."
    assert "workerId" not in event


@pytest.mark.parametrize("steps", range(4))
async def test_a_refused_job_waits_again_and_has_used_up_no_retry(served: Served, steps: int) -> None:
    job_id = await submit(served)
    for _ in range(steps):
        await order(served, job_id, "advance")
    refused = await order(served, job_id, "reject", reason="No thanks.")
    assert (refused["status"], refused["stage"], refused["retryAttempt"]) == ("Rejected", "QUEUED", 0)
    event = await event_of(served, job_id)
    assert (event["context"], event["claimHasCompleted"]) == ({"reason": "No thanks."}, True)
    assert [(await order(served, job_id, "advance"))["stage"] for _ in STAGES] == STAGES


async def test_a_lost_job_is_gone_and_its_token_has_the_others(served: Served) -> None:
    answer = await served.client.post(JOBS, json={"jobs": [template(), template()]}, headers=MANUAL)
    token, (lost, kept) = answer.json()["token"], [job["jobId"] for job in answer.json()["jobs"]]
    await order(served, lost, "advance")
    assert (await order(served, lost, "lose"))["jobId"] == lost
    assert (await served.client.get(f"{JOBS}/{lost}")).status_code == 404
    assert (await served.client.get(f"{JOBS}/{lost}?detailed=true")).status_code == 404
    assert (await served.client.get(f"/_mock/jobs/{lost}")).status_code == 404
    by_token = await served.client.get(JOBS, params={"token": token})
    assert [job["jobId"] for job in by_token.json()["jobs"]] == [kept]
    assert (await order(served, lost, "advance", status=404))["detail"] == f"The job '{lost}' does not exist."


async def test_a_finished_job_can_be_lost_though_its_answer_was_kept(served: Served) -> None:
    job_id = await submit(served)
    await order(served, job_id, "succeed")
    for _ in range(4):
        assert (await served.client.get(f"{JOBS}/{job_id}")).status_code == 200
    await order(served, job_id, "lose")
    assert (await served.client.get(f"{JOBS}/{job_id}")).status_code == 404


async def test_a_workflow_is_lost_with_its_job_and_its_external_id_is_free(served: Served) -> None:
    body = workflow(image(), externalId="order-1")
    made = (await served.client.post(WORKFLOWS, json=body, headers=MANUAL)).json()
    (job,) = made["steps"][0]["jobs"]
    await order(served, job["id"], "lose")
    assert (await served.client.get(f"{WORKFLOWS}/{made['id']}")).status_code == 404
    assert (await served.client.get(f"{JOBS}/{job['id']}")).status_code == 404
    again = (await served.client.post(WORKFLOWS, json=body, headers=MANUAL)).json()
    assert again["id"] != made["id"]


async def test_orders_move_the_workflow_of_a_job(served: Served) -> None:
    made = (await served.client.post(WORKFLOWS, json=workflow(image()), headers=MANUAL)).json()
    (job,) = made["steps"][0]["jobs"]
    seen = []
    for _ in STAGES:
        await order(served, job["id"], "advance")
        seen.append((await served.client.get(f"{WORKFLOWS}/{made['id']}")).json()["status"])
    assert seen == ["preparing", "scheduled", "processing", "succeeded"]


async def test_a_job_that_waits_for_others_can_only_fail(served: Served) -> None:
    jobs = {"jobs": [template(name="a"), template(dependencies=["a"])]}
    answer = await served.client.post(JOBS, json=jobs, headers=MANUAL)
    first, second = (job["jobId"] for job in answer.json()["jobs"])
    for word in ("advance", "succeed", "reject"):
        assert first in (await order(served, second, word, status=409))["detail"]
    assert (await order(served, second, "fail"))["outcome"] == "FAILED"


@pytest.mark.parametrize("word", ["advance", "succeed", "fail", "reject"])
async def test_a_job_that_has_ended_obeys_no_order(served: Served, word: str) -> None:
    job_id = await submit(served)
    assert (await served.client.delete(f"{JOBS}/{job_id}")).status_code == 200
    await order(served, job_id, word, status=409)


@pytest.mark.parametrize("word", ["advance", "succeed", "fail", "reject", "lose"])
async def test_an_unknown_job_is_a_404(served: Served, word: str) -> None:
    await order(served, UNKNOWN, word, status=404)


@pytest.mark.parametrize(
    ("word", "body", "path", "hint"),
    [
        ("advance", {"stage": "x"}, "stage", "No member is known here."),
        ("lose", {"why": 1}, "why", "No member is known here."),
        ("succeed", {"results": []}, "results", "Did you mean 'result'?"),
        ("succeed", {"result": {}}, "result", "a list of at most"),
        ("succeed", {"result": [{"availible": True}]}, "result[0].availible", "Did you mean 'available'?"),
        ("succeed", {"result": [{"available": 1}]}, "result[0].available", "Expected true or false; found 1."),
        ("succeed", {"result": [{"seed": -1}]}, "result[0].seed", "a whole number from 0 to 4294967295"),
        ("fail", {"mesage": "x"}, "mesage", "Did you mean 'message'?"),
        ("fail", {"node_id": "x"}, "node_id", "Did you mean 'nodeId'?"),
        ("fail", {"error": 5}, "error", "a text of 1 to"),
        ("reject", {"reasons": "x"}, "reasons", "Did you mean 'reason'?"),
    ],
)
async def test_what_an_order_does_not_know_is_a_400_and_nothing_happens(
    served: Served, word: str, body: Any, path: str, hint: str
) -> None:
    job_id = await submit(served)
    refused = await order(served, job_id, word, status=400, **body)
    assert list(refused["errors"]) == [path]
    assert hint in refused["errors"][path][0]
    assert (await event_of(served, job_id))["type"] == "Initialized"


async def test_orders_reach_a_job_that_a_scheduler_runs() -> None:
    async with serve_all(simulation_profile="realistic") as opened:
        jobs = [await submit(opened, progress="time; SENT_TO_COMFY=1h") for _ in range(4)]
        await until_found(lambda: _are_sent(opened, *jobs))
        failed, done, lost, refused = jobs
        await order(opened, failed, "fail", message="as ordered")
        await order(opened, done, "succeed")
        await order(opened, lost, "lose")
        await order(opened, refused, "reject")
        assert (await event_of(opened, failed))["type"] == "Failed"
        assert (await event_of(opened, done))["type"] == "Succeeded"
        await until_found(lambda: _are_sent(opened, refused))
        types = [str(event.type) for event in await opened.stores.jobs.events(refused)]
        assert types == ["Initialized", "Claimed", "Updated", "Updated", "Rejected", "Claimed", "Updated", "Updated"]


async def _are_sent(opened: Opened, *jobs: str) -> bool:
    return all([(await opened.use_cases.query.by_id(job_id)).stage is Stage.SENT_TO_COMFY for job_id in jobs])


async def test_of_many_orders_at_once_each_moves_the_job_one_stage(served: Served) -> None:
    job_id = await submit(served)
    answers = await asyncio.gather(*(served.client.post(f"/_mock/jobs/{job_id}/advance", json={}) for _ in range(12)))
    assert sorted(answer.status_code for answer in answers) == [200] * 4 + [409] * 8
    assert sorted(answer.json()["stage"] for answer in answers if answer.status_code == 200) == sorted(STAGES)


async def test_of_orders_and_cancels_that_race_exactly_one_ends_each_job(served: Served) -> None:
    jobs = [await submit(served) for _ in range(30)]
    for job_id in jobs:
        await order(served, job_id, "advance")
        words = ("succeed", "fail", "succeed", "fail")
        requests = [served.client.post(f"/_mock/jobs/{job_id}/{word}", json={}) for word in words]
        *ordered, canceled = await asyncio.gather(*requests, served.client.delete(f"{JOBS}/{job_id}"))
        assert canceled.status_code == 200
        events = await served.stores.jobs.events(job_id)
        assert [event.seq for event in events] == list(range(len(events)))
        assert sum(event.job_has_completed for event in events) == 1
        ended = {"SUCCEEDED": "Succeeded", "FAILED": "Failed"}
        told = [ended[answer.json()["outcome"]] for answer in ordered if answer.status_code == 200]
        assert told in ([], [str(events[-1].type)])


async def test_an_order_with_real_servers_is_a_409_that_says_why() -> None:
    async with serve(comfy_http_url="http://127.0.0.1:9") as served:
        job_id = await served.submit_one()
        assert "COMFY_HTTP_URL" in (await order(served, job_id, "advance", status=409))["detail"]


async def set_priority(opened: Opened, job_id: str, *, status: int = 200, **body: Any) -> Any:
    answer = await opened.client.put(f"/_mock/jobs/{job_id}/priority", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_a_job_is_claimed_sooner_with_a_higher_priority(served: Served) -> None:
    first, second = [await served.submit_one() for _ in range(2)]
    assert (await set_priority(served, second, priority=10))["priority"] == 10
    queue = (await served.client.get("/_mock/queue")).json()["items"]
    assert [(job["jobId"], job["priority"]) for job in queue] == [(second, 10), (first, 0)]
    assert (await served.claim()).id == second


async def test_a_priority_is_a_whole_number_of_a_job_that_has_not_ended(served: Served) -> None:
    job_id = await served.submit_one()
    assert list((await set_priority(served, job_id, status=400))["errors"]) == ["priority"]
    assert list((await set_priority(served, job_id, status=400, priority=2**31))["errors"]) == ["priority"]
    await set_priority(served, UNKNOWN, status=404, priority=1)
    await served.finish()
    await set_priority(served, job_id, status=409, priority=1)


async def test_a_job_is_submitted_again_as_it_was(served: Served) -> None:
    first = await served.submit_one(quantity=2, properties={"a": 1})
    await served.client.delete(f"{JOBS}/{first}")
    made = await order(served, first, "resubmit", status=201)
    assert list(made) == ["jobId"]
    statuses = [(await served.client.get(f"{JOBS}/{job_id}?detailed=true")).json() for job_id in (first, made["jobId"])]
    assert [status["lastEvent"]["type"] for status in statuses] == ["Deleted", "Initialized"]
    before, after = [status["job"] | {"slots": None} for status in statuses]
    named = {"id", "expireAt", "createdAt"}
    assert {name for name in before if before[name] != after[name]} <= named
    assert [result["seed"] for result in statuses[1]["result"]] == [7, 7]
    await served.finish()
    assert [result["available"] for result in (await served.client.get(f"{JOBS}/{made['jobId']}")).json()["result"]]


async def test_what_is_submitted_again_has_the_same_image() -> None:
    async with serve_all() as opened:
        first = await opened.run(template())
        made = await order(opened, first["jobId"], "resubmit", status=201)
        await opened.wait_until_ended(made["jobId"])
        second = (await opened.client.get(f"{JOBS}/{made['jobId']}")).json()
        urls = [job["result"][0]["blobUrl"] for job in (first, second)]
        assert urls[0] != urls[1]
        images = [Image.open(io.BytesIO((await opened.client.get(url)).content)) for url in urls]
        assert images[0].tobytes() == images[1].tobytes()


async def test_a_job_of_a_workflow_is_submitted_again_with_all_of_it() -> None:
    async with serve_all(missing_resources="lenient") as opened:
        sent = workflow(image(seed=3, width=64, height=64), tags=["mine"], externalId="once")
        first = (await opened.client.post(f"{WORKFLOWS}?wait=30", json=sent)).json()
        made = await order(opened, first["steps"][0]["jobs"][0]["id"], "resubmit", status=201)
        second = (await opened.client.get(f"{WORKFLOWS}/{made['workflowId']}?wait=30")).json()
        assert (second["status"], second["tags"], second["id"] != first["id"]) == ("succeeded", ["mine"], True)
        assert second["steps"][0]["input"] == first["steps"][0]["input"]
        assert second["steps"][0]["jobs"][0]["id"] == made["jobId"]


async def claiming(opened: Opened, **body: Any) -> httpx.Response:
    return await opened.client.put("/_mock/queue/claiming", json=body)


async def test_jobs_wait_while_claiming_is_paused() -> None:
    async with serve_all() as opened:
        assert (await claiming(opened, paused=True)).json() == {"paused": True}
        job_id = await submit(opened, progress="instant")
        await settle()
        assert (await event_of(opened, job_id))["type"] == "Initialized"
        assert (await opened.client.get("/_mock/queue/claiming")).json() == {"paused": True}
        assert (await claiming(opened, paused=False)).json() == {"paused": False}
        await opened.wait_until_ended(job_id)


async def test_a_reset_lets_claiming_go_on() -> None:
    async with serve_all() as opened:
        await claiming(opened, paused=True)
        await opened.client.post("/_mock/reset", json={})
        assert (await opened.client.get("/_mock/queue/claiming")).json() == {"paused": False}
        await opened.wait_until_ended(await submit(opened, progress="instant"))


@pytest.mark.parametrize("body", [{}, {"paused": "yes"}, {"pause": True}])
async def test_pausing_takes_true_or_false(served: Served, body: Any) -> None:
    assert (await claiming(served, **body)).status_code == 400
