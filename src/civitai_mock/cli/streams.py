"""Standard input and output of the process, and its end. Imports nothing that is slow: it runs before all else."""

import io
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

STANDARD_DESCRIPTORS = (0, 1, 2)


class PatientText(io.TextIOWrapper):
    """Text for a reader who may be gone, or on a disk that may be full: neither stops the work that is told of."""

    def write(self, text: str) -> int:
        try:
            return super().write(text)
        except OSError:
            return len(text)

    def flush(self) -> None:
        try:
            super().flush()
        except OSError:
            return  # there is nobody else to tell


def open_standard_streams() -> None:
    """Put the null device where a stream is closed, so that no database gets a number that prints go to."""
    for descriptor in STANDARD_DESCRIPTORS:
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, which is this one
    sys.stdout, sys.stderr = _patient(1), _patient(2)


def _patient(descriptor: int) -> PatientText:
    """What its encoding has no letters for is written in escapes."""
    now = sys.stdout if descriptor == 1 else sys.stderr
    encoding = now.encoding if now is not None else "utf-8"
    stream = open(descriptor, "wb", closefd=False)  # noqa: SIM115 - is open as long as the process
    return PatientText(stream, encoding=encoding, errors="backslashreplace", line_buffering=True)


def leave(status: int) -> "NoReturn":
    """End the process now: threads that wait for a store that hangs are not waited for."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(status)
