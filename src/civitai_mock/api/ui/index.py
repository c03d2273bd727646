"""`GET /` for people: the page that a browser gets where a program gets JSON."""

import re

from starlette.requests import Request
from starlette.responses import Response

from civitai_mock.api.context import base_url, options, use_cases
from civitai_mock.api.ui.pages import page

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
