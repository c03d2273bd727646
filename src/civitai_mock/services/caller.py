"""Who asks, and from where."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """`trace_id` has the form `00-<32 hex>-<16 hex>-00`; `consumer` is printed as `issuedBy`.

    One that is `confined` sees its own jobs and no others.
    """

    trace_id: str
    consumer: str
    confined: bool = False

    @property
    def owner(self) -> str | None:
        """Whose jobs the caller sees; None for everybody's."""
        return self.consumer if self.confined else None
