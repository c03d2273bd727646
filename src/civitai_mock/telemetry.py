"""Logs: events with fields, as JSON lines or in readable colours."""

import logging
import sys
import threading
from types import TracebackType
from typing import Any

import orjson
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

QUIET_LOGGERS = {
    "uvicorn.access": logging.CRITICAL,
    "uvicorn.error": logging.WARNING,
    "pymongo": logging.WARNING,
    "httpx": logging.WARNING,
    # What these say below that has headers in it.
    "httpcore": logging.INFO,
    "websockets": logging.INFO,
}

LIFESPAN_MODULE = "on"  # uvicorn.lifespan.on

logger = structlog.stdlib.get_logger()


def configure_logging(*, json: bool, level: str) -> None:
    """Every log line of this process, ours and the libraries', goes to standard output in one form."""
    number = logging.getLevelNamesMapping()[level.upper()]
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: list[Processor] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(_to_json)]
        if json
        else [readable(colors=sys.stdout.isatty())]
    )
    structlog.configure(
        processors=[*shared, *last],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(sys.stdout),  # a line and its end in one write
        cache_logger_on_first_use=True,
    )
    _route_standard_logging([*shared, _drop_internal, *last], number)


def readable(*, colors: bool) -> structlog.dev.ConsoleRenderer:
    """Render for people. Tracebacks are plain: with the values of all variables they take seconds and hold secrets."""
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
    logging.getLogger("uvicorn.error").addFilter(_is_no_start_failure)


def log_uncaught_exceptions() -> None:
    """Warnings, and exceptions for which there is no caller, are lines of the log as all others are."""
    logging.captureWarnings(True)
    sys.excepthook = lambda _, error, trace: _log_uncaught(error, trace, "main thread")
    threading.excepthook = lambda told: _log_uncaught(
        told.exc_value or told.exc_type(), told.exc_traceback, _name(told)
    )
    sys.unraisablehook = lambda told: _log_uncaught(
        told.exc_value or told.exc_type(), told.exc_traceback, told.err_msg or repr(told.object)
    )


def _name(told: threading.ExceptHookArgs) -> str:
    return told.thread.name if told.thread else "a thread"


def _log_uncaught(error: BaseException, trace: TracebackType | None, place: str) -> None:
    logger.error("uncaught exception", place=place, exc_info=(type(error), error, trace))


def _is_no_start_failure(record: logging.LogRecord) -> bool:
    """A lifespan that failed is told by the command, in one line."""
    return record.module != LIFESPAN_MODULE


def _drop_internal(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Fields that only this process can read."""
    event.pop("color_message", None)
    return event


def _to_json(event: EventDict, **_: Any) -> str:
    return orjson.dumps(event, default=str).decode()
