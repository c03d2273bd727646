"""Progress modes over HTTP: by header, and as a namespace has them set, for v1 and v2."""

import asyncio
from collections import Counter
from typing import Any

import httpx
import pytest

from civitai_mock.domain.stages import Stage
from tests.support.event_loop import settle, until_found
from tests.support.served_app import JOBS, PATIENCE_SECONDS, Opened, Served, serve, serve_all, template
from tests.support.v2_workflows import WORKFLOWS, echo, image, reference
from tests.support.v2_workflows import template as workflow

POLLS = {"x-mock-progress": "polls"}
TYPES = ["Initialized", "Claimed", "Updated", "Updated", "Succeeded"]
STATUSES = ["unassigned", "preparing", "scheduled", "processing", "succeeded"]


def set_mode(opened: Opened, **mode: Any) -> None:
    """Set the mode of the default namespace, as a process does that obeys the control plane."""
    opened.namespace.controls.update({"progress": mode} if mode else {}, {})


async def submit(client: httpx.AsyncClient, *, progress: str | None = "polls", **changes: Any) -> Any:
    headers = {} if progress is None else {"x-mock-progress": progress}
    answer = await client.post(JOBS, json=template(**changes), headers=headers)
    assert answer.status_code == 202, answer.text
    return answer.json()


async def type_of(client: httpx.AsyncClient, job_id: str, query: str = "") -> str:
    answer = await client.get(f"{JOBS}/{job_id}?{query}")
    assert answer.status_code == 200, answer.text
    return str(answer.json()["lastEvent"]["type"])


def rank(event: Any) -> int:
    """Return how far a job is by its event on the wire, where two stages have the same type, and a wait for others."""
    if "dependencies" in event["context"]:
        return 0
    return TYPES.index(event["type"]) + ("comfy_prompt_response" in event["context"] and event["type"] == "Updated")


async def test_a_poll_loop_sees_every_stage_in_order(served: Served) -> None:
    job_id = (await submit(served.client))["jobId"]
    assert [await type_of(served.client, job_id) for _ in range(7)] == [*TYPES, "Succeeded", "Succeeded"]
    events = await served.stores.jobs.events(job_id)
    assert [(event.seq, str(event.type)) for event in events] == list(enumerate(TYPES))
    assert {event.worker_id for event in events[1:]} == {"requests"}


async def test_each_stage_is_shown_as_often_as_the_header_says(served: Served) -> None:
    job_id = (await submit(served.client, progress="polls; each=3"))["jobId"]
    seen = [await type_of(served.client, job_id, "detailed=true") for _ in range(13)]
    assert seen == [kind for kind in TYPES[:4] for _ in range(3)] + ["Succeeded"]


async def test_each_stage_is_shown_as_often_as_the_namespace_says(served: Served) -> None:
    set_mode(served, mode="polls", each=2)
    job_id = (await submit(served.client, progress=None))["jobId"]
    seen = [await type_of(served.client, job_id) for _ in range(9)]
    assert seen == [kind for kind in TYPES[:4] for _ in range(2)] + ["Succeeded"]


async def test_the_header_comes_before_the_namespace(served: Served) -> None:
    set_mode(served, mode="polls")
    job_id = (await submit(served.client, progress="manual"))["jobId"]
    assert {await type_of(served.client, job_id) for _ in range(3)} == {"Initialized"}


async def test_the_namespace_comes_before_the_server(served: Served) -> None:
    served.namespace.controls.update({"progress": {"mode": "manual"}}, {"progress": {"mode": "polls"}})
    job_id = (await submit(served.client, progress=None))["jobId"]
    assert {await type_of(served.client, job_id) for _ in range(2)} == {"Initialized"}
    served.namespace.controls.update({}, {"progress": {"mode": "polls"}})
    assert [await type_of(served.client, job_id) for _ in range(5)] == TYPES


async def test_other_requests_than_gets_of_a_status_move_nothing(served: Served) -> None:
    job = await submit(served.client)
    job_id, token = job["jobId"], job["token"]
    for _ in range(3):
        assert (await served.client.head(f"{JOBS}/{job_id}")).status_code == 200
        assert (await served.client.get("/v1/consumer/jobs/requests")).status_code < 500
        assert (await served.client.get(f"{JOBS}/{'0' * 8}-0000-4000-8000-{'0' * 12}")).status_code == 404
    assert await type_of(served.client, job_id) == "Initialized"
    assert (await served.client.get(JOBS, params={"token": token})).json()["jobs"][0]["lastEvent"]["type"] == "Claimed"


