"""Serve every HTTP request: what each goes through before its route and after it, in one pass.

This stands in front of Starlette's routes in the place of its middleware: as a chain of six, the same work took three
times as long.
"""

from contextvars import ContextVar
from time import perf_counter

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Receive, Scope, Send
from structlog.contextvars import bind_contextvars, reset_contextvars

from civitai_mock.api.access import Access, TrustedProxies
from civitai_mock.api.base_path import with_base_path_noted, without_extra_slashes
from civitai_mock.api.errors import CLIENT_CLOSED_REQUEST, error_response, problem
from civitai_mock.api.exchange import EXCHANGE, Exchange, ServedNamespace
from civitai_mock.api.hot_routes import HotRoutes
from civitai_mock.api.request_journal import RequestJournal
from civitai_mock.api.request_log import RequestLog
from civitai_mock.api.request_metrics import RequestMetrics
from civitai_mock.api.responses import JsonResponse
from civitai_mock.api.signed_requests import READING_METHODS
from civitai_mock.api.stream_tokens import PARAMETER_BYTES, take_token
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import MockError
from civitai_mock.domain.journal import TRACE_HEADER
from civitai_mock.services.tracing import new_trace_id


def _logged_variable(name: str) -> ContextVar[object]:
    """Return the variable in which structlog holds a member of all log lines; to bind it by its name takes 1 µs."""
    bound = bind_contextvars(**{name: ""})
    reset_contextvars(**bound)
    return bound[name].var


LOGGED_TRACE_ID = _logged_variable("trace_id")

logger = structlog.stdlib.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestPipeline:
    """Is an ASGI app for HTTP requests; `routes` answers those that are not for one of the `hot_routes`.

    Each request gets a trace id, one access line when it is over, and an answer even where there is a bug. Without a
    `request_journal` none is recorded.
    """

    routes: ASGIApp
    hot_routes: HotRoutes
    trusted_proxies: TrustedProxies
    access: Access
    request_metrics: RequestMetrics
    request_log: RequestLog
    request_journal: RequestJournal | None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = perf_counter()
        scope = self.trusted_proxies.seen_through(scope)
        exchange = scope[EXCHANGE] = Exchange(scope, send, started=started)
        exchange.trace_id = new_trace_id(
            exchange.header(b"traceparent"), are_recorded=self.request_metrics.records_spans
        )
        exchange.answer_headers = ((TRACE_HEADER, exchange.trace_id.encode()),)
        bound = LOGGED_TRACE_ID.set(exchange.trace_id)
        if exchange.is_recorded and exchange.method not in READING_METHODS:
            receive = exchange.copied(receive)
        try:
            await self._answer(exchange, scope, receive)
        except ClientDisconnect:
            return
        except Exception:
            logger.exception("request failed")
            if exchange.status is not None:
                raise
            await problem(Request(scope), 500, code=MockError.code)(scope, receive, exchange.send)
        finally:
            self._end(exchange)
            LOGGED_TRACE_ID.reset(bound)

    async def _answer(self, exchange: Exchange, scope: Scope, receive: Receive) -> None:
        try:
            if PARAMETER_BYTES in scope["query_string"]:
                take_token(exchange, scope)
            exchange.scope = scope = with_base_path_noted(exchange, without_extra_slashes(scope), self.access.control)
            name, namespaces = exchange.namespace_name, exchange.context.namespaces
            exchange.namespace = namespaces.default if name is None else await self._find(name, exchange, scope)
            self.access.admit(exchange, scope)
            answer: ASGIApp | None
            if exchange.asked_fault is not None or exchange.namespace.faults.is_any_set:
                answer, receive = await self._pass_faults(exchange, receive)
            else:
                answer = await self.hot_routes.response(exchange, scope, receive)
        except MockError as error:
            answer = error_response(Request(scope), error)
        if isinstance(answer, JsonResponse):
            await exchange.send_ready(answer)
        else:
            await (answer or self.routes)(scope, receive, exchange.send)

    async def _pass_faults(self, exchange: Exchange, receive: Receive) -> tuple[ASGIApp, Receive]:
        """Return the answer that faults leave of the normal one, and what hands over the body of the request."""
        from civitai_mock.api.faults.door import pass_faults  # noqa: PLC0415 - most namespaces have no rule

        async def find(scope: Scope, receive: Receive) -> ASGIApp:
            return await self.hot_routes.response(exchange, scope, receive) or self.routes

        return await pass_faults(exchange, receive, find)

    async def _find(self, name: str, exchange: Exchange, scope: Scope) -> ServedNamespace:
        """Return a namespace by its name; who may not call has none made."""
        namespaces = exchange.context.namespaces
        found = namespaces.find(name)
        return found or await namespaces.open(name, creates=self.access.knows_caller(exchange, scope))

    def _end(self, exchange: Exchange) -> None:
        """Do what is to be done when a request is over, however it went."""
        status, seconds = exchange.status or CLIENT_CLOSED_REQUEST, perf_counter() - exchange.started
        route = self.request_metrics.count(exchange, status, seconds)
        self.request_log.log(exchange, status, seconds)
        if self.request_journal is not None:
            self.request_journal.end(exchange, status, seconds, route)
        exchange.let_go()
