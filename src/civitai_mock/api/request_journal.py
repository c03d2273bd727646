"""Record requests in the journal of their namespace: those of version 1 and 2, and of blobs, once they are over.

This is written for few steps rather than for the eye, as every request goes through it.
"""

from dataclasses import replace
from time import time_ns
from typing import TypeAlias

from starlette.responses import Response

from civitai_mock.api.base_path import NAMESPACED_PATHS
from civitai_mock.api.exchange import Exchange, ServedNamespace
from civitai_mock.api.recording import NOTHING
from civitai_mock.api.responses import JsonResponse
from civitai_mock.domain.journal import (
    BYTES_BESIDE,
    BYTES_OF_LOOK,
    LARGEST_BODY,
    SECRET_HEADERS,
    TRACE_HEADER,
    HeaderPairs,
    LargeBody,
    large_body,
    packed_message,
    without_secrets,
)

Packed: TypeAlias = tuple[bytes, int, LargeBody | None]  # with the number of headers, and what stands for a large body


class RequestJournal:
    """Writes one entry for each request when it is over; whatever else is to be done waits until somebody reads it.

    A client that polls sends the same headers each time: they are packed and kept once.
    """

    def __init__(self) -> None:
        self._last_headers: HeaderPairs = ()
        self._last_packed = NOTHING

    def end(self, exchange: Exchange, status: int, seconds: float, route: str | None) -> None:
        """Record a request that is over, if it was for something that the real service has, in a namespace."""
        scope, response = exchange.scope, exchange.response
        if not scope["path"].startswith(NAMESPACED_PATHS):
            return
        try:
            namespace: ServedNamespace | None = exchange.namespace
        except AttributeError:  # as it was refused before
            namespace = _named(exchange)
        if namespace is None:
            return
        headers, path, query, looks = scope["headers"], exchange.path, scope["query_string"], exchange.looks
        sent = exchange.answer_headers if response is not None else ()
        common = [header for header in sent if header[0] != TRACE_HEADER]
        request, large_request = self._packed_request(exchange, common)
        answer, answer_headers, large_answer = _packed_parts(exchange) if response is None else _packed(response)
        size = BYTES_BESIDE + len(request) + len(answer) + len(path) + len(query) + BYTES_OF_LOOK * len(looks)
        if large_request is not None or large_answer is not None:
            size += sum(large.kept for large in (large_request, large_answer) if large is not None)
        entry = (  # the members of a `JournalEntry`, in their order
            time_ns(),
            seconds,
            namespace.use_cases.clock.now() if namespace.controls.is_any_set else None,
            exchange.consumer,
            exchange.method,
            path,
            scope["path"],
            query,
            route,
            status,
            exchange.trace_id,
            exchange.fault,
            looks,
            request,
            len(headers),
            len(common),
            len(common) < len(sent),
            answer,
            answer_headers,
            large_request,
            large_answer,
            size,
        )
        namespace.journal.add(entry)

    def _packed_request(self, exchange: Exchange, common: HeaderPairs) -> tuple[bytes, LargeBody | None]:
        """Return a request, without secrets and with headers of its answer, and what stands for a large body."""
        headers, recording = exchange.scope["headers"], exchange.recording
        is_bare = recording is None and not common
        if is_bare and headers == self._last_headers:
            return self._last_packed, None
        body, large = (NOTHING, None) if recording is None else recording.request
        shown = headers if SECRET_HEADERS.isdisjoint(exchange.headers) else without_secrets(headers)
        packed = packed_message((*shown, *common), body)
        if is_bare:
            self._last_headers, self._last_packed = headers, packed
        return packed, large


def _named(exchange: Exchange) -> ServedNamespace | None:
    """Return the namespace that a request has named, which was refused before it came there; None if there is none."""
    name = exchange.namespace_name
    return None if name is None else exchange.context.namespaces.find(name)


def _packed(response: Response) -> Packed:
    """Return an answer that was sent as a whole, without the headers that go with each; a kept one is packed once."""
    packed: Packed | None = getattr(response, "packed", None)
    if packed is not None:
        return packed
    content, headers = bytes(response.body), response.raw_headers
    if len(content) > LARGEST_BODY:
        packed = (packed_message(headers, NOTHING), len(headers), _large_answer(content))
    else:
        packed = (packed_message(headers, content), len(headers), None)
    if isinstance(response, JsonResponse):
        response.packed = packed
    return packed


def _packed_parts(exchange: Exchange) -> Packed:
    """Return an answer that was sent in parts, with all of its headers, as far as there was one."""
    if exchange.recording is None:
        return NOTHING, 0, None
    (body, large), headers = exchange.recording.answer, exchange.recording.answer_headers
    return packed_message(headers, body), len(headers), large


def _large_answer(content: bytes) -> LargeBody:
    """Return what is kept of a large answer: of one in JSON also the jobs that it tells of."""
    large = large_body(content)
    if not content.startswith((b"{", b"[")):
        return large
    from civitai_mock.services.journal.documents import read_json, told_job_ids  # noqa: PLC0415 - few answers are

    return replace(large, job_ids=tuple(told_job_ids(read_json(content))))
