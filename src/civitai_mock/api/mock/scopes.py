"""The scope of what is set, the namespace of the request or with `?scope=server` all of them; and who changes it."""

from starlette.requests import Request

from civitai_mock.api.context import exchange
from civitai_mock.api.openapi import choice_parameter
from civitai_mock.api.query_params import word
from civitai_mock.domain.namespaces import DEFAULT, SERVER
from civitai_mock.services.namespaces import ManageNamespaces

SCOPE, SERVER_SCOPE = "scope", "server"
SCOPE_PARAMETER = choice_parameter(SCOPE, [SERVER_SCOPE])


def record_name(request: Request) -> str:
    """Return the name of the record that a request is about; raise `InvalidRequestError` for any other scope."""
    if word(request, SCOPE, [SERVER_SCOPE]) is not None:
        return SERVER
    return namespace_of(request)


def namespace_of(request: Request) -> str:
    """Return the name of the namespace that a request is for."""
    return exchange(request).namespace_name or DEFAULT


def manage_of(request: Request) -> ManageNamespaces:
    """Return what lists, changes and resets the namespaces of the server that got a request."""
    return exchange(request).context.namespaces.manage
