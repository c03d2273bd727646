"""What a job shows of its callbacks: each event, how far it is, and what was tried."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from civitai_mock.domain.callbacks import CallbackAttempt
from civitai_mock.domain.dotnet import format_date
from tests.support.event_loop import until_found
from tests.support.served_app import CHECKPOINT, JOBS, Opened, Served, serve, serve_all, template

NOBODY = "http://127.0.0.1:9/hook?key=secret"
SHOWN = "http://127.0.0.1:9/hook?***"
WORKFLOW = {
    "steps": [{"$type": "textToImage", "input": {"prompt": "a fox", "model": CHECKPOINT}}],
    "callbacks": [{"url": NOBODY, "type": ["workflow:succeeded", "step:succeeded"]}],
}


async def _callbacks(opened: Opened, job_id: str) -> list[dict[str, Any]]:
    answer = await opened.client.get(f"/_mock/jobs/{job_id}")
    assert answer.status_code == 200, answer.text
    callbacks: list[dict[str, Any]] = answer.json()["callbacks"]
    return callbacks


async def test_a_job_without_a_receiver_has_no_callbacks(served: Served) -> None:
    assert await _callbacks(served, await served.submit_one()) == []


async def test_each_event_says_how_far_it_is(served: Served) -> None:
    job_id = await served.submit_one(callbackUrl=NOBODY)
    (first,) = await _callbacks(served, job_id)
    about = {"url": SHOWN, "scope": "job", "subject": job_id}
    due_at = first.pop("dueAt")
    assert first == about | {"seq": 0, "status": "Initialized", "delivery": "due", "attempts": []}
    assert due_at == format_date(served.clock.now())

    now, outbox = served.clock.now(), served.stores.webhooks
    failed = CallbackAttempt(seq=0, at=now, status=503, error="the answer was 503")
    await outbox.mark_failed(job_id, retry_at=now + timedelta(seconds=9), attempt=failed)
    await served.finish()
    first, second = await _callbacks(served, job_id)
    tried = {"at": format_date(now), "status": 503, "error": "the answer was 503"}
    assert (first["delivery"], first["attempts"]) == ("due", [tried])
    assert first["dueAt"] == format_date(now + timedelta(seconds=9))
    assert (second["status"], second["delivery"], second["attempts"]) == ("Succeeded", "waiting", [])
    assert "dueAt" not in second

    await outbox.mark_delivered(job_id, seq=0, attempt=CallbackAttempt(seq=0, at=now, status=204))
    first, second = await _callbacks(served, job_id)
    assert (first["delivery"], first["attempts"]) == ("delivered", [tried, {"at": format_date(now), "status": 204}])
    assert (second["delivery"], "dueAt" in second) == ("due", True)


async def test_events_that_were_given_up_together_say_so(served: Served) -> None:
    job_id = await served.submit_one(callbackUrl=NOBODY)
    await served.finish()
    tried = CallbackAttempt(seq=0, at=served.clock.now(), error="refused")
    await served.stores.webhooks.mark_failed(job_id, retry_at=None, attempt=tried)
    assert [callback["delivery"] for callback in await _callbacks(served, job_id)] == ["givenUp", "givenUp"]


async def test_what_became_of_callbacks_whose_attempts_are_not_kept_is_unknown(served: Served) -> None:
    job_id = await served.submit_one(callbackUrl=NOBODY)
    await served.stores.webhooks.mark_delivered(job_id, seq=0)
    assert [callback["delivery"] for callback in await _callbacks(served, job_id)] == ["unknown"]


async def test_what_the_dispatcher_tried_is_seen() -> None:
    async with serve_all(callback_max_attempts=1) as opened:
        answer = await opened.client.post(JOBS, json=template(callbackUrl=NOBODY))
        job_id = answer.json()["jobId"]

        async def is_given_up() -> bool:
            deliveries = [callback["delivery"] for callback in await _callbacks(opened, job_id)]
            return "givenUp" in deliveries

        await until_found(is_given_up)
        (attempt,) = (await _callbacks(opened, job_id))[0]["attempts"]
        assert "status" not in attempt
        assert attempt["error"]


async def test_the_callbacks_of_a_workflow_are_seen_with_each_of_its_jobs() -> None:
    async with serve_all(callback_max_attempts=1) as opened:
        answer = await opened.client.post("/v2/consumer/workflows?wait=60", json=WORKFLOW)
        workflow = answer.json()
        assert workflow["status"] == "succeeded", answer.text
        (item,) = (await opened.client.get("/_mock/jobs")).json()["items"]

        async def are_given_up() -> bool:
            deliveries = [callback["delivery"] for callback in await _callbacks(opened, item["jobId"])]
            return deliveries == ["givenUp", "givenUp"]

        await until_found(are_given_up)
        callbacks = await _callbacks(opened, item["jobId"])
        assert [(callback["scope"], callback["status"], callback["url"]) for callback in callbacks] == [
            ("step", "succeeded", SHOWN),
            ("workflow", "succeeded", SHOWN),
        ]
        assert all(callback["attempts"] for callback in callbacks)


async def test_what_was_tried_is_still_known_after_a_restart(tmp_path: Path) -> None:
    async with serve(mongodb_uri=None, data_dir=tmp_path) as served:
        job_id, now = await served.submit_one(callbackUrl=NOBODY), served.clock.now()
        tried = CallbackAttempt(seq=0, at=now, status=503, error="busy")
        await served.stores.webhooks.mark_failed(job_id, retry_at=now, attempt=tried)
        before = await _callbacks(served, job_id)
    assert len(before[0]["attempts"]) == 1
    async with serve(mongodb_uri=None, data_dir=tmp_path) as served:
        assert await _callbacks(served, job_id) == before
