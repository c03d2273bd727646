"""What the standard streams of a process write, call by call, and in which order."""

import asyncio
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from threading import Thread

import pytest

from civitai_mock.cli.standard_streams import LONGEST_PIECE, MOST_COLLECTED, LossyText
from tests.support.event_loop import settle

START = """
import asyncio, os, sys
from datetime import timedelta
from civitai_mock.cli.command import _report_end
from civitai_mock.cli.event_loop import run_until_done, stop_in_good_order
from civitai_mock.cli.process import Stop, leave
from civitai_mock.cli.standard_streams import open_standard_streams
from civitai_mock.telemetry.logs import configure_logging, log_uncaught_exceptions
open_standard_streams()
configure_logging(json=True, level="info")
log_uncaught_exceptions()

async def main():
    stop_in_good_order(Stop(), lambda: None, grace=timedelta(0), jobs_left=lambda: 0)
    await asyncio.sleep(0)
    print("first")
"""
# What follows `first` in the same turn of the loop, and ends the process.
LEAVING = "    leave(0)\nrun_until_done(main())"
RETURNING = "\nrun_until_done(main())\nprint('last')"
RAISING = "    raise RuntimeError('last')\nrun_until_done(main())"
REPORTING = """
    raise RuntimeError("last")
try:
    run_until_done(main())
except RuntimeError as error:
    _report_end(error, as_json=True)
"""
ON_STANDARD_ERROR = "    print('last', file=sys.stderr)\n    os._exit(0)\nrun_until_done(main())"
FORKING = """
    if os.fork() == 0:
        print("of the child")
        os._exit(0)
    os.wait()
    print("last")
run_until_done(main())
"""


class Recorder:
    """Is a stream whose writes are kept apart, as each is a message of its own."""

    def __init__(self) -> None:
        self.ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.ours.setblocking(False)
        self._theirs = theirs
        self.stream = LossyText(theirs.fileno(), encoding="utf-8")

    def error_stream(self) -> LossyText:
        return LossyText(self._theirs.fileno(), encoding="utf-8", after=self.stream)

    def writes(self) -> list[str]:
        found = list[str]()
        with suppress(BlockingIOError):
            while True:
                found.append(self.ours.recv(1_000_000).decode())
        return found

    def close(self) -> None:
        self.ours.close()
        self._theirs.close()


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    recorder = Recorder()
    yield recorder
    recorder.close()


def test_without_a_loop_each_line_is_written_at_once(recorder: Recorder) -> None:
    for line in ("1\n", "2\n"):
        recorder.stream.write(line)
        assert recorder.writes() == [line]


async def test_the_lines_of_one_turn_of_the_loop_are_one_write(recorder: Recorder) -> None:
    recorder.stream.collect(asyncio.get_running_loop())
    for turn in ("a", "b"):
        recorder.stream.write(f"{turn}1\n")
        recorder.stream.write(f"{turn}2\n")
        assert recorder.writes() == []
        await settle()
        assert recorder.writes() == [f"{turn}1\n{turn}2\n"]


async def test_many_lines_are_written_in_whole_lines_and_in_pieces_that_a_pipe_takes(recorder: Recorder) -> None:
    recorder.stream.collect(asyncio.get_running_loop())
    lines = [f"{number:99}\n" for number in range(100)]
    for line in lines:
        recorder.stream.write(line)
    await settle()
    writes = recorder.writes()
    assert "".join(writes) == "".join(lines)
    assert [len(write) for write in writes] == [4000, 4000, 2000]
    assert all(len(write) <= LONGEST_PIECE for write in writes)


async def test_texts_are_made_when_the_turn_ends_in_the_order_of_all_that_was_written(recorder: Recorder) -> None:
    made: list[int] = []

    def make(number: int) -> str:
        made.append(number)
        return f"{number}\n"

    recorder.stream.collect(asyncio.get_running_loop())
    recorder.stream.write_later(make, 1)
    recorder.stream.write("2\n")
    recorder.stream.write_later(make, 3)
    assert made == []
    await settle()
    assert recorder.writes() == ["1\n2\n3\n"]
    recorder.stream.collect_no_more()
    recorder.stream.write_later(make, 4)
    assert recorder.writes() == ["4\n"]
    assert made == [1, 3, 4]


async def test_a_turn_that_never_ends_shows_its_lines_nevertheless(recorder: Recorder) -> None:
    recorder.stream.collect(asyncio.get_running_loop())
    for _ in range(MOST_COLLECTED + 1):
        recorder.stream.write("x\n")
    assert "".join(recorder.writes()) == "x\n" * MOST_COLLECTED


async def test_what_another_thread_writes_is_written_at_once_after_what_was_collected(recorder: Recorder) -> None:
    recorder.stream.collect(asyncio.get_running_loop())
    recorder.stream.write("1\n")
    thread = Thread(target=recorder.stream.write, args=("2\n",))
    thread.start()
    thread.join()
    assert "".join(recorder.writes()) == "1\n2\n"


async def test_an_error_on_the_other_stream_comes_after_what_was_collected(recorder: Recorder) -> None:
    recorder.stream.collect(asyncio.get_running_loop())
    recorder.stream.write("1\n")
    recorder.error_stream().write("2\n")
    assert recorder.writes() == ["1\n", "2\n"]


async def test_a_flush_and_the_end_of_the_loop_write_what_was_collected(recorder: Recorder) -> None:
    recorder.stream.collect(asyncio.get_running_loop())
    recorder.stream.write("1\n")
    recorder.stream.flush()
    assert recorder.writes() == ["1\n"]
    recorder.stream.write("2\n")
    recorder.stream.collect_no_more()
    assert recorder.writes() == ["2\n"]
    recorder.stream.write("3\n")
    assert recorder.writes() == ["3\n"]
    await settle()
    assert recorder.writes() == []


async def test_a_fork_forgets_what_the_process_that_was_forked_will_write(recorder: Recorder) -> None:
    recorder.stream.collect(asyncio.get_running_loop())
    recorder.stream.write("1\n")
    recorder.stream.begin_in_fork()
    recorder.stream.write("2\n")
    assert recorder.writes() == ["2\n"]


async def test_lines_that_nobody_reads_any_more_are_dropped(recorder: Recorder) -> None:
    recorder.stream.collect(asyncio.get_running_loop())
    recorder.ours.close()
    recorder.stream.write("1\n")
    await settle()
    recorder.stream.write("2\n")
    recorder.stream.flush()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        (LEAVING, ["first"]),
        (RETURNING, ["first", "last"]),
        (RAISING, ["first", "uncaught exception"]),
        (REPORTING, ["first", "ended by a bug"]),
        (ON_STANDARD_ERROR, ["first", "last"]),
        (FORKING, ["first", "of the child", "last"]),
    ],
)
def test_however_a_process_ends_its_lines_are_there_once_and_in_order(rest: str, expected: list[str]) -> None:
    command = [sys.executable, "-c", START + rest]
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    lines = done.stdout.splitlines()
    assert len(lines) == len(expected), done.stdout
    assert all(text in line for text, line in zip(expected, lines, strict=True))
