"""What only MongoDB can get wrong about callbacks: lost answers, rivals, and values that look like commands."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from functools import partial

import pytest

from civitai_mock.domain.errors import TransientError
from civitai_mock.domain.job import Job
from civitai_mock.domain.search import DueWebhook
from civitai_mock.domain.stages import Stage
from civitai_mock.ports import JobStore
from civitai_mock.storage.mongo.collections import Collections
from tests.support.dates import START
from tests.support.jobs import LEASE, SECOND, add_claimed, job_id, make_job, prepared
from tests.support.mongo import Interrupted, Meanwhile, mongo_address, store_over

pytestmark = pytest.mark.mongo


@pytest.fixture
async def inside() -> AsyncIterator[Collections]:
    async with mongo_address() as address, address.open(), address.inside() as collections:
        yield collections


def told_job(number: int = 1) -> Job:
    return replace(make_job(number, created_at=START + number * SECOND), callback_url="http://localhost:9/told")


async def due(store: JobStore, *, seconds: int = 10, limit: int = 10) -> Sequence[DueWebhook]:
    now = START + seconds * SECOND
    return await store.due_callbacks(now, hold_until=now + 10 * SECOND, limit=limit)


@pytest.mark.parametrize("lost", [1, 2])
async def test_one_that_is_overtaken_looks_further_back(inside: Collections, lost: int) -> None:
    await store_over(inside).add([told_job(number) for number in (1, 2, 3, 4)])
    overtaken = partial(due, store_over(inside), limit=lost)  # between our look and our write
    late = store_over(inside, jobs=Meanwhile(inside.jobs, "update_many", overtaken))
    given = await due(late, limit=2)
    assert [callback.job.id for callback in given] == [job_id(lost + 1), job_id(lost + 2)]


async def test_a_job_whose_answer_was_lost_is_due_again_when_its_hold_ends(inside: Collections) -> None:
    await store_over(inside).add([told_job()])
    with pytest.raises(TransientError):
        await due(store_over(inside, jobs=Interrupted(inside.jobs, "update_many", carried_out=True)))
    assert list(await due(store_over(inside), seconds=19)) == []
    assert list(await due(store_over(inside), seconds=20)) == [DueWebhook(job=told_job(), delivered_seq=-1, failures=0)]


async def test_an_event_that_a_crash_left_in_the_job_is_told_of(inside: Collections) -> None:
    store = store_over(inside)
    claimed = await add_claimed(store, job=told_job())
    await due(store)
    await store.told(claimed.id, seq=0)
    progressed = claimed.progressed(at=START + SECOND, context={})
    dying = store_over(inside, events=Interrupted(inside.job_events, "insert_many"))
    assert await dying.replace(claimed, progressed)
    assert list(await due(store)) == [DueWebhook(job=progressed, delivered_seq=0, failures=0)]
    assert await store.events(claimed.id) == [claimed.last_event, progressed.last_event]


async def test_a_value_that_looks_like_a_field_or_a_command_is_written_as_it_is(inside: Collections) -> None:
    store = store_over(inside)
    before = await add_claimed(store, job=told_job())
    assert await store.replace(before, prepared(before))
    odd = prepared(before).entered(Stage.SENT_TO_COMFY, at=START, lease=LEASE, context={}, prompt_id="$jobId")
    odd = replace(odd, result={"$literal": "$$REMOVE"}, slots=(replace(before.slots[0], name="$$NOW"),))
    assert await store.replace(prepared(before), odd)
    assert await store.get(before.id) == odd
