"""What rules of faults match in a request: its route as in the OpenAPI, and what its body asks for."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from urllib.parse import parse_qsl

from starlette.routing import Match, Route
from starlette.types import Scope

from civitai_mock.api.access import GUARDED_PATHS
from civitai_mock.api.exchange import Exchange
from civitai_mock.api.faults.kept_body import KeptBody
from civitai_mock.api.json_body import decode, is_json, most_values
from civitai_mock.api.openapi import DescribedRoute
from civitai_mock.api.query_params import FLAGS
from civitai_mock.api.signed_requests import proves_itself
from civitai_mock.api.v1 import JOB_PATH, JOBS_PATH
from civitai_mock.api.v2.route_table import RECIPE_PATH, WORKFLOW_PATH, WORKFLOWS_PATH
from civitai_mock.domain.errors import InvalidRequestError
from civitai_mock.domain.fault_presets import V1, V2, Hook, Target
from civitai_mock.domain.faults.conditions import OF_BODY, RESERVED, Condition, FaultSubject
from civitai_mock.domain.faults.submissions import SubmittedWork
from civitai_mock.services.consumers import bearer_token
from civitai_mock.services.threads import in_thread_if_large

RESOURCE_PATH = "/v2/resources/{air}"
RECIPE_BEGIN = RECIPE_PATH.partition("{")[0]
STATUS_ROUTES = frozenset({JOB_PATH, JOBS_PATH, WORKFLOW_PATH})
SUBMIT_ROUTES = frozenset({JOBS_PATH, WORKFLOWS_PATH, RECIPE_PATH})
VERSIONS: Mapping[str, str] = {"/v1/": V1, "/v2/": V2}
NO_WORK = SubmittedWork()


async def read_subject(exchange: Exchange, body: KeptBody, *, needs: Collection[Condition | Target]) -> FaultSubject:
    """Return what is known of a request; its body is only read if something in it is asked for.

    The route that it is for is noted in its scope, as no router may see it.
    """
    scope = exchange.scope
    route = find_route(scope["app"].each_route(), scope)
    if route is not None:
        scope["endpoint"] = route.endpoint
        if not isinstance(route, DescribedRoute):
            scope["route"] = route
    path_format = None if route is None else route.path_format
    needs_work = exchange.method == "POST" and path_format in SUBMIT_ROUTES and not OF_BODY.isdisjoint(needs)
    return request_subject(
        method=exchange.method,
        path=scope["path"],
        query=scope["query_string"],
        headers=exchange.headers,
        route=path_format,
        work=await _read_work(exchange, body) if needs_work else NO_WORK,
    )


def request_subject(
    *,
    method: str,
    path: str,
    query: bytes,
    headers: Mapping[bytes, bytes],
    route: str | None,
    work: SubmittedWork = NO_WORK,
) -> FaultSubject:
    """Return a request as rules match it; `path` is without its base path, and `route` the template of its route."""
    texts = {name.decode("latin-1"): value.decode("latin-1") for name, value in headers.items()}
    is_submission = method == "POST" and route in SUBMIT_ROUTES
    return FaultSubject(
        hook=Hook.REQUEST,
        method=method,
        route=_shown_route(path, route),
        headers=texts,
        types=(path.removeprefix(RECIPE_BEGIN), *work.types) if is_submission and route == RECIPE_PATH else work.types,
        models=(path.removeprefix("/v2/resources/"),) if route == RESOURCE_PATH else work.models,
        ecosystems=work.ecosystems,
        prompts=work.prompts,
        image_given=work.image_given if is_submission else None,
        targets=frozenset(_targets(method, path, route, query, texts, work)),
        version=VERSIONS.get(path[:4]),
    )


def work_in(body: bytes, *, most_values: int) -> SubmittedWork:
    """Return what a body asks for: nothing, if it cannot be read."""
    try:
        return SubmittedWork.of(decode(body, most_values=most_values))
    except InvalidRequestError:
        return NO_WORK


def is_what_if(query: bytes) -> bool:
    """Return whether the query says `whatif`, in any case; the last one counts."""
    named = [value for name, value in parse_qsl(query.decode("latin-1"), True) if name.lower() == "whatif"]
    return bool(named) and FLAGS.get(named[-1].lower(), False)


def _targets(
    method: str, path: str, route: str | None, query: bytes, headers: Mapping[str, str], work: SubmittedWork
) -> Iterator[Target]:
    if method == "GET" and route in STATUS_ROUTES:
        yield Target.STATUS
    if method == "GET" and route == RESOURCE_PATH:
        yield Target.RESOURCE
    if method == "POST" and route in SUBMIT_ROUTES:
        if not is_what_if(query):
            yield Target.SUBMIT
        else:
            yield Target.WHAT_IF
            if work.image_given:
                yield Target.WHAT_IF_WITH_IMAGE
    proof: Scope = {"method": method, "path": path, "query_string": query}
    if bearer_token(headers.get("authorization")) or (path.startswith(GUARDED_PATHS) and not proves_itself(proof)):
        yield Target.WITH_TOKEN


def _shown_route(path: str, route: str | None) -> str | None:
    """Return the path as the OpenAPI has it, where each recipe has its own; under reserved ones there is always one."""
    if route == RECIPE_PATH:
        return path
    if route is None and any(path == reserved or path.startswith(f"{reserved}/") for reserved in RESERVED):
        return path
    return route


def find_route(routes: Iterable[Route], scope: Scope) -> Route | None:
    """Return the route of a request: one for another method, if none is for this one."""
    other: Route | None = None
    for route in routes:
        match = route.matches(scope)[0]
        if match is Match.FULL:
            return route
        if match is Match.PARTIAL and other is None:
            other = route
    return other


async def _read_work(exchange: Exchange, body: KeptBody) -> SubmittedWork:
    content = await body.read() if is_json(exchange.header(b"content-type")) else None
    if content is None:
        return NO_WORK
    most = most_values(exchange.context.options)
    return await in_thread_if_large(lambda: work_in(content, most_values=most), size=len(content))
