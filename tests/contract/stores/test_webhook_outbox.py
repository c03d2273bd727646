"""`WebhookOutbox`: which events receivers do not know yet."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import pytest

from civitai_mock.domain.callbacks import MOST_ATTEMPTS, CallbackAttempt, CallbackState
from civitai_mock.domain.job import Job
from civitai_mock.domain.json_types import JsonObject
from civitai_mock.domain.search import DueWebhook
from civitai_mock.domain.stages import Outcome
from civitai_mock.ports import JobQueue, JobStore, WebhookOutbox
from tests.support.dates import START
from tests.support.jobs import LIFETIME, SECOND, add_claimed, job_id, make_claim, make_job

URL = "http://localhost:9/told"


def at(seconds: float) -> datetime:
    return START + seconds * SECOND


def told_job(number: int = 1, *, created: float = 0) -> Job:
    return replace(make_job(number, created_at=at(created)), callback_url=URL)


async def due(webhooks: WebhookOutbox, now: float, *, hold: float = 100, limit: int = 10) -> Sequence[DueWebhook]:
    return await webhooks.take_due(at(now), hold_until=at(now + hold), limit=limit)


async def news(jobs: JobStore, seconds: float) -> Job:
    """The claimed job 1 after another event."""
    (before,) = await jobs.get_many([job_id(1)])
    after = before.progressed(at=at(seconds), context={})
    assert await jobs.replace(before, after)
    return after


def numbers(callbacks: Sequence[DueWebhook]) -> list[int]:
    return [int(callback.job.id[-12:]) for callback in callbacks]


async def test_a_new_job_with_a_receiver_is_due_from_its_first_event(jobs: JobStore, webhooks: WebhookOutbox) -> None:
    await jobs.add([told_job()])
    assert list(await due(webhooks, 0)) == [DueWebhook(job=told_job(), delivered_seq=-1, failures=0)]


async def test_a_job_without_a_receiver_is_never_due(jobs: JobStore, queue: JobQueue, webhooks: WebhookOutbox) -> None:
    claimed = await add_claimed(jobs, queue)
    assert await jobs.replace(claimed, claimed.progressed(at=START, context={}))
    await webhooks.mark_delivered(claimed.id, seq=0)
    await webhooks.mark_failed(claimed.id, retry_at=START)
    assert list(await due(webhooks, 1_000)) == []


async def test_a_job_that_is_held_is_given_to_nobody_else_until_then(jobs: JobStore, webhooks: WebhookOutbox) -> None:
    await jobs.add([told_job()])
    assert numbers(await due(webhooks, 0, hold=10)) == [1]
    assert numbers(await due(webhooks, 9.999)) == []
    assert numbers(await due(webhooks, 10)) == [1]


async def test_many_that_ask_at_once_get_different_jobs_and_together_all(
    jobs: JobStore, webhooks: WebhookOutbox
) -> None:
    await jobs.add([told_job(number) for number in range(1, 21)])
    given = await asyncio.gather(*(due(webhooks, 1, limit=3) for _ in range(10)))
    assert sorted(number for callbacks in given for number in numbers(callbacks)) == list(range(1, 21))


async def test_who_is_due_longest_comes_first(jobs: JobStore, webhooks: WebhookOutbox) -> None:
    await jobs.add([told_job(1, created=3), told_job(2, created=1), told_job(3, created=2)])
    assert numbers(await due(webhooks, 5, limit=2)) == [2, 3]
    assert numbers(await due(webhooks, 5, limit=2)) == [1]
    assert numbers(await due(webhooks, 5, limit=0)) == []


async def test_a_receiver_that_knows_everything_is_left_alone(jobs: JobStore, webhooks: WebhookOutbox) -> None:
    await jobs.add([told_job()])
    await due(webhooks, 0)
    await webhooks.mark_delivered(job_id(1), seq=0)
    assert list(await due(webhooks, 1_000)) == []


async def test_a_new_event_makes_a_job_due_at_once(jobs: JobStore, queue: JobQueue, webhooks: WebhookOutbox) -> None:
    await add_claimed(jobs, queue, job=told_job())
    await due(webhooks, 0)
    await webhooks.mark_delivered(job_id(1), seq=0)
    after = await news(jobs, 1)
    assert list(await due(webhooks, 1)) == [DueWebhook(job=after, delivered_seq=0, failures=0)]


async def test_the_end_of_a_job_is_told_of(jobs: JobStore, webhooks: WebhookOutbox) -> None:
    await jobs.add([told_job()])
    await due(webhooks, 0)
    await webhooks.mark_delivered(job_id(1), seq=0)
    ended = told_job().ended(Outcome.DELETED, at=at(1), context={})
    assert await jobs.replace(told_job(), ended)
    assert list(await due(webhooks, 1)) == [DueWebhook(job=ended, delivered_seq=0, failures=0)]


async def test_a_write_that_was_too_late_tells_nothing(
    jobs: JobStore, queue: JobQueue, webhooks: WebhookOutbox
) -> None:
    await add_claimed(jobs, queue, job=told_job())
    await due(webhooks, 0)
    await webhooks.mark_delivered(job_id(1), seq=0)
    assert not await jobs.replace(told_job(), told_job().ended(Outcome.DELETED, at=at(1), context={}))
    assert list(await due(webhooks, 1_000)) == []


async def test_events_that_came_meanwhile_are_due_at_once_when_the_others_were_told(
    jobs: JobStore, queue: JobQueue, webhooks: WebhookOutbox
) -> None:
    await add_claimed(jobs, queue, job=told_job())
    await due(webhooks, 0, hold=100)
    await news(jobs, 1)
    after = await news(jobs, 2)
    assert list(await due(webhooks, 3)) == []
    await webhooks.mark_delivered(job_id(1), seq=1)
    assert list(await due(webhooks, 3)) == [DueWebhook(job=after, delivered_seq=1, failures=0)]


async def test_what_was_told_is_not_forgotten_by_a_late_word(
    jobs: JobStore, queue: JobQueue, webhooks: WebhookOutbox
) -> None:
    await add_claimed(jobs, queue, job=told_job())
    after = await news(jobs, 1)
    await news(jobs, 2)
    await webhooks.mark_delivered(job_id(1), seq=1)
    await webhooks.mark_delivered(job_id(1), seq=0)
    (callback,) = await due(webhooks, 2)
    assert (callback.delivered_seq, callback.job.seq) == (1, after.seq + 1)


async def test_after_a_failure_a_job_is_due_retry_at_the_time_that_was_said(
    jobs: JobStore, webhooks: WebhookOutbox
) -> None:
    await jobs.add([told_job()])
    await due(webhooks, 0, hold=1)
    await webhooks.mark_failed(job_id(1), retry_at=at(50))
    assert list(await due(webhooks, 49)) == []
    assert list(await due(webhooks, 50, hold=1)) == [DueWebhook(job=told_job(), delivered_seq=-1, failures=1)]
    await webhooks.mark_failed(job_id(1), retry_at=at(60))
    assert list(await due(webhooks, 60)) == [DueWebhook(job=told_job(), delivered_seq=-1, failures=2)]


async def test_a_new_event_does_not_shorten_the_wait_for_another_attempt(
    jobs: JobStore, queue: JobQueue, webhooks: WebhookOutbox
) -> None:
    await add_claimed(jobs, queue, job=told_job())
    await due(webhooks, 0)
    await webhooks.mark_failed(job_id(1), retry_at=at(50))
    after = await news(jobs, 1)
    assert list(await due(webhooks, 49)) == []
    assert list(await due(webhooks, 50)) == [DueWebhook(job=after, delivered_seq=-1, failures=1)]


async def test_failures_are_forgotten_once_something_was_told(
    jobs: JobStore, queue: JobQueue, webhooks: WebhookOutbox
) -> None:
    await add_claimed(jobs, queue, job=told_job())
    await due(webhooks, 0)
    await webhooks.mark_failed(job_id(1), retry_at=at(1))
    await news(jobs, 1)
    await due(webhooks, 1)
    await webhooks.mark_delivered(job_id(1), seq=0)
    (callback,) = await due(webhooks, 2)
    assert (callback.delivered_seq, callback.failures) == (0, 0)


async def test_a_receiver_that_was_given_up_is_told_of_later_events_only(
    jobs: JobStore, queue: JobQueue, webhooks: WebhookOutbox
) -> None:
    await add_claimed(jobs, queue, job=told_job())
    await news(jobs, 1)
    await due(webhooks, 1)
    await webhooks.mark_failed(job_id(1), retry_at=at(2))
    await due(webhooks, 2)
    await webhooks.mark_failed(job_id(1), retry_at=None)
    assert list(await due(webhooks, 1_000)) == []
    after = await news(jobs, 2_000)
    assert list(await due(webhooks, 2_000)) == [DueWebhook(job=after, delivered_seq=1, failures=0)]


async def test_a_failure_told_after_success_changes_nothing(jobs: JobStore, webhooks: WebhookOutbox) -> None:
    await jobs.add([told_job()])
    await due(webhooks, 0)
    await webhooks.mark_delivered(job_id(1), seq=0)
    await webhooks.mark_failed(job_id(1), retry_at=at(1))
    assert list(await due(webhooks, 1_000)) == []


async def test_claims_and_taints_are_no_news(jobs: JobStore, queue: JobQueue, webhooks: WebhookOutbox) -> None:
    await jobs.add([told_job()])
    await due(webhooks, 0)
    await webhooks.mark_delivered(job_id(1), seq=0)
    await queue.claim(make_claim(), limit=1)
    await queue.renew("local-1", [job_id(1)], at(1_000))
    await jobs.set_taint([job_id(1)], {"a": 1})
    assert list(await due(webhooks, 1_000)) == []


@pytest.mark.parametrize("retry_at", [START, None])
async def test_word_of_an_unknown_or_swept_job_is_no_error(
    jobs: JobStore, webhooks: WebhookOutbox, retry_at: datetime | None
) -> None:
    await jobs.add([told_job()])
    await jobs.sweep(START + LIFETIME)
    await webhooks.mark_delivered(job_id(1), seq=0)
    await webhooks.mark_failed(job_id(1), retry_at=retry_at)
    assert list(await due(webhooks, 1_000)) == []


async def test_the_next_to_be_due_is_the_first_of_all_held_or_not(jobs: JobStore, webhooks: WebhookOutbox) -> None:
    await jobs.add([make_job(3)])
    assert await webhooks.next_due() is None
    await jobs.add([told_job(1), told_job(2, created=5)])
    assert await webhooks.next_due() == at(0)
    await due(webhooks, 0, hold=10)
    assert await webhooks.next_due() == at(5)
    await due(webhooks, 5, hold=10)
    assert await webhooks.next_due() == at(10)
    await webhooks.mark_failed(job_id(1), retry_at=at(20))
    await webhooks.mark_delivered(job_id(2), seq=0)
    assert await webhooks.next_due() == at(20)
    await webhooks.mark_failed(job_id(1), retry_at=None)
    assert await webhooks.next_due() is None


def attempt(seq: int, seconds: float, *, error: str | None = None, status: int | None = None) -> CallbackAttempt:
    return CallbackAttempt(seq=seq, at=at(seconds), status=status, error=error)


async def test_what_was_tried_is_known(jobs: JobStore, queue: JobQueue, webhooks: WebhookOutbox) -> None:
    await add_claimed(jobs, queue, job=told_job())
    assert await webhooks.state(job_id(1)) == CallbackState(told=-1, due_at=at(0), attempts=())
    refused, arrived = attempt(0, 1, error="no, “never”", status=500), attempt(0, 2, status=200)
    await webhooks.mark_failed(job_id(1), retry_at=at(2), attempt=refused)
    assert await webhooks.state(job_id(1)) == CallbackState(told=-1, due_at=at(2), attempts=(refused,))
    await webhooks.mark_delivered(job_id(1), seq=0, attempt=arrived)
    assert await webhooks.state(job_id(1)) == CallbackState(told=0, due_at=None, attempts=(refused, arrived))
    await news(jobs, 5)
    given_up = attempt(1, 6, error="gone")
    await webhooks.mark_failed(job_id(1), retry_at=None, attempt=given_up)
    expected = CallbackState(told=1, due_at=None, attempts=(refused, arrived, given_up))
    assert await webhooks.state(job_id(1)) == expected


async def test_a_mark_without_an_attempt_keeps_those_before(jobs: JobStore, webhooks: WebhookOutbox) -> None:
    await jobs.add([told_job()])
    tried = attempt(0, 1, error="gone")
    await webhooks.mark_failed(job_id(1), retry_at=at(2), attempt=tried)
    await webhooks.mark_failed(job_id(1), retry_at=at(3))
    await webhooks.mark_delivered(job_id(1), seq=0)
    assert await webhooks.state(job_id(1)) == CallbackState(told=0, due_at=None, attempts=(tried,))


async def test_the_last_attempts_are_kept(jobs: JobStore, webhooks: WebhookOutbox) -> None:
    await jobs.add([told_job()])
    tried = [attempt(0, number, error="gone") for number in range(MOST_ATTEMPTS + 3)]
    for one in tried[:-1]:
        await webhooks.mark_failed(job_id(1), retry_at=one.at, attempt=one)
    await webhooks.mark_delivered(job_id(1), seq=0, attempt=tried[-1])
    state = await webhooks.state(job_id(1))
    assert state is not None
    assert state.attempts == tuple(tried[3:])


async def test_nothing_is_known_of_an_unknown_job_and_nothing_was_tried_without_a_receiver(
    jobs: JobStore, webhooks: WebhookOutbox
) -> None:
    assert await webhooks.state(job_id(1)) is None
    await jobs.add([make_job(1)])
    assert await webhooks.state(job_id(1)) == CallbackState(told=-1, due_at=None, attempts=())


async def test_attempts_that_are_noted_at_once_are_all_kept(jobs: JobStore, webhooks: WebhookOutbox) -> None:
    await jobs.add([told_job()])
    tried = [attempt(0, number, error="gone") for number in range(20)]
    await asyncio.gather(*(webhooks.mark_failed(job_id(1), retry_at=one.at, attempt=one) for one in tried))
    state = await webhooks.state(job_id(1))
    assert state is not None
    assert sorted(state.attempts, key=lambda one: one.at) == tried


LATE: JsonObject = {"rule": "a", "$x.y": {"late": 1.5}}


async def test_what_goes_wrong_with_a_callback_is_decided_once(
    jobs: JobStore, queue: JobQueue, webhooks: WebhookOutbox
) -> None:
    await add_claimed(jobs, queue, job=told_job())
    assert await webhooks.keep_fault(job_id(1), seq=0, fault=LATE) == LATE
    assert await webhooks.keep_fault(job_id(1), seq=0, fault={"rule": "b"}) == LATE
    assert await webhooks.keep_fault(job_id(1), seq=1, fault={"rule": "b"}) == {"rule": "b"}
    await news(jobs, 1)
    await webhooks.mark_failed(job_id(1), retry_at=at(2))
    (callback,) = await due(webhooks, 2)
    assert callback.faults == {"0": LATE, "1": {"rule": "b"}}
    await webhooks.mark_delivered(job_id(1), seq=1)
    state = await webhooks.state(job_id(1))
    assert state is not None
    assert state.faults == {"0": LATE, "1": {"rule": "b"}}


async def test_of_faults_that_are_decided_at_once_one_is_kept(jobs: JobStore, webhooks: WebhookOutbox) -> None:
    await jobs.add([told_job()])
    faults: list[JsonObject] = [{"rule": str(number)} for number in range(9)]
    kept = await asyncio.gather(*(webhooks.keep_fault(job_id(1), seq=0, fault=fault) for fault in faults))
    assert kept[0] in faults
    assert list(kept) == [kept[0]] * len(faults)


async def test_without_a_receiver_nothing_can_go_wrong(jobs: JobStore, webhooks: WebhookOutbox) -> None:
    await jobs.add([make_job(1)])
    assert await webhooks.keep_fault(job_id(1), seq=0, fault=LATE) is None
    assert await webhooks.keep_fault(job_id(2), seq=0, fault=LATE) is None


async def test_what_is_postponed_has_not_failed(jobs: JobStore, webhooks: WebhookOutbox) -> None:
    await jobs.add([told_job(1), told_job(2)])
    assert numbers(await due(webhooks, 0)) == [1, 2]
    await webhooks.postpone(job_id(1), until=at(7))
    assert await webhooks.next_due() == at(7)
    assert numbers(await due(webhooks, 6)) == []
    (callback,) = await due(webhooks, 7)
    assert (callback.delivered_seq, callback.failures) == (-1, 0)
    await webhooks.mark_delivered(job_id(2), seq=0)
    await webhooks.postpone(job_id(2), until=at(8))
    assert numbers(await due(webhooks, 8)) == []


async def test_a_job_is_due_again_with_its_next_event(jobs: JobStore, queue: JobQueue, webhooks: WebhookOutbox) -> None:
    await add_claimed(jobs, queue, job=told_job())
    assert numbers(await due(webhooks, 0)) == [1]
    assert not await webhooks.await_next(job_id(1), seq=1)
    assert not await webhooks.await_next(job_id(2), seq=0)
    assert await webhooks.next_due() == at(100)
    assert await webhooks.await_next(job_id(1), seq=0)
    assert (await webhooks.next_due(), numbers(await due(webhooks, 1000))) == (None, [])
    await news(jobs, 5)
    assert not await webhooks.await_next(job_id(1), seq=0)
    assert await webhooks.next_due() == at(5)
    (callback,) = await due(webhooks, 5)
    assert (callback.delivered_seq, callback.failures) == (-1, 0)
