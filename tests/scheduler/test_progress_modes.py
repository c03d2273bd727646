"""How long stages last in the modes `instant` and `time`, on a clock that is moved, through restarts and crashes."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from civitai_mock.domain.errors import TransientError
from civitai_mock.domain.job import Job
from civitai_mock.domain.json_types import Json
from civitai_mock.domain.stages import Outcome, Stage
from civitai_mock.generation.media import ImageContent
from civitai_mock.ports import Provider
from civitai_mock.providers.simulator.simulator import Simulator
from civitai_mock.providers.simulator.timing import REALISTIC
from civitai_mock.services.controls import Controls
from civitai_mock.services.progress_policy import ProgressPolicy
from tests.scheduler.conftest import POLL_SECONDS, Bench, running, running_until_killed
from tests.support.event_loop import settle, until, until_found
from tests.support.freezing_stores import FreezingStores, Moment
from tests.support.jobs import make_job
from tests.support.receiver import URL

ALL: dict[str, Json] = {
    "QUEUED": "3s",
    "CLAIMED": "5s",
    "PROMPT_PREPARED": "7s",
    "SENT_TO_COMFY": "11s",
    "COMFY_RESULT": "2s",
}
ENTERED = {
    Stage.QUEUED: 0.0,
    Stage.CLAIMED: 3.0,
    Stage.PROMPT_PREPARED: 8.0,
    Stage.SENT_TO_COMFY: 15.0,
    Stage.COMFY_RESULT: 28.0,
}


@pytest.fixture
async def simulator(bench: Bench) -> AsyncIterator[Simulator]:
    async with Simulator(
        name="local", clock=bench.clock, profile=REALISTIC, image_content=ImageContent.BLANK
    ) as simulator:
        yield simulator


def set_mode(bench: Bench, **mode: Json) -> None:
    bench.namespace.controls.update({"progress": dict(mode)} if mode else {}, {})


async def entered(bench: Bench, job: Job) -> Mapping[Stage, float]:
    """Return when a job first entered each stage, in seconds from its creation."""
    times: dict[Stage, float] = {}
    for event in await bench.stores.jobs.events(job.id):
        if not event.claim_has_completed or event.job_has_completed:
            times.setdefault(event.stage, (event.at - job.created_at).total_seconds())
    return times


async def pass_seconds(bench: Bench, seconds: int) -> None:
    for _ in range(seconds):
        await bench.pass_time(1)


async def test_each_stage_lasts_as_the_mode_says(bench: Bench, simulator: Provider) -> None:
    set_mode(bench, mode="time", stages=ALL)
    async with running(bench.scheduler(provider=simulator)):
        jobs = await bench.submit(3)
        await settle()
        await pass_seconds(bench, 30)
        for job in jobs:
            assert await entered(bench, job) == ENTERED
            events = await bench.stores.jobs.events(job.id)
            held = [event.claim_duration.total_seconds() for event in events if event.claim_duration is not None]
            assert held == [ENTERED[event.stage] - 3 for event in events[1:]]


async def test_what_the_mode_does_not_name_takes_the_time_of_the_simulation(bench: Bench, simulator: Provider) -> None:
    set_mode(bench, mode="time", stages={"CLAIMED": "5s"})
    async with running(bench.scheduler(provider=simulator)):
        (job,) = await bench.submit()
        await settle()
        await pass_seconds(bench, 20)
        times = await entered(bench, job)
        assert times[Stage.PROMPT_PREPARED] == times[Stage.SENT_TO_COMFY] == 5
        assert times[Stage.COMFY_RESULT] > times[Stage.SENT_TO_COMFY] + 1


async def test_nothing_takes_time_in_mode_instant(bench: Bench, simulator: Provider) -> None:
    set_mode(bench, mode="instant")
    async with running(bench.scheduler(provider=simulator)):
        jobs = await bench.submit(3)
        await until_found(lambda: bench.have_all_ended(jobs))
        for job in jobs:
            assert set((await entered(bench, job)).values()) == {0.0}


async def test_two_schedulers_give_each_job_the_times_that_one_gives_it(bench: Bench, simulator: Provider) -> None:
    set_mode(bench, mode="time", stages={"SENT_TO_COMFY": {"min": "1s", "max": "20s"}})
    jobs = await bench.submit(20)
    first, second = (bench.scheduler(worker_id=name, provider=simulator, max_in_flight=10) for name in ("a", "b"))
    async with running(first), running(second):
        await settle()
        await pass_seconds(bench, 21)
    mode = bench.namespace.progress_policy.mode
    assert mode is not None
    for job in jobs:
        plan = mode.plan(job.id)
        assert plan is not None
        done = (await bench.job(job.id)).last_event
        assert done.type == "Succeeded"
        assert (done.at - job.created_at - plan.lasts(Stage.SENT_TO_COMFY)).total_seconds() < 1, "seen by whole seconds"


async def test_a_job_goes_on_after_a_restart_from_where_it_was(bench: Bench, simulator: Provider) -> None:
    set_mode(bench, mode="time", stages=ALL)
    (job,) = await bench.submit()
    for seconds, name in ((5, "first"), (6, "second"), (9, "third"), (8, "last")):
        async with running(bench.scheduler(worker_id=name, provider=simulator)):
            await settle()
            await pass_seconds(bench, seconds)
    assert await entered(bench, job) == ENTERED
    assert (await bench.job(job.id)).retry_attempt == 0


@pytest.mark.parametrize("stage", [Stage.CLAIMED, Stage.PROMPT_PREPARED, Stage.SENT_TO_COMFY])
async def test_a_job_ends_when_it_would_have_though_its_worker_was_killed(
    bench: Bench, simulator: Provider, stage: Stage
) -> None:
    """The lease of the dead one runs out in real time, which is that of the bench here: so the stages last longer."""
    stages: dict[str, Json] = dict.fromkeys(("CLAIMED", "PROMPT_PREPARED", "SENT_TO_COMFY"), "60s")
    set_mode(bench, mode="time", stages=stages)
    dying = FreezingStores(bench.stores, stage=stage, moment=Moment.AFTER)
    (job,) = await bench.submit()
    async with Simulator(
        name="local", clock=bench.clock, profile=REALISTIC, image_content=ImageContent.BLANK
    ) as forgotten:
        dead = bench.scheduler(worker_id="dead", stores=dying.stores, provider=forgotten)
        async with running_until_killed(dead):
            await settle()
            while not dying.frozen.is_set():
                await bench.pass_time(1)
        async with running(bench.scheduler(worker_id="heir", provider=simulator)):
            await bench.outlive_a_lease()
            await pass_seconds(bench, 190)
    assert "ClaimExpired" in await bench.event_types(job.id)
    done = (await bench.job(job.id)).last_event
    assert done.type == "Succeeded"
    assert (done.at - job.created_at).total_seconds() == 180


async def test_the_time_in_the_queue_is_no_part_of_the_timeout(bench: Bench, simulator: Provider) -> None:
    set_mode(bench, mode="time", stages={"QUEUED": "50s", "SENT_TO_COMFY": "25s"})
    async with running(bench.scheduler(provider=simulator)):
        (job,) = await bench.submit(timeout="00:00:30")
        await settle()
        await pass_seconds(bench, 80)
    assert await bench.event_types(job.id) == ["Initialized", "Claimed", "Updated", "Updated", "Succeeded"]


async def test_a_stage_that_lasts_longer_than_the_timeout_times_the_job_out(bench: Bench, simulator: Provider) -> None:
    set_mode(bench, mode="time", stages={"SENT_TO_COMFY": "40s"})
    async with running(bench.scheduler(provider=simulator)):
        (job,) = await bench.submit(timeout="00:00:30")
        await settle()
        await pass_seconds(bench, 31)
    types = await bench.event_types(job.id)
    assert types[:5] == ["Initialized", "Claimed", "Updated", "Updated", "ClaimExpired"]


async def test_jobs_that_are_half_way_go_on_in_the_time_of_the_next_mode(bench: Bench, simulator: Provider) -> None:
    set_mode(bench, mode="manual")
    jobs = await bench.submit(4)
    stepper = bench.namespace.job_stepper
    for steps, submitted in enumerate(jobs):
        job = submitted
        for _ in range(steps):
            moved = await stepper.advance(job)
            assert moved is not None
            job = moved
    async with running(bench.scheduler(provider=simulator)):
        await pass_seconds(bench, 5)
        assert [(await bench.job(job.id)).claim for job in jobs] == [None] * 4
        set_mode(bench, mode="time", stages={"SENT_TO_COMFY": "10s"})
        await settle()
        await pass_seconds(bench, 16)
    for job in jobs:
        assert await bench.event_types(job.id) == ["Initialized", "Claimed", "Updated", "Updated", "Succeeded"]


async def test_a_job_that_waited_for_another_waits_its_time_from_then_on(bench: Bench, simulator: Provider) -> None:
    set_mode(bench, mode="time", stages={"QUEUED": "4s", "SENT_TO_COMFY": "6s"})
    async with running(bench.scheduler(provider=simulator)):
        first = await bench.add(1)
        second = await bench.add(2, after=[first])
        await settle()
        await pass_seconds(bench, 22)
    assert (await entered(bench, first))[Stage.COMFY_RESULT] == 10
    times = await entered(bench, second)
    assert (times[Stage.CLAIMED], times[Stage.COMFY_RESULT]) == (14, 20)


async def test_work_without_a_graph_lasts_as_long(bench: Bench, simulator: Provider) -> None:
    set_mode(bench, mode="time", stages={"SENT_TO_COMFY": "9s"})
    template: dict[str, Any] = {"$type": "blobGet", "key": "A" * 64}
    async with running(bench.scheduler(provider=simulator)):
        (job,) = await bench.submit(**template)
        await settle()
        await pass_seconds(bench, 10)
    assert (await entered(bench, job))[Stage.COMFY_RESULT] == 9


async def test_the_epochs_of_a_training_share_its_time(bench: Bench, simulator: Provider) -> None:
    set_mode(bench, mode="time", stages={"SENT_TO_COMFY": "9s"})
    training: dict[str, Any] = {
        "$type": "imageResourceTraining",
        "trainingData": "https://example.com/pictures.zip",
        "params": {"maxTrainEpochs": 3, "samplePrompts": ["a fox"]},
    }
    async with running(bench.scheduler(provider=simulator)):
        (job,) = await bench.submit(**training)
        await settle()
        await pass_seconds(bench, 10)
    events = await bench.stores.jobs.events(job.id)
    assert [(event.at - job.created_at).total_seconds() for event in events[-4:]] == [3, 6, 9, 9]


async def test_every_event_of_a_job_that_orders_move_is_delivered_in_order(bench: Bench) -> None:
    set_mode(bench, mode="manual")
    stepper = bench.namespace.job_stepper
    async with running(bench.scheduler()):
        job = await bench.add(1, callback_url=URL)
        moved: Job | None = job
        while moved is not None and moved.outcome is None:
            moved = await stepper.advance(moved)
        await until(lambda: len(bench.receiver.requests) == 5)
    assert bench.receiver.events == ["0 Initialized", "1 Claimed", "2 Updated", "3 Updated", "4 Succeeded"]


async def test_a_job_that_orders_move_expires_when_its_time_is_over(bench: Bench) -> None:
    set_mode(bench, mode="manual")
    async with running(bench.scheduler()):
        job = await bench.add(1)
        moved = await bench.namespace.job_stepper.advance(job)
        assert moved is not None
        await bench.pass_time((job.expire_at - job.created_at).total_seconds())
        await bench.pass_time(POLL_SECONDS)  # it has timed out, too: then the next look finds it
        await until_found(lambda: bench.has_ended(job.id))
    assert (await bench.job(job.id)).outcome == "EXPIRED"


def test_with_real_servers_no_mode_counts_that_was_set_before() -> None:
    policy = ProgressPolicy(Controls({"progress": {"mode": "polls"}}), is_simulated=False)
    job = replace(make_job(), progress={"mode": "polls"})
    assert (policy.mode, policy.only_timed, policy.gets_per_stage(job)) == (None, False, None)
    assert policy.plan_of(replace(job, progress={"mode": "instant"})) is None


async def test_a_job_that_orders_move_outlives_what_the_simulator_remembers(bench: Bench) -> None:
    job, *others = await bench.submit(5)
    async with Simulator(
        name="local", clock=bench.clock, profile=REALISTIC, image_content=ImageContent.BLANK, remember=1
    ) as forgetful:
        stepper = replace(bench.namespace, provider=forgetful).job_stepper
        for _ in range(3):
            moved = await stepper.advance(job)
            assert moved is not None
            job = moved
        for other in others:
            assert await stepper.succeed(other) is not None
        assert job.prompt_id is not None
        with pytest.raises(TransientError, match="forgotten"):
            await forgetful.collect(job.prompt_id)
        done = await stepper.advance(job)
    assert done is not None
    assert (done.outcome, done.retry_attempt) == (Outcome.SUCCEEDED, 0)