async def test_a_look_at_a_token_moves_each_of_its_jobs(served: Served) -> None:
    batch = {"jobs": [template(), template(), template()]}
    answer = await served.client.post(JOBS, json=batch, headers=POLLS)
    token = answer.json()["token"]
    seen = []
    for _ in range(5):
        found = (await served.client.get(JOBS, params={"token": token})).json()["jobs"]
        seen.append([job["lastEvent"]["type"] for job in found])
    assert seen == [[kind] * 3 for kind in TYPES]


async def test_an_answer_that_waits_comes_at_the_end_for_a_submission_and_a_token(served: Served) -> None:
    waited = await served.client.post(f"{JOBS}?wait=true", json=template(), headers=POLLS)
    assert (waited.status_code, waited.json()["jobs"][0]["lastEvent"]["type"]) == (200, "Succeeded")
    job = await submit(served.client)
    assert await type_of(served.client, job["jobId"]) == "Initialized"
    waited = await served.client.get(JOBS, params={"token": job["token"], "wait": "true"})
    assert (waited.status_code, waited.json()["jobs"][0]["lastEvent"]["type"]) == (200, "Succeeded")
    events = await served.stores.jobs.events(job["jobId"])
    assert [str(event.type) for event in events] == TYPES


@pytest.mark.parametrize("wait_for", ["submission", "token"])
async def test_jobs_that_depend_on_each_other_are_waited_for(wait_for: str) -> None:
    async with serve_all() as opened:
        jobs = {"jobs": [template(name="a"), template(name="b", dependencies=["a"]), template(dependencies=["b"])]}
        query = "?wait=true" if wait_for == "submission" else ""
        answer = await opened.client.post(JOBS + query, json=jobs, headers=POLLS)
        if wait_for == "token":
            assert answer.status_code == 202
            answer = await opened.client.get(JOBS, params={"token": answer.json()["token"], "wait": "true"})
        assert answer.status_code == 200
        assert [job["lastEvent"]["type"] for job in answer.json()["jobs"]] == ["Succeeded"] * 3


async def test_jobs_that_depend_on_each_other_are_polled_to_their_ends() -> None:
    async with serve_all() as opened:
        jobs = {"jobs": [template(name="a"), template(dependencies=["a"])]}
        token = (await opened.client.post(JOBS, json=jobs, headers=POLLS)).json()["token"]
        first, second = list[int](), list[int]()
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not second or second[-1] != 4:
                found = (await opened.client.get(JOBS, params={"token": token})).json()["jobs"]
                first.append(rank(found[0]["lastEvent"]))
                second.append(rank(found[1]["lastEvent"]))
        assert first[:5] == list(range(5))
        assert list(dict.fromkeys(second)) == list(range(5))
        assert second[:5] == [0] * 5, "it waits while the first one is under way"


@pytest.mark.parametrize("each", [1, 4])
async def test_twenty_pollers_see_all_stages_together_and_none_sees_one_go_backwards(served: Served, each: int) -> None:
    """Let each poller ask whenever the others let it, for many jobs at once."""
    jobs = [(await submit(served.client, progress=f"polls; each={each}"))["jobId"] for _ in range(10)]

    async def poll(job_id: str) -> list[int]:
        seen: list[int] = []
        while not seen or seen[-1] != 4:
            seen.append(rank((await served.client.get(f"{JOBS}/{job_id}")).json()["lastEvent"]))
        return seen

    polled = await asyncio.gather(*(poll(job_id) for job_id in jobs for _ in range(20)))
    for number, job_id in enumerate(jobs):
        seen = polled[20 * number : 20 * number + 20]
        assert all(ranks == sorted(ranks) for ranks in seen)
        shown = Counter(stage for ranks in seen for stage in ranks)
        assert all(shown[stage] >= each for stage in range(4))
        assert [str(event.type) for event in await served.stores.jobs.events(job_id)] == TYPES


async def test_a_wait_beside_pollers_ends_and_each_sees_the_end(served: Served) -> None:
    job = await submit(served.client, progress="polls; each=50")

    async def poll() -> int:
        while rank((await served.client.get(f"{JOBS}/{job['jobId']}")).json()["lastEvent"]) != 4:
            pass
        return 4

    waited = served.client.get(JOBS, params={"token": job["token"], "wait": "true"})
    answer, *seen = await asyncio.gather(waited, poll(), poll())
    assert answer.json()["jobs"][0]["lastEvent"]["type"] == "Succeeded"
    assert seen == [4, 4]


async def test_a_workflow_shows_every_status_in_order(served: Served) -> None:
    made = (await served.client.post(WORKFLOWS, json=workflow(image()), headers=POLLS)).json()
    seen = [(await served.client.get(f"{WORKFLOWS}/{made['id']}")).json()["status"] for _ in range(6)]
    assert seen == [*STATUSES, "succeeded"]


