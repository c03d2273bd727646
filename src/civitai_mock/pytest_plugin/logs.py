"""Keep the logs of the server apart from those of the tests in its process, which may use structlog as well."""

import logging
from collections.abc import Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from typing import Any, cast

import structlog
from structlog.typing import BindableLogger, Processor, WrappedLogger

PACKAGE = "civitai_mock."
PROCESSORS = (
    structlog.contextvars.merge_contextvars,
    structlog.processors.format_exc_info,
    structlog.processors.KeyValueRenderer(key_order=["event"]),
)


class _Routes:
    """Sends errors of the server to Python's logging, and whatever others log where it went before."""

    def __init__(self) -> None:
        self.before = structlog.get_config()
        self._was_configured = structlog.is_configured()
        self._own: Any = structlog.make_filtering_bound_logger("error")
        self._find = structlog.stdlib.LoggerFactory(ignore_frame_names=[__name__])

    def make_logger(self, *names: Any) -> WrappedLogger:
        """Return the logger beneath: Python's own for a module of the server."""
        found = self._find(*names)
        return found if _is_own(found) else self.before["logger_factory"](*names)

    def wrap(
        self, logger: WrappedLogger, processors: Sequence[Processor], context: MutableMapping[str, Any]
    ) -> BindableLogger:
        """Return what modules call: for one of the server it says nothing below an error."""
        if _is_own(logger):
            own: BindableLogger = self._own(logger, PROCESSORS, context)
            return own
        wrapped: BindableLogger = self.before["wrapper_class"](logger, processors=processors, context=context)
        return wrapped

    def restore(self) -> None:
        """Leave the configuration as it was, unless somebody else has made another meanwhile."""
        if structlog.get_config()["logger_factory"] != self.make_logger:
            return
        if self._was_configured:
            structlog.configure(
                logger_factory=self.before["logger_factory"], wrapper_class=self.before["wrapper_class"]
            )
        else:
            structlog.reset_defaults()


@contextmanager
def separate_logs() -> Iterator[None]:
    """Show errors of the server as pytest shows what is logged; by itself structlog would print each request.

    Warnings are about jobs that fail and the like, which tests ask for.
    """
    routes = _Routes()
    structlog.configure(logger_factory=routes.make_logger, wrapper_class=cast("type[BindableLogger]", routes.wrap))
    try:
        yield
    finally:
        routes.restore()


def _is_own(logger: WrappedLogger) -> bool:
    return isinstance(logger, logging.Logger) and logger.name.startswith(PACKAGE)
