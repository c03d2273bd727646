"""How a request reads a blob."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from starlette.requests import Request

from civitai_mock.api.context import exchange
from civitai_mock.services.blobs import EXPIRED

if TYPE_CHECKING:
    from civitai_mock.domain.faults.choice import Look
    from civitai_mock.domain.faults.rules import FaultRule


class RequestReading:
    """Is what `BlobReading` says; what hardly anybody asks for is looked up when somebody does."""

    __slots__ = ("_request", "by_url", "expired", "route", "signed_at")

    def __init__(
        self,
        request: Request,
        route: str,
        *,
        by_url: bool = True,
        signed_at: datetime | None = None,
        expired: str = EXPIRED,
    ) -> None:
        self._request = request
        self.route = route
        self.by_url = by_url
        self.signed_at = signed_at
        self.expired = expired

    @property
    def method(self) -> str:
        return self._request.method

    @property
    def headers(self) -> Mapping[str, str]:
        return self._request.headers

    @property
    def asked(self) -> "FaultRule | None":
        return exchange(self._request).asked_fault

    def note(self, rule_id: str) -> None:
        """Have the answer say so."""
        exchange(self._request).note_fault(rule_id)

    def note_looks(self, looks: "Sequence[Look]") -> None:
        exchange(self._request).note_looks(looks)
