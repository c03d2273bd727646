"""Work in threads: whatever it raises reaches the waiting task as an exception that can be caught."""

import asyncio
import concurrent.futures

import pytest

from civitai_mock.drawing.threads import ThreadFailedError, in_thread


def _raise(error: BaseException) -> None:
    raise error


async def test_the_result_of_work_in_a_thread_is_returned() -> None:
    assert await in_thread(lambda: 7) == 7


@pytest.mark.parametrize("error", [ValueError("a"), MemoryError(), ExceptionGroup("all", [ValueError("a")])])
async def test_a_plain_exception_comes_as_it_is(error: Exception) -> None:
    with pytest.raises(type(error)) as caught:
        await in_thread(lambda: _raise(error))
    assert caught.value is error


@pytest.mark.parametrize(
    "error",
    [
        StopIteration(),
        StopAsyncIteration(),
        asyncio.CancelledError(),
        concurrent.futures.CancelledError(),
        KeyboardInterrupt(),
        SystemExit(3),
        BaseExceptionGroup("all", [KeyboardInterrupt()]),
    ],
    ids=repr,
)
async def test_what_no_future_can_carry_comes_in_another_exception(error: BaseException) -> None:
    with pytest.raises(ThreadFailedError) as caught:
        await in_thread(lambda: _raise(error))
    assert caught.value.cause is error


async def test_being_cancelled_is_not_an_exception_of_the_work() -> None:
    waiting = asyncio.create_task(in_thread(lambda: None))
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
