"""Count and time the commands that the driver sends."""

from threading import Lock
from time import perf_counter

from pymongo.monitoring import (
    ConnectionCheckedInEvent,
    ConnectionCheckedOutEvent,
    ConnectionCheckOutFailedEvent,
    ConnectionCheckOutStartedEvent,
    ConnectionClosedEvent,
    ConnectionCreatedEvent,
    ConnectionPoolListener,
    ConnectionReadyEvent,
    PoolClearedEvent,
    PoolClosedEvent,
    PoolCreatedEvent,
    PoolReadyEvent,
)

from civitai_mock.ports import Metrics

COMMAND = ("command",)  # the label of the metrics


class CommandMeter(ConnectionPoolListener):
    """Takes the time for which each command has a connection of the pool to itself.

    Measured with a `find`: this costs 5 µs, and the driver's own events of commands, which have their names, 25. The
    driver calls it in whatever thread sends a command, so it locks what it writes to.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._observe = metrics.store_operations.observe
        self._lock = Lock()
        self._commands = 0
        self._since: dict[tuple[object, int], float] = {}
        metrics.statement_counts.append(lambda: self._commands)

    def connection_checked_out(self, event: ConnectionCheckedOutEvent) -> None:
        self._since[event.address, event.connection_id] = perf_counter()

    def connection_checked_in(self, event: ConnectionCheckedInEvent) -> None:
        since = self._since.pop((event.address, event.connection_id), None)
        if since is None:
            return  # was taken before anybody listened
        with self._lock:
            self._commands += 1
            self._observe(COMMAND, perf_counter() - since)

    def connection_check_out_started(self, event: ConnectionCheckOutStartedEvent) -> None:
        """Do nothing, as no connection is there yet."""

    def connection_check_out_failed(self, event: ConnectionCheckOutFailedEvent) -> None:
        """Do nothing, as no command is sent."""

    def connection_created(self, event: ConnectionCreatedEvent) -> None:
        """Do nothing, as for all that follows: only commands are counted."""

    def connection_ready(self, event: ConnectionReadyEvent) -> None: ...

    def connection_closed(self, event: ConnectionClosedEvent) -> None: ...

    def pool_created(self, event: PoolCreatedEvent) -> None: ...

    def pool_ready(self, event: PoolReadyEvent) -> None: ...

    def pool_cleared(self, event: PoolClearedEvent) -> None: ...

    def pool_closed(self, event: PoolClosedEvent) -> None: ...
