"""`WorkflowOutbox`: announcements of workflows, in order and each until it is known or given up."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from civitai_mock.domain.callbacks import CallbackAttempt, CallbackState
from civitai_mock.domain.json_types import JsonObject
from civitai_mock.domain.workflow import WorkflowMemo, WorkflowStatus
from civitai_mock.domain.workflow_search import Announcement, DueAnnouncement
from civitai_mock.ports import Stores, WorkflowOutbox
from tests.support.dates import START
from tests.support.jobs import SECOND
from tests.support.workflows import MONTH, make_workflow, workflow_id

HOLD = timedelta(seconds=40)


def announcement(seq: int, *, at: datetime | None = None, status: str = "processing") -> Announcement:
    moment = at or START + seq * SECOND
    return Announcement(seq=seq, callback=seq % 2, scope="step", subject="$0 кот", status=status, at=moment)


@pytest.fixture
async def outbox(stores: Stores) -> WorkflowOutbox:
    """Of a store with the workflows 1 to 3."""
    for number in (1, 2, 3):
        await stores.workflows.add(make_workflow(number), [])
    return stores.announcements


async def announce(outbox: WorkflowOutbox, number: int, *seqs: int, at: datetime | None = None) -> bool:
    return await outbox.announce(workflow_id(number), [announcement(seq, at=at) for seq in seqs])


async def take(outbox: WorkflowOutbox, second: float = 100, *, limit: int = 9) -> Sequence[DueAnnouncement]:
    now = START + timedelta(seconds=second)
    return await outbox.take_due(now, hold_until=now + HOLD, limit=limit)


async def taken(outbox: WorkflowOutbox, second: float = 100, *, limit: int = 9) -> list[tuple[str, int, int]]:
    found = await take(outbox, second, limit=limit)
    return [(due.workflow_id, due.announcement.seq, due.failures) for due in found]


async def test_nothing_is_due_at_first(outbox: WorkflowOutbox) -> None:
    assert await taken(outbox) == []
    assert list(await outbox.announced(workflow_id(1))) == []


async def test_announcements_come_back_as_they_were(outbox: WorkflowOutbox) -> None:
    assert await announce(outbox, 1, 0, 1)
    assert await announce(outbox, 1, 2)
    assert list(await outbox.announced(workflow_id(1))) == [announcement(seq) for seq in (0, 1, 2)]
    (due,) = await take(outbox)
    assert due == DueAnnouncement(workflow_id=workflow_id(1), announcement=announcement(0), failures=0)


@pytest.mark.parametrize("seqs", [(1,), (0,), (3,)])
async def test_only_what_follows_the_last_is_appended(outbox: WorkflowOutbox, seqs: tuple[int, ...]) -> None:
    assert await announce(outbox, 1, 0, 1)
    assert not await announce(outbox, 1, *seqs)
    assert len(await outbox.announced(workflow_id(1))) == 2
    assert not await announce(outbox, 2, 1)
    assert not await outbox.announce(workflow_id(1), [])


async def test_of_announcers_at_once_one_is_first(outbox: WorkflowOutbox) -> None:
    for seq in (0, 1):
        made = [announcement(seq, status=str(number)) for number in range(10)]
        answers = await asyncio.gather(*(outbox.announce(workflow_id(1), [one]) for one in made))
        assert answers.count(True) == 1
        assert (await outbox.announced(workflow_id(1)))[-1] == made[answers.index(True)]


async def test_an_unknown_or_deleted_workflow_announces_nothing(stores: Stores, outbox: WorkflowOutbox) -> None:
    assert not await announce(outbox, 9, 0)
    found = await stores.workflows.get(workflow_id(1))
    assert found is not None
    assert await stores.workflows.delete(found.workflow)
    assert not await announce(outbox, 1, 0)
    assert await taken(outbox) == []


async def test_what_is_not_due_yet_is_not_taken(outbox: WorkflowOutbox) -> None:
    await announce(outbox, 1, 0, at=START + 5 * SECOND)
    assert await taken(outbox, 4) == []
    assert await taken(outbox, 5) == [(workflow_id(1), 0, 0)]


async def test_the_longest_due_are_taken_first(outbox: WorkflowOutbox) -> None:
    for number, second in ((1, 3), (2, 1), (3, 2)):
        await announce(outbox, number, 0, at=START + second * SECOND)
    assert await taken(outbox, limit=0) == []
    assert await taken(outbox, limit=2) == [(workflow_id(2), 0, 0), (workflow_id(3), 0, 0)]
    assert await taken(outbox, limit=2) == [(workflow_id(1), 0, 0)]


async def test_one_announcement_of_a_workflow_is_on_its_way_at_a_time(outbox: WorkflowOutbox) -> None:
    await announce(outbox, 1, 0, 1)
    assert await taken(outbox) == [(workflow_id(1), 0, 0)]
    assert await taken(outbox) == []
    await announce(outbox, 1, 2)
    assert await taken(outbox) == []
    await outbox.mark_delivered(workflow_id(1), seq=0)
    assert await taken(outbox) == [(workflow_id(1), 1, 0)]
    await outbox.mark_delivered(workflow_id(1), seq=1)
    assert await taken(outbox) == [(workflow_id(1), 2, 0)]
    await outbox.mark_delivered(workflow_id(1), seq=2)
    assert await taken(outbox) == []
    await announce(outbox, 1, 3)
    assert await taken(outbox) == [(workflow_id(1), 3, 0)]


async def test_takers_at_once_share_what_is_due(outbox: WorkflowOutbox) -> None:
    for number in (1, 2, 3):
        await announce(outbox, number, 0)
    found = await asyncio.gather(*(take(outbox, limit=2) for _ in range(5)))
    assert sorted(due.workflow_id for due in [due for part in found for due in part]) == [
        workflow_id(number) for number in (1, 2, 3)
    ]


async def test_what_a_dead_process_held_is_due_again(outbox: WorkflowOutbox) -> None:
    await announce(outbox, 1, 0, 1)
    assert await taken(outbox, 100) == [(workflow_id(1), 0, 0)]
    assert await taken(outbox, 139) == []
    assert await taken(outbox, 140) == [(workflow_id(1), 0, 0)]


async def test_a_failed_attempt_is_repeated_later(outbox: WorkflowOutbox) -> None:
    await announce(outbox, 1, 0, 1)
    for failures in (0, 1):
        assert await taken(outbox, 100 + failures) == [(workflow_id(1), 0, failures)]
        retry_at = START + timedelta(seconds=101 + failures)
        await outbox.mark_failed(workflow_id(1), seq=0, retry_at=retry_at)
        assert await taken(outbox, 100.5 + failures) == []
    await announce(outbox, 1, 2)
    assert await taken(outbox, 101.5) == []
    assert await taken(outbox, 102) == [(workflow_id(1), 0, 2)]
    await outbox.mark_delivered(workflow_id(1), seq=0)
    assert await taken(outbox, 102) == [(workflow_id(1), 1, 0)]


async def test_one_that_is_given_up_lets_the_next_follow(outbox: WorkflowOutbox) -> None:
    await announce(outbox, 1, 0, 1)
    await taken(outbox)
    await outbox.mark_failed(workflow_id(1), seq=0, retry_at=START)
    assert await taken(outbox) == [(workflow_id(1), 0, 1)]
    await outbox.mark_failed(workflow_id(1), seq=0, retry_at=None)
    assert await taken(outbox) == [(workflow_id(1), 1, 0)]
    await outbox.mark_failed(workflow_id(1), seq=1, retry_at=None)
    assert await taken(outbox) == []
    assert len(await outbox.announced(workflow_id(1))) == 2


async def test_marks_that_come_late_change_nothing(outbox: WorkflowOutbox) -> None:
    """As those of a process whose hold was over."""
    await announce(outbox, 1, 0, 1, 2)
    await taken(outbox)
    await outbox.mark_delivered(workflow_id(1), seq=0)
    assert await taken(outbox) == [(workflow_id(1), 1, 0)]
    await outbox.mark_delivered(workflow_id(1), seq=0)
    await outbox.mark_failed(workflow_id(1), seq=0, retry_at=START)
    await outbox.mark_failed(workflow_id(1), seq=0, retry_at=None)
    assert await taken(outbox) == []
    await outbox.mark_delivered(workflow_id(1), seq=1)
    assert await taken(outbox) == [(workflow_id(1), 2, 0)]


async def test_marks_of_a_workflow_that_is_gone_do_nothing(outbox: WorkflowOutbox) -> None:
    await outbox.mark_delivered(workflow_id(9), seq=0)
    await outbox.mark_failed(workflow_id(9), seq=0, retry_at=START)
    await outbox.mark_failed(workflow_id(9), seq=0, retry_at=None)
    assert await taken(outbox) == []


async def test_the_last_words_of_a_deleted_workflow_are_delivered(stores: Stores, outbox: WorkflowOutbox) -> None:
    await announce(outbox, 1, 0)
    found = await stores.workflows.get(workflow_id(1))
    assert found is not None
    assert await stores.workflows.delete(found.workflow)
    assert await taken(outbox) == [(workflow_id(1), 0, 0)]


async def test_announcements_are_swept_with_their_workflow(stores: Stores, outbox: WorkflowOutbox) -> None:
    await announce(outbox, 1, 0)
    await stores.jobs.sweep(START + MONTH)
    assert await taken(outbox, MONTH.total_seconds()) == []
    assert list(await outbox.announced(workflow_id(1))) == []
    await stores.workflows.add(replace(make_workflow(1), keep_until=START + 2 * MONTH), [])
    assert await taken(outbox, MONTH.total_seconds()) == []
    assert await announce(outbox, 1, 0)


async def test_the_next_one_is_due_as_soon_as_the_first_workflow_is(outbox: WorkflowOutbox) -> None:
    assert await outbox.next_due() is None
    await announce(outbox, 1, 0, at=START + 10 * SECOND)
    await announce(outbox, 2, 0, at=START + 5 * SECOND)
    assert await outbox.next_due() == START + 5 * SECOND
    assert await taken(outbox, 5) == [(workflow_id(2), 0, 0)]
    assert await outbox.next_due() == START + 10 * SECOND
    assert await taken(outbox, 10) == [(workflow_id(1), 0, 0)]
    assert await outbox.next_due() == START + 5 * SECOND + HOLD
    await outbox.mark_failed(workflow_id(1), seq=0, retry_at=START + 20 * SECOND)
    await outbox.mark_delivered(workflow_id(2), seq=0)
    assert await outbox.next_due() == START + 20 * SECOND
    await outbox.mark_delivered(workflow_id(1), seq=0)
    assert await outbox.next_due() is None


async def test_a_workflow_that_is_over_is_open_until_its_announcements_are_known(stores: Stores) -> None:
    added = await stores.workflows.add(make_workflow(), [])
    memo = WorkflowMemo(status=WorkflowStatus.SUCCEEDED, started_at=START, completed_at=START)
    assert await stores.workflows.replace(added, added.over(memo, keep_until=START + MONTH))
    assert not await stores.jobs.has_open_workflows()
    await announce(stores.announcements, 1, 0)
    assert await stores.jobs.has_open_workflows()
    await stores.announcements.mark_delivered(workflow_id(1), seq=0)
    assert not await stores.jobs.has_open_workflows()


async def test_what_was_tried_is_known(outbox: WorkflowOutbox) -> None:
    assert await outbox.state(workflow_id(1)) is None
    await announce(outbox, 1, 0, 1)
    failed = CallbackAttempt(seq=0, at=START + SECOND, status=503, error="busy")
    await outbox.mark_failed(workflow_id(1), seq=0, retry_at=START + 5 * SECOND, attempt=failed)
    expected = CallbackState(told=-1, due_at=START + 5 * SECOND, attempts=(failed,))
    assert await outbox.state(workflow_id(1)) == expected
    arrived = CallbackAttempt(seq=0, at=START + 5 * SECOND, status=200)
    await outbox.mark_delivered(workflow_id(1), seq=0, attempt=arrived)
    given_up = CallbackAttempt(seq=1, at=START + 6 * SECOND, error="gone")
    await outbox.mark_failed(workflow_id(1), seq=1, retry_at=None, attempt=given_up)
    assert await outbox.state(workflow_id(1)) == CallbackState(
        told=1, due_at=None, attempts=(failed, arrived, given_up)
    )


LATE: JsonObject = {"rule": "a", "$x.y": {"late": 1.5}}


async def test_what_goes_wrong_with_an_announcement_is_decided_once(outbox: WorkflowOutbox) -> None:
    assert await outbox.keep_fault(workflow_id(1), seq=0, fault=LATE) is None
    await announce(outbox, 1, 0, 1)
    assert await outbox.keep_fault(workflow_id(1), seq=0, fault=LATE) == LATE
    assert await outbox.keep_fault(workflow_id(1), seq=0, fault={"rule": "b"}) == LATE
    await outbox.mark_failed(workflow_id(1), seq=0, retry_at=START + SECOND)
    (due,) = await take(outbox)
    assert due.faults == {"0": LATE}
    await announce(outbox, 1, 2)
    state = await outbox.state(workflow_id(1))
    assert state is not None
    assert state.faults == {"0": LATE}


async def test_what_is_postponed_has_not_failed(outbox: WorkflowOutbox) -> None:
    await announce(outbox, 1, 0, 1)
    await take(outbox)
    await outbox.postpone(workflow_id(1), seq=0, until=START + 300 * SECOND)
    assert await outbox.next_due() == START + 300 * SECOND
    assert await taken(outbox, 300) == [(workflow_id(1), 0, 0)]
    await outbox.mark_delivered(workflow_id(1), seq=0)
    await outbox.postpone(workflow_id(1), seq=0, until=START + 900 * SECOND)  # which is another one's turn by now
    assert await outbox.next_due() == START + SECOND


async def test_a_workflow_is_due_again_with_its_next_announcement(outbox: WorkflowOutbox) -> None:
    await announce(outbox, 1, 0, 1)
    await take(outbox)
    assert not await outbox.await_next(workflow_id(1), seq=0)
    assert not await outbox.await_next(workflow_id(2), seq=1)
    assert await outbox.await_next(workflow_id(1), seq=1)
    assert (await outbox.next_due(), await taken(outbox, 1000)) == (None, [])
    await announce(outbox, 1, 2)
    assert await outbox.next_due() == START + 2 * SECOND
    assert await taken(outbox, 1000) == [(workflow_id(1), 0, 0)]
