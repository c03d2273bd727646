"""What processes hold and how it grows: memory, open handles and threads, as `/proc` tells."""

import asyncio
import os
import re
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from statistics import median

from tests.bench.process_usage import PROC, usage_of

SAMPLE_SECONDS = 1.0
# What is loaded late, and the caches of four SQLite connections, may still take in a process that has just started: it
# ends, and a leak does not. A short soak finds large leaks only.
MOST_GROWTH_BYTES = 96e6
MOST_SLOPE_BYTES = 2e6  # a minute, once there are `LONG_SECONDS` to tell it from
LONG_SECONDS = 300.0
MOST_HANDLES, MOST_THREADS = 64, 40


@dataclass(frozen=True, slots=True)
class Sample:
    seconds: float
    resident_bytes: int


@dataclass(kw_only=True)
class MemoryWatch:
    """Samples the memory of processes, by name; a process that is started anew begins anew."""

    samples: dict[tuple[str, int], list[Sample]] = field(default_factory=dict)

    async def run(self, pids: Mapping[str, int]) -> None:
        """Sample until cancelled."""
        began = time.monotonic()
        while True:
            await asyncio.sleep(SAMPLE_SECONDS)
            for name, pid in pids.items():
                try:
                    resident = usage_of([pid]).resident_bytes
                except (FileNotFoundError, ProcessLookupError, KeyError):
                    continue
                self.samples.setdefault((name, pid), []).append(Sample(time.monotonic() - began, resident))

    def faults(self) -> Sequence[str]:
        found = list[str]()
        for (name, _), samples in self.samples.items():
            seconds, growth = samples[-1].seconds - samples[0].seconds, growth_of(samples)
            if growth > MOST_GROWTH_BYTES:
                found.append(f"{name} grew by {growth / 1e6:.0f} MB in {seconds:.0f} s")
            half = samples[len(samples) // 2 :]
            if seconds >= LONG_SECONDS and slope_of(half) * 60 > MOST_SLOPE_BYTES:
                found.append(f"{name} still grows by {slope_of(half) * 60 / 1e6:.1f} MB a minute after {seconds:.0f} s")
        return found

    def text(self) -> str:
        return ", ".join(
            f"{name} {samples[0].resident_bytes / 1e6:.0f} → {samples[-1].resident_bytes / 1e6:.0f} MB"
            for (name, _), samples in self.samples.items()
        )


def growth_of(samples: Sequence[Sample]) -> float:
    """From the median of the first fifth to that of the last."""
    fifth = max(len(samples) // 5, 1)
    first, last = samples[:fifth], samples[-fifth:]
    return median(each.resident_bytes for each in last) - median(each.resident_bytes for each in first)


def slope_of(samples: Sequence[Sample]) -> float:
    """Bytes a second, as the median of the slopes of all pairs (Theil-Sen); 0 for fewer than two samples."""
    thinned = samples[:: max(len(samples) // 200, 1)]
    slopes = [
        (b.resident_bytes - a.resident_bytes) / (b.seconds - a.seconds)
        for a, b in combinations(thinned, 2)
        if b.seconds > a.seconds
    ]
    return median(slopes) if slopes else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """The open handles of a process by their kind, and the number of its threads."""

    handles: Counter[str]
    threads: int

    def faults(self, name: str) -> Sequence[str]:
        found = list[str]()
        if self.handles.total() > MOST_HANDLES:
            found.append(f"{name} has {self.handles.total()} open handles: {dict(self.handles)}")
        if self.handles["deleted file"]:
            found.append(f"{name} has {self.handles['deleted file']} deleted files open")
        if self.threads > MOST_THREADS:
            found.append(f"{name} has {self.threads} threads")
        return found


def holdings_of(pid: int) -> Holdings:
    folder = PROC / str(pid)
    handles = Counter(_kind(link) for path in (folder / "fd").iterdir() if (link := _link(path)) is not None)
    threads = int(re.findall(r"^Threads:\s+(\d+)", (folder / "status").read_text("utf-8"), re.MULTILINE)[0])
    return Holdings(handles=handles, threads=threads)


def _link(path: Path) -> str | None:
    try:
        return os.readlink(path)  # noqa: PTH115 - a link to a pipe or socket leads to no path
    except FileNotFoundError:
        return None  # closed meanwhile


def _kind(link: str) -> str:
    if link.endswith(" (deleted)"):
        return "deleted file"
    return "file" if link.startswith("/") else link.partition(":")[0]
