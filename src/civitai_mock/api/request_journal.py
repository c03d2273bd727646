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
    HeaderPairs,
    LargeBody,
    large_body,
    packed_message,
    without_secrets,
)
from civitai_mock.services.tracing import TRACE_HEADER

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
        scope, recording, response = exchange.scope, exchange.recording, exchange.response
        if not scope["path"].startswith(NAMESPACED_PATHS):
            return
        try:
            namespace: ServedNamespace | None = exchange.namespace
        except AttributeError:  # as it was refused before
            namespace = _named(exchange)
        if namespace is None:
            return
        headers, path, query, looks = scope["headers"], exchange.path, scope["query_string"], exchange.looks
        common = exchange.answer_headers if response is not None else ()
        is_traced = len(common) == 1 and common[0][0] is TRACE_HEADER
        if is_traced:
            common = ()
        if recording is None and not common:
            large_request = None
            if headers != self._last_headers:
                self._last_headers, self._last_packed = headers, packed_message(_shown(exchange), NOTHING)
            request = self._last_packed
        else:
            body, large_request = (NOTHING, None) if recording is None else recording.request
            request = packed_message((*_shown(exchange), *common), body)
        packed: Packed | None = getattr(response, "packed", None)  # of an answer that was sent before
        if packed is None:
            packed = _packed_parts(exchange) if response is None else _packed(response)
        answer, answer_headers, large_answer = packed
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
            is_traced,
            answer,
            answer_headers,
            large_request,
            large_answer,
            size,
        )
        namespace.journal.add(entry)


def _shown(exchange: Exchange) -> HeaderPairs:
    """Return the headers of a request, without secrets."""
    headers: HeaderPairs = exchange.scope["headers"]
    return headers if SECRET_HEADERS.isdisjoint(exchange.headers) else without_secrets(headers)


def _named(exchange: Exchange) -> ServedNamespace | None:
    """Return the namespace that a request has named, which was refused before it came there; None if there is none."""
    name = exchange.namespace_name
    return None if name is None else exchange.context.namespaces.find(name)


def _packed(response: Response) -> Packed:
    """Return an answer that was sent as a whole, without the headers that go with each, and keep that with it."""
    content, headers = bytes(response.body), response.raw_headers
    packed: Packed
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
