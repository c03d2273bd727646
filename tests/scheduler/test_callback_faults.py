"""Faults of callbacks, as receivers see them: twice, late, in another order, or never; of jobs and of workflows."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import httpx
import pytest

from civitai_mock.domain.json_types import JsonObject
from civitai_mock.services.callback_views import ShowCallbacks
from tests.scheduler.conftest import Bench, running
from tests.scheduler.workflow_bench import echo_step, submit, until_over
from tests.support.event_loop import settle, until, until_found
from tests.support.faults import set_rules
from tests.support.receiver import URL

EVENTS = ["0 Initialized", "1 Claimed", "2 Updated", "3 Updated", "4 Succeeded"]
STATUSES = ["0 unassigned", "1 processing", "2 succeeded"]
TWICE = [event for event in EVENTS for _ in range(2)]
SWAPPED = [EVENTS[1], EVENTS[0], EVENTS[3], EVENTS[2], EVENTS[4]]
IMMEDIATELY: list[tuple[JsonObject, list[str], list[str]]] = [
    ({"preset": "callback-duplicate"}, TWICE, [status for status in STATUSES for _ in range(2)]),
    ({"action": {"duplicate": True}}, TWICE, [status for status in STATUSES for _ in range(2)]),
    ({"preset": "callback-reorder"}, SWAPPED, [STATUSES[1], STATUSES[0], STATUSES[2]]),
    ({"action": {"reorder": True}}, SWAPPED, [STATUSES[1], STATUSES[0], STATUSES[2]]),
    ({"preset": "callback-drop"}, [], []),
    ({"action": {"drop": True}}, [], []),
    ({"action": {"drop": True}, "times": 2}, EVENTS[2:], STATUSES[2:]),
    ({"action": {"drop": True}, "every": 2}, EVENTS[::2], STATUSES[::2]),
    ({"preset": "callback-drop", "match": {"attempt": 2}}, EVENTS, STATUSES),
]


def told(bench: Bench) -> list[str]:
    """Return the number and the event or status in each request, in order."""
    found = []
    for request in bench.receiver.requests:
        body = json.loads(request.content)
        _, seq = request.headers["Idempotency-Key"].split("/")
        found.append(f"{seq} {body['status'] if '$type' in body else body['type']}")
    return found


async def run_workflow(bench: Bench, *types: str, steps: Sequence[JsonObject] = ()) -> None:
    """Run one, and wait until nothing is left to be told of it."""
    callbacks: list[Any] = [{"url": URL, "type": list(types or ["workflow:*"])}]
    submitted = await submit(bench, steps or [echo_step("hello")], callbacks=callbacks)
    await until_over(bench, submitted)
    await settle()


@pytest.mark.parametrize(("rule", "events", "statuses"), IMMEDIATELY, ids=lambda value: json.dumps(value)[:60])
async def test_what_goes_wrong_with_callbacks(
    bench: Bench, rule: JsonObject, events: list[str], statuses: list[str]
) -> None:
    set_rules(bench.namespace.controls, rule)
    async with running(bench.scheduler()):
        await settle()
        job = await bench.add(1, callback_url=URL)
        await until_found(lambda: bench.has_ended(job.id))
        await settle()
        assert told(bench) == events
        assert await bench.stores.webhooks.next_due() is None
        bench.receiver.requests.clear()
        set_rules(bench.namespace.controls, rule, life="2")
        await run_workflow(bench)
        assert told(bench) == statuses
        assert await bench.stores.announcements.next_due() is None


@pytest.mark.parametrize(
    ("rule", "seconds"),
    [
        ({"preset": "callback-late"}, 60),
        ({"preset": "callback-late", "params": {"seconds": 7.5}}, 7.5),
        ({"action": {"late": "2m"}}, 120),
        ({"action": {"late": {"min": "90s", "max": "90s"}}}, 90),
    ],
)
async def test_a_late_callback_comes_so_long_after_its_event(bench: Bench, rule: JsonObject, seconds: float) -> None:
    set_rules(bench.namespace.controls, rule)
    async with running(bench.scheduler()):
        job = await bench.add(1, callback_url=URL)
        await until_found(lambda: bench.has_ended(job.id))
        await bench.pass_time(1)
        await run_workflow(bench)
        await bench.pass_time(seconds - 1.001)
        assert told(bench) == []
        await bench.pass_time(0.001)
        assert told(bench) == EVENTS
        await bench.pass_time(1)
        assert told(bench) == [*EVENTS, *STATUSES]


async def test_a_redirect_that_is_not_followed_counts_as_told(bench: Bench) -> None:
    set_rules(bench.namespace.controls, {"preset": "callback-301"})
    moved = httpx.Response(301, headers={"Location": "http://other.test/hook"})
    bench.receiver.answer = lambda _: moved
    async with running(bench.scheduler()):
        job = await bench.add(1, callback_url=URL)
        await until_found(lambda: bench.has_ended(job.id))
        await settle()
        await run_workflow(bench)
    assert told(bench) == [*EVENTS, *STATUSES]
    assert {request.headers["Host"] for request in bench.receiver.requests} == {"receiver.test"}
    state = await bench.stores.webhooks.state(job.id)
    assert state is not None
    assert [(attempt.seq, attempt.status, attempt.error) for attempt in state.attempts] == [
        (seq, 301, None) for seq in range(len(EVENTS))
    ]


async def test_without_the_fault_a_redirect_is_followed(bench: Bench) -> None:
    moved = [httpx.Response(301, headers={"Location": "http://other.test/hook"})]
    bench.receiver.answer = lambda _: moved.pop() if moved else httpx.Response(204)
    async with running(bench.scheduler()):
        await bench.add(1, callback_url=URL)
        await until(lambda: len(bench.receiver.requests) == len(EVENTS) + 1)
    assert [request.headers["Host"] for request in bench.receiver.requests[:2]] == ["receiver.test", "other.test"]


async def test_what_was_decided_holds_at_each_attempt(bench: Bench) -> None:
    """The dice do not fall again because a receiver was away, and a rule that is gone by then goes on."""
    set_rules(bench.namespace.controls, {"action": {"duplicate": True}, "times": 1})
    bench.receiver.answer = lambda _: httpx.Response(503)
    async with running(bench.scheduler()):
        await bench.add(1, callback_url=URL)
        await until(lambda: len(bench.receiver.requests) == 1)
        set_rules(bench.namespace.controls)
        bench.receiver.answer = lambda _: httpx.Response(204)
        await bench.pass_time(3)
    assert told(bench) == [EVENTS[0], EVENTS[0], EVENTS[0], *EVENTS[1:]]
    assert len({request.headers["Idempotency-Key"] for request in bench.receiver.requests}) == len(EVENTS)


async def test_a_miss_of_the_dice_is_kept(bench: Bench) -> None:
    set_rules(bench.namespace.controls, {"action": {"drop": True}, "probability": 0})
    bench.receiver.answer = lambda _: httpx.Response(503)
    async with running(bench.scheduler()):
        job = await bench.add(1, callback_url=URL)
        await until(lambda: len(bench.receiver.requests) == 1)
        set_rules(bench.namespace.controls, {"action": {"drop": True}}, life="2")
        bench.receiver.answer = lambda _: httpx.Response(204)
        await bench.pass_time(3)
    assert told(bench) == [EVENTS[0], EVENTS[0]]
    state = await bench.stores.webhooks.state(job.id)
    assert state is not None
    assert state.faults["0"] == {}


async def test_an_event_that_overtakes_is_tried_again_and_told_once(bench: Bench) -> None:
    set_rules(bench.namespace.controls, {"preset": "callback-reorder", "times": 1})
    answers = [503, 204, 503]
    bench.receiver.answer = lambda _: httpx.Response(answers.pop(0) if answers else 204)
    async with running(bench.scheduler()):
        job = await bench.add(1, callback_url=URL)
        await until_found(lambda: bench.has_ended(job.id))
        for _ in range(3):
            await bench.pass_time(5)
    assert told(bench) == [EVENTS[1], EVENTS[1], EVENTS[0], EVENTS[0], *EVENTS[2:]]
    state = await bench.stores.webhooks.state(job.id)
    assert state is not None
    assert [(attempt.seq, attempt.status) for attempt in state.attempts][:4] == [(1, 503), (0, 503), (0, 204), (1, 204)]


async def test_an_event_waits_for_the_next_one_also_in_another_process(bench: Bench) -> None:
    set_rules(bench.namespace.controls, {"preset": "callback-reorder"})
    bench.provider.hold()
    async with running(bench.scheduler()):
        job = await bench.add(1, callback_url=URL)
        await until(lambda: len(bench.receiver.requests) == 2)
        await until_found(lambda: bench.is_sent(job.id))
        await settle()
        before = told(bench)
    assert before == [*SWAPPED[:4]][: len(before)]
    bench.provider.go_on()
    other = bench.elsewhere()
    async with running(other.scheduler(worker_id="local-2")):
        await bench.outlive_a_lease()
        await until_found(lambda: bench.has_ended(job.id))
        await bench.pass_time(60)
    types = await bench.event_types(job.id)
    numbers = [int(event.split()[0]) for event in told(bench)]
    assert sorted(numbers) == list(range(len(types)))
    assert await bench.stores.webhooks.next_due() is None


async def test_each_subscriber_of_a_workflow_has_an_order_of_its_own(bench: Bench) -> None:
    set_rules(bench.namespace.controls, {"preset": "callback-reorder"})
    callbacks: list[Any] = [{"url": URL, "type": ["workflow:*"]}, {"url": f"{URL}&second", "type": ["workflow:*"]}]
    async with running(bench.scheduler()):
        await until_over(bench, await submit(bench, [echo_step("hello")], callbacks=callbacks))
        await settle()
    by_url: dict[str, list[str]] = {}
    for request in bench.receiver.requests:
        by_url.setdefault(str(request.url), []).append(json.loads(request.content)["status"])
    assert list(by_url.values()) == [["processing", "unassigned", "succeeded"]] * 2


@pytest.mark.parametrize("types", [["workflow:processing"], ["workflow:succeeded"], ["step:*"], ["job:succeeded"]])
async def test_an_event_that_may_be_the_last_waits_for_no_other(bench: Bench, types: list[str]) -> None:
    set_rules(bench.namespace.controls, {"preset": "callback-reorder"})
    async with running(bench.scheduler()):
        await run_workflow(bench, *types)
        assert sorted(told(bench))
        assert await bench.stores.announcements.next_due() is None


@pytest.mark.parametrize(
    ("match", "hits"),
    [
        ({"prompt": {"contains": "fox"}}, True),
        ({"prompt": {"contains": "owl"}}, False),
        ({"$type": "TextToImage"}, True),
        ({"$type": "echo"}, False),
        ({"ecosystem": "sd1"}, True),
        ({"ecosystem": "sdxl"}, False),
        ({"model": "civitai:4384@128713"}, True),
        ({"imageGiven": False, "attempt": 1}, True),
        ({"imageGiven": True}, False),
    ],
)
async def test_a_rule_matches_the_job_of_a_callback(bench: Bench, match: JsonObject, hits: bool) -> None:
    set_rules(bench.namespace.controls, {"action": {"drop": True}, "match": match})
    async with running(bench.scheduler()):
        (job,) = await bench.submit(callbackUrl=URL)
        await until_found(lambda: bench.has_ended(job.id))
        await settle()
    assert bool(bench.receiver.requests) is not hits


async def test_the_fault_of_a_request_goes_with_its_jobs(bench: Bench) -> None:
    asked: JsonObject = {"preset": "callback-drop"}
    async with running(bench.scheduler()):
        for number, document in ((1, asked), (2, {"preset": "blob-lost"})):
            job = replace(await bench.add(number), id=f"asked-{number}", callback_url=URL, asked_fault=document)
            await bench.stores.jobs.add([job])
            bench.event_bus.publish_changes([job])
        await settle()
    told_of = {request.headers["Idempotency-Key"].split("/")[0] for request in bench.receiver.requests}
    assert told_of == {"asked-2"}


async def test_the_callbacks_of_a_job_tell_their_faults(bench: Bench) -> None:
    set_rules(bench.namespace.controls, {"preset": "callback-drop", "times": 1}, {"action": {"late": "1m"}, "times": 1})
    async with running(bench.scheduler()):
        job = await bench.add(1, callback_url=URL)
        await until_found(lambda: bench.has_ended(job.id))
        await settle()
        stores = bench.stores
        show = ShowCallbacks(webhooks=stores.webhooks, announcements=stores.announcements, workflows=stores.workflows)
        seen = await show(await bench.job(job.id), await bench.stores.jobs.events(job.id))
        assert [(one.delivered, one.fault) for one in seen[:3]] == [
            ("dropped", {"rule": "rule-1", "preset": "callback-drop"}),
            ("due", {"rule": "rule-2", "action": {"late": "1m"}}),
            ("waiting", None),
        ]
