"""Run the event loop of a command, and stop in good order what it runs."""

import asyncio
import gc
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any, TypeVar

import structlog

from civitai_mock.cli.process import Stop, leave
from civitai_mock.cli.standard_streams import collect_lines, collect_no_more

T = TypeVar("T")
LoopFactory = Callable[[], asyncio.AbstractEventLoop] | None  # None is asyncio's own

AFTER_GRACE = timedelta(seconds=2)  # for giving jobs back, callbacks, draining and closing together
GARBAGE_THRESHOLDS = (50_000, 20, 100)  # Python's own are 700, 10 and 10

logger = structlog.stdlib.get_logger()


def run_until_done(main: Coroutine[Any, Any, T], *, loop_factory: LoopFactory = None) -> T:
    """Run `main`; unlike `asyncio.run`, wait for no thread at the end: the process goes, whatever hangs in it."""
    _collect_less_garbage()
    loop = (loop_factory or asyncio.new_event_loop)()
    asyncio.set_event_loop(loop)
    try:
        return loop.run_until_complete(main)
    finally:
        collect_no_more()


def _collect_less_garbage() -> None:
    """Look for cycles rarely, and never among what was imported and built before, which stays until the end.

    Requests leave next to no cycles. Measured with 512 clients that wait: a job takes 7 to 22 % less CPU. Submissions
    take 14 % less, and their slowest hundredth half the time: three times in 3,000 everything stood still for 0.16 s.
    """
    gc.freeze()
    gc.set_threshold(*GARBAGE_THRESHOLDS)
    gc.enable()  # as `command.run` has disabled it for the imports


def stop_in_good_order(
    stop: Stop, begin: Callable[[], None], *, grace: timedelta, jobs_left: Callable[[], int | None]
) -> None:
    """Let a signal call `begin`; `jobs_left` is None while it is not known how many will not be given back.

    Until here a signal ends the process at once, so only from here on the lines of a turn of the loop are collected.
    """
    limit = grace + AFTER_GRACE

    def give_up() -> None:
        left = jobs_left()
        logger.error("not stopped in time", limit_s=limit.total_seconds(), jobs_left=left)
        leave(exit_status(left))

    stop.in_good_order(begin, limit_s=limit.total_seconds(), give_up=give_up)
    collect_lines(asyncio.get_running_loop())


def exit_status(jobs_left: int | None) -> int:
    """Return 0 if all jobs were given back, else 1."""
    return 0 if jobs_left == 0 else 1
