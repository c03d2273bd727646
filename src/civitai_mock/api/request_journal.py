"""Record requests in the journal of their namespace: those of version 1 and 2, and of blobs, once they are over.

This is written for few steps rather than for the eye, as every request goes through it.
"""

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
    kept_body,
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
        request_body: Body = NOTHING if recording is None else recording.request_body
        if response is not None:
            answer_headers = packed_headers(chain(response.raw_headers, exchange.answer_headers))
            body = response.body
            answer_body = body if len(body) <= LARGEST_BODY and isinstance(body, bytes) else kept_body(bytes(body))
        elif recording is not None:
            answer_headers, answer_body = recording.answer_headers, recording.answer_body
        else:
            answer_headers = answer_body = NOTHING
        size = len(request_headers) + len(request_body) + len(answer_headers) + len(answer_body) + len(path)
        entry = (
            time_ns(),
            seconds,
            namespace.use_cases.clock.now() if namespace.controls.is_any_set else None,
            exchange.consumer,
            exchange.method,
            path,
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
            BYTES_BESIDE + size + len(query) + BYTES_OF_LOOK * len(looks),
        )
        namespace.journal.add(tuple.__new__(JournalEntry, entry))


def _named(exchange: Exchange) -> ServedNamespace | None:
    """Return the namespace that a request has named, which was refused before it came there; None if there is none."""
    name = exchange.namespace_name
    return None if name is None else exchange.context.namespaces.find(name)
