"""What processes have used, as Linux tells in `/proc`."""

import re
import time
from collections.abc import Iterable
from dataclasses import astuple, dataclass
from pathlib import Path

PROC = Path("/proc")
CPU_CLOCK = 2  # CPUCLOCK_SCHED of the kernel: what all threads of a process have run, in ns


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """CPU and writes are counted since the start. Writes are those of sockets, pipes and files alike."""

    cpu_seconds: float = 0.0
    write_calls: int = 0
    written_bytes: int = 0
    resident_bytes: int = 0
    peak_resident_bytes: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        cpu, calls, written, resident, peak = (a + b for a, b in zip(astuple(self), astuple(other), strict=True))
        return Usage(
            cpu_seconds=cpu,
            write_calls=calls,
            written_bytes=written,
            resident_bytes=resident,
            peak_resident_bytes=peak,
        )


def usage_of(pids: Iterable[int]) -> Usage:
    """Add up what these processes, which must be alive, have used."""
    return sum((_usage(pid) for pid in pids), Usage())


def _usage(pid: int) -> Usage:
    status, io = _members(PROC / str(pid) / "status"), _members(PROC / str(pid) / "io")
    return Usage(
        cpu_seconds=cpu_seconds(pid),
        write_calls=io["syscw"],
        written_bytes=io["wchar"],
        resident_bytes=status["VmRSS"] * 1024,
        peak_resident_bytes=status["VmHWM"] * 1024,
    )


def cpu_seconds(pid: int) -> float:
    """User and system time of all threads, also of those that have ended; finer than the ticks of `/proc/PID/stat`."""
    return time.clock_gettime((~pid << 3) | CPU_CLOCK)


def _members(path: Path) -> dict[str, int]:
    """The lines `name: number` of a file; sizes are in kB."""
    return {name: int(number) for name, number in re.findall(r"^(\w+):\s+(\d+)", path.read_text("utf-8"), re.MULTILINE)}
