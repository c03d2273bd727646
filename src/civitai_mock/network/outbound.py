"""What is sent to hosts that callers name, and what can go wrong with it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import field

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import MockError

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]


class TooManyRedirectsError(MockError):
    """Says that a host redirects without end; `status` is that of its last answer."""

    code = "too_many_redirects"

    def __init__(self, status: int) -> None:
        super().__init__("too many redirects", status=status)
        self.status = status


class InvalidUrlError(MockError):
    """Says that a URL, or one that it leads to, cannot be used."""

    code = "invalid_url"


class ConnectionFailedError(MockError):
    """Says why nothing was sent, or why the answer broke off; the URL is not in the message."""

    code = "connection_failed"

    def __init__(self, message: str, *, was_reached: bool) -> None:
        super().__init__(message)
        self.was_reached = was_reached


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboundRequest:
    """Says what to send to a host, and to all hosts that it redirects to, unless `follows_redirects` is False."""

    method: str
    content: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    follows_redirects: bool = True
