"""Limit how many streams of events a process holds open."""

from civitai_mock.domain.errors import TransientError


class TooManyStreamsError(TransientError):
    """So many streams are open already that no more are (503)."""

    code = "too_many_streams"


class StreamSlots:
    """Counts the streams that are open, at most `most`."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.taken = 0

    def take(self) -> None:
        """Count one more; raise `TooManyStreamsError` if there are too many."""
        if self.taken >= self.most:
            raise TooManyStreamsError(f"{self.taken} streams are open, which is MAX_STREAMS; try again later.")
        self.taken += 1

    def give_back(self) -> None:
        self.taken -= 1
