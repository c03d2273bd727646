"""When a server is to be asked about its prompts."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from civitai_mock.ports import Clock, Ids
from civitai_mock.providers.comfyui.options import ComfyOptions
from civitai_mock.providers.comfyui.waiting import pause_after
from civitai_mock.providers.comfyui.workers.run import Run

FIRST_SETTLE_SECONDS = 0.005  # history follows the last message within a few milliseconds


class Timetable:
    """Rarely beside a socket that is heard, often without one, and at once when a prompt is said to have ended.

    A server that has none of ours is looked at now and then: somebody else's prompt may hold its queue.
    """

    def __init__(self, *, clock: Clock, ids: Ids, options: ComfyOptions) -> None:
        self._clock = clock
        self._ids = ids
        self._options = options
        self._looked_at: datetime | None = None
        self._unsettled = 0
        self._failures = 0

    def hurry(self) -> None:
        self._looked_at = None
        self._failures = 0

    def looked(self) -> None:
        self._looked_at = self._clock.now()

    def settled(self, *, all_settled: bool) -> None:
        self._unsettled = 0 if all_settled else self._unsettled + 1

    def answered(self, *, answered: bool) -> None:
        self._failures = 0 if answered else self._failures + 1

    def is_due(self, runs: Sequence[Run], client_id: str | None) -> bool:
        return self._wait(runs, client_id) <= timedelta()

    def pause(self, runs: Sequence[Run], client_id: str | None) -> float:
        """Seconds until the next look."""
        if self._failures:
            return pause_after(self._failures, longest=self._options.longest_pause.total_seconds(), ids=self._ids)
        if any(run.tracker.is_ending for run in runs):
            return min(FIRST_SETTLE_SECONDS * 2.0**self._unsettled, self._options.poll_alone.total_seconds())
        return max(self._wait(runs, client_id).total_seconds(), 0.0)

    def _wait(self, runs: Sequence[Run], client_id: str | None) -> timedelta:
        """Prompts that were sent under the id of a dropped connection are not heard of any more."""
        if self._looked_at is None:
            return timedelta()
        are_heard = all(run.is_heard_on(client_id) for run in runs)
        interval = self._options.poll if are_heard else self._options.poll_alone
        if not runs:
            interval = self._options.health
        return self._looked_at + interval - self._clock.now()
