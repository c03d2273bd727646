"""Serve the pages for browsers: an overview at `/`, and the description at `/docs` and `/redoc`."""

import re
from collections.abc import Mapping
from functools import cache
from html import escape
from importlib.resources import files
from string import Template

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from civitai_mock.api.context import base_url, exchange, options, use_cases

DOCS_URL, REDOC_URL = "/docs", "/redoc"
HTML, JSON = "text/html", "application/json"
WEIGHT = re.compile(r"0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?")

# Each page allows what it needs beside this, directive by directive.
CLOSED_POLICY: Mapping[str, str] = dict.fromkeys(
    ("default-src", "base-uri", "form-action", "frame-ancestors"), "'none'"
)
INDEX_POLICY = {"style-src": "'self'", "img-src": "'self'"}
DOCS_POLICY = {"script-src": "'self'", "connect-src": "'self'"}
# Swagger UI shows the image that a tried call was answered with under a `blob:` URL.
SWAGGER_POLICY = {**DOCS_POLICY, "style-src": "'self'", "img-src": "'self' data: blob:"}
# ReDoc writes its styles while it runs, and searches in a worker that it makes of a `blob:` URL. It also asks a CDN for
# the logo of its makers, which this policy refuses.
REDOC_POLICY = {**DOCS_POLICY, "style-src": "'self' 'unsafe-inline'", "img-src": "'self' data:", "worker-src": "blob:"}


def prefers_html(request: Request) -> bool:
    """Return whether the Accept header weighs HTML higher than JSON, as a browser's does (RFC 9110, section 12.5.1)."""
    accept = ",".join(request.headers.getlist("accept"))
    weights = dict(_weighed(text) for text in accept.lower().split(","))
    return _weight(HTML, weights) > _weight(JSON, weights)


def index_page(request: Request) -> Response:
    """Return the overview; neither store nor workers are asked, so that it works while they are away."""
    health = use_cases(request).health
    return page(
        request,
        "index.html",
        policy=INDEX_POLICY,
        version=options(request).version,
        store=health.store.description,
        provider=health.provider.name,
        address=base_url(request),
    )


def _weight(media_type: str, weights: dict[str, float]) -> float:
    """Return the weight of the most specific media range; what none covers weighs nothing."""
    family = media_type.partition("/")[0]
    return next((weights[named] for named in (media_type, f"{family}/*", "*/*") if named in weights), 0)


def _weighed(text: str) -> tuple[str, float]:
    """Split one media range from its weight, which is 0 where it is not a number."""
    media_range, *parameters = (part.strip() for part in text.split(";"))
    weights = [value for name, _, value in (part.partition("=") for part in parameters) if name == "q"]
    weight = weights[0] if weights else "1"
    return media_range, float(weight) if WEIGHT.fullmatch(weight) else 0


async def get_docs(request: Request) -> Response:
    return page(request, "swagger.html", policy=SWAGGER_POLICY)


async def get_redoc(request: Request) -> Response:
    return page(request, "redoc.html", policy=REDOC_POLICY)


def page(request: Request, name: str, *, policy: Mapping[str, str], **values: str) -> HTMLResponse:
    """Fill `templates/{name}`, whose links begin with `$root`; `values` are escaped."""
    escaped = {key: escape(value) for key, value in values.items()}
    text = _template(name).substitute(escaped, root=root_reference(request))
    directives = {**CLOSED_POLICY, **policy}
    headers = {
        "content-security-policy": "; ".join(f"{directive} {sources}" for directive, sources in directives.items()),
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cache-control": "no-cache",
    }
    return HTMLResponse(text, headers=headers)


def root_reference(request: Request) -> str:
    """Return a relative reference to `/` of this server.

    It holds behind a proxy that takes a prefix off the path, under `/compat/{name}`, and with a slash at the end.
    """
    depth = exchange(request).path.removeprefix(request.scope.get("root_path", "")).count("/") - 1
    return "../" * depth


@cache
def _template(name: str) -> Template:
    return Template(files(__package__).joinpath("templates", name).read_text("utf-8"))


ROUTES = [Route(DOCS_URL, get_docs), Route(REDOC_URL, get_redoc)]
