"""What a handler asks of its request: the use cases, who calls, how the answer is worded, and where URLs begin."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from typing import TypeVar

from starlette.requests import ClientDisconnect, Request

from civitai_mock.api.disconnection import watched
from civitai_mock.api.exchange import EXCHANGE, NAMESPACE_PATH, ApiContext, ApiOptions, Exchange, UseCases
from civitai_mock.api.vocabulary import Vocabulary
from civitai_mock.domain.job import JobSummary
from civitai_mock.services.consumers import Caller, owner_of

T = TypeVar("T")


def exchange(request: Request) -> Exchange:
    found: Exchange = request.scope[EXCHANGE]
    return found


def context(request: Request) -> ApiContext:
    return exchange(request).context


def use_cases(request: Request) -> UseCases:
    return exchange(request).namespace.use_cases


def options(request: Request) -> ApiOptions:
    return exchange(request).context.options


def trace_id(request: Request) -> str:
    return exchange(request).trace_id


def caller(request: Request) -> Caller:
    """Return who calls, and for what kind of client; only on guarded routes."""
    found = exchange(request)
    compat = found.compat
    return Caller(
        trace_id=found.trace_id,
        consumer=found.caller_id,
        client_compat=compat.value if compat else None,
        progress=found.progress,
        asked_fault=found.asked_fault,
    )


def owner(request: Request) -> str | None:
    """Return whose jobs the caller sees; None means everybody's."""
    return owner_of(exchange(request).caller_id)


def vocabulary(request: Request) -> Vocabulary:
    """Return how the answer is worded, as the request asked for or else as the server is set."""
    found = exchange(request)
    namespace = found.namespace
    worker_id = namespace.worker_name if namespace.controls.is_any_set else None
    fleet = namespace.fleet_policy.document
    usual = found.context.options.vocabularies.of(found.compat, worker_id=worker_id, fleet=fleet)
    return usual if found.result_format is None else replace(usual, result_format=found.result_format)


def base_url(request: Request) -> str:
    """Return the base without a slash at the end; the Host header counts, so that links work for the caller.

    It leads into the namespace of the request, however that was chosen.
    """
    found = exchange(request)
    base = found.context.options.public_url
    if not base:
        host = found.header(b"host") or request.url.netloc
        base = f"{request.scope['scheme']}://{host}{request.scope.get('root_path', '')}"
    return base if found.namespace_name is None else base + namespace_path(request)


def namespace_path(request: Request) -> str:
    """Return what the paths of URLs of a namespace begin with: nothing in the default one."""
    name = exchange(request).namespace_name
    return "" if name is None else NAMESPACE_PATH + name


async def count_look(request: Request, jobs: Iterable[JobSummary]) -> None:
    """Count a look at these jobs, which moves those in mode `polls`, before the answer that shows them is sent."""
    if exchange(request).method == "GET":  # not HEAD, which shows nothing
        await use_cases(request).polls.shown(jobs)


async def while_connected(request: Request, wait: Callable[[asyncio.Future[None]], Awaitable[T]]) -> T:
    """Return what `wait` does, whose argument is done once the caller has disconnected; then raise `ClientDisconnect`.

    The body has to be read by then.
    """
    disconnected = watched(request)
    try:
        result = await wait(disconnected)
        if disconnected.done():
            disconnected.result()
            raise ClientDisconnect
        return result
    finally:
        disconnected.cancel()
