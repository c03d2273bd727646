"""Import modules when they are first needed: a feature that nobody uses costs nothing at the start.

It imports nothing of the API, as the tables of routes of several packages share it.
"""

import sys
from functools import partial
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from civitai_mock.services.threads import in_thread

if TYPE_CHECKING:
    from civitai_mock.api.openapi import Endpoint

_loaded: "dict[Endpoint, Endpoint]" = {}


async def imported(module: str) -> ModuleType:
    """Return a module, which is imported in a thread unless it is loaded, so that other requests need not wait."""
    loaded = sys.modules.get(module)
    if loaded is not None and not getattr(loaded.__spec__, "_initializing", False):  # by another thread, at the moment
        return loaded
    return await in_thread(partial(import_module, module))


def late_endpoint(module: str, name: str) -> "Endpoint":
    """Return an endpoint of a module, which is imported for the first request; see `loaded_endpoint`."""

    async def call(request: Request) -> Response:
        loaded = _loaded.get(call)
        if loaded is None:
            loaded = _loaded[call] = getattr(await imported(module), name)
        return await loaded(request)

    return call


def loaded_endpoint(endpoint: "Endpoint") -> "Endpoint":
    """Return what a late endpoint calls, once that is loaded, so that no step is between; any other one as it is."""
    return _loaded.get(endpoint, endpoint)
