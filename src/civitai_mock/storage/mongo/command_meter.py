"""Count and time the commands that the driver sends."""

from threading import Lock

from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent

from civitai_mock.ports import Metrics

MICROSECONDS = 1_000_000


class CommandMeter(CommandListener):
    """Is called by the driver in whatever thread sends a command, so it locks what it writes to."""

    def __init__(self, metrics: Metrics) -> None:
        self._observe = metrics.store_operations.observe
        self._lock = Lock()
        self._commands = 0
        metrics.statement_counts.append(lambda: self._commands)

    def started(self, event: CommandStartedEvent) -> None:
        """Do nothing, as each command also ends."""

    def succeeded(self, event: CommandSucceededEvent) -> None:
        self._count(event)

    def failed(self, event: CommandFailedEvent) -> None:
        self._count(event)

    def _count(self, event: CommandSucceededEvent | CommandFailedEvent) -> None:
        with self._lock:
            self._commands += 1
            self._observe((event.command_name,), event.duration_micros / MICROSECONDS)
