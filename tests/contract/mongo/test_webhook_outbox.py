"""What only MongoDB can get wrong about callbacks: lost answers, rivals, and values that look like commands."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import pytest

from civitai_mock.domain.errors import TransientError
from civitai_mock.domain.job import Job
from civitai_mock.domain.search import DueWebhook
from civitai_mock.domain.stages import Stage
from civitai_mock.ports import WebhookOutbox
from civitai_mock.storage.mongo.collections import Collections
from tests.support.dates import START
from tests.support.jobs import LEASE, SECOND, add_claimed, job_id, make_job, prepared
from tests.support.mongo import Interrupted, Meanwhile, process_on

pytestmark = pytest.mark.mongo


def told_job(number: int = 1) -> Job:
    return replace(make_job(number, created_at=START + number * SECOND), callback_url="http://localhost:9/told")


async def due(webhooks: WebhookOutbox, *, seconds: int = 10, limit: int = 10) -> Sequence[DueWebhook]:
    now = START + seconds * SECOND
    return await webhooks.take_due(now, hold_until=now + 10 * SECOND, limit=limit)


@pytest.mark.parametrize("lost", [1, 2])
async def test_one_that_is_overtaken_looks_further_back(inside: Collections, lost: int) -> None:
    await process_on(inside).jobs.add([told_job(number) for number in (1, 2, 3, 4)])
    overtaken = partial(due, process_on(inside).webhooks, limit=lost)  # between our look and our write
    late = process_on(inside, jobs=Meanwhile(inside.jobs, "update_many", overtaken)).webhooks
    given = await due(late, limit=2)
    assert [callback.job.id for callback in given] == [job_id(lost + 1), job_id(lost + 2)]


async def test_a_job_whose_answer_was_lost_is_due_again_when_its_hold_ends(inside: Collections) -> None:
    await process_on(inside).jobs.add([told_job()])
    with pytest.raises(TransientError):
        await due(process_on(inside, jobs=Interrupted(inside.jobs, "update_many", carried_out=True)).webhooks)
    webhooks = process_on(inside).webhooks
    assert list(await due(webhooks, seconds=19)) == []
    assert list(await due(webhooks, seconds=20)) == [DueWebhook(job=told_job(), delivered_seq=-1, failures=0)]


async def test_an_event_that_a_crash_left_in_the_job_is_told_of(inside: Collections) -> None:
    process = process_on(inside)
    claimed = await add_claimed(process.jobs, process.queue, job=told_job())
    await due(process.webhooks)
    await process.webhooks.mark_delivered(claimed.id, seq=0)
    progressed = claimed.progressed(at=START + SECOND, context={})
    dying = process_on(inside, events=Interrupted(inside.job_events, "insert_many"))
    assert await dying.jobs.replace(claimed, progressed)
    assert list(await due(process.webhooks)) == [DueWebhook(job=progressed, delivered_seq=0, failures=0)]
    assert await process.jobs.events(claimed.id) == [claimed.last_event, progressed.last_event]


async def test_a_value_that_looks_like_a_field_or_a_command_is_written_as_it_is(inside: Collections) -> None:
    process = process_on(inside)
    before = await add_claimed(process.jobs, process.queue, job=told_job())
    assert await process.jobs.replace(before, prepared(before))
    odd = prepared(before).entered(Stage.SENT_TO_COMFY, at=START, until=START + LEASE, context={}, prompt_id="$jobId")
    odd = replace(odd, result={"$literal": "$$REMOVE"}, slots=(replace(before.slots[0], name="$$NOW"),))
    assert await process.jobs.replace(prepared(before), odd)
    assert await process.jobs.get(before.id) == odd
