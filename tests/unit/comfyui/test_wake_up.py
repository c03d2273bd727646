"""A wait ends at its time or by an earlier notification, and backoff grows."""

import asyncio

import pytest

from civitai_mock.clock import SeededIds, VirtualClock
from civitai_mock.providers.comfyui.wake_up import WakeUp, backoff_seconds
from tests.support.event_loop import settle


async def test_a_notification_ends_a_wait_before_its_time(clock: VirtualClock) -> None:
    wake_up = WakeUp(clock)
    waiting = asyncio.create_task(wake_up.wait(60))
    await settle()
    assert not waiting.done()
    wake_up.notify()
    await waiting


async def test_a_wait_ends_when_its_time_has_passed(clock: VirtualClock) -> None:
    waiting = asyncio.create_task(WakeUp(clock).wait(60))
    await settle()
    clock.advance(59)
    await settle()
    assert not waiting.done()
    clock.advance(1)
    await waiting


async def test_a_notification_that_nobody_waited_for_is_kept_once(clock: VirtualClock) -> None:
    wake_up = WakeUp(clock)
    wake_up.notify()
    wake_up.notify()
    await wake_up.wait()
    waiting = asyncio.create_task(wake_up.wait())
    await settle()
    assert not waiting.done()
    waiting.cancel()


@pytest.mark.parametrize(
    ("failures", "whole"), [(1, 0.5), (2, 1.0), (3, 2.0), (4, 4.0), (5, 5.0), (50, 5.0), (5000, 5.0)]
)
def test_pauses_grow_to_their_limit_and_differ(failures: int, whole: float) -> None:
    ids = SeededIds()
    pauses = [backoff_seconds(failures, longest=5.0, ids=ids) for _ in range(100)]
    assert all(whole / 2 <= pause <= whole for pause in pauses)
    assert len(set(pauses)) > 50
