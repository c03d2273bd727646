"""Notice when the queue of a server stands still, which tells that its worker hangs or has died."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import structlog

from civitai_mock.providers.comfyui.options import WorkerDependencies
from civitai_mock.providers.comfyui.protocol.records import QueuePlace
from civitai_mock.providers.comfyui.workers.runs import Runs

logger = structlog.stdlib.get_logger()

BLIND_FACTOR = 4  # a prompt whose socket is gone shows no steps, so its silence means less


class QueueWatch:
    """Measures how long a queue has not moved: a server whose HTTP answers may have no thread that works on prompts.

    What is running says it all: one prompt after the other, or none. Time only counts between polls: a process that
    was stopped for an hour has not watched a queue stand still for an hour.
    """

    def __init__(
        self,
        runs: Runs,
        *,
        worker_id: str,
        dependencies: WorkerDependencies,
        client_id: Callable[[], str | None],
        on_change: Callable[[], None],
    ) -> None:
        """`client_id` is that of the open socket; `on_change` is called when the queue sticks, or moves again."""
        self.quiet = timedelta()
        self.stuck_reason = ""  # empty while the queue moves
        self._runs = runs
        self._worker_id = worker_id
        self._stall_timeout = dependencies.options.stall_timeout
        self._longest_gap = 2 * dependencies.options.health_interval
        self._client_id = client_id
        self._on_change = on_change
        self._running: frozenset[str] = frozenset()
        self._was_empty = True
        self._was_active = False
        self._polled_at: datetime | None = None

    def on_message(self) -> None:
        """Note that a message about a prompt at work came since the last poll."""
        self._was_active = True

    def on_queue(self, queue: Mapping[str, QueuePlace], now: datetime) -> None:
        """Take in the queue that was read; log once when it sticks, and once when it moves again."""
        self._measure(queue, now)
        was_stuck = bool(self.stuck_reason)
        self.stuck_reason = self._describe() if self.quiet >= self._patience() else ""
        if bool(self.stuck_reason) == was_stuck:
            return
        if self.stuck_reason:
            logger.warning("queue stuck", worker_id=self._worker_id, reason=self.stuck_reason)
        else:
            logger.info("queue moves again", worker_id=self._worker_id)
        self._on_change()

    def _measure(self, queue: Mapping[str, QueuePlace], now: datetime) -> None:
        running = frozenset(prompt_id for prompt_id, place in queue.items() if place is QueuePlace.RUNNING)
        gap = now - (self._polled_at or now)
        if self._was_active or self._was_empty or not queue or running != self._running:
            self.quiet = timedelta()
        else:
            self.quiet += min(max(gap, timedelta()), self._longest_gap)
        self._running, self._was_empty = running, not queue
        self._polled_at, self._was_active = now, False

    def _patience(self) -> timedelta:
        """Return how long a prompt may be silent: longer where our socket cannot hear it."""
        ours = [run for run in self._runs.followed if run.prompt_id in self._running and not run.is_unwanted]
        is_blind = any(not run.is_heard_on(self._client_id()) for run in ours)
        return self._stall_timeout * (BLIND_FACTOR if is_blind else 1)

    def _describe(self) -> str:
        running = ", ".join(sorted(self._running))
        whose = "one of ours" if any(self._runs.get(prompt_id) for prompt_id in self._running) else "not ours"
        what = f"the prompt '{running}' ({whose}) is running" if running else "none of its prompts is running"
        return f"its queue has not moved for {self.quiet.total_seconds():.0f} s: {what}"
