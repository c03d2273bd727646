"""What waits on behalf of requests, and has to answer them when its namespace or the process ends."""

from collections.abc import Callable


class Waits:
    """Stops all that waits in a namespace, each in its own way; what is only made afterwards is stopped at once.

    So a request that comes while the process stops, and is the first of its kind, waits no longer than others.
    """

    def __init__(self) -> None:
        self._stops: list[Callable[[], None]] = []
        self._is_stopped = False

    def add(self, stop: Callable[[], None]) -> None:
        """Have `stop` called in the end; it answers all who wait, and who comes after that at once."""
        if self._is_stopped:
            stop()
        self._stops.append(stop)

    def stop(self) -> None:
        self._is_stopped = True
        for stop in self._stops:
            stop()
