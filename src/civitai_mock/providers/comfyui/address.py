"""Parse the addresses of ComfyUI servers: the settings COMFY_HTTP_URL and COMFY_WS_URL."""

from collections.abc import Sequence
from urllib.parse import SplitResult, urlsplit, urlunsplit

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.network.redaction import ADDRESS_SEPARATOR, redacted

HTTP_SCHEMES = ("http", "https")
SOCKET_SCHEMES = {"http": "ws", "https": "wss"}
PROMPT_ROUTE = "/prompt"
SOCKET_ROUTE = "/ws"
ESCAPE_HINT = "; in a user or password write , / : @ # ? and % as %2C %2F %3A %40 %23 %3F and %25"


@dataclass(frozen=True, slots=True)
class ComfyServer:
    """Is the address of one server, whose URLs have no slash at the end; `id` is host, port and path prefix."""

    id: str
    http_url: str
    ws_url: str

    @property
    def page_url(self) -> str:
        """Return where people find it: the address without user and password."""
        return f"{urlsplit(self.http_url).scheme}://{self.id}/"


def parse_servers(http_urls: str, ws_urls: str | None = None) -> tuple[ComfyServer, ...]:
    """Parse lists of URLs; raise `ValueError`, in words for users, for anything else."""
    http = [_parse_http_address(text) for text in _split_list(http_urls)]
    if not http:
        raise ValueError("no address of a ComfyUI server")
    given = [_parse_socket_address(text) for text in _split_list(ws_urls or "")]
    if given and len(given) != len(http):
        raise ValueError(f"{len(given)} WebSocket addresses for {len(http)} HTTP addresses")
    servers = tuple(
        ComfyServer(id=_server_id(address), http_url=urlunsplit(address), ws_url=urlunsplit(socket))
        for address, socket in zip(http, given or map(_socket_address_of, http), strict=True)
    )
    _refuse_duplicates([server.id for server in servers])
    return servers


def _split_list(text: str) -> list[str]:
    """Split at commas, and leave out empty parts."""
    return [part.strip(" ,\n\t") for part in ADDRESS_SEPARATOR.split(text) if part.strip(" ,\n\t")]


def _parse_http_address(text: str) -> SplitResult:
    """Take the address of the prompt route for that of its server: users have either."""
    parts = _parse(text, schemes=HTTP_SCHEMES)
    return parts._replace(path=parts.path.removesuffix(PROMPT_ROUTE).rstrip("/"))


def _parse_socket_address(text: str) -> SplitResult:
    parts = _parse(text, schemes=tuple(SOCKET_SCHEMES.values()))
    return parts._replace(path=parts.path.removesuffix(SOCKET_ROUTE) + SOCKET_ROUTE)


def _socket_address_of(address: SplitResult) -> SplitResult:
    return address._replace(scheme=SOCKET_SCHEMES[address.scheme], path=address.path + SOCKET_ROUTE)


def _parse(text: str, *, schemes: Sequence[str]) -> SplitResult:
    """Parse a URL; errors quote no part of it, which may belong to a password that is not written as a URL wants it."""
    expected = " or ".join(f"{scheme}://host:port" for scheme in schemes)
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError(f"'{redacted(text)}' is not {expected}{ESCAPE_HINT}") from None
    if parts.scheme not in schemes or not parts.hostname or set(parts.hostname) & set(", "):
        raise ValueError(f"'{redacted(text)}' is not {expected}{ESCAPE_HINT if '@' in text else ''}")
    if "@" in parts.path + parts.query + parts.fragment:
        raise ValueError(f"'{redacted(text)}' has an @ behind its host{ESCAPE_HINT}")
    if parts.query or parts.fragment:
        raise ValueError(f"'{redacted(text)}' must end with its path")
    if port == 0:
        raise ValueError(f"'{redacted(text)}' has no usable port")
    return parts._replace(path=parts.path.rstrip("/"))


def _server_id(address: SplitResult) -> str:
    return address.netloc.rpartition("@")[2] + address.path


def _refuse_duplicates(ids: Sequence[str]) -> None:
    for server_id in ids:
        if ids.count(server_id) > 1:
            raise ValueError(f"'{server_id}' is named more than once")
