"""What the dashboard asks for: what goes on, what is set, blobs and statuses; and that looking changes nothing."""

from typing import Any

import httpx
import pytest
import structlog

from civitai_mock.domain.progress import SamplingProgress
from tests.support.served_app import IMAGE, JOBS, Opened, Served, serve, template

UNKNOWN = "00000000-0000-4000-8000-000000000000"


async def _get(client: httpx.AsyncClient, path: str, status: int = 200) -> Any:
    answer = await client.get(f"/_mock/{path}")
    assert answer.status_code == status, answer.text
    return answer.json()


async def _submit(opened: Opened, progress: str | None = None, **changes: Any) -> str:
    headers = {} if progress is None else {"x-mock-progress": progress}
    answer = await opened.client.post(JOBS, json=template(**changes), headers=headers)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["jobId"])


async def test_an_overview_of_nothing_is_empty(client: httpx.AsyncClient) -> None:
    nothing = {"waiting": [], "running": [], "ended": [], "counts": {"waiting": 0, "running": 0}, "perSecond": 0.0}
    assert await _get(client, "overview") == nothing


async def test_waiting_jobs_stand_in_the_order_of_their_claims_and_say_when_they_begin(served: Served) -> None:
    first = await served.submit_one()
    served.clock.advance(1)
    second = await served.submit_one()
    waiting = (await _get(served.client, "overview"))["waiting"]
    assert [(job["jobId"], job["position"], job["waitsFor"]) for job in waiting] == [
        (first, 1, "worker"),
        (second, 2, "worker"),
    ]
    assert waiting[0]["estimatedStartDate"] < waiting[1]["estimatedStartDate"]
    assert waiting[0]["prompt"] == "a fox"


@pytest.mark.parametrize(("progress", "waits_for"), [("manual", "order"), ("polls; each=1", "look")])
async def test_a_job_that_no_worker_takes_says_what_it_waits_for(served: Served, progress: str, waits_for: str) -> None:
    job_id = await _submit(served, progress)
    (job,) = (await _get(served.client, "overview"))["waiting"]
    assert (job["jobId"], job["waitsFor"], "position" in job) == (job_id, waits_for, False)


async def test_jobs_wait_for_orders_where_the_namespace_says_so(served: Served) -> None:
    await served.submit_one()
    await served.client.put("/_mock/progress", json={"mode": "manual"})
    (job,) = (await _get(served.client, "overview"))["waiting"]
    assert (job["waitsFor"], "position" in job) == ("order", False)


async def test_a_job_waits_for_claiming_that_is_paused(served: Served) -> None:
    await served.submit_one()
    await served.client.put("/_mock/queue/claiming", json={"paused": True})
    (job,) = (await _get(served.client, "overview"))["waiting"]
    assert (job["waitsFor"], job["position"], "estimatedStartDate" in job) == ("claiming", 1, False)


async def test_a_running_job_stands_among_those_that_run_whoever_moves_it(served: Served) -> None:
    ordered = await _submit(served, "manual")
    await served.client.post(f"/_mock/jobs/{ordered}/advance", json={})
    claimed_id = await served.submit_one()
    claimed = await served.claim()
    await served.enter(claimed, {})
    found = await _get(served.client, "overview")
    assert {job["jobId"] for job in found["running"]} == {ordered, claimed_id}
    assert (found["waiting"], found["counts"]) == ([], {"waiting": 0, "running": 2})


async def test_a_job_that_ended_is_there_for_a_minute(served: Served) -> None:
    job_id = await served.submit_one()
    await served.finish()
    assert [job["jobId"] for job in (await _get(served.client, "overview"))["ended"]] == [job_id]
    assert (await _get(served.client, "overview"))["perSecond"] == pytest.approx(1 / 300, abs=1e-4)
    served.clock.advance(61)
    assert (await _get(served.client, "overview"))["ended"] == []


async def test_more_jobs_than_are_shown_are_counted(served: Served) -> None:
    await served.client.post(JOBS, json={"jobs": [template() for _ in range(130)]})
    found = await _get(served.client, "overview")
    assert (len(found["waiting"]), found["counts"]["waiting"]) == (100, 130)


async def test_a_job_tells_its_results_and_a_blob_is_had_without_a_signature(served: Served) -> None:
    job_id = await served.submit_one()
    path = f"jobs/{job_id}"
    (before,) = (await _get(served.client, path))["results"]
    assert (before["available"], before["seed"]) == (False, 7)
    await served.finish()
    (result,) = (await _get(served.client, path))["results"]
    assert result == {**before, "available": True}
    answer = await served.client.get(f"/_mock/blobs/{result['blobKey']}")
    assert (answer.content, answer.headers["content-type"]) == (IMAGE, "image/png")
    assert answer.headers["x-content-type-options"] == "nosniff"
    again = await served.client.get(
        f"/_mock/blobs/{result['blobKey']}", headers={"if-none-match": answer.headers["etag"]}
    )
    assert again.status_code == 304
    await _get(served.client, "blobs/NOTHING", 404)


