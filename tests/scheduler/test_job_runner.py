"""One job on its way through the stages."""

import json

import pytest

from civitai_mock.domain.errors import JobError, NotStartedError, TransientError
from civitai_mock.domain.job import Job
from civitai_mock.domain.stages import Outcome, Stage
from tests.scheduler.conftest import Bench, running
from tests.support.event_loop import settle, until, until_found
from tests.support.scripted_provider import Script


async def test_a_job_goes_through_every_stage(bench: Bench) -> None:
    async with running(bench.scheduler()):
        (job,) = await bench.submit()
        await until_found(lambda: bench.has_ended(job.id))
    events = await bench.stores.jobs.events(job.id)
    assert [(event.seq, event.stage, event.type) for event in events] == [
        (0, "QUEUED", "Initialized"),
        (1, "CLAIMED", "Claimed"),
        (2, "PROMPT_PREPARED", "Updated"),
        (3, "SENT_TO_COMFY", "Updated"),
        (4, "COMFY_RESULT", "Succeeded"),
    ]
    assert {event.worker_id for event in events[1:]} == {"local-1"}
    assert {event.trace_id for event in events} == {job.trace_id}


async def test_the_image_is_stored_in_its_slot(bench: Bench) -> None:
    async with running(bench.scheduler()):
        (job,) = await bench.submit()
        await until_found(lambda: bench.has_ended(job.id))
    (slot,) = (await bench.job(job.id)).slots
    assert slot.available
    assert await bench.read_blob(slot.blob_key) == b"image"


async def test_the_last_event_has_the_graph_and_the_answer(bench: Bench) -> None:
    async with running(bench.scheduler()):
        (job,) = await bench.submit()
        await until_found(lambda: bench.has_ended(job.id))
    context = (await bench.job(job.id)).last_event.context
    (submission,) = bench.provider.submissions
    assert json.loads(str(context["comfy_prompt_request"])) == submission.graph
    assert json.loads(str(context["comfy_prompt_response"]))["prompt_id"] == submission.prompt_id
    assert context["ecosystems"] == "sd1"
    assert context["load"] == 1


async def test_the_events_have_the_graph_that_runs_once_that_is_known(bench: Bench) -> None:
    bench.provider.runs = {"1": {"class_type": "Other", "inputs": {"name": "a file of the server's.safetensors"}}}
    async with running(bench.scheduler()):
        (job,) = await bench.submit()
        await until_found(lambda: bench.has_ended(job.id))
    graphs = {
        event.stage: json.loads(str(event.context["comfy_prompt_request"]))
        for event in await bench.stores.jobs.events(job.id)
        if "comfy_prompt_request" in event.context
    }
    (submission,) = bench.provider.submissions
    assert graphs == {
        Stage.PROMPT_PREPARED: submission.graph,
        Stage.SENT_TO_COMFY: bench.provider.runs,
        Stage.COMFY_RESULT: bench.provider.runs,
    }


async def test_the_prompt_id_is_stored_before_the_graph_is_sent(bench: Bench) -> None:
    stored: list[str | None] = []
    bench.provider.hold()
    async with running(bench.scheduler()):
        (job,) = await bench.submit()
        await until(lambda: bool(bench.provider.sent))
        stored += [(await bench.job(job.id)).prompt_id]
        bench.provider.go_on()
        await until_found(lambda: bench.has_ended(job.id))
    assert stored == bench.provider.sent


def _refuse(_: str) -> None:
    raise JobError("The graph was refused.", node_errors={"3": "bad"})


def _break(_: str) -> None:
    raise RuntimeError("a bug")


@pytest.mark.parametrize(("script", "error"), [(_refuse, "job_failed"), (_break, "internal_error")])
async def test_a_job_that_cannot_be_run_fails_with_the_reason(bench: Bench, script: Script, error: str) -> None:
    bench.provider.on_send = script
    async with running(bench.scheduler()):
        (job,) = await bench.submit()
        await until_found(lambda: bench.has_ended(job.id))
    failed = (await bench.job(job.id)).last_event
    assert failed.type == "Failed"
    assert failed.context["error"] == error
    assert {"message", "reason"} <= set(failed.context)


async def test_a_provider_that_is_away_for_a_moment_costs_one_retry(bench: Bench) -> None:
    away = [True]

    def once(_: str) -> None:
        if away.pop() if away else False:
            raise TransientError("ComfyUI does not answer.")

    bench.provider.on_send = once
    async with running(bench.scheduler()):
        (job,) = await bench.submit()
        await until(lambda: not away)
        bench.clock.advance(1)
        await until_found(lambda: bench.has_ended(job.id))
    job = await bench.job(job.id)
    assert (job.outcome, job.retry_attempt) == ("SUCCEEDED", 1)
    assert await bench.event_types(job.id) == [
        *("Initialized", "Claimed", "Updated", "ClaimExpired"),
        *("Claimed", "Updated", "Updated", "Succeeded"),
    ]


async def test_a_provider_that_stays_away_ends_the_job_after_the_last_retry(bench: Bench) -> None:
    def away(_: str) -> None:
        raise TransientError("ComfyUI does not answer.")

    bench.provider.on_send = away
    async with running(bench.scheduler()):
        (job,) = await bench.submit(retries=2)
        for pause in (1, 2, 4):
            await until_found(lambda: bench.is_in(job.id, Stage.PROMPT_PREPARED))
            await settle()
            bench.clock.advance(pause)
        await until_found(lambda: bench.has_ended(job.id))
    job = await bench.job(job.id)
    assert (job.outcome, job.retry_attempt) == ("FAILED", 2)


async def test_a_provider_without_anybody_to_begin_costs_no_retry_however_long_that_lasts(bench: Bench) -> None:
    def nobody(_: str) -> None:
        raise NotStartedError("No server is there.")

    bench.provider.on_send = nobody
    async with running(bench.scheduler()):
        (job,) = await bench.submit(retries=0)
        for round_ in range(1, 11):
            await until_found(lambda: bench.is_in(job.id, Stage.PROMPT_PREPARED))
            await settle()
            if round_ == 10:
                bench.provider.on_send = lambda _: None
            bench.clock.advance(1)
            await settle()
        await until_found(lambda: bench.has_ended(job.id))
    job = await bench.job(job.id)
    assert (job.outcome, job.retry_attempt) == ("SUCCEEDED", 0)
    assert (await bench.event_types(job.id)).count("LateRejected") == 10


async def test_a_bug_outside_the_stages_costs_one_retry(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    replace, broken = bench.stores.jobs.replace, [True]

    async def break_once(before: Job, after: Job) -> bool:
        if after.stage is Stage.PROMPT_PREPARED and broken and broken.pop():
            raise RuntimeError("a bug")
        return await replace(before, after)

    monkeypatch.setattr(bench.stores.jobs, "replace", break_once)
    async with running(bench.scheduler()):
        (job,) = await bench.submit()
        await until_found(lambda: bench.has_ended(job.id))
    job = await bench.job(job.id)
    assert (job.outcome, job.retry_attempt) == (Outcome.SUCCEEDED, 1)
