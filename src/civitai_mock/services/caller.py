"""Who asks, and from where."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """`trace_id` has the form `00-<32 hex>-<16 hex>-00`; `consumer` is printed as `issuedBy`."""

    trace_id: str
    consumer: str
