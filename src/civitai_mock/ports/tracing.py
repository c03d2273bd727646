"""Port for spans: the parts of a process say what they did and when, and `telemetry` exports it."""

from collections.abc import Callable, Mapping
from dataclasses import field
from enum import StrEnum
from typing import TypeAlias

from civitai_mock.domain.dataclass import dataclass

Attributes: TypeAlias = Mapping[str, str | int]


class SpanKind(StrEnum):
    """Says whose work a span is: an answer of ours, a call to somebody else, or what happens in between."""

    SERVER = "server"
    CLIENT = "client"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Is a piece of work that is over, with its times in ns since the epoch.

    Ids have the form of W3C Trace Context: `trace_id` is the span's own, `parent` that of what made it be done. `error`
    says what went wrong, if it did.
    """

    name: str
    kind: SpanKind
    trace_id: str
    parent: str | None
    started_ns: int
    ended_ns: int
    attributes: Attributes = field(default_factory=dict)
    error: str | None = None


RecordSpan: TypeAlias = Callable[[Span], None]
