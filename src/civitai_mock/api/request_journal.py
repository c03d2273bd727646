"""Record requests in the journal of their namespace: those of version 1 and 2, and of blobs, once they are over.

This is written for few steps rather than for the eye, as every request goes through it.
"""

from dataclasses import replace
from time import time_ns
from typing import TYPE_CHECKING

from civitai_mock.api.base_path import NAMESPACED_PATHS
from civitai_mock.api.exchange import Exchange, ServedNamespace
from civitai_mock.api.recording import NOTHING
from civitai_mock.domain.journal import (
    BYTES_BESIDE,
    BYTES_OF_LOOK,
    LARGEST_BODY,
    SECRET_HEADERS,
    JournalEntry,
    LargeBody,
    large_body,
    packed_messages,
    without_secrets,
)

if TYPE_CHECKING:
    from collections.abc import Sequence


class RequestJournal:
    """Writes one entry for each request when it is over; whatever else is to be done waits until somebody reads it."""

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
        if not SECRET_HEADERS.isdisjoint(exchange.headers):
            headers = without_secrets(headers)
        bodies, request_bytes, large_request, large_answer = NOTHING, 0, None, None
        answer_headers: Sequence[tuple[bytes, bytes]] = ()
        if recording is not None:
            request, answer, answer_headers = recording.request_body, recording.answer_body, recording.answer_headers
            bodies, large_request = (request, None) if isinstance(request, bytes) else (NOTHING, request)
            request_bytes = len(bodies)
            if isinstance(answer, bytes):
                bodies += answer
            else:
                large_answer = answer
        if response is not None:
            content = bytes(response.body)
            if len(content) > LARGEST_BODY:
                large_answer = _large_answer(content)
            else:
                bodies = bodies + content if bodies else content
            answer_headers = (*response.raw_headers, *exchange.answer_headers)
        packed = packed_messages((*headers, *answer_headers), bodies)
        size = BYTES_BESIDE + len(packed) + len(path) + len(query) + BYTES_OF_LOOK * len(looks)
        if large_request is not None or large_answer is not None:
            size += sum(large.kept for large in (large_request, large_answer) if large is not None)
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
            status,
            exchange.trace_id,
            exchange.fault,
            looks,
            packed,
            len(headers),
            len(answer_headers),
            request_bytes,
            large_request,
            large_answer,
            size,
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
