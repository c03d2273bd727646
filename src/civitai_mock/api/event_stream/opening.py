"""Open the stream that a request asks for, once it is clear that the caller may have it."""

import re
from collections.abc import Callable

from starlette.requests import Request

from civitai_mock.api.context import base_url, context, exchange, namespace_path, owner, use_cases
from civitai_mock.api.event_stream.faults import chosen_fault
from civitai_mock.api.exchange import NAMESPACE_PATH, UseCases
from civitai_mock.api.query_params import optional, repeated, required
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import NotFoundError, fault
from civitai_mock.domain.namespaces import DEFAULT, check_name
from civitai_mock.domain.nearest import unknown_name
from civitai_mock.services.event_stream.faulty_readers import Gap
from civitai_mock.services.event_stream.feed_readers import FeedScope, Tellable
from civitai_mock.services.event_stream.messages import MessageType, StreamWords
from civitai_mock.services.event_stream.reader import Batch, EventReader
from civitai_mock.services.event_stream.streams import After, EventStreams

LAST_EVENT_ID = "Last-Event-ID"
AFTER = "after"
JOB_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class OpenStream:
    """Is a stream that somebody listens to; `close` it whatever happens."""

    reader: EventReader
    give_back: Callable[[], None]
    gap: Gap | None = None  # by a fault

    async def next(self) -> Batch:
        batch = await self.reader.next()
        return batch if self.gap is None else self.gap.cut(batch)

    def close(self) -> None:
        self.reader.close()
        self.give_back()


async def open_job_stream(request: Request) -> OpenStream | None:
    """Open the stream of one job; None if the caller knows all of it already."""
    job_id = request.path_params["jobId"]
    if not JOB_ID.fullmatch(job_id):
        raise fault("jobId", "Expected the id of a job, which is a UUID.")
    job = await use_cases(request).query.by_id(job_id, owner=owner(request))
    streams, after = use_cases(request).event_streams, _after(request)
    return await _opened(request, lambda: streams.follow_jobs([job], words=_words(request), after=after))


async def open_token_stream(request: Request) -> OpenStream | None:
    """Open the stream of the jobs of a token, as `open_job_stream` does."""
    jobs = await use_cases(request).query.by_token(required(request, "token"), owner=owner(request))
    if not jobs:
        raise NotFoundError("There are no jobs with this token.")
    streams, after = use_cases(request).event_streams, _after(request)
    return await _opened(request, lambda: streams.follow_jobs(jobs, words=_words(request), after=after))


async def open_namespace_stream(request: Request) -> OpenStream | None:
    """Open the stream of all jobs of the caller."""
    streams, after = use_cases(request).event_streams, _after(request)
    scope = FeedScope(epoch=streams.epoch, owner=owner(request))
    return await _opened(request, lambda: streams.follow_namespace(scope, words=_words(request), after=after))


async def open_control_stream(request: Request) -> OpenStream | None:
    """Open the stream of all jobs of a namespace, or of all namespaces, or of messages of some types."""
    types, after = _types(request), _after(request)
    name = optional(request, "namespace") or exchange(request).namespace_name
    if name is not None:
        namespace = await context(request).namespaces.open(check_name(name, field="namespace"), creates=False)
        streams = namespace.use_cases.event_streams
        scope, words = FeedScope(epoch=streams.epoch, types=types), _words_of(request, namespace.use_cases, name)
        return await _opened(request, lambda: streams.follow_namespace(scope, words=words, after=after))
    streams = context(request).namespaces.default.use_cases.event_streams
    scope, words = FeedScope(epoch=None, types=types), _words_of(request, use_cases(request), None)
    find = FindNamespaces(request)
    return await _opened(request, lambda: streams.follow_namespace(scope, words=words, after=after, find_epoch=find))


async def _opened(request: Request, follow: Callable[[], EventReader | None]) -> OpenStream | None:
    """Open a stream if there is room for one more; it is closed when the request is over, however that goes."""
    slots = context(request).streams
    slots.take()
    try:
        reader, gap = follow(), None
        fault = None if reader is None else await chosen_fault(request)
        if reader is not None and fault is not None:
            if fault.is_deaf:
                reader.close()
                reader = use_cases(request).event_streams.follow_nothing()
            gap = Gap(fault.gap) if fault.gap else None
    except BaseException:
        slots.give_back()
        raise
    if reader is None:
        slots.give_back()
        return None
    stream = OpenStream(reader, slots.give_back, gap)
    try:
        await reader.begin()
    except BaseException:
        stream.close()
        raise
    return stream


def _after(request: Request) -> After | None:
    """Return the cursor that the caller was given last; a reconnecting EventSource sends it in a header."""
    sent = exchange(request).header(LAST_EVENT_ID.lower().encode())
    if sent:
        return After(LAST_EVENT_ID, sent)
    asked = optional(request, AFTER)
    return After(AFTER, asked) if asked else None


def _types(request: Request) -> frozenset[MessageType]:
    words = [word.strip() for text in repeated(request, "types") for word in text.split(",") if word.strip()]
    for word in words:
        if word not in list(MessageType):
            raise fault("types", unknown_name("type", word, MessageType))
    return frozenset(map(MessageType, words))


def _words(request: Request) -> StreamWords:
    """Return how messages are worded where the caller hears of one namespace alone."""
    return _make_words(use_cases(request), base_url(request), None)


def _words_of(request: Request, cases: UseCases, name: str | None) -> StreamWords:
    """Return how messages are worded for who looks into a namespace from outside."""
    base = base_url(request).removesuffix(namespace_path(request))
    place = "" if name in {None, DEFAULT} else f"{NAMESPACE_PATH}{name}"
    return _make_words(cases, base + place, name)


def _make_words(cases: UseCases, base: str, name: str | None) -> StreamWords:
    return StreamWords(
        render=cases.event_streams.render,
        url_of=lambda slot: cases.blob_urls.sign(slot.blob_key, base_url=base, after=slot.expired_at)[0],
        now=cases.clock.now,
        namespace=name,
    )


class FindNamespaces:
    """Finds out of which namespace an epoch is, and how to tell of its jobs; what is over has nothing to tell."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._found: dict[int, Tellable | None] = {}

    async def __call__(self, epoch: int) -> Tellable | None:
        if epoch not in self._found:
            self._found[epoch] = await self._find(epoch)
        return self._found[epoch]

    async def _find(self, epoch: int) -> Tellable | None:
        namespaces = context(self._request).namespaces
        if namespaces.control.name_of(epoch) is None:
            await namespaces.control.refresh()
        name = namespaces.control.name_of(epoch)
        if name is None:
            return None
        try:
            cases = (await namespaces.open(name, creates=False)).use_cases
        except NotFoundError:
            return None
        streams: EventStreams = cases.event_streams
        return streams.tellable(_words_of(self._request, cases, name)) if streams.epoch == epoch else None
