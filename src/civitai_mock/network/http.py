"""What of a guarded client needs httpx, which is imported when something is sent for the first time."""

import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import ForbiddenError
from civitai_mock.network.connection_errors import explain_connection_error
from civitai_mock.network.outbound import (
    ConnectionFailedError,
    InvalidUrlError,
    OutboundRequest,
    Resolve,
    TooManyRedirectsError,
)
from civitai_mock.services.host_policy import HostPolicy

MAX_REDIRECTS = 3
# A 303 asks for a GET, whatever was sent, so a POST would lose its content.
REDIRECT_STATUSES: Mapping[str, frozenset[int]] = {
    "GET": frozenset({301, 302, 303, 307, 308}),
    "POST": frozenset({301, 302, 307, 308}),
}
DEFAULT_PORTS = {"http": 80, "https": 443}
MAX_PORT = 65_535


class HttpTransport(httpx.AsyncHTTPTransport):
    """Opens connections as httpx does, and raises `ConnectError` for one that was lost as soon as it was open.

    anyio asks such a connection for its peer, and fails with an AttributeError of its own (version 4.16). Nothing has
    been sent then.
    """

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        try:
            return await super().handle_async_request(request)
        except AttributeError as error:
            if error.name != "getpeername":
                raise
            raise httpx.ConnectError("lost at once", request=request) from ConnectionResetError()


def http_client(*, user_agent: str, tls: ssl.SSLContext) -> httpx.AsyncClient:
    """Return a client that uses no proxy, keeps no cookie and opens a connection for each request.

    A proxy would resolve host names itself. Requests go to addresses, and two hosts that have one address must share
    neither a TLS connection nor a cookie.
    """
    return httpx.AsyncClient(
        headers={"User-Agent": user_agent},
        transport=HttpTransport(
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=0), trust_env=False, verify=tls
        ),
        timeout=None,  # noqa: S113 - each caller limits the time of all that it does
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        trust_env=False,
    )


@contextmanager
def errors_in_our_words() -> Iterator[None]:
    """Raise `InvalidUrlError` or `ConnectionFailedError` for what goes wrong while something is sent and answered."""
    try:
        yield
    except TimeoutError:  # which is an `OSError`, but not of a connection
        raise
    except httpx.InvalidURL as error:
        raise InvalidUrlError("The URL cannot be used.") from error
    except (httpx.HTTPError, OSError) as error:
        was_reached = not isinstance(error, httpx.ConnectError | OSError)
        raise ConnectionFailedError(explain_connection_error(error), was_reached=was_reached) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardedRequest:
    """Sends one message to a host and to those that it redirects to, each time to an address that was checked."""

    message: OutboundRequest
    client: httpx.AsyncClient
    hosts: HostPolicy
    resolve: Resolve

    async def send(self, url: str) -> httpx.Response:
        """Follow redirects, and return the last answer, of which only the head has been read; the caller closes it."""
        try:
            return await self._follow(httpx.URL(url))
        except ValueError as error:  # for a host name that httpx accepts at first, and cannot encode later
            raise httpx.InvalidURL(str(error)) from error

    async def _follow(self, url: httpx.URL) -> httpx.Response:
        for _ in range(MAX_REDIRECTS + 1):
            answer = await self._try_addresses(url)
            if not self.message.follows_redirects or not _is_redirect(answer, self.message):
                return answer
            await answer.aclose()
            url = url.join(answer.headers["location"])
        raise TooManyRedirectsError(answer.status_code)

    async def _try_addresses(self, url: httpx.URL) -> httpx.Response:
        """Send to the first of the host's addresses that accepts a connection."""
        *others, last = await self._addresses(url)
        for address in others:
            try:
                return await self._send_to(address, url)
            except httpx.ConnectError:
                continue
        return await self._send_to(last, url)

    async def _addresses(self, url: httpx.URL) -> Sequence[str]:
        if url.scheme not in DEFAULT_PORTS or not url.host:
            raise ForbiddenError("Only http and https URLs can be used.")
        port = url.port or DEFAULT_PORTS[url.scheme]
        if port > MAX_PORT:
            raise httpx.InvalidURL(f"port must be at most {MAX_PORT}; found {port}")
        try:
            addresses = await self.resolve(url.raw_host.decode(), port)
        except UnicodeError as error:  # for a label that is too long for DNS
            raise OSError("unknown host") from error
        allowed = [address for address in addresses if self.hosts.allows(url.host, address)]
        if not allowed:
            raise ForbiddenError(self.hosts.refusal(url.host))
        return allowed

    async def _send_to(self, address: str, url: httpx.URL) -> httpx.Response:
        message = self.message
        request = self.client.build_request(
            message.method,
            url.copy_with(host=address),
            content=message.content or None,
            headers={**message.headers, "Host": url.netloc.decode()},
            extensions={"sni_hostname": url.raw_host.decode()},
        )
        return await self.client.send(request, stream=True, follow_redirects=False)


def _is_redirect(answer: httpx.Response, message: OutboundRequest) -> bool:
    return answer.status_code in REDIRECT_STATUSES[message.method] and "location" in answer.headers