async def test_looking_at_a_blob_meets_no_fault_and_is_not_in_the_journal(served: Served) -> None:
    job_id = await served.submit_one()
    await served.finish()
    await served.client.post("/_mock/faults", json={"preset": "blob-expired"})
    (result,) = (await _get(served.client, f"jobs/{job_id}"))["results"]
    assert (await served.client.get(f"/_mock/blobs/{result['blobKey']}")).status_code == 200
    paths = [entry["path"] for entry in (await _get(served.client, "journal"))["items"]]
    assert paths == [JOBS]


async def test_a_status_is_that_of_version_1_and_no_look_at_the_job(served: Served) -> None:
    job_id = await _submit(served, "polls; each=1")
    looked = [await _get(served.client, f"jobs/{job_id}/status") for _ in range(3)]
    assert [status["lastEvent"]["type"] for status in looked] == ["Initialized"] * 3
    asked = (await served.client.get(f"{JOBS}/{job_id}?detailed=true")).json()
    assert asked["job"]["id"] == looked[0]["job"]["id"] == job_id
    assert asked.keys() == looked[0].keys()
    await _get(served.client, f"jobs/{UNKNOWN}/status", 404)


async def test_a_job_is_cancelled_whosever_it_is_and_once_it_has_ended_stays_as_it_is() -> None:
    async with serve(auth="any") as served:
        answer = await served.client.post(JOBS, json=template(), headers={"authorization": "Bearer alice"})
        path = f"/_mock/jobs/{answer.json()['jobId']}/cancel"
        for _ in range(2):
            cancelled = await served.client.post(path, json={})
            assert (cancelled.status_code, cancelled.json()["status"]) == (200, "Deleted")
        assert (await served.client.post(f"/_mock/jobs/{UNKNOWN}/cancel", json={})).status_code == 404
        assert (await served.client.post(path, json={"why": "so"})).status_code == 400


async def test_the_journal_is_read_for_one_job(served: Served) -> None:
    asked, other = await served.submit_one(), await served.submit_one()
    await served.client.get(f"{JOBS}/{asked}")
    await served.client.get(f"{JOBS}/{other}")
    entries = (await _get(served.client, f"journal?jobId={asked}"))["items"]
    assert [(entry["method"], asked in entry["jobIds"]) for entry in entries] == [("GET", True), ("POST", True)]
    assert (await _get(served.client, f"journal?jobId={UNKNOWN}"))["items"] == []


async def test_the_state_has_what_is_set_and_a_version_that_changes_with_it(client: httpx.AsyncClient) -> None:
    state = await _get(client, "state")
    assert state["namespace"] == "default"
    assert (state["namespaces"], state["faults"], state["clock"]["mode"]) == (["default"], [], "real")
    assert (await _get(client, "state"))["version"] == state["version"]
    versions = {state["version"]}
    for method, path, body in (
        ("PUT", "progress", {"mode": "manual"}),
        ("PUT", "clock", {"mode": "frozen", "now": "2026-01-31T12:00:00Z"}),
        ("POST", "faults", {"preset": "blob-late"}),
        ("POST", "faults?scope=server", {"preset": "html-error", "enabled": False}),
        ("PUT", "namespaces/other", {}),
    ):
        answer = await client.request(method, f"/_mock/{path}", json=body)
        assert answer.status_code in {200, 201}, answer.text
        versions.add((await _get(client, "state"))["version"])
    assert len(versions) == 6
    state = await _get(client, "state")
    assert state["clock"]["now"].startswith("2026-01-31T12:00:00")
    assert (state["progress"]["mode"], state["namespaces"]) == ("manual", ["default", "other"])
    assert [rule["preset"] for rule in state["faults"]] == ["blob-late"]


async def test_a_running_job_shows_its_steps(served: Served) -> None:
    job_id = await served.submit_one()
    await served.enter(await served.claim(), {})
    step = SamplingProgress(step=3, steps=20, fraction=0.15, node_id="KSampler")
    served.answer_with(running_progress=lambda jobs: {job.id: step for job in jobs})
    (job,) = (await _get(served.client, "overview"))["running"]
    assert (job["jobId"], job["step"], job["steps"]) == (job_id, 3, 20)


async def test_what_broke_in_the_page_is_logged(client: httpx.AsyncClient) -> None:
    with structlog.testing.capture_logs() as lines:
        told = {"message": "TypeError: x is null\n" + "x" * 9000, "kind": "error", "page": "/_mock/ui/queue"}
        answer = await client.post("/_mock/client-errors", json=told)
    assert answer.status_code == 204
    (line,) = [line for line in lines if line["event"] == "dashboard failed"]
    assert (line["log_level"], line["kind"], line["page"]) == ("warning", "error", "/_mock/ui/queue")
    assert (line["message"][:20], len(line["message"])) == ("TypeError: x is null", 4000)


@pytest.mark.parametrize("body", [{}, {"message": 1}, {"message": "x", "more": 1}, []])
async def test_what_is_no_report_is_refused(client: httpx.AsyncClient, body: Any) -> None:
    assert (await client.post("/_mock/client-errors", json=body)).status_code == 400
