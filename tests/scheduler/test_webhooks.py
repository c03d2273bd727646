"""Every event is delivered to the receiver, in order, until it arrives."""

import asyncio

import httpx
import pytest

from tests.scheduler.conftest import CALLBACK_TIMEOUT, MAX_ATTEMPTS, POLL_SECONDS, Bench, running, running_until_killed
from tests.support.event_loop import settle, until, until_found
from tests.support.jobs import TRACE_ID
from tests.support.receiver import URL

EVENTS = ["0 Initialized", "1 Claimed", "2 Updated", "3 Updated", "4 Succeeded"]
LONGER_THAN_A_HOLD = CALLBACK_TIMEOUT.total_seconds() + 20


def _unavailable(_: httpx.Request) -> httpx.Response:
    return httpx.Response(503)


async def test_every_event_is_delivered_in_order_without_any_time_passing(bench: Bench) -> None:
    async with running(bench.scheduler()):
        await settle()
        await bench.add(1, callback_url=URL)
        await until(lambda: len(bench.receiver.requests) == len(EVENTS))
        await settle()
    assert bench.receiver.events == EVENTS


async def test_a_webhook_can_be_recognised_and_traced(bench: Bench) -> None:
    async with running(bench.scheduler()):
        job = await bench.add(1, callback_url=URL)
        await until(lambda: len(bench.receiver.requests) == len(EVENTS))
    first = bench.receiver.requests[0]
    assert (first.method, first.url.path, first.url.query) == ("POST", "/hook", b"key=secret")
    assert first.headers["Content-Type"] == "application/json; charset=utf-8"
    assert first.headers["Idempotency-Key"] == f"{job.id}/0"
    spans = [request.headers["traceparent"].split("-") for request in bench.receiver.requests]
    _, trace, span, _ = TRACE_ID.split("-")
    assert {found[1] for found in spans} == {trace}
    assert len({found[2] for found in spans} - {span}) == len(EVENTS)  # each is a span of its own
    assert len({request.headers["Idempotency-Key"] for request in bench.receiver.requests}) == len(EVENTS)


async def test_the_events_of_a_job_without_a_callback_url_are_delivered_to_nobody(bench: Bench) -> None:
    async with running(bench.scheduler()):
        (job,) = await bench.submit()
        await until_found(lambda: bench.has_ended(job.id))
        await settle()
    assert bench.receiver.requests == []


async def test_an_event_waits_for_the_one_before_it(bench: Bench) -> None:
    bench.receiver.hold()
    async with running(bench.scheduler()):
        job = await bench.add(1, callback_url=URL)
        await until_found(lambda: bench.has_ended(job.id))
        await settle()
        assert bench.receiver.events == EVENTS[:1]
        bench.receiver.go_on()
        await until(lambda: len(bench.receiver.requests) == len(EVENTS))
    assert bench.receiver.events == EVENTS


async def test_jobs_do_not_wait_for_each_others_webhooks(bench: Bench) -> None:
    bench.receiver.hold()
    async with running(bench.scheduler()):
        for number in range(1, 11):
            await bench.add(number, callback_url=URL)
        await until(lambda: len(bench.receiver.requests) == 10)


async def test_no_more_webhooks_are_on_their_way_than_there_is_room_for(bench: Bench) -> None:
    bench.receiver.hold()
    async with running(bench.scheduler()):
        jobs = [await bench.add(number, callback_url=URL) for number in range(1, 51)]
        await until_found(lambda: bench.have_all_ended(jobs))
        await settle()
        assert len(bench.receiver.requests) == 32
        bench.receiver.go_on()
        await until(lambda: len(bench.receiver.requests) == 50 * len(EVENTS))
    assert {tuple(bench.receiver.events_of(job.id)) for job in jobs} == {tuple(EVENTS)}


async def test_a_dead_receiver_delays_no_job(bench: Bench) -> None:
    bench.receiver.hold()
    async with running(bench.scheduler()):
        jobs = [await bench.add(number, callback_url=URL) for number in range(1, 41)]
        jobs += await bench.submit(10)
        await until_found(lambda: bench.have_all_ended(jobs))


async def test_a_failed_attempt_is_made_again_after_a_pause_that_grows(bench: Bench) -> None:
    bench.receiver.answer = _unavailable
    async with running(bench.scheduler()):
        job = await bench.add(1, callback_url=URL)
        await until_found(lambda: bench.has_ended(job.id))
        await settle()
        bench.clock.advance(0.49)
        await settle()
        assert bench.receiver.events == EVENTS[:1]
        bench.clock.advance(0.51)
        await until(lambda: len(bench.receiver.requests) == 2)
        await settle()
        bench.receiver.answer = lambda _: httpx.Response(200)
        bench.clock.advance(0.99)
        await settle()
        assert bench.receiver.events == [EVENTS[0]] * 2
        bench.clock.advance(1.01)
        await until(lambda: len(bench.receiver.requests) == 2 + len(EVENTS))
    assert bench.receiver.events == [EVENTS[0]] * 2 + EVENTS


@pytest.mark.parametrize("failure", [httpx.ConnectError("refused"), httpx.ReadError("reset"), OSError("no such host")])
async def test_a_receiver_that_cannot_be_reached_is_tried_again(bench: Bench, failure: Exception) -> None:
    def away(_: httpx.Request) -> httpx.Response:
        raise failure

    bench.receiver.answer = away
    async with running(bench.scheduler()):
        await bench.add(1, callback_url=URL)
        await until(lambda: len(bench.receiver.requests) == 1)
        await settle()
        bench.receiver.answer = lambda _: httpx.Response(200)
        bench.clock.advance(1)
        await until(lambda: len(bench.receiver.requests) == 1 + len(EVENTS))


