"""Progress events, which are published while a graph runs."""

from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Any

import pytest

from civitai_mock.domain.blob import PREVIEW, Blob, blob_key
from civitai_mock.domain.errors import JobError, TransientError
from civitai_mock.domain.events import JobEvent
from civitai_mock.domain.job import Job
from civitai_mock.domain.progress import progress_of
from civitai_mock.domain.stages import Outcome, Stage
from civitai_mock.ports import Preview, Progress
from civitai_mock.scheduler.progress import MOST_PER_SECOND
from tests.scheduler.conftest import (
    PROGRESS_SECONDS,
    Bench,
    running,
    running_until_killed,
)
from tests.support.event_loop import settle, until, until_found
from tests.support.freezing_stores import FreezingStores, Moment

PAUSE = 1 / MOST_PER_SECOND
SAMPLER = "KSampler"


def step(number: int, *, preview: bytes | None = None) -> Progress:
    sketch = None if preview is None else Preview(content_type="image/jpeg", content=preview)
    return Progress(node_id=SAMPLER, step=number, steps=20, preview=sketch)


async def _start(bench: Bench) -> Job:
    """Return a job whose graph runs until the provider may go on."""
    bench.provider.hold()
    (job,) = await bench.submit()
    await until_found(lambda: bench.is_sent(job.id))
    await settle()
    return await bench.job(job.id)


def _show(bench: Bench, job: Job, progress: Progress) -> None:
    assert job.prompt_id is not None
    bench.provider.progresses[job.prompt_id] = progress


async def _next_round(bench: Bench) -> None:
    """Let the pause after an event pass, then the interval."""
    await bench.pass_time(PAUSE)
    await bench.pass_time(PROGRESS_SECONDS)


async def _progress_events(bench: Bench, job: Job) -> list[JobEvent]:
    return [event for event in await bench.stores.jobs.events(job.id) if "step" in event.context]


async def _preview(bench: Bench, job: Job) -> tuple[str, bytes]:
    key = blob_key(job.id, PREVIEW)
    blob = await bench.stores.blobs.stat(key)
    assert blob is not None
    assert blob.keep_until == job.keep_until
    return blob.content_type, await bench.read_blob(key)


async def test_a_running_job_publishes_its_step_and_its_node(bench: Bench) -> None:
    async with running(bench.scheduler()):
        job = await _start(bench)
        _show(bench, job, step(5))
        await bench.pass_time(PROGRESS_SECONDS)
        (event,) = await _progress_events(bench, job)
        bench.provider.go_on()
        await until_found(lambda: bench.has_ended(job.id))
    assert (event.type, event.stage) == ("Updated", "SENT_TO_COMFY")
    assert event.context == {"step": 5, "steps": 20, "progress": 0.25, "node_id": SAMPLER, "class_type": "KSampler"}
    assert (await bench.event_types(job.id))[-2:] == ["Updated", "Succeeded"]


async def test_steps_are_published_once_an_interval_however_many_there_were(bench: Bench) -> None:
    async with running(bench.scheduler()):
        job = await _start(bench)
        for number in range(1, 13):
            _show(bench, job, step(number))
            await bench.pass_time(PROGRESS_SECONDS / 4)
        events = await _progress_events(bench, job)
        bench.provider.go_on()
    pauses = [later.at - earlier.at for earlier, later in pairwise(events)]
    assert [event.context["step"] for event in events] == [4, 9]
    assert min(pauses).total_seconds() >= PROGRESS_SECONDS


async def test_a_job_that_has_not_moved_publishes_nothing(bench: Bench) -> None:
    async with running(bench.scheduler()):
        job = await _start(bench)
        _show(bench, job, step(5))
        await bench.pass_time(PROGRESS_SECONDS)
        for _ in range(3):
            await _next_round(bench)
        assert len(await _progress_events(bench, job)) == 1
        bench.provider.go_on()


