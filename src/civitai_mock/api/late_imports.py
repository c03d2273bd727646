"""Import modules when they are first needed: a feature that nobody uses costs nothing at the start.

It stands alone, as the tables of routes of several packages share it.
"""

import asyncio
from importlib import import_module
from types import ModuleType


async def imported(module: str) -> ModuleType:
    """Return a module, which is imported in a thread, so that other requests need not wait for it."""
    try:
        return await asyncio.to_thread(import_module, module)
    except RuntimeError:  # where no thread can be had
        return import_module(module)
