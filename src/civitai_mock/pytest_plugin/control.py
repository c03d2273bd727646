"""Talk to the control plane of a mock server: plain requests, and errors of one line.

It uses no HTTP client that a test may have replaced: tests that stub httpx or requests still reach their mock server.
"""

import http.client
import json
import ssl
from collections.abc import Mapping
from dataclasses import field
from functools import cached_property
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from civitai_mock.domain.dataclass import dataclass

PREFIX = "/_mock"
NAMESPACE_HEADER, TOKEN_HEADER = "X-Mock-Namespace", "X-Mock-Token"
PATIENCE_SECONDS = 60.0  # the longest answer, that of an advance of the clock, takes 30 s
MOST_ITEMS_OF_A_PAGE = 200


class CivitaiMockError(Exception):
    """Says in one line what the mock server refused, or why there is no answer.

    `status` is that of the answer, if there is one, and `problem` its body.
    """

    def __init__(self, message: str, *, status: int | None = None, problem: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.problem = problem or {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Is where a server can be reached; `https` needs a certificate that this machine trusts."""

    host: str
    port: int | None
    path: str
    is_encrypted: bool

    @classmethod
    def parse(cls, url: str) -> "Address":
        """Raise `ValueError`, whose text begins with what is wrong, for what is not the address of a server."""
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("it has to begin with http:// or https:// and the name of a host")
        if parts.username is not None or parts.query or parts.fragment:
            raise ValueError("it must have neither a user, nor a query, nor a fragment")
        return cls(
            host=parts.hostname, port=parts.port, path=parts.path.rstrip("/"), is_encrypted=parts.scheme == "https"
        )


@dataclass(frozen=True)
class ControlPlane:
    """Sends requests to `/_mock` of the server at `url`, in a namespace if there is one."""

    url: str
    token: str | None = field(default=None, repr=False)
    namespace: str | None = None

    def get(self, path: str, **query: str | int) -> Any:
        __tracebackhide__ = True
        return json.loads(self.send("GET", f"{path}?{urlencode(query)}" if query else path))

    def items(self, path: str, **query: str | int) -> list[dict[str, Any]]:
        """Return all items of a list, page after page."""
        __tracebackhide__ = True
        found: list[dict[str, Any]] = []
        cursor: dict[str, str] = {}
        while True:
            page = self.get(path, take=MOST_ITEMS_OF_A_PAGE, **query, **cursor)
            found += page["items"]
            if not page.get("next"):
                return found
            cursor = {"cursor": page["next"]}

    def change(self, method: str, path: str, body: Mapping[str, Any] | None = None, *, wait: float = 0) -> Any:
        """Return what the answer says, None for nothing; the server may take `wait` seconds longer than usual."""
        __tracebackhide__ = True
        content = self.send(method, path, json.dumps(body or {}).encode(), wait=wait)
        return json.loads(content) if content else None

    def send(self, method: str, path: str, body: bytes | None = None, *, wait: float = 0) -> bytes:
        """Return the body of a good answer; raise `CivitaiMockError` for any other, and for none."""
        __tracebackhide__ = True
        try:
            connection = self._connection(timeout=PATIENCE_SECONDS + wait)
            try:
                connection.request(method, f"{self._address.path}{PREFIX}{path}", body, self._headers)
                answer = connection.getresponse()
                content = answer.read()
            finally:
                connection.close()
        except (OSError, http.client.HTTPException) as error:
            raise CivitaiMockError(f"civitai-mock does not answer at {self.url}: {_reason(error)}") from None
        if answer.status >= HTTPStatus.MULTIPLE_CHOICES:
            raise _refusal(f"{method} {PREFIX}{path}", answer.status, content)
        return content

    @cached_property
    def _address(self) -> Address:
        return Address.parse(self.url)

    @cached_property
    def _headers(self) -> dict[str, str]:
        headers = {"Content-Type": "application/json", "Accept": "application/json, application/zip"}
        if self.token is not None:
            headers[TOKEN_HEADER] = self.token
        if self.namespace is not None:
            headers[NAMESPACE_HEADER] = self.namespace
        return headers

    def _connection(self, *, timeout: float) -> http.client.HTTPConnection:
        host, port = self._address.host, self._address.port
        if self._address.is_encrypted:
            return http.client.HTTPSConnection(host, port, timeout=timeout, context=self._tls)
        return http.client.HTTPConnection(host, port, timeout=timeout)

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return ssl.create_default_context()


def path_of(*parts: str) -> str:
    """Return a path with these parts, whatever letters they have."""
    return "".join(f"/{quote(part, safe='')}" for part in parts)


def printable(line: str) -> str:
    """Return a line without what could move the cursor of a terminal: paths and prompts are anybody's."""
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in line)


def _reason(error: Exception) -> str:
    words = (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
    return " ".join(words.split())


def _refusal(request: str, status: int, content: bytes) -> CivitaiMockError:
    """Return the error that says what a problem document says, with each wrong member on its way."""
    try:
        problem = json.loads(content)
    except ValueError:
        problem = None
    if not isinstance(problem, dict) or not {"title", "detail"} & set(problem):
        return CivitaiMockError(f"{request}: {status}, but not from civitai-mock", status=status)
    wrong = problem.get("errors")
    members = wrong.items() if isinstance(wrong, dict) else ()
    told = [f"{path}: {message}" for path, messages in members for message in messages]
    detail = "; ".join(told) or problem.get("detail") or problem.get("title")
    return CivitaiMockError(printable(f"{request}: {status}, {detail}"), status=status, problem=problem)
