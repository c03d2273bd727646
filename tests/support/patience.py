"""Processes in the event loop of a test, which wait for each other as long as a busy machine makes them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from civitai_mock.bootstrap import runtime
from civitai_mock.services import control_plane

PATIENCE = timedelta(seconds=60)


@contextmanager
def patient_processes() -> Iterator[None]:
    """Let no process say that another one does not obey yet, or that it was not closed in time, as if one hung."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(control_plane, "CONFIRM_WITHIN", PATIENCE)
        patch.setattr(runtime, "CLOSE_SECONDS", PATIENCE.total_seconds())
        yield
