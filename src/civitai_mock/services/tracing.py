"""Traces, in the form of W3C Trace Context: how one request is followed through jobs, ComfyUI and callbacks.

A trace id names one span in a trace. What is sent out has a new span in the trace of whatever makes it be sent. If
spans are recorded, whoever finishes a piece of work says when it began and ended; else nothing but ids is made.
"""

import os
import random
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from time import time_ns

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.ports import RecordSpan, Span, SpanKind

TRACEPARENT_HEADER = "traceparent"
# Level 1; what a later version appends is ignored.
TRACEPARENT = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})(?P<trace>[0-9a-f]{32})-(?!0{16})(?P<span>[0-9a-f]{16})-(?P<flags>[0-9a-f]{2})(?:-.*)?"
)
TRACE_DIGITS, SPAN_DIGITS = 32, 16
RECORDED, UNRECORDED = "01", "00"
SAMPLED_FLAG = 1

# It is seeded from the system's own source, which takes a system call each time. The ids of traces hide nothing.
_random = random.Random()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_random.seed)


@dataclass(frozen=True, slots=True)
class _Trace:
    """What a task works in: its span, and who records others below that."""

    trace_id: str
    record: RecordSpan | None


_current: ContextVar[_Trace | None] = ContextVar("trace", default=None)


def new_trace_id(traceparent: str | None = None, *, are_recorded: bool = False) -> str:
    """Return a new span in the trace of the caller, or in a trace of its own if there is no valid one.

    Where spans `are_recorded`, it says so, unless the caller says that its trace is not.
    """
    match = TRACEPARENT.fullmatch(traceparent) if traceparent else None
    if match:
        is_recorded = are_recorded and int(match["flags"], 16) & SAMPLED_FLAG
        return f"00-{match['trace']}-{_digits(SPAN_DIGITS)}-{RECORDED if is_recorded else UNRECORDED}"
    digits = _digits(TRACE_DIGITS + SPAN_DIGITS)
    return f"00-{digits[:TRACE_DIGITS]}-{digits[TRACE_DIGITS:]}-{RECORDED if are_recorded else UNRECORDED}"


def _digits(count: int) -> str:
    return f"{_random.getrandbits(4 * count):0{count}x}"


def parent_of(traceparent: str | None) -> str | None:
    """Return the header of a caller if it is valid, and so the parent of a request."""
    return traceparent if traceparent and TRACEPARENT.fullmatch(traceparent) else None


def is_recorded(trace_id: str) -> bool:
    return trace_id.endswith(RECORDED)


def next_span(trace_id: str) -> str:
    """Return a new span in the trace, recorded or not as that is."""
    version, trace, _, flags = trace_id.split("-")
    return f"{version}-{trace}-{_digits(SPAN_DIGITS)}-{flags}"


def work_in_trace(trace_id: str, record: RecordSpan | None = None) -> None:
    """Let the calls that this task makes from now on belong to the trace."""
    _current.set(_Trace(trace_id, record if is_recorded(trace_id) else None))


@contextmanager
def calling(name: str, **attributes: str | int) -> Iterator[None]:
    """Make a call to somebody else in the block, which is a span of its own in the trace that this task works in."""
    around = _current.get()
    trace = _Trace(next_span(around.trace_id), around.record) if around else _Trace(new_trace_id(), None)
    _current.set(trace)  # and not with a token: a download may end in another task than it began in
    started_ns = time_ns()
    error: str | None = None
    try:
        yield
    except BaseException as raised:
        error = str(raised) or type(raised).__name__
        raise
    finally:
        _current.set(around)
        if around is not None and trace.record is not None:
            trace.record(
                Span(
                    name=name,
                    kind=SpanKind.CLIENT,
                    trace_id=trace.trace_id,
                    parent=around.trace_id,
                    started_ns=started_ns,
                    ended_ns=time_ns(),
                    attributes=attributes,
                    error=error,
                )
            )


def current_traceparent() -> str:
    """Return the span of the call that this task makes, or a trace of its own if it works in none."""
    trace = _current.get()
    return trace.trace_id if trace else new_trace_id()
