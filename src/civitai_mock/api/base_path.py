"""Take off a path what names no route, and find out what a request is for: which kind of client, which namespace.

Namespaces are a part of the control plane: where that is off there is only the default one.
"""

import re
from typing import TYPE_CHECKING

from starlette.types import Scope

from civitai_mock.api.exchange import FAULT_HEADER, FAULT_HEADER_NAME, NAMESPACE_PATH, Exchange
from civitai_mock.api.mock import is_control_path, is_page_path
from civitai_mock.api.mock.access import ControlAccess
from civitai_mock.api.vocabulary import ClientCompat
from civitai_mock.domain.errors import NotFoundError
from civitai_mock.domain.namespaces import DEFAULT, check_name
from civitai_mock.services.consumers import bearer_token

if TYPE_CHECKING:
    from civitai_mock.domain.faults.rules import FaultRule
    from civitai_mock.domain.progress_modes import ProgressMode

SLASHES = re.compile(r"//+")
RAW_SLASHES = re.compile(rb"//+")
COMPAT_HEADER = "X-Mock-Compat"
COMPAT_HEADER_NAME = COMPAT_HEADER.lower().encode()
COMPAT_PATH = "/compat/"
NAMESPACE_HEADERS = {name.lower().encode(): name for name in ("X-Mock-Namespace", "X-Test-Id")}  # in this order
PROGRESS_HEADER_NAME = b"x-mock-progress"
NAMESPACE_HEADER_NAME, TEST_ID_HEADER_NAME = NAMESPACE_HEADERS
NAMESPACED_PATHS = ("/v1/", "/v2/", "/blobs/")


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


def with_base_path_noted(exchange: Exchange, scope: Scope, control_access: ControlAccess) -> Scope:
    """Note for which kind of client and for which namespace a request is, and take that off its path.

    If both path and header name a kind of client, that of the path counts: it is what a client was set up with. Of a
    namespace the header counts, by which single requests can be sent elsewhere. Raise `InvalidRequestError` for what
    cannot be a name, and the error that refuses whoever may not choose.
    """
    path: str = scope["path"]
    if control_access.is_on and path.startswith(NAMESPACE_PATH):
        name, scope = _without_first_parts(path, scope)
        path = scope["path"]
        exchange.namespace_name = check_name(name, field=NAMESPACE_PATH.strip("/"))
    headers = exchange.headers
    compat = headers.get(COMPAT_HEADER_NAME)
    if path.startswith(COMPAT_PATH):
        name, scope = _without_first_parts(path, scope)
        exchange.compat = ClientCompat.parse(name, field=COMPAT_PATH.strip("/"))
    elif compat is not None:
        exchange.compat = ClientCompat.parse(compat.decode("latin-1"), field=COMPAT_HEADER)
    if (
        exchange.namespace_name is not None
        or NAMESPACE_HEADER_NAME in headers
        or TEST_ID_HEADER_NAME in headers
        or exchange.context.namespaces.control.names_by_token
    ):
        exchange.namespace_name = _chosen(exchange, scope, control_access)
    if PROGRESS_HEADER_NAME in headers and control_access.takes_headers(exchange, scope):
        exchange.progress = _progress(exchange)
    if FAULT_HEADER_NAME in headers and scope["path"].startswith(NAMESPACED_PATHS):
        exchange.asked_fault = _asked_fault(exchange) if control_access.takes_headers(exchange, scope) else None
    return scope


def _progress(exchange: Exchange) -> "ProgressMode":
    """Return the mode that jobs of this request are to have; raise `InvalidRequestError` for one that is misspelt."""
    from civitai_mock.domain.progress_modes import parse_progress_header  # noqa: PLC0415 - few requests have one

    exchange.context.options.check_simulated()
    return parse_progress_header(exchange.header(PROGRESS_HEADER_NAME) or "")


def _asked_fault(exchange: Exchange) -> "FaultRule":
    """Return what is to go wrong with this request; raise `InvalidRequestError` for anything that is misspelt."""
    from civitai_mock.domain.faults.rules import check_available, parse_fault_header  # noqa: PLC0415 - as above

    rule = parse_fault_header(exchange.header(FAULT_HEADER_NAME) or "")
    check_available(rule, path=FAULT_HEADER)
    return rule


def _chosen(exchange: Exchange, scope: Scope, control_access: ControlAccess) -> str | None:
    """Return the namespace by header, base path or token, whichever comes first; None for the default one."""
    path, in_path = scope["path"], exchange.namespace_name
    if not path.startswith(NAMESPACED_PATHS):
        if in_path is not None:
            raise NotFoundError(f"There is nothing at '{exchange.path}'.")
        if not is_control_path(path) or is_page_path(path):
            return None
    by_header = _in_header(exchange)
    if by_header is not None and (is_control_path(path) or control_access.takes_headers(exchange, scope)):
        found: str | None = check_name(by_header[1], field=by_header[0])
    else:
        found = in_path or _by_token(exchange, control_access)
    return None if found == DEFAULT else found


def _in_header(exchange: Exchange) -> tuple[str, str] | None:
    """Return the header that names a namespace, and the name in it."""
    found = ((field, exchange.header(name)) for name, field in NAMESPACE_HEADERS.items())
    return next(((field, value) for field, value in found if value is not None), None)


def _by_token(exchange: Exchange, control_access: ControlAccess) -> str | None:
    token = bearer_token(exchange.header(b"authorization")) if control_access.is_on else None
    return exchange.context.namespaces.control.names_by_token.get(token) if token else None


def _without_first_parts(path: str, scope: Scope) -> tuple[str, Scope]:
    """Return the second part of a path, and the same request without its first two parts."""
    _, _, name, *rest = path.split("/", 3)
    raw: bytes = scope.get("raw_path") or path.encode()
    _, _, _, *raw_rest = raw.split(b"/", 3)
    return name, {**scope, "path": "/" + "".join(rest), "raw_path": b"/" + b"".join(raw_rest)}
