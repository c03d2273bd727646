"""The longest time that a claim may take, and the time by which a job must have ended."""

import asyncio
from datetime import datetime

import pytest

from civitai_mock.clock import VirtualClock
from civitai_mock.domain.stages import Outcome, Stage
from civitai_mock.ports import Outputs, Receipt, Submission
from civitai_mock.scheduler.job_runner import LONGEST_QUEUE
from tests.scheduler.conftest import LEASE_SECONDS, Bench, running, running_until_killed
from tests.support.event_loop import settle, until, until_found
from tests.support.freezing_stores import FreezingStores, Moment
from tests.support.scripted_provider import ScriptedProvider

MINUTE = 60.0


class HangingProvider(ScriptedProvider):
    """Hangs in one call for as long as it is held."""

    def __init__(self, *, in_send: bool) -> None:
        super().__init__()
        self.in_send = in_send
        self.hung = asyncio.Event()

    async def send(self, submission: Submission) -> Receipt:
        receipt = await super().send(submission)
        if self.in_send:
            self.hung.set()
            await self._go.wait()
        return receipt

    async def collect(self, prompt_id: str) -> Outputs:
        self.hung.set()
        return await super().collect(prompt_id)


@pytest.mark.parametrize(
    ("in_send", "stage"), [(True, Stage.PROMPT_PREPARED), (False, Stage.SENT_TO_COMFY)], ids=["send", "collect"]
)
async def test_a_claim_that_takes_too_long_ends_and_the_job_is_tried_again(
    bench: Bench, in_send: bool, stage: Stage
) -> None:
    provider = HangingProvider(in_send=in_send)
    provider.hold()
    async with running(bench.scheduler(provider=provider)):
        (job,) = await bench.submit(timeout="00:01:00")
        await until(provider.hung.is_set)
        await settle()
        assert (await bench.job(job.id)).stage is stage
        await _pass(bench, MINUTE - 0.001)
        assert provider.cancelled == []
        provider.hung.clear()
        bench.clock.advance(0.001)
        await until(provider.hung.is_set)
        assert provider.cancelled == provider.sent[:1]
        provider.go_on()
        await until_found(lambda: bench.has_ended(job.id))
    expired = [event for event in await bench.stores.jobs.events(job.id) if event.type == "ClaimExpired"]
    assert [event.context["reason"] for event in expired] == ["timeout: the claim took longer than 00:01:00"]
    ended = await bench.job(job.id)
    assert (ended.outcome, ended.retry_attempt) == (Outcome.SUCCEEDED, 1)
    assert len(set(provider.sent)) == 2  # the first one may take its time to stop


async def test_a_job_that_times_out_each_time_fails_when_its_retries_are_used_up(bench: Bench) -> None:
    bench.provider.hold()
    async with running(bench.scheduler()):
        (job,) = await bench.submit(timeout="00:01:00", retries=2)
        for attempt in range(1, 4):
            await until(lambda: len(bench.provider.sent) == attempt)  # noqa: B023 - awaited within the turn
            await _pass(bench, MINUTE)
        await until_found(lambda: bench.has_ended(job.id))
        await settle()
    failed = await bench.job(job.id)
    assert (failed.outcome, failed.retry_attempt) == (Outcome.FAILED, 2)
    assert failed.last_event.context["error"] == "claim_expired"
    assert str(failed.last_event.context["message"]).startswith("timeout")
    assert (await bench.event_types(job.id)).count("ClaimExpired") == 2
    assert len(bench.provider.cancelled) == 3


async def test_a_job_that_ends_in_time_is_left_alone_when_its_time_comes(bench: Bench) -> None:
    async with running(bench.scheduler()):
        (job,) = await bench.submit(timeout="00:01:00")
        await until_found(lambda: bench.has_ended(job.id))
        await _pass(bench, MINUTE)
    assert (await bench.event_types(job.id))[-1] == "Succeeded"
    assert bench.provider.cancelled == []


async def test_the_time_counts_anew_for_each_claim(bench: Bench) -> None:
    bench.provider.hold()
    async with running(bench.scheduler()):
        (job,) = await bench.submit(timeout="00:01:00")
        await until(lambda: len(bench.provider.sent) == 1)
        await _pass(bench, MINUTE)
        await until(lambda: len(bench.provider.sent) == 2)
        await settle()
        await _pass(bench, MINUTE - 1)
        assert (await bench.job(job.id)).retry_attempt == 1
        bench.provider.go_on()
        await until_found(lambda: bench.has_ended(job.id))


