"""What processes have used."""

import os
import time
from pathlib import Path

from tests.bench.process_usage import Usage, usage_of

HERE = os.getpid()


def test_cpu_counts_and_sleep_does_not() -> None:
    before = usage_of([HERE])
    time.sleep(0.05)
    slept = usage_of([HERE])
    while time.process_time() < before.cpu_seconds + 0.2:
        pass
    worked = usage_of([HERE])
    assert slept.cpu_seconds - before.cpu_seconds < 0.04
    assert worked.cpu_seconds - slept.cpu_seconds > 0.1


def test_writes_are_counted_with_their_bytes(tmp_path: Path) -> None:
    with (tmp_path / "file").open("wb", buffering=0) as file:
        before = usage_of([HERE])
        for _ in range(10):
            file.write(b"x" * 1000)
        after = usage_of([HERE])
    assert after.write_calls - before.write_calls >= 10
    assert after.written_bytes - before.written_bytes >= 10_000


def test_memory_is_what_is_resident_and_what_was_at_most() -> None:
    usage = usage_of([HERE])
    assert 10e6 < usage.resident_bytes <= usage.peak_resident_bytes


def test_processes_are_added_up() -> None:
    assert usage_of([]) == Usage()
    assert usage_of([HERE, HERE]).resident_bytes > 1.5 * usage_of([HERE]).resident_bytes