async def test_the_latest_preview_takes_the_place_of_the_one_before(bench: Bench) -> None:
    async with running(bench.scheduler()):
        job = await _start(bench)
        for number, content in [(1, b"first"), (2, b"second")]:
            _show(bench, job, step(number, preview=content))
            await _next_round(bench)
            assert await _preview(bench, job) == ("image/jpeg", content)
        events = await _progress_events(bench, job)
        bench.provider.go_on()
        await until_found(lambda: bench.has_ended(job.id))
    assert [event.context["previewBlobKey"] for event in events] == 2 * [blob_key(job.id, PREVIEW)]
    assert await _preview(bench, job) == ("image/jpeg", b"second")
    assert blob_key(job.id, PREVIEW) not in {slot.blob_key for slot in (await bench.job(job.id)).slots}


async def test_a_preview_that_is_the_same_is_not_stored_again(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    put, stored = bench.stores.blobs.put, list[str]()

    async def count(key: str, content: AsyncIterator[bytes], **kept: Any) -> Blob:
        stored.append(key)
        return await put(key, content, **kept)

    monkeypatch.setattr(type(bench.stores.blobs), "put", staticmethod(count))
    async with running(bench.scheduler()):
        job = await _start(bench)
        for number in (1, 2):
            _show(bench, job, step(number, preview=b"same"))
            await _next_round(bench)
        assert len(await _progress_events(bench, job)) == 2
        assert stored == [blob_key(job.id, PREVIEW)]
        bench.provider.go_on()


async def test_a_blob_store_that_is_away_costs_the_event_and_not_the_job(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    put, away = bench.stores.blobs.put, [True]

    async def fail_first(key: str, content: AsyncIterator[bytes], **kept: Any) -> Blob:
        if away and away.pop():
            raise TransientError("The store is away.")
        return await put(key, content, **kept)

    monkeypatch.setattr(type(bench.stores.blobs), "put", staticmethod(fail_first))
    async with running(bench.scheduler()):
        job = await _start(bench)
        _show(bench, job, step(1, preview=b"sketch"))
        await bench.pass_time(PROGRESS_SECONDS)
        assert (away, await _progress_events(bench, job)) == ([], [])
        await _next_round(bench)
        assert len(await _progress_events(bench, job)) == 1
        bench.provider.go_on()
        await until_found(lambda: bench.has_ended(job.id))
    ended = await bench.job(job.id)
    assert (ended.outcome, ended.retry_attempt) == (Outcome.SUCCEEDED, 0)


async def test_a_job_store_that_is_away_while_progress_is_published_costs_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace, away = bench.stores.jobs.replace, [True]

    async def fail_first(before: Job, after: Job, **others: Any) -> bool:
        if "step" in after.last_event.context and away and away.pop():
            raise TransientError("The store is away.")
        return await replace(before, after, **others)

    monkeypatch.setattr(bench.stores.jobs, "replace", fail_first)
    async with running(bench.scheduler()):
        job = await _start(bench)
        _show(bench, job, step(1))
        await bench.pass_time(PROGRESS_SECONDS)
        bench.provider.go_on()  # the job's end waits for the event that has begun
        await settle()
        assert not await bench.has_ended(job.id)
        await bench.pass_time(1)
        await until_found(lambda: bench.has_ended(job.id))
    assert (await bench.event_types(job.id))[-2:] == ["Updated", "Succeeded"]


async def test_nothing_is_published_after_the_end(bench: Bench) -> None:
    async with running(bench.scheduler()):
        job = await _start(bench)
        bench.provider.go_on()
        await until_found(lambda: bench.has_ended(job.id))
        _show(bench, job, step(20))
        await bench.pass_time(PROGRESS_SECONDS)
        assert await _progress_events(bench, job) == []
    assert (await bench.event_types(job.id))[-1] == "Succeeded"


async def test_a_job_that_fails_after_a_progress_event_says_why(bench: Bench) -> None:
    def fail(_: str) -> None:
        raise JobError("Out of memory.")

    bench.provider.on_collect = fail
    async with running(bench.scheduler()):
        job = await _start(bench)
        _show(bench, job, step(5))
        await bench.pass_time(PROGRESS_SECONDS)
        bench.provider.go_on()
        await until_found(lambda: bench.has_ended(job.id))
    assert (await bench.job(job.id)).last_event.context["message"] == "Out of memory."


async def test_a_job_that_is_cancelled_while_its_progress_is_published_stays_cancelled(bench: Bench) -> None:
    async with running(bench.scheduler()):
        job = await _start(bench)
        _show(bench, job, step(5))
        bench.clock.advance(PROGRESS_SECONDS)
        await bench.cancel(job.id)
        await settle()
        _show(bench, job, step(6))
        await bench.pass_time(PROGRESS_SECONDS)
    assert (await bench.event_types(job.id))[-1] == "Deleted"
    assert bench.provider.cancelled == [job.prompt_id]


async def test_a_worker_that_stops_while_an_event_waits_for_the_store_gives_its_job_back(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace = bench.stores.jobs.replace

    async def refuse_notes(before: Job, after: Job, **others: Any) -> bool:
        if "step" in after.last_event.context:
            raise TransientError("The store is away.")
        return await replace(before, after, **others)

    monkeypatch.setattr(bench.stores.jobs, "replace", refuse_notes)
    async with running(bench.scheduler()):
        job = await _start(bench)
        _show(bench, job, step(5))
        await bench.pass_time(PROGRESS_SECONDS)
    assert (await bench.event_types(job.id))[-1] == "LateRejected"


async def test_the_progress_of_a_job_that_was_taken_over_is_published_by_its_heir(bench: Bench) -> None:
    bench.provider.hold()
    dying = FreezingStores(bench.stores, stage=Stage.SENT_TO_COMFY, moment=Moment.AFTER)
    (job,) = await bench.submit()
    async with running_until_killed(bench.scheduler(worker_id="dead", stores=dying.stores)):
        await dying.frozen.wait()
        async with running(bench.elsewhere().scheduler(worker_id="heir")):
            await bench.outlive_a_lease()
            await until_found(lambda: _is_held_by(bench, job, "heir"))
            await settle()
            _show(bench, await bench.job(job.id), step(7))
            await bench.pass_time(PROGRESS_SECONDS)
            (event,) = await _progress_events(bench, job)
            bench.provider.go_on()
            await until_found(lambda: bench.has_ended(job.id))
    assert (event.worker_id, event.context["step"]) == ("heir", 7)


async def _is_held_by(bench: Bench, job: Job, worker_id: str) -> bool:
    found = await bench.job(job.id)
    return found.stage is Stage.SENT_TO_COMFY and found.claim is not None and found.claim.worker_id == worker_id


async def test_many_jobs_together_publish_so_many_events_a_second_and_each_has_its_turn(bench: Bench) -> None:
    count = 2 * MOST_PER_SECOND
    bench.provider.hold()
    async with running(bench.scheduler()):
        jobs = await bench.submit(count)
        await until(lambda: len(bench.provider.sent) == count)
        await settle()
        for prompt_id in bench.provider.sent:
            bench.provider.progresses[prompt_id] = step(1)
        await bench.pass_time(PROGRESS_SECONDS)
        for _ in range(MOST_PER_SECOND - 1):
            await bench.pass_time(PAUSE)
        assert sum([len(await _progress_events(bench, job)) for job in jobs]) == MOST_PER_SECOND
        for _ in range(MOST_PER_SECOND):
            await bench.pass_time(PAUSE)
        assert [len(await _progress_events(bench, job)) for job in jobs] == count * [1]
        bench.provider.go_on()


async def test_a_job_shows_its_progress_until_another_event_or_its_end(bench: Bench) -> None:
    async with running(bench.scheduler()):
        job = await _start(bench)
        assert progress_of(job) is None
        _show(bench, job, step(5))
        await bench.pass_time(PROGRESS_SECONDS)
        shown = progress_of(await bench.job(job.id))
        bench.provider.go_on()
        await until_found(lambda: bench.has_ended(job.id))
    assert shown is not None
    assert (shown.step, shown.steps, shown.fraction, shown.node_type) == (5, 20, 0.25, "KSampler")
    assert progress_of(await bench.job(job.id)) is None
