"""The pages for browsers: an overview at /, and the description at /docs and /redoc."""

import re
from collections.abc import Mapping
from functools import cache
from html import escape
from importlib.resources import files
from string import Template

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from civitai_mock.api.context import base_url, options, use_cases

# A page opens the rest for itself, directive by directive.
CLOSED: Mapping[str, str] = dict.fromkeys(("default-src", "base-uri", "form-action", "frame-ancestors"), "'none'")


def page(request: Request, name: str, *, policy: Mapping[str, str], **values: str) -> HTMLResponse:
    """Fill `templates/{name}`, whose links begin with `$root`; `values` are escaped."""
    escaped = {key: escape(value) for key, value in values.items()}
    text = _template(name).substitute(escaped, root=root_reference(request))
    directives = {**CLOSED, **policy}
    headers = {
        "content-security-policy": "; ".join(f"{directive} {sources}" for directive, sources in directives.items()),
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cache-control": "no-cache",
    }
    return HTMLResponse(text, headers=headers)


def root_reference(request: Request) -> str:
    """A relative reference to `/` of this server.

    It holds behind a proxy that takes a prefix off the path, under `/compat/{name}`, and with a slash at the end.
    """
    sent: str = request.state.sent_path
    depth = sent.removeprefix(request.scope.get("root_path", "")).count("/") - 1
    return "../" * depth


@cache
def _template(name: str) -> Template:
    return Template(files(__package__).joinpath("templates", name).read_text("utf-8"))


DOCS_URL, REDOC_URL = "/docs", "/redoc"

BOTH = {"script-src": "'self'", "connect-src": "'self'"}
# Swagger UI shows the image that a tried call was answered with under a `blob:` URL.
SWAGGER_POLICY = {**BOTH, "style-src": "'self'", "img-src": "'self' data: blob:"}
# ReDoc writes its styles while it runs, and searches in a worker that it makes of a `blob:` URL. It also asks a CDN for
# the logo of its makers, which this policy refuses.
REDOC_POLICY = {**BOTH, "style-src": "'self' 'unsafe-inline'", "img-src": "'self' data:", "worker-src": "blob:"}


async def get_docs(request: Request) -> Response:
    return page(request, "swagger.html", policy=SWAGGER_POLICY)


async def get_redoc(request: Request) -> Response:
    return page(request, "redoc.html", policy=REDOC_POLICY)


ROUTES = [Route(DOCS_URL, get_docs), Route(REDOC_URL, get_redoc)]


HTML, JSON = "text/html", "application/json"
WEIGHT = re.compile(r"0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?")
POLICY = {"style-src": "'self'", "img-src": "'self'"}


def prefers_html(request: Request) -> bool:
    """Whether the Accept header weighs HTML higher than JSON, as a browser's does (RFC 9110, section 12.5.1)."""
    accept = ",".join(request.headers.getlist("accept"))
    weights = dict(_weighed(text) for text in accept.lower().split(","))
    return _weight(HTML, weights) > _weight(JSON, weights)


def index_page(request: Request) -> Response:
    """No store and no worker is asked, so that there is a page while they are away."""
    health = use_cases(request).health
    return page(
        request,
        "index.html",
        policy=POLICY,
        version=options(request).version,
        store=health.store.description,
        provider=health.provider.name,
        address=base_url(request),
    )


def _weight(media_type: str, weights: dict[str, float]) -> float:
    """The most specific media range counts; what none covers weighs nothing."""
    family = media_type.partition("/")[0]
    return next((weights[named] for named in (media_type, f"{family}/*", "*/*") if named in weights), 0)


def _weighed(text: str) -> tuple[str, float]:
    """One media range without its parameters, and its weight: 0 where that is not a number."""
    media_range, *parameters = (part.strip() for part in text.split(";"))
    weights = [value for name, _, value in (part.partition("=") for part in parameters) if name == "q"]
    weight = weights[0] if weights else "1"
    return media_range, float(weight) if WEIGHT.fullmatch(weight) else 0
