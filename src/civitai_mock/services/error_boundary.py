"""The boundary that errors of one round of a loop, or of one of its items, do not cross: the loop goes on."""

from types import TracebackType
from typing import Final, Self

import structlog

from civitai_mock.domain.errors import NamespaceResetError, TransientError

STORE_AWAY: Final = "store away"

logger = structlog.stdlib.get_logger()


class ErrorBoundary:
    """Logs what breaks off its block, and lets nothing through but cancellations and exits; `error` is what it was.

    A store that is away is a warning. A namespace that was reset meanwhile is nobody's fault: the loop is about to be
    stopped. All else is a bug of ours, which `failure` names.
    """

    __slots__ = ("_away", "_failure", "error")

    def __init__(self, failure: str, *, away: str = STORE_AWAY) -> None:
        self._failure = failure
        self._away = away
        self.error: Exception | None = None

    @property
    def is_store_away(self) -> bool:
        return isinstance(self.error, TransientError)

    @property
    def has_failed(self) -> bool:
        """Return whether something went wrong that may go well next time; after a reset there is none."""
        return self.error is not None and not isinstance(self.error, NamespaceResetError)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None) -> bool:
        if not isinstance(error, Exception):
            return False
        self.error = error
        if isinstance(error, TransientError):
            logger.warning(self._away, error=error.message)
        elif isinstance(error, NamespaceResetError):
            logger.debug(self._failure, reason=error.message)
        else:
            logger.error(self._failure, exc_info=error)
        return True
