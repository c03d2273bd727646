"""How a process starts and ends: signals that stop it, its standard streams, its exit. It imports nothing slow.

All of this happens before anything else is loaded.
"""

import io
import os
import signal
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

STANDARD_DESCRIPTORS = (0, 1, 2)


class Stop:
    """Ends the process at once with 128 + the signal's number, or in good order once there is something to stop.

    A second Ctrl-C does not wait for anybody.
    """

    def __init__(self) -> None:
        self._begin: Callable[[], None] | None = None
        self._is_stopping = False

    def listen(self) -> None:
        """Handle SIGTERM and Ctrl-C, and SIGHUP (the terminal was closed) unless it is ignored, as `nohup` asks.

        Whoever starts this as process 1, which gets no signal without a handler, may block them until here.
        """
        handled = [signal.SIGTERM, signal.SIGINT]
        hangup = getattr(signal, "SIGHUP", None)  # Windows has none
        if hangup is not None and signal.getsignal(hangup) == signal.SIG_DFL:
            handled.append(hangup)
        for signum in handled:
            signal.signal(signum, self._on_signal)
        if hasattr(signal, "pthread_sigmask"):
            signal.pthread_sigmask(signal.SIG_UNBLOCK, handled)

    def in_good_order(self, begin: "Callable[[], None]", *, limit_s: float, give_up: "Callable[[], None]") -> None:
        """Let a signal call `begin` from now on, and `give_up`, in a thread, if the process is still there later."""
        from contextlib import suppress
        from threading import Timer

        def begin_with_limit() -> None:
            guard = Timer(limit_s, give_up)
            guard.daemon = True
            with suppress(RuntimeError):  # where no thread can be had, a stop without a limit is better than none
                guard.start()
            begin()

        self._begin = begin_with_limit

    def _on_signal(self, signum: int, _: object) -> None:
        if self._begin is None or (self._is_stopping and signum == signal.SIGINT):
            os._exit(128 + signum)
        if not self._is_stopping:
            self._is_stopping = True
            self._begin()


class LossyText(io.TextIOWrapper):
    """Drops text that cannot be written: a reader who is gone or a full disk must not stop the work."""

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
    sys.stdout, sys.stderr = _lossy(1), _lossy(2)


def _lossy(descriptor: int) -> LossyText:
    """Return a stream that writes as escapes what its encoding has no letters for."""
    current = sys.stdout if descriptor == 1 else sys.stderr
    encoding = current.encoding if current is not None else "utf-8"
    stream = open(descriptor, "wb", closefd=False)  # noqa: SIM115 - is open as long as the process
    return LossyText(stream, encoding=encoding, errors="backslashreplace", line_buffering=True)


def leave(status: int) -> "NoReturn":
    """End the process now: threads that wait for a store that hangs are not waited for."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(status)