async def test_after_the_last_attempt_the_events_so_far_are_given_up(bench: Bench) -> None:
    bench.receiver.answer = _unavailable
    bench.provider.hold()
    async with running(bench.scheduler()):
        await bench.add(1, callback_url=URL)
        await until(lambda: bool(bench.provider.sent))
        for attempt in range(1, MAX_ATTEMPTS + 1):
            await until(lambda: len(bench.receiver.requests) == attempt)  # noqa: B023 - awaited within the turn
            await settle()
            bench.clock.advance(5)
        await settle()
        assert bench.receiver.events == [EVENTS[0]] * MAX_ATTEMPTS
        bench.receiver.answer = lambda _: httpx.Response(200)
        bench.provider.go_on()
        await until(lambda: len(bench.receiver.requests) > MAX_ATTEMPTS)
        await settle()
    assert bench.receiver.events[MAX_ATTEMPTS:] == EVENTS[4:]
    assert bench.runtime.metrics.webhook_attempts == {"failed": MAX_ATTEMPTS - 1, "given_up": 1, "delivered": 1}


async def test_a_host_that_is_not_allowed_is_never_asked(bench: Bench) -> None:
    bench.receiver.addresses["receiver.test"] = ("93.184.216.34",)
    async with running(bench.scheduler()):
        job = await bench.add(1, callback_url=URL)
        await until_found(lambda: bench.has_ended(job.id))
        await settle()
        bench.clock.advance(LONGER_THAN_A_HOLD)
        await settle()
    assert bench.receiver.requests == []
    assert set(bench.runtime.metrics.webhook_attempts) == {"refused"}
    assert not await bench.stores.webhooks.take_due(bench.clock.now(), hold_until=bench.clock.now(), limit=1)


async def test_the_event_of_a_cancel_is_delivered_too(bench: Bench) -> None:
    async with running(bench.scheduler(max_in_flight=0)):
        job = await bench.add(1, callback_url=URL)
        await until(lambda: len(bench.receiver.requests) == 1)
        await settle()
        await bench.cancel(job.id)
        await until(lambda: len(bench.receiver.requests) == 2)
    assert bench.receiver.events == ["0 Initialized", "1 Deleted"]


async def test_events_of_another_process_are_found_by_the_poll(bench: Bench) -> None:
    async with running(bench.elsewhere().scheduler()):
        await settle()
        await bench.add(1, callback_url=URL)
        await settle()
        assert bench.receiver.requests == []
        bench.clock.advance(POLL_SECONDS)
        await until(lambda: len(bench.receiver.requests) == len(EVENTS))


async def test_a_killed_process_leaves_what_was_not_delivered_to_the_next(bench: Bench) -> None:
    bench.receiver.hold()
    async with running_until_killed(bench.elsewhere().scheduler(worker_id="dead")):
        job = await bench.add(1, callback_url=URL)
        await until_found(lambda: bench.has_ended(job.id))
        await until(lambda: len(bench.receiver.requests) == 1)
    bench.receiver.go_on()
    async with running(bench.elsewhere().scheduler(worker_id="heir")):
        await settle()
        assert len(bench.receiver.requests) == 1
        bench.clock.advance(LONGER_THAN_A_HOLD)
        await until(lambda: len(bench.receiver.requests) == 1 + len(EVENTS))
    assert bench.receiver.events == [EVENTS[0], *EVENTS]


async def test_a_second_scheduler_goes_on_where_the_first_stopped(bench: Bench) -> None:
    bench.provider.hold()
    async with running(bench.scheduler(worker_id="first", grace=0)):
        await bench.add(1, callback_url=URL)
        await until(lambda: len(bench.receiver.requests) == 4)
        await settle()
    bench.provider.go_on()
    async with running(bench.scheduler(worker_id="second")):
        await until(lambda: bool(bench.receiver.events) and bench.receiver.events[-1].endswith("Succeeded"))
    numbers = [int(event.split()[0]) for event in bench.receiver.events]
    assert numbers == list(range(len(numbers)))


async def test_two_schedulers_on_one_store_deliver_each_event_once(bench: Bench) -> None:
    async with (
        running(bench.scheduler(worker_id="a")),
        running(bench.elsewhere().scheduler(worker_id="b")),
    ):
        jobs = [await bench.add(number, callback_url=URL) for number in range(1, 21)]
        await until(lambda: len(bench.receiver.requests) == 20 * len(EVENTS))
        await settle()
    assert {tuple(bench.receiver.events_of(job.id)) for job in jobs} == {tuple(EVENTS)}


async def test_a_stop_lets_webhooks_on_their_way_arrive_within_the_grace_time(bench: Bench) -> None:
    bench.receiver.hold()
    scheduler = bench.scheduler(grace=60)
    async with running(scheduler):
        job = await bench.add(1, callback_url=URL)
        await until_found(lambda: bench.has_ended(job.id))
        await until(lambda: len(bench.receiver.requests) == 1)
        scheduler.stop()
        await settle()
        bench.receiver.go_on()
    now = bench.clock.now()
    (due,) = await bench.stores.webhooks.take_due(now, hold_until=now, limit=1)
    assert due.delivered_seq == 0


async def test_a_stop_without_grace_does_not_wait_for_a_dead_receiver(bench: Bench) -> None:
    bench.receiver.hold()
    async with asyncio.timeout(CALLBACK_TIMEOUT.total_seconds()), running(bench.scheduler(grace=0)):
        await bench.add(1, callback_url=URL)
        await until(lambda: len(bench.receiver.requests) == 1)
