"""HTML pages that may load nothing from elsewhere and run no script that stands in them."""

from collections.abc import Mapping
from functools import cache
from html import escape
from importlib.resources import files
from string import Template

from starlette.requests import Request
from starlette.responses import HTMLResponse

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
