"""Trace ids, in the form of W3C Trace Context: how one request is followed through jobs, ComfyUI and callbacks.

Each is one span in a trace; what is sent out has a new span in the trace of whatever makes it be sent.
"""

import re
import secrets
from contextvars import ContextVar

TRACEPARENT_HEADER = "traceparent"
# Level 1; what a later version appends is ignored.
TRACEPARENT = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})(?P<trace>[0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?"
)
SPAN_BYTES = 8

_current: ContextVar[str | None] = ContextVar("trace_id", default=None)


def new_trace_id(traceparent: str | None = None) -> str:
    """Return a new span in the trace of the caller, or in a trace of its own if there is no valid one."""
    match = TRACEPARENT.fullmatch(traceparent) if traceparent else None
    if match:
        return f"00-{match['trace']}-{secrets.token_hex(SPAN_BYTES)}-00"
    digits = secrets.token_hex(24)
    return f"00-{digits[:32]}-{digits[32:]}-00"


def work_in_trace(trace_id: str) -> None:
    """Let what this task sends out from now on belong to the trace."""
    _current.set(trace_id)


def outgoing_traceparent() -> str:
    """Return a new span in the trace that this task works in, or in a trace of its own."""
    return new_trace_id(_current.get())
