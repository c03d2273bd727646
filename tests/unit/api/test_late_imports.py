"""Modules that are imported late: in a thread once, and at once from then on."""

import asyncio
import sys
from collections.abc import Awaitable
from pathlib import Path

import pytest

from civitai_mock.api.late_imports import imported


def goes_on_at_once(waiting: Awaitable[object]) -> bool:
    """Return whether nothing has to happen in the event loop before the result is there."""
    try:
        waiting.__await__().send(None)
    except StopIteration:
        return True
    return False


async def test_a_module_that_is_loaded_needs_no_thread() -> None:
    assert goes_on_at_once(imported("civitai_mock.api.late_imports"))


async def test_a_module_that_is_not_loaded_holds_up_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "loaded_late.py").write_text("HERE = True\n")
    monkeypatch.syspath_prepend(tmp_path)
    first, second = await asyncio.gather(imported("loaded_late"), imported("loaded_late"))
    assert first is second
    assert first.HERE
    del sys.modules["loaded_late"]
