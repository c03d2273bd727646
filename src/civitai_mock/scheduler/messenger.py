"""One POST to a receiver, and nowhere else."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import httpx

from civitai_mock.domain.errors import ForbiddenError
from civitai_mock.scheduler.absentees import Absentees, NotDeliveredError
from civitai_mock.services.callback_hosts import CallbackHosts

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]

MAX_REDIRECTS = 3
REDIRECTS = frozenset({301, 302, 307, 308})  # 303 would ask for a GET, and the event would be lost
PORTS = {"http": 80, "https": 443}


def callback_client(*, user_agent: str) -> httpx.AsyncClient:
    """Without proxies, which would look hosts up for themselves, and with a connection for each request.

    Requests go to addresses: two hosts of one address must not share a TLS connection.
    """
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    return httpx.AsyncClient(headers={"User-Agent": user_agent}, limits=limits, timeout=None, trust_env=False)  # noqa: S113 - `post` has one for all that it does


@dataclass(frozen=True, slots=True, kw_only=True)
class Messenger:
    """Connects to the very address that it has checked, so that no second DNS answer can lead it elsewhere."""

    client: httpx.AsyncClient
    hosts: CallbackHosts
    resolve: Resolve
    timeout: timedelta
    absentees: Absentees = field(default_factory=Absentees, init=False)

    async def post(self, url: str, *, content: bytes, headers: Mapping[str, str]) -> int:
        """The status of a good answer; raise `NotDeliveredError`, or `ForbiddenError` for a host that is not allowed.

        No message tells the URL, which may hold a secret.
        """
        place = url.partition("://")[2].partition("/")[0]
        with self.absentees.attempt(place):
            return await self._post(url, content, headers)

    async def _post(self, url: str, content: bytes, headers: Mapping[str, str]) -> int:
        try:
            async with asyncio.timeout(self.timeout.total_seconds()):
                status = await self._follow(httpx.URL(url), content, headers)
        except TimeoutError as error:
            raise NotDeliveredError("no answer in time") from error
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            raise NotDeliveredError(type(error).__name__) from error
        if not 200 <= status < 300:
            raise NotDeliveredError("the answer is no 2xx", status=status)
        return status

    async def _follow(self, url: httpx.URL, content: bytes, headers: Mapping[str, str]) -> int:
        for _ in range(MAX_REDIRECTS + 1):
            answer = await self._send(url, content, headers)
            if answer.status_code not in REDIRECTS or "location" not in answer.headers:
                return answer.status_code
            url = url.join(answer.headers["location"])
        raise NotDeliveredError("too many redirects", status=answer.status_code)

    async def _send(self, url: httpx.URL, content: bytes, headers: Mapping[str, str]) -> httpx.Response:
        """To the first of the host's addresses that takes the connection."""
        *others, last = await self._addresses(url)
        for address in others:
            try:
                return await self._send_to(address, url, content, headers)
            except httpx.ConnectError:
                continue
        return await self._send_to(last, url, content, headers)

    async def _addresses(self, url: httpx.URL) -> Sequence[str]:
        if url.scheme not in PORTS or not url.host:
            raise ForbiddenError("Callbacks go to http and https URLs only.")
        found = await self.resolve(url.raw_host.decode(), url.port or PORTS[url.scheme])
        allowed = [address for address in found if self.hosts.allows(url.host, address)]
        if not allowed:
            raise ForbiddenError(f"This server does not send callbacks to the host '{url.host}'.")
        return allowed

    async def _send_to(
        self, address: str, url: httpx.URL, content: bytes, headers: Mapping[str, str]
    ) -> httpx.Response:
        """The body of the answer is not read."""
        request = self.client.build_request(
            "POST",
            url.copy_with(host=address),
            content=content,
            headers={**headers, "Host": url.netloc.decode()},
            extensions={"sni_hostname": url.raw_host.decode()},
        )
        answer = await self.client.send(request, stream=True, follow_redirects=False)
        await answer.aclose()
        return answer
