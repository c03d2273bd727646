"""A guarded client for hosts that callers name: each request goes to an address that was checked before.

To import httpx and to make a client takes 60 ms and 8 MB, so both wait until something is sent.
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Self

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.network.outbound import OutboundRequest, Resolve
from civitai_mock.services.host_policy import HostPolicy
from civitai_mock.services.threads import in_thread

if TYPE_CHECKING:
    import httpx

GetClient = Callable[[], Awaitable["httpx.AsyncClient"]]

RESOLVER_THREADS = 8


class LateHttpClient:
    """Makes the client of a process when it is first asked for; close it when the process ends."""

    def __init__(self, *, user_agent: str, make_tls_context: Callable[[], ssl.SSLContext]) -> None:
        self._user_agent = user_agent
        self._make_tls_context = make_tls_context
        self._client: httpx.AsyncClient | None = None
        self._making = asyncio.Lock()

    async def __call__(self) -> "httpx.AsyncClient":
        async with self._making:
            if self._client is None:
                self._client = await in_thread(self._make)
        return self._client

    async def aclose(self) -> None:
        if self._client is not None:
            await self._client.aclose()

    def _make(self) -> "httpx.AsyncClient":
        from civitai_mock.network.http import http_client  # noqa: PLC0415 - see the module

        return http_client(user_agent=self._user_agent, tls=self._make_tls_context())


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardedHttpClient:
    """Connects to the very address that it has checked, so that no second DNS answer can lead it elsewhere (SSRF).

    `get_client` returns the same client every time; it may make it the first time.
    """

    get_client: GetClient
    hosts: HostPolicy
    resolve: Resolve

    @asynccontextmanager
    async def send(self, url: str, message: OutboundRequest) -> AsyncIterator["httpx.Response"]:
        """Follow redirects, and yield the last answer, of which only the head has been read.

        Raise `ForbiddenError` for a host that is not allowed, `TooManyRedirectsError`, `InvalidUrlError`, and, also
        while the answer is read, `ConnectionFailedError`.
        """
        client = await self.get_client()
        from civitai_mock.network.http import GuardedRequest, errors_in_our_words  # noqa: PLC0415 - see the module

        request = GuardedRequest(message=message, client=client, hosts=self.hosts, resolve=self.resolve)
        with errors_in_our_words():
            answer = await request.send(url)
            try:
                yield answer
            finally:
                await answer.aclose()


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