async def test_a_workflow_goes_on_with_its_next_step_without_a_scheduler(served: Served) -> None:
    second = {"$type": "imageUpscaler", "name": "up", "input": {"image": reference("first", "output.images[0].url")}}
    steps = workflow(image(name="first"), second)
    made = (await served.client.post(WORKFLOWS, json=steps, headers=POLLS)).json()
    seen = []
    for _ in range(9):
        found = (await served.client.get(f"{WORKFLOWS}/{made['id']}")).json()
        seen.append([step["status"] for step in found["steps"]])
    assert seen[:5] == [[status, "unassigned"] for status in STATUSES]
    assert seen[5:] == [["succeeded", status] for status in STATUSES[1:]]
    assert found["status"] == "succeeded"


async def test_a_look_at_one_step_moves_the_jobs_of_that_step_alone(served: Served) -> None:
    steps = workflow(image(name="a"), image(name="b"))
    made = (await served.client.post(WORKFLOWS, json=steps, headers=POLLS)).json()
    path = f"{WORKFLOWS}/{made['id']}"
    assert [(await served.client.get(f"{path}/steps/a")).json()["status"] for _ in range(5)] == STATUSES
    found = (await served.client.get(path)).json()
    assert [step["status"] for step in found["steps"]] == ["succeeded", "unassigned"]


async def test_a_workflow_that_is_waited_for_runs_to_its_end_step_by_step(served: Served) -> None:
    second = {"$type": "imageUpscaler", "name": "up", "input": {"image": reference("first", "output.images[0].url")}}
    steps = workflow(image(name="first"), second)
    answer = await served.client.post(f"{WORKFLOWS}?wait=60", json=steps, headers=POLLS)
    assert (answer.status_code, answer.json()["status"]) == (200, "succeeded")


async def test_jobs_move_by_looks_that_were_submitted_before_the_mode_was_set(served: Served) -> None:
    job_id = (await submit(served.client, progress=None))["jobId"]
    assert {await type_of(served.client, job_id) for _ in range(2)} == {"Initialized"}
    set_mode(served, mode="polls")
    assert [await type_of(served.client, job_id) for _ in range(5)] == TYPES


async def test_jobs_that_are_half_way_are_run_on_when_the_mode_ends() -> None:
    async with serve_all() as opened:
        set_mode(opened, mode="polls")
        jobs = [(await submit(opened.client, progress=None))["jobId"] for _ in range(4)]
        for looks, job_id in enumerate(jobs):
            for _ in range(looks):
                await type_of(opened.client, job_id)
        set_mode(opened)
        for job_id in jobs:
            await opened.wait_until_ended(job_id)
            assert [str(event.type) for event in await opened.stores.jobs.events(job_id)] == TYPES


async def test_a_job_that_a_scheduler_runs_is_not_moved_by_looks() -> None:
    async with serve_all(simulation_profile="realistic") as opened:
        job_id = (await submit(opened.client, progress="time; SENT_TO_COMFY=1h"))["jobId"]
        await until_found(lambda: _is_sent(opened, job_id))
        set_mode(opened, mode="polls")
        seen = {rank((await opened.client.get(f"{JOBS}/{job_id}")).json()["lastEvent"]) for _ in range(5)}
        assert seen == {3}


async def test_a_scheduler_takes_no_job_that_looks_or_orders_move() -> None:
    async with serve_all() as opened:
        polled, ordered = [(await submit(opened.client, progress=mode))["jobId"] for mode in ("polls", "manual")]
        await opened.run(template())
        assert [await type_of(opened.client, job_id) for job_id in (polled, ordered)] == ["Initialized"] * 2
        set_mode(opened, mode="manual")
        waiting = (await submit(opened.client, progress=None))["jobId"]
        await opened.run(template(), headers={"x-mock-progress": "instant"})
        assert await type_of(opened.client, waiting) == "Initialized"


async def test_a_polled_job_can_be_canceled_half_way(served: Served) -> None:
    job_id = (await submit(served.client))["jobId"]
    assert [await type_of(served.client, job_id) for _ in range(2)] == TYPES[:2]
    assert (await served.client.delete(f"{JOBS}/{job_id}")).status_code == 200
    assert {await type_of(served.client, job_id) for _ in range(2)} == {"Deleted"}


