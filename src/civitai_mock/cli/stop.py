"""What a signal that asks for an end does. Imports nothing that is slow: it listens before all else is loaded."""

import os
import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Stop:
    """Ends the process at once with 128 + the signal's number, or in good order once there is something to stop.

    A second Ctrl-C does not wait for anybody.
    """

    def __init__(self) -> None:
        self._begin: Callable[[], None] | None = None
        self._asked = False

    def listen(self) -> None:
        """SIGHUP, by which a terminal closes, counts as well, unless somebody (`nohup`) said that it does not.

        Whoever starts this as process 1, which gets no signal without a handler, may block them until here.
        """
        heard = [signal.SIGTERM, signal.SIGINT]
        hangup = getattr(signal, "SIGHUP", None)  # Windows has none
        if hangup is not None and signal.getsignal(hangup) == signal.SIG_DFL:
            heard.append(hangup)
        for signum in heard:
            signal.signal(signum, self._hear)
        if hasattr(signal, "pthread_sigmask"):
            signal.pthread_sigmask(signal.SIG_UNBLOCK, heard)

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

    def _hear(self, signum: int, _: object) -> None:
        if self._begin is None or (self._asked and signum == signal.SIGINT):
            os._exit(128 + signum)
        if not self._asked:
            self._asked = True
            self._begin()
