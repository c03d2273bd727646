"""Record requests in the journal of their namespace: those of version 1 and 2, and of blobs, once they are over.

This is written for few steps rather than for the eye, as every request goes through it.
"""

from dataclasses import replace
from itertools import chain
from time import time_ns

from starlette.types import Receive

from civitai_mock.api.base_path import NAMESPACED_PATHS
from civitai_mock.api.exchange import Exchange, ServedNamespace
from civitai_mock.api.recording import NOTHING, Recording
from civitai_mock.api.signed_requests import READING_METHODS
from civitai_mock.domain.journal import (
    BYTES_BESIDE,
    BYTES_OF_LOOK,
    LARGEST_BODY,
    SECRET_HEADERS,
    Body,
    JournalEntry,
    LargeBody,
    kept_bytes,
    large_body,
    packed_headers,
    without_secrets,
)


class RequestJournal:
    """Writes one entry for each request when it is over; whatever else is to be done waits until somebody reads it."""

    def begin(self, exchange: Exchange, receive: Receive) -> Receive:
        """Have copied what comes in parts, and return what hands over the body of the request."""
        exchange.is_recorded = True
        if exchange.method in READING_METHODS:
            return receive
        exchange.recording = Recording()
        return exchange.recording.copying(receive)

    def end(self, exchange: Exchange, status: int, seconds: float, route: str | None) -> None:
        """Record a request that is over, if it was for something that the real service has, in a namespace."""
        scope, recording, response = exchange.scope, exchange.recording, exchange.response
        if not scope["path"].startswith(NAMESPACED_PATHS):
            return
        namespace: ServedNamespace | None = getattr(exchange, "namespace", None) or _named(exchange)
        if namespace is None:
            return
        headers, path, query, looks = scope["headers"], exchange.path, scope["query_string"], exchange.looks
        if not SECRET_HEADERS.isdisjoint(exchange.headers):
            headers = without_secrets(headers)
        request_headers = packed_headers(headers)
        request_body: Body = NOTHING
        answer_headers, answer_body, size = NOTHING, request_body, BYTES_BESIDE
        if recording is not None:
            request_body, answer_headers, answer_body = (
                recording.request_body,
                recording.answer_headers,
                recording.answer_body,
            )
            size += kept_bytes(request_body) + kept_bytes(answer_body)
        if response is not None:
            answer_headers = packed_headers(chain(response.raw_headers, exchange.answer_headers))
            content = bytes(response.body)
            answer_body = content if len(content) <= LARGEST_BODY else _large_answer(content)
            size += min(len(content), LARGEST_BODY)
        entry = (
            time_ns(),
            seconds,
            namespace.use_cases.clock.now() if namespace.controls.is_any_set else None,
            exchange.consumer,
            exchange.method,
            path,
            scope["path"],
            query,
            route,
            request_headers,
            request_body,
            status,
            answer_headers,
            answer_body,
            exchange.trace_id,
            exchange.fault,
            looks,
            size + len(path) + len(query) + len(request_headers) + len(answer_headers) + BYTES_OF_LOOK * len(looks),
        )
        namespace.journal.add(tuple.__new__(JournalEntry, entry))


def _named(exchange: Exchange) -> ServedNamespace | None:
    """Return the namespace that a request has named, which was refused before it came there; None if there is none."""
    name = exchange.namespace_name
    return None if name is None else exchange.context.namespaces.find(name)


def _large_answer(content: bytes) -> LargeBody:
    """Return what is kept of a large answer: of one in JSON also the jobs that it tells of."""
    large = large_body(content)
    if not content.startswith((b"{", b"[")):
        return large
    from civitai_mock.services.journal_documents import read_json, told_job_ids  # noqa: PLC0415 - few answers are

    return replace(large, job_ids=tuple(told_job_ids(read_json(content))))
