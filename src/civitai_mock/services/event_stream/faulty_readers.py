"""What faults make of a stream: it is silent, or some of its events are missing."""

from civitai_mock.services.event_stream.messages import StreamMessage
from civitai_mock.services.event_stream.reader import Batch, EventReader


class DeafReader(EventReader):
    """Hears nothing, and never ends by itself."""

    async def begin(self) -> None:
        """Do nothing, as nothing is told."""

    async def _ready(self) -> None:
        """Return nothing."""


class Gap:
    """Leaves out so many stored messages behind the first; what comes after them leads nobody past the gap."""

    def __init__(self, count: int) -> None:
        self._left = count
        self._is_first = True

    def cut(self, batch: Batch) -> Batch:
        return Batch([message for each in batch.messages if (message := self._passed(each)) is not None], batch.end)

    def _passed(self, message: StreamMessage) -> StreamMessage | None:
        if message.cursor is None:
            return message
        if self._is_first:
            self._is_first = False
            return message
        if self._left:
            self._left -= 1
            return None
        return message.without_cursor()
