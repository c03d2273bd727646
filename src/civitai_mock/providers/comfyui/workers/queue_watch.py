"""Watch whether a server's queue moves."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from civitai_mock.providers.comfyui.protocol.records import QueuePlace


class QueueWatch:
    """A server is alive if its queue moves, not if its HTTP answers: the thread that works on prompts may be dead.

    What is running says it all: one prompt after the other, or none. Time counts while somebody looks: a process that
    was stopped for an hour has not watched a queue stand still for an hour.
    """

    def __init__(self, *, longest_gap: timedelta) -> None:
        self.running: frozenset[str] = frozenset()
        self.is_empty = True
        self.quiet = timedelta()
        self._longest_gap = longest_gap
        self._looked_at: datetime | None = None
        self._was_heard = False

    def hear(self) -> None:
        """A message about a prompt at work came since the last look."""
        self._was_heard = True

    def see(self, queue: Mapping[str, QueuePlace], now: datetime) -> None:
        """The queue was read."""
        running = frozenset(prompt_id for prompt_id, place in queue.items() if place is QueuePlace.RUNNING)
        gap = now - (self._looked_at or now)
        if self._was_heard or self.is_empty or not queue or running != self.running:
            self.quiet = timedelta()
        else:
            self.quiet += min(max(gap, timedelta()), self._longest_gap)
        self.running, self.is_empty = running, not queue
        self._looked_at, self._was_heard = now, False
