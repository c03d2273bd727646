"""Clocks, ids and seeds."""

import asyncio
import json
import os
import random
import secrets
import subprocess
import sys
import time
import uuid

import pytest
import uvloop

from civitai_mock.clock import RandomIds, SeededIds, SystemClock, VirtualClock
from civitai_mock.clock.ids import DRAWN_AT_ONCE

DELAYS = [0.002 + 0.00037 * number for number in range(60)]


def test_ids_are_written_as_version_4_of_the_standard() -> None:
    ids, bits = SeededIds(7), random.Random(7)
    for _ in range(1000):
        assert ids.uuid() == str(uuid.UUID(int=bits.getrandbits(128), version=4))


def test_no_two_ids_of_this_machine_are_the_same() -> None:
    ids = RandomIds()
    found = {ids.uuid() for _ in range(1000)}
    assert len(found) == 1000
    assert {uuid.UUID(text).version for text in found} == {4}


async def _seconds_too_early() -> list[float]:
    """Let sleeps and calls of many lengths go off; return by how much each came too early."""
    clock, loop, early = SystemClock(), asyncio.get_running_loop(), list[float]()

    async def sleep(delay: float) -> None:
        began = time.perf_counter()
        await clock.sleep(delay)
        early.append(delay - (time.perf_counter() - began))

    async def wait_for_call(delay: float) -> None:
        began, called = time.perf_counter(), loop.create_future()
        clock.call_later(delay, lambda: called.set_result(time.perf_counter()))
        early.append(delay - (await called - began))

    await asyncio.gather(*map(sleep, DELAYS), *map(wait_for_call, DELAYS))
    return early


def test_nothing_that_waits_by_the_system_clock_goes_on_too_early() -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert max(runner.run(_seconds_too_early())) <= 0


async def test_a_virtual_clock_calls_in_the_order_of_time_and_nobody_who_has_cancelled(clock: VirtualClock) -> None:
    called = list[str]()
    clock.call_later(2, lambda: called.append("second"))
    clock.call_later(1, lambda: called.append("first"))
    clock.call_later(1.5, lambda: called.append("never")).cancel()
    clock.call_later(3, lambda: called.append("late"))
    clock.advance(2)
    assert called == ["first", "second"]


DRAW_IN_TWO_PROCESSES = """
import json, os, sys
from civitai_mock.clock import RandomIds

ids = RandomIds()
def draw():
    return [ids.uuid(), str(ids.seed())]

draw()
reader, writer = os.pipe()
if os.fork() == 0:
    os.write(writer, "\\n".join(draw() + draw()).encode())
    os._exit(0)
os.wait()
print(json.dumps([os.read(reader, 4096).decode().split("\\n"), draw() + draw()]))
"""


def test_a_process_and_its_fork_give_out_different_ids_and_seeds() -> None:
    ran = subprocess.run([sys.executable, "-c", DRAW_IN_TWO_PROCESSES], capture_output=True, check=True)
    in_fork, here = json.loads(ran.stdout)
    assert len({*in_fork, *here}) == 8


def test_the_system_is_asked_for_random_bytes_once_for_many_ids_and_seeds(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def token_bytes(size: int) -> bytes:
        asked.append(size)
        return os.urandom(size)

    monkeypatch.setattr(secrets, "token_bytes", token_bytes)
    ids = RandomIds()
    assert len({ids.uuid() for _ in range(3 * DRAWN_AT_ONCE)}) == 3 * DRAWN_AT_ONCE
    assert asked == [16 * DRAWN_AT_ONCE] * 3
    asked.clear()
    seeds = [ids.seed() for _ in range(3 * DRAWN_AT_ONCE)]
    assert asked == [4 * DRAWN_AT_ONCE] * 3
    assert all(0 <= seed < 2**32 for seed in seeds)
    assert max(seeds) > 2**31