class BusyProvider(ScriptedProvider):
    """Lets its prompts wait for others until `begin`."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__()
        self.clock = clock
        self.began: datetime | None = None

    def begin(self) -> None:
        self.began = self.clock.now()

    def waited_until(self, prompt_id: str) -> datetime | None:
        return (self.began or self.clock.now()) if prompt_id in self.sent else None


async def test_the_time_that_a_prompt_waits_for_others_does_not_count(bench: Bench) -> None:
    """If it did, jobs of two minutes would fail, each after six vain attempts, because there are many of them."""
    provider = BusyProvider(bench.clock)
    provider.hold()
    async with running(bench.scheduler(provider=provider)):
        (job,) = await bench.submit(timeout="00:01:00")
        await until(lambda: bool(provider.sent))
        await _pass(bench, 2.5 * MINUTE)
        provider.begin()
        await _pass(bench, MINUTE - 1)
        assert provider.cancelled == []
        await _pass(bench, 1)
        assert provider.cancelled == provider.sent[:1]
        provider.go_on()
        await until_found(lambda: bench.has_ended(job.id))
    assert (await bench.job(job.id)).retry_attempt == 1


async def test_a_prompt_whose_turn_never_comes_is_tried_elsewhere_in_the_end(bench: Bench) -> None:
    provider = BusyProvider(bench.clock)
    provider.hold()
    async with running(bench.scheduler(provider=provider)):
        (job,) = await bench.submit(timeout="00:01:00")
        await until(lambda: bool(provider.sent))
        await _pass(bench, LONGEST_QUEUE * MINUTE - 1)
        assert provider.cancelled == []
        await _pass(bench, 1)
        assert provider.cancelled == provider.sent[:1]
        await bench.cancel(job.id)


async def test_a_dead_holders_claim_is_ended_once_by_its_lease(bench: Bench) -> None:
    dying = FreezingStores(bench.stores, stage=Stage.SENT_TO_COMFY, moment=Moment.AFTER)
    (job,) = await bench.submit(timeout="00:00:05")
    async with running_until_killed(bench.scheduler(worker_id="dead", stores=dying.stores)):
        await dying.frozen.wait()
        async with running(bench.elsewhere().scheduler(worker_id="heir")):
            await bench.outlive_a_lease()  # longer than the timeout
            await until_found(lambda: bench.has_ended(job.id))
    assert (await bench.event_types(job.id)).count("ClaimExpired") == 1


async def test_a_cancel_while_a_claim_times_out_wins(bench: Bench) -> None:
    bench.provider.hold()
    async with running(bench.scheduler()):
        (job,) = await bench.submit(timeout="00:01:00")
        await until(lambda: bool(bench.provider.sent))
        await _pass(bench, MINUTE - 1)
        bench.clock.advance(1)
        await bench.cancel(job.id)
        await settle()
    assert (await bench.event_types(job.id))[-1] == "Deleted"
    assert set(bench.provider.cancelled) == set(bench.provider.sent)  # whoever finds it ended may stop it once more


async def test_many_claims_time_out_together_without_a_task_for_each(bench: Bench) -> None:
    bench.provider.hold()
    async with running(bench.scheduler()):
        await settle()
        others = len(asyncio.all_tasks())
        jobs = await bench.submit(100, timeout="00:01:00", retries=0)
        await until(lambda: len(bench.provider.sent) == 100)
        await settle()
        assert len(asyncio.all_tasks()) - others <= len(jobs) + 2
        await _pass(bench, MINUTE)
        await until_found(lambda: bench.have_all_ended(jobs))
        await until(lambda: len(bench.provider.cancelled) == 100)
    assert {(await bench.job(job.id)).outcome for job in jobs} == {Outcome.FAILED}


async def test_a_running_job_past_its_deadline_expires_and_its_prompt_is_cancelled(bench: Bench) -> None:
    bench.provider.hold()
    (job,) = await bench.submit(expireAt="2025-09-06T18:20:00Z")
    async with running(bench.scheduler()):
        await until(lambda: bool(bench.provider.sent))
        await _pass(bench, 104)
        await until_found(lambda: bench.has_ended(job.id))
        await until(lambda: bool(bench.provider.cancelled))
    assert (await bench.event_types(job.id))[-1] == "Expired"
    assert bench.provider.cancelled == bench.provider.sent


async def test_a_queued_job_past_its_deadline_expires_without_a_start(bench: Bench) -> None:
    (job,) = await bench.submit(expireAt="2025-09-06T18:20:00Z")
    bench.clock.advance(104)
    async with running(bench.scheduler(max_in_flight=0)):
        await until_found(lambda: bench.has_ended(job.id))
    assert await bench.event_types(job.id) == ["Initialized", "Expired"]


async def _pass(bench: Bench, seconds: float) -> None:
    """Let time pass in steps that are short enough for the leases to be renewed."""
    await settle()
    while seconds > 0:
        await bench.pass_time(min(seconds, LEASE_SECONDS / 3))
        seconds -= LEASE_SECONDS / 3
