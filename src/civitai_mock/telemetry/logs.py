"""Set up the log: events with fields, as JSON lines or in readable colours."""

import logging
import sys
import threading
from types import TracebackType
from typing import Any, TextIO, cast

import orjson
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

QUIET_LOGGERS = {
    "uvicorn.access": logging.CRITICAL,
    "uvicorn.error": logging.WARNING,
    "pymongo": logging.WARNING,
    "httpx": logging.WARNING,
    # Below this level, these log headers, which may hold secrets.
    "httpcore": logging.INFO,
    "websockets": logging.INFO,
}

LIFESPAN_MODULE = "on"  # uvicorn.lifespan.on

logger = structlog.stdlib.get_logger()


class LineFile:
    """Flushes only a file that does not write lines by itself: when it does, it may collect those of many requests."""

    def __init__(self, file: TextIO) -> None:
        self.write = file.write
        self.flush = _do_nothing if file.line_buffering else file.flush


def _do_nothing() -> None:
    """Leave it to the file."""


def configure_logging(*, json: bool, level: str) -> None:
    """Write every log line of this process, ours and the libraries', to standard output in one form."""
    number = logging.getLevelNamesMapping()[level.upper()]
    shared, last = log_processors(json=json)
    structlog.configure(
        processors=[*shared, *last],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        # A line and its end are one write.
        logger_factory=structlog.WriteLoggerFactory(cast("TextIO", LineFile(sys.stdout))),
        cache_logger_on_first_use=True,
    )
    _route_standard_logging([*shared, _drop_internal, *last], number)


def log_processors(*, json: bool) -> tuple[list[Processor], list[Processor]]:
    """Return what adds to every event, and what makes a line of it; `RequestLines` makes the same of requests."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if json:
        return shared, [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(_to_json)]
    return shared, [console_renderer(colors=sys.stdout.isatty())]


def console_renderer(*, colors: bool) -> structlog.dev.ConsoleRenderer:
    """Return a renderer for people, with plain tracebacks: those with all variables take seconds and hold secrets."""
    return structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=structlog.dev.plain_traceback)


def _route_standard_logging(processors: list[Processor], level: int) -> None:
    handler = logging.StreamHandler(sys.stdout)
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=processors[:-1],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, processors[-1]],
    )
    handler.setFormatter(formatter)
    logging.basicConfig(handlers=[handler], level=level, force=True)
    for name, quiet in QUIET_LOGGERS.items():
        library = logging.getLogger(name)
        library.handlers.clear()
        library.propagate = True
        library.setLevel(max(level, quiet))
    logging.getLogger("uvicorn.error").addFilter(_is_not_start_failure)


def log_uncaught_exceptions() -> None:
    """Log warnings, and exceptions that no caller catches, as all other events."""
    logging.captureWarnings(True)
    sys.excepthook = lambda _, error, trace: _log_uncaught(error, trace, "main thread")
    threading.excepthook = lambda args: _log_uncaught(
        args.exc_value or args.exc_type(), args.exc_traceback, args.thread.name if args.thread else "a thread"
    )
    sys.unraisablehook = lambda args: _log_uncaught(
        args.exc_value or args.exc_type(), args.exc_traceback, args.err_msg or repr(args.object)
    )


def _log_uncaught(error: BaseException, trace: TracebackType | None, place: str) -> None:
    logger.error("uncaught exception", place=place, exc_info=(type(error), error, trace))


def _is_not_start_failure(record: logging.LogRecord) -> bool:
    """Return False for a lifespan that failed: the command reports it, in one line."""
    return record.module != LIFESPAN_MODULE


def _drop_internal(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Drop the fields that only this process can read."""
    event.pop("color_message", None)
    return event


def _to_json(event: EventDict, **_: Any) -> str:
    return orjson.dumps(event, default=str).decode()
