"""A guarded HTTP client for hosts that callers name: each request goes to an address that was checked before."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Self

import httpx

from civitai_mock.domain.errors import ForbiddenError, MockError
from civitai_mock.services.host_policy import HostPolicy

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]

MAX_REDIRECTS = 3
# A 303 asks for a GET, whatever was sent, so a POST would lose its content.
REDIRECT_STATUSES: Mapping[str, frozenset[int]] = {
    "GET": frozenset({301, 302, 303, 307, 308}),
    "POST": frozenset({301, 302, 307, 308}),
}
DEFAULT_PORTS = {"http": 80, "https": 443}
MAX_PORT = 65_535
RESOLVER_THREADS = 8


class TooManyRedirectsError(MockError):
    """Says that a host redirects without end; `status` is that of its last answer."""

    code = "too_many_redirects"

    def __init__(self, status: int) -> None:
        super().__init__("too many redirects", status=status)
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboundRequest:
    """Says what to send to a host, and to all hosts that it redirects to, unless `follows_redirects` is False."""

    method: str
    content: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    follows_redirects: bool = True


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


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardedHttpClient:
    """Connects to the very address that it has checked, so that no second DNS answer can lead it elsewhere (SSRF).

    `get_client` returns the same client every time; it may make it the first time.
    """

    get_client: Callable[[], httpx.AsyncClient]
    hosts: HostPolicy
    resolve: Resolve

    @asynccontextmanager
    async def send(self, url: str, message: OutboundRequest) -> AsyncIterator[httpx.Response]:
        """Follow redirects, and return the last answer, of which only the head has been read.

        Raise `ForbiddenError` for a host that is not allowed, `TooManyRedirectsError`, and what httpx raises.
        """
        try:
            answer = await self._follow(httpx.URL(url), message)
        except ValueError as error:  # for a host name that httpx accepts at first, and cannot encode later
            raise httpx.InvalidURL(str(error)) from error
        try:
            yield answer
        finally:
            await answer.aclose()

    async def _follow(self, url: httpx.URL, message: OutboundRequest) -> httpx.Response:
        for _ in range(MAX_REDIRECTS + 1):
            answer = await self._try_addresses(url, message)
            if not message.follows_redirects or not _is_redirect(answer, message):
                return answer
            await answer.aclose()
            url = url.join(answer.headers["location"])
        raise TooManyRedirectsError(answer.status_code)

    async def _try_addresses(self, url: httpx.URL, message: OutboundRequest) -> httpx.Response:
        """Send to the first of the host's addresses that accepts a connection."""
        *others, last = await self._addresses(url)
        for address in others:
            try:
                return await self._send_to(address, url, message)
            except httpx.ConnectError:
                continue
        return await self._send_to(last, url, message)

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

    async def _send_to(self, address: str, url: httpx.URL, message: OutboundRequest) -> httpx.Response:
        client = self.get_client()
        request = client.build_request(
            message.method,
            url.copy_with(host=address),
            content=message.content or None,
            headers={**message.headers, "Host": url.netloc.decode()},
            extensions={"sni_hostname": url.raw_host.decode()},
        )
        return await client.send(request, stream=True, follow_redirects=False)


def _is_redirect(answer: httpx.Response, message: OutboundRequest) -> bool:
    return answer.status_code in REDIRECT_STATUSES[message.method] and "location" in answer.headers


class DnsResolver:
    """Resolves host names in threads of its own: lookups that hang must not take those that the store waits for."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(max_workers=RESOLVER_THREADS, thread_name_prefix="resolver")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        """Return addresses in the order in which to try them; raise `OSError` if there are none."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, _look_up, host, port)


def _look_up(host: str, port: int) -> Sequence[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))