async def test_a_polled_job_times_out_when_its_steps_take_too_long(served: Served) -> None:
    job_id = (await submit(served.client, timeout="00:00:30"))["jobId"]
    assert [await type_of(served.client, job_id) for _ in range(2)] == TYPES[:2]
    served.clock.advance(29)
    await settle()
    assert await type_of(served.client, job_id) == "Updated"
    served.clock.advance(1)
    await until_found(lambda: _is(served, job_id, "ClaimExpired"))
    event = (await served.client.get(f"{JOBS}/{job_id}")).json()["lastEvent"]
    assert event["context"]["reason"] == "timeout: the claim took longer than 00:00:30"
    assert [await type_of(served.client, job_id) for _ in range(4)] == TYPES[1:]
    assert (await served.use_cases.query.by_id(job_id)).retry_attempt == 1


async def _is_sent(opened: Opened, job_id: str) -> bool:
    return (await opened.use_cases.query.by_id(job_id)).stage is Stage.SENT_TO_COMFY


async def _is(served: Served, job_id: str, event_type: str) -> bool:
    return (await served.use_cases.query.by_id(job_id)).last_event.type == event_type


async def test_nothing_takes_time_in_mode_instant(served: Served) -> None:
    async with serve_all(simulation_profile="realistic") as opened:
        done = await opened.run(template(), headers={"x-mock-progress": "instant"})
        context = done["lastEvent"]["context"]
        assert context["middleware_duration_ComfyUI_ms"] == 0
        assert context["comfy_load_ms"] == 0


async def test_a_stage_lasts_as_the_header_says(served: Served) -> None:
    async with serve_all(simulation_profile="realistic") as opened:
        done = await opened.run(template(), headers={"x-mock-progress": "time; SENT_TO_COMFY=50ms; CLAIMED=20ms"})
        assert done["lastEvent"]["context"]["middleware_duration_ComfyUI_ms"] == 50
        at = {str(event.stage): event.at for event in await opened.stores.jobs.events(done["jobId"])}
        assert (at["PROMPT_PREPARED"] - at["CLAIMED"]).total_seconds() >= 0.02
        assert (at["COMFY_RESULT"] - at["SENT_TO_COMFY"]).total_seconds() >= 0.05


@pytest.mark.parametrize("path", [JOBS, WORKFLOWS])
@pytest.mark.parametrize(
    ("value", "hint"),
    [
        ("pols", "Did you mean 'polls'?"),
        ("polls; eech=2", "Did you mean 'each'?"),
        ("polls; each=0", "each must be a whole number from 1 to 1000; found 0."),
        ("", "Unknown mode ''"),
    ],
)
async def test_a_wrong_header_is_a_400(served: Served, path: str, value: str, hint: str) -> None:
    body = template() if path == JOBS else workflow(echo())
    answer = await served.client.post(path, json=body, headers={"x-mock-progress": value})
    assert answer.status_code == 400
    assert hint in answer.json()["errors"]["X-Mock-Progress"][0]
    assert await served.queued() == 0


async def test_the_header_is_unknown_where_there_is_no_control_plane() -> None:
    async with serve(admin="off") as served:
        answer = await served.client.post(JOBS, json=template(), headers={"x-mock-progress": "pols"})
        assert answer.status_code == 202
        assert await served.queued() == 1


async def test_the_header_counts_only_from_who_may_control() -> None:
    async with serve(admin="open", admin_token="s3cret") as served:
        assert (await served.client.post(JOBS, json=template(), headers=POLLS)).status_code == 401
        answer = await served.client.post(JOBS, json=template(), headers=POLLS | {"x-mock-token": "s3cret"})
        assert answer.status_code == 202


async def test_real_servers_take_their_time() -> None:
    async with serve(comfy_http_url="http://127.0.0.1:9") as served:
        answer = await served.client.post(JOBS, json=template(), headers=POLLS)
        assert answer.status_code == 409
        assert "COMFY_HTTP_URL" in answer.json()["detail"]


async def test_what_a_job_reads_is_read_once_however_often_it_is_looked_at() -> None:
    """Let a step work on an image of this server, which the store has to hand out."""
    async with serve_all() as opened:
        done = await opened.run(template(), headers={"x-mock-progress": "instant"})
        reads, read = [], opened.stores.blobs.read
        source = {"image": done["result"][0]["blobUrl"], "output": {"format": "png"}}
        body = workflow({"$type": "convertImage", "input": source})
        made = (await opened.client.post(WORKFLOWS, json=body, headers={"x-mock-progress": "polls; each=2"})).json()

        def count_reads(key: str, **part: Any) -> Any:
            reads.append(key)
            return read(key, **part)

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(opened.stores.blobs, "read", count_reads)
            seen = [(await opened.client.get(f"{WORKFLOWS}/{made['id']}")).json()["status"] for _ in range(9)]
        assert seen == [status for status in STATUSES[:4] for _ in range(2)] + ["succeeded"]
        assert len(reads) == 1
