"""One job on its way through the stages."""

import json
from collections.abc import Sequence
from typing import Any

import orjson
import pytest
from structlog.testing import capture_logs

from civitai_mock.domain.errors import JobError, NotStartedError, TransientError
from civitai_mock.domain.events import JobEvent
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


async def test_a_job_that_succeeds_has_one_line_in_the_log_with_the_times_of_its_stages(bench: Bench) -> None:
    bench.provider.hold()
    with capture_logs() as lines:
        async with running(bench.scheduler()):
            (job,) = await bench.submit()
            await until_found(lambda: bench.is_sent(job.id))
            await bench.pass_time(1.5)
            bench.provider.go_on()
            await until_found(lambda: bench.has_ended(job.id))
    (done,) = [line for line in lines if line["log_level"] == "info"]
    assert (done["event"], done["duration_ms"]) == ("job done", 1500.0)
    stages = {"CLAIMED": 0.0, "PROMPT_PREPARED": 0.0, "SENT_TO_COMFY": 0.0, "COMFY_RESULT": 1500.0}
    assert orjson.loads(orjson.dumps(done["stages_ms"])) == stages
    debugged = {line["stage"]: line["duration_ms"] for line in lines if line["event"] == "stage done"}
    assert debugged == stages


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


class Writes:
    """Records how many events each write of a job has, and the prompt ids in it."""

    def __init__(self, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        self.events: list[int] = []
        self.prompts_sent: list[int] = []
        self._replace = bench.stores.jobs.replace
        self._provider = bench.provider
        monkeypatch.setattr(bench.stores.jobs, "replace", self._record)

    async def _record(self, before: Job, after: Job, *, between: Sequence[JobEvent] = (), **others: Any) -> bool:
        self.events.append(len(between) + 1)
        self.prompts_sent.append(len(self._provider.sent))
        return await self._replace(before, after, between=between, **others)


@pytest.mark.parametrize(
    ("keeps_prompts", "is_done", "events", "prompts_sent"),
    [
        (False, True, [4], [1]),  # the simulator, at once: one write
        (False, False, [3, 1], [1, 1]),  # the simulator, in real time: what is known is stored before it waits
        (True, False, [2, 1, 1], [0, 1, 1]),  # ComfyUI: the prompt id is stored before the prompt is sent
        (True, True, [2, 2], [0, 1]),
    ],
)
async def test_stages_that_take_no_time_are_stored_in_one_write(
    bench: Bench,
    monkeypatch: pytest.MonkeyPatch,
    *,
    keeps_prompts: bool,
    is_done: bool,
    events: list[int],
    prompts_sent: list[int],
) -> None:
    bench.provider.keeps_prompts, bench.provider.is_done = keeps_prompts, is_done
    writes, published = Writes(bench, monkeypatch), list[tuple[int, str]]()
    async with running(bench.scheduler()):
        (job,) = await bench.submit()
        bench.event_bus.subscribe_to_changes(lambda jobs: published.extend((job.seq, job.stage) for job in jobs))
        await until_found(lambda: bench.has_ended(job.id))
    assert (writes.events, writes.prompts_sent) == (events, prompts_sent)
    assert published == [(1, "CLAIMED"), (2, "PROMPT_PREPARED"), (3, "SENT_TO_COMFY"), (4, "COMFY_RESULT")]
    assert await bench.event_types(job.id) == ["Initialized", "Claimed", "Updated", "Updated", "Succeeded"]


async def test_stages_are_stored_before_a_pause_for_a_provider_that_is_away(bench: Bench) -> None:
    def away(_: str) -> None:
        raise TransientError("The simulator is away.")

    bench.provider.keeps_prompts, bench.provider.on_send = False, away
    async with running(bench.scheduler()):
        (job,) = await bench.submit()
        await until_found(lambda: bench.is_in(job.id, Stage.PROMPT_PREPARED))
        assert await bench.event_types(job.id) == ["Initialized", "Claimed", "Updated"]


async def test_a_job_that_fails_at_once_has_all_events_before_its_end(bench: Bench) -> None:
    bench.provider.keeps_prompts, bench.provider.on_send = False, _refuse
    async with running(bench.scheduler()):
        (job,) = await bench.submit()
        await until_found(lambda: bench.has_ended(job.id))
    assert await bench.event_types(job.id) == ["Initialized", "Claimed", "Updated", "Failed"]


async def test_a_job_that_is_cancelled_while_nothing_of_it_is_stored_stays_cancelled(bench: Bench) -> None:
    """The prompt is cancelled too, though its id was never stored."""
    bench.provider.keeps_prompts, bench.provider.is_done = False, True
    bench.provider.hold()
    async with running(bench.scheduler()):
        (job,) = await bench.submit()
        await until(lambda: bool(bench.provider.sent))
        await bench.cancel(job.id)
        await until(lambda: bool(bench.provider.cancelled))
    assert bench.provider.cancelled == bench.provider.sent
    assert await bench.event_types(job.id) == ["Initialized", "Deleted"]


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

    async def break_once(before: Job, after: Job, **others: Any) -> bool:
        if after.stage is Stage.PROMPT_PREPARED and broken and broken.pop():
            raise RuntimeError("a bug")
        return await replace(before, after, **others)

    monkeypatch.setattr(bench.stores.jobs, "replace", break_once)
    async with running(bench.scheduler()):
        (job,) = await bench.submit()
        await until_found(lambda: bench.has_ended(job.id))
    job = await bench.job(job.id)
    assert (job.outcome, job.retry_attempt) == (Outcome.SUCCEEDED, 1)
