"""Read JSON bodies: what may be sent, how much of it, and how slowly."""

import asyncio
import json
import re
from collections import Counter
from collections.abc import Callable, Coroutine, Generator
from itertools import islice
from types import coroutine
from typing import Any, TypeVar

import orjson
from starlette.requests import ClientDisconnect, Request

from civitai_mock.api.body_budget import Share
from civitai_mock.api.context import exchange
from civitai_mock.api.errors import BodyTimeoutError, BodyTooLargeError
from civitai_mock.api.exchange import ApiOptions
from civitai_mock.domain.errors import ROOT, UnsupportedMediaTypeError, fault
from civitai_mock.domain.journal import LARGEST_BODY
from civitai_mock.domain.json_types import Json, JsonObject
from civitai_mock.services.threads import in_thread_if_large

T = TypeVar("T")

MEDIA_TYPES = re.compile(r"(?:application|text)/json|application/[\w.!#$&^-]+\+json", re.IGNORECASE | re.ASCII)
MEDIA_RANGES = ("application/json", "text/json", "application/*+json")
BYTE_ORDER_MARK = b"\xef\xbb\xbf"  # .NET takes it, and Windows tools send it
SMALL_BYTES = 8 * 1024
MAX_DEPTH = 64
MAX_SHOWN = 100
VALUES_OF_JOB = 250  # for each job that one request may have
VALUES_IN_ANY_CASE = 250_000  # one job may have a graph of thousands of nodes
SEPARATORS = (b",", b"[", b"{")
SEPARATOR_OR_TEXT = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?|[,\[{]', re.DOTALL)
# To look for zeros, once all digits are zeros, takes a tenth of the time in which a pattern is looked for.
DIGITS_TO_ZEROS = bytes.maketrans(b"123456789", b"0" * 9)
LONG_NUMBER = b"0" * 19
INT64_MIN, UINT64_MAX = -(2**63), 2**64 - 1  # seeds of ComfyUI need all of the latter


async def read_as(
    request: Request, parse: Callable[[JsonObject], T], *, parse_small: Callable[[bytes], T] | None = None
) -> T:
    """Return what `parse` makes of the body, which has to be a JSON object; see `read_any`."""
    return await read_any(request, lambda value: parse(as_body(value)), parse_small=parse_small)


async def read_any(
    request: Request,
    parse: Callable[[Json], T],
    *,
    if_empty: Json = None,
    parse_small: Callable[[bytes], T] | None = None,
) -> T:
    """Return what `parse` makes of the body, which is JSON of any kind; a missing content type counts as JSON.

    Raise an error that says what is wrong with it; an empty body is wrong unless there is a value for it. A large body
    is decoded and parsed in a thread. One of `SMALL_BYTES` or less is left to `parse_small`, which may remember it.
    """
    current = exchange(request)
    content_type = current.header(b"content-type")
    if not is_json(content_type):
        raise UnsupportedMediaTypeError(f"The body is '{content_type}'; expected {' or '.join(MEDIA_RANGES)}.")
    limits = current.context.options
    with current.context.bodies.held() as share:
        body = await _read(request, limits, share)
        current.body_size = len(body)
        if if_empty is not None and not body.strip():
            return parse(if_empty)
        if parse_small is not None and len(body) <= SMALL_BYTES:
            return parse_small(body)

        def read() -> T:
            value = decode(body, most_values=most_values(limits))
            if current.recording is not None and len(body) > LARGEST_BODY:
                current.recording.note_large(value)
            return parse(value)

        return await in_thread_if_large(read, size=len(body))


def is_json(content_type: str | None) -> bool:
    """Return whether a content type is one of JSON; a missing one counts as such."""
    return content_type is None or MEDIA_TYPES.fullmatch(content_type.partition(";")[0].strip()) is not None


def most_values(limits: ApiOptions) -> int:
    """Return how many values a body may have."""
    return max(limits.max_jobs * VALUES_OF_JOB, VALUES_IN_ANY_CASE)


async def read_bytes(request: Request, parse: Callable[[bytes], T], *, costly: int = 1) -> T:
    """Return what `parse` makes of a body that is not JSON; it takes `costly` times as long as that."""
    current = exchange(request)
    with current.context.bodies.held() as share:
        body = await _read(request, current.context.options, share)
        current.body_size = len(body)
        return await in_thread_if_large(lambda: parse(body), size=len(body) * costly)


def as_body(value: Json) -> JsonObject:
    """Return a body that has to be an object."""
    if not isinstance(value, dict):
        raise fault(ROOT, "The body must be a JSON object.")
    return value


async def _read(request: Request, limits: ApiOptions, share: Share) -> bytes:
    declared = exchange(request).header(b"content-length")
    if declared is not None and declared.isdecimal() and int(declared) > limits.max_body_bytes:
        raise _too_large(limits)
    seconds = limits.body_timeout.total_seconds()
    try:
        return await _at_once_or_within(seconds, _read_all(request, limits, share))
    except TimeoutError as error:
        raise BodyTimeoutError(f"The body did not arrive within {seconds:g} seconds.") from error


async def _read_all(request: Request, limits: ApiOptions, share: Share) -> bytes:
    """Return the body; raise `ClientDisconnect` if the caller goes away first.

    `Request.stream` does the same in twice the time, as the event loop keeps a record of each asynchronous generator.
    """
    body = bytearray()
    has_more = True
    while has_more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunk = message.get("body", b"")
        share.grow(len(chunk))
        body += chunk
        if len(body) > limits.max_body_bytes:
            raise _too_large(limits)
        has_more = message.get("more_body", False)
    return bytes(body)


async def _at_once_or_within(seconds: float, work: Coroutine[Any, Any, T]) -> T:
    """Return what `work` returns; raise `TimeoutError` if that takes too long.

    No timer is set for work that never waits, as most bodies are there when they are asked for: a timer takes as long
    as all else about reading such a body.
    """
    try:
        waits_for = work.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    async with asyncio.timeout(seconds):
        return await _go_on(work, waits_for)


@coroutine
def _go_on(work: Coroutine[Any, Any, T], waits_for: object) -> Generator[Any, Any, T]:
    """Await the rest of `work`, which was begun and `waits_for` something."""
    try:
        while True:
            try:
                sent = yield waits_for
            except BaseException as error:  # noqa: BLE001 - `work` has to see it, a cancellation above all
                waits_for = work.throw(error)
            else:
                waits_for = work.send(sent)
    except StopIteration as done:
        result: T = done.value
        return result


def decode(body: bytes, *, most_values: int = VALUES_IN_ANY_CASE) -> Json:
    """Return what every store can keep and orjson can print again: not too deep, and no integer above 64 bits."""
    body = body.removeprefix(BYTE_ORDER_MARK)
    if not body.strip():
        raise fault(ROOT, "A non-empty request body is required.")
    _check_value_count(body, most_values)
    try:
        value: Json = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise fault(ROOT, f"The body is not valid JSON: {error}.") from error
    if body.count(b"{") + body.count(b"[") > MAX_DEPTH:
        _check_depth(value, MAX_DEPTH)
    # orjson makes a float of a longer integer, and takes the last of several members of one name.
    parse_int = _check_int if LONG_NUMBER in body.translate(DIGITS_TO_ZEROS) else None
    if parse_int or not _has_all_members(value, body):
        json.loads(body, parse_int=parse_int, object_pairs_hook=_check_names)
    return value


def _has_all_members(value: Json, body: bytes) -> bool:
    """Return whether no member of the body is missing in the value that was read from it; False if that is unsure.

    Each member has a colon, and so a value that lacks one has fewer colons than its body, unless a text in the body
    spells them by their number. This takes a third of the time in which the body could be parsed again.
    """
    return (b"\\" not in body or b"\\u" not in body) and orjson.dumps(value).count(b":") == body.count(b":")


def _check_value_count(body: bytes, most: int) -> None:
    """Refuse too many values before there is an object for each: millions keep the interpreter busy for seconds."""
    if len(body) <= most or sum(body.count(separator) for separator in SEPARATORS) <= most:
        return
    outside = (match for match in SEPARATOR_OR_TEXT.finditer(body) if match[0] in SEPARATORS)
    if next(islice(outside, most, None), None) is not None:
        raise fault(ROOT, f"The body has more than {most} values.")


def _check_depth(value: Json, left: int) -> None:
    if isinstance(value, dict | list):
        if not left:
            raise fault(ROOT, f"The body is nested deeper than {MAX_DEPTH} levels.")
        for item in value.values() if isinstance(value, dict) else value:
            _check_depth(item, left - 1)


def _check_names(members: list[tuple[str, Json]]) -> None:
    names = {name for name, _ in members}
    if len(names) < len(members):
        twice = next(name for name, times in Counter(name for name, _ in members).items() if times > 1)
        raise fault(ROOT, f"The member '{twice[:MAX_SHOWN]}' is there more than once in one object.")


def _check_int(text: str) -> int:
    if len(text) > 20 or not INT64_MIN <= int(text) <= UINT64_MAX:
        raise fault(ROOT, f"The number {text[:40]} does not fit into 64 bits.")
    return int(text)


def _too_large(limits: ApiOptions) -> BodyTooLargeError:
    return BodyTooLargeError(f"The body is larger than {limits.max_body_bytes} bytes.")
