"""A sleep by a clock that is moved, or stands: it knows whether its task counts as at work."""

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from civitai_mock.ports import Timer
    from civitai_mock.services.activity import Worker


class ClockSleep(asyncio.Future[None]):
    """Is done when its timer wakes it. From then on, or from when its task is cancelled, the task is at work again."""

    def __init__(self, worker: "Worker | None" = None) -> None:
        super().__init__(loop=asyncio.get_running_loop())
        self.timer: Timer | None = None
        self._worker = worker
        if worker is not None:
            worker.pause()

    def wake(self, *_: object) -> None:
        """End the sleep now."""
        if not self.done():
            self._end()
            self.set_result(None)

    def cancel(self, msg: object = None) -> bool:
        if not self.done():
            self._end()
        return super().cancel(msg)

    def _end(self) -> None:
        if self._worker is not None:
            self._worker.resume()
        if self.timer is not None:
            self.timer.cancel()
