"""How a process ends: signals that stop it, and its exit. It imports nothing slow.

All of this happens before anything else is loaded.
"""

import os
import signal
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn


class Stop:
    """Ends the process at once with 128 + the signal's number, or in good order once there is something to stop.

    A second Ctrl-C does not wait for anybody. `status` is that of the signal, once there was one.
    """

    def __init__(self) -> None:
        self._begin: Callable[[], None] | None = None
        self._is_stopping = False
        self.status = 0

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
        self.status = 128 + signum
        if self._begin is None or (self._is_stopping and signum == signal.SIGINT):
            self.now()
        elif not self._is_stopping:
            self._is_stopping = True
            self._begin()

    def now(self) -> None:
        """End the process at once, whatever it is at."""
        os._exit(self.status)


def leave(status: int) -> "NoReturn":
    """End the process now: threads that wait for a store that hangs are not waited for."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(status)
