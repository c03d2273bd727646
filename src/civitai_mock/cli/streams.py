"""Standard input and output of the process, and its end. Imports nothing that is slow: it runs before all else."""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

STANDARD_DESCRIPTORS = (0, 1, 2)


def open_standard_streams() -> None:
    """Put the null device where a stream is closed, so that no database gets a number that prints go to."""
    for descriptor in STANDARD_DESCRIPTORS:
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, which is this one
    sys.stdout = sys.stdout or os.fdopen(1, "w")
    sys.stderr = sys.stderr or os.fdopen(2, "w")


def leave(status: int) -> "NoReturn":
    """End the process now: threads that wait for a store that hangs are not waited for."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            continue  # whoever read it is gone, and there is nobody else to tell
    os._exit(status)
