"""Who asks, and from where."""

from dataclasses import dataclass

from civitai_mock.services.consumers import owner_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """`trace_id` has the form `00-<32 hex>-<16 hex>-00`; `consumer` is printed as `issuedBy`.

    `client_compat` is the kind of client that the request says it comes from.
    """

    trace_id: str
    consumer: str
    client_compat: str | None = None

    @property
    def owner(self) -> str | None:
        """Whose jobs the caller sees; None for everybody's."""
        return owner_of(self.consumer)
