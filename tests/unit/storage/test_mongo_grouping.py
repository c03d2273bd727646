"""Calls of one instant become one write, and each caller gets its own answer."""

import asyncio
import gc
from collections.abc import Sequence

import pytest

from civitai_mock.storage.mongo.grouping import Grouped


class Doubler:
    """Notes each group, and carries none out before it may."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.begun = asyncio.Event()
        self.may_end = asyncio.Event()

    async def __call__(self, items: Sequence[int]) -> Sequence[int]:
        self.groups.append(list(items))
        self.begun.set()
        await self.may_end.wait()
        if 13 in items:
            raise RuntimeError("unlucky")
        return [item * 2 for item in items]


@pytest.fixture
def doubler() -> Doubler:
    return Doubler()


async def test_calls_of_one_instant_are_one_group(doubler: Doubler) -> None:
    doubler.may_end.set()
    grouped = Grouped(doubler, limit=10)
    assert await asyncio.gather(*(grouped(number) for number in range(4))) == [0, 2, 4, 6]
    assert doubler.groups == [[0, 1, 2, 3]]


async def test_what_comes_while_a_group_is_written_is_the_next_group(doubler: Doubler) -> None:
    grouped = Grouped(doubler, limit=10)
    first = asyncio.create_task(grouped(1))
    await doubler.begun.wait()
    later = [asyncio.create_task(grouped(number)) for number in (2, 3)]
    await asyncio.sleep(0)
    assert doubler.groups == [[1]]
    doubler.may_end.set()
    assert await asyncio.gather(first, *later) == [2, 4, 6]
    assert doubler.groups == [[1], [2, 3]]


async def test_a_full_group_is_followed_by_another(doubler: Doubler) -> None:
    doubler.may_end.set()
    grouped = Grouped(doubler, limit=2)
    assert await asyncio.gather(*(grouped(number) for number in range(5))) == [0, 2, 4, 6, 8]
    assert doubler.groups == [[0, 1], [2, 3], [4]]


async def test_an_error_reaches_everybody_in_the_group_and_nobody_after_it(doubler: Doubler) -> None:
    doubler.may_end.set()
    grouped = Grouped(doubler, limit=2)
    unlucky = await asyncio.gather(*(grouped(number) for number in (13, 1, 2)), return_exceptions=True)
    assert [type(answer) for answer in unlucky] == [RuntimeError, RuntimeError, int]
    assert await grouped(5) == 10


async def test_a_caller_that_is_cancelled_spoils_nothing_for_the_others(doubler: Doubler) -> None:
    grouped = Grouped(doubler, limit=10)
    impatient, patient = asyncio.create_task(grouped(1)), asyncio.create_task(grouped(2))
    await doubler.begun.wait()
    impatient.cancel()
    doubler.may_end.set()
    assert await patient == 4
    with pytest.raises(asyncio.CancelledError):
        await impatient


async def test_draining_waits_for_writes_whose_callers_are_gone(doubler: Doubler) -> None:
    grouped = Grouped(doubler, limit=10)
    caller = asyncio.create_task(grouped(13))
    await doubler.begun.wait()
    caller.cancel()
    draining = asyncio.create_task(grouped.drain())
    await asyncio.sleep(0)
    assert not draining.done()
    doubler.may_end.set()
    await draining


async def test_draining_is_done_at_once_when_nothing_was_written(doubler: Doubler) -> None:
    await Grouped(doubler, limit=10).drain()


async def test_an_error_that_nobody_waits_for_any_more_is_told_to_nobody(doubler: Doubler) -> None:
    told: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    grouped = Grouped(doubler, limit=10)
    call = asyncio.create_task(grouped(13))
    await doubler.begun.wait()
    call.cancel()
    await asyncio.wait([call])
    doubler.may_end.set()
    await grouped.drain()
    del grouped, call
    gc.collect()  # as a task tells of its error when it goes
    assert told == []
