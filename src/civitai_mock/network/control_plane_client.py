"""A client of the control plane of a civitai-mock, for commands: it waits for answers, or says why there are none."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from typing import IO

import httpx

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import MockError
from civitai_mock.domain.json_types import Json, as_list, as_object, as_text, as_texts
from civitai_mock.network.connection_errors import explain_connection_error
from civitai_mock.network.redaction import redacted
from civitai_mock.network.tls import make_tls_context
from civitai_mock.services.origin_policy import is_loopback

PREFIX = "_mock"
NAMESPACE_HEADER = "X-Mock-Namespace"
JSON, ZIP = "application/json", "application/zip"
CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 120.0  # an advance of a clock takes up to 30; a large snapshot is built before it is sent


class UnreachableError(MockError):
    """Says that no civitai-mock answers there, and why."""

    code = "unreachable"


class RefusedError(MockError):
    """Says that the server refused a request: its `status`, the `problem` that it tells, and that in `lines`."""

    code = "refused"

    def __init__(self, status: int, problem: Mapping[str, Json], *, reason: str) -> None:
        super().__init__(as_text(problem.get("detail")) or as_text(problem.get("title")) or reason)
        self.status = status
        self.problem = problem

    @property
    def lines(self) -> Sequence[str]:
        """Return what is wrong: the message, or each wrong member with its path."""
        errors = as_object(self.problem.get("errors"))
        faults = [f"{path}: {text}" for path, texts in errors.items() for text in as_texts(texts)]
        return faults or [self.message]


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlPlaneClient:
    """Asks one server. Paths begin after `/_mock/`; what is answered is JSON, or None for an answer without a body.

    All methods raise `RefusedError` and `UnreachableError`.
    """

    http: httpx.Client
    url: str

    def get(self, path: str, query: Mapping[str, str] | None = None) -> Json:
        with self._sent("GET", path, query=query) as answer:
            return self._json(answer)

    def pages(self, path: str) -> Iterator[Sequence[Json]]:
        """Yield the items of a list, page by page."""
        query: dict[str, str] = {}
        while True:
            page = as_object(self.get(path, query))
            if "items" not in page:
                raise self._no_mock(f"its list {path} has no items")
            yield as_list(page["items"])
            cursor = as_text(page.get("next"))
            if not cursor:
                return
            if cursor == query.get("cursor"):
                raise self._no_mock(f"its list {path} does not go on")
            query["cursor"] = cursor

    def change(self, method: str, path: str, body: Json = None, *, query: Mapping[str, str] | None = None) -> Json:
        content = json.dumps({} if body is None else body).encode()
        with self._sent(method, path, query=query, content=content, content_type=JSON) as answer:
            return self._json(answer)

    def upload(self, path: str, content: bytes | IO[bytes], *, content_type: str) -> Json:
        with self._sent("PUT", path, content=content, content_type=content_type) as answer:
            return self._json(answer)

    def download(self, path: str, into: IO[bytes]) -> int:
        """Write a zip into a file; return its size."""
        size = 0
        with self._sent("GET", path) as answer:
            if answer.headers.get("content-type") != ZIP:
                raise self._no_mock("it answers no zip")
            with self._explained():
                for chunk in answer.iter_bytes():
                    size += into.write(chunk)
        return size

    def has_page(self, path: str) -> bool:
        """Return whether there is something for a browser."""
        with self._answer("GET", path) as answer:
            return answer.status_code == HTTPStatus.OK

    @contextmanager
    def _sent(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        content: bytes | IO[bytes] | None = None,
        content_type: str | None = None,
    ) -> Iterator[httpx.Response]:
        """Send a request; yield an answer whose head is good."""
        headers = {} if content_type is None else {"Content-Type": content_type}
        with self._answer(method, path, query=query, content=content, headers=headers) as answer:
            if answer.is_redirect:
                where = redacted(answer.headers["location"])
                raise self._no_mock(f"it redirects to {where}; if that is right, name it in --url")
            if answer.is_error:
                raise RefusedError(answer.status_code, self._problem(answer), reason=self._reason(answer))
            yield answer

    @contextmanager
    def _answer(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        content: bytes | IO[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Iterator[httpx.Response]:
        with self._explained():
            request = self.http.build_request(
                method, f"{PREFIX}/{path}", params=query or None, content=content, headers=headers
            )
            answer = self.http.send(request, stream=True)
        try:
            yield answer
        finally:
            answer.close()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Say of an error of the connection what it means."""
        try:
            yield
        except httpx.RequestError as error:
            raise UnreachableError(f"{self.url} cannot be reached: {explain_connection_error(error)}.") from error

    def _json(self, answer: httpx.Response) -> Json:
        if answer.status_code == HTTPStatus.NO_CONTENT:
            return None
        with self._explained():
            content = answer.read()
        try:
            found: Json = json.loads(content)
        except ValueError as error:
            raise self._no_mock("it does not answer JSON") from error
        return found

    def _problem(self, answer: httpx.Response) -> Mapping[str, Json]:
        """Return the problem document of a refusal; empty for a server that sends none."""
        with self._explained():
            content = answer.read()
        try:
            return as_object(json.loads(content))
        except ValueError:
            return {}

    def _reason(self, answer: httpx.Response) -> str:
        return f"{self.url} answers {answer.status_code} {answer.reason_phrase}".strip()

    def _no_mock(self, why: str) -> UnreachableError:
        return UnreachableError(f"{self.url} is no civitai-mock, or one of another version: {why}.")


@contextmanager
def open_control_plane(
    url: str, *, token: str | None = None, namespace: str | None = None
) -> Iterator[ControlPlaneClient]:
    """Open a client of the server at `url`, for one namespace; a server on this machine is asked without a proxy."""
    root = httpx.URL(url)
    headers = {"Accept": "*/*"}
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    if namespace is not None:
        headers[NAMESPACE_HEADER] = namespace
    with httpx.Client(
        base_url=root,
        headers=headers,
        timeout=httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS),
        verify=make_tls_context() if root.scheme == "https" else False,
        trust_env=not is_loopback(root.host),
    ) as http:
        yield ControlPlaneClient(http=http, url=redacted(url).rstrip("/"))
