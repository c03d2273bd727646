"""Import the server into a test process, quickly."""

import gc
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

PACKAGE = "civitai_mock."


class PlainImports:
    """Finds the modules of the server before pytest does, which would compile each of them anew for its `assert`s.

    pytest does that for all modules of an installed package that brings a plugin. Where two threads do so at once, it
    fails, too: Python 3.11 can make only one syntax tree at a time for them.
    """

    @classmethod
    def be_asked_first(cls) -> None:
        if cls not in sys.meta_path:
            sys.meta_path.insert(0, cls)

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        return PathFinder.find_spec(name, path, target) if name.startswith(PACKAGE) else None


@contextmanager
def importing_server() -> Iterator[None]:
    """Import much at once: the collector of garbage would look through all of it again and again."""
    PlainImports.be_asked_first()
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
