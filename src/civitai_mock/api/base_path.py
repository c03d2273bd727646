"""Take off a path what names no route: slashes too many, and the base path by which a client says its kind."""

import re

from starlette.types import Scope

from civitai_mock.api.context import Exchange
from civitai_mock.api.vocabulary import ClientCompat

SLASHES = re.compile(r"//+")
RAW_SLASHES = re.compile(rb"//+")
COMPAT_HEADER = "X-Mock-Compat"
COMPAT_HEADER_NAME = COMPAT_HEADER.lower().encode()
COMPAT_PATH = "/compat/"


def without_extra_slashes(scope: Scope) -> Scope:
    """Return the request without slashes too many in its path."""
    path: str = scope["path"]
    if "//" not in path and not path.endswith("/"):
        return scope
    raw: bytes = scope.get("raw_path") or path.encode()
    return {
        **scope,
        "path": SLASHES.sub("/", path).rstrip("/") or "/",
        "raw_path": RAW_SLASHES.sub(b"/", raw).rstrip(b"/") or b"/",
    }


def with_compat_noted(exchange: Exchange, scope: Scope) -> Scope:
    """Note which kind of client the request asks for, and return the request with that taken off its path.

    If both path and header have one, that of the path counts: it is what a client was set up with. Raise
    `InvalidRequestError` if it is unknown.
    """
    path: str = scope["path"]
    if path.startswith(COMPAT_PATH):
        name, _, rest = path.removeprefix(COMPAT_PATH).partition("/")
        exchange.compat = ClientCompat.parse(name, field=COMPAT_PATH.strip("/"))
        return _with_path(f"/{rest}", scope)
    header = exchange.header(COMPAT_HEADER_NAME)
    if header is not None:
        exchange.compat = ClientCompat.parse(header, field=COMPAT_HEADER)
    return scope


def _with_path(path: str, scope: Scope) -> Scope:
    """Return the same request under another path."""
    raw: bytes = scope.get("raw_path") or path.encode()
    _, _, _, *rest = raw.split(b"/", 3)
    return {**scope, "path": path, "raw_path": b"/" + b"".join(rest)}
