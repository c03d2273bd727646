"""What one round of a loop may go wrong by, and what the loop hears of it."""

import asyncio

import pytest
from structlog.testing import capture_logs

from civitai_mock.domain.errors import ConflictError, NamespaceResetError, TransientError
from civitai_mock.services.error_boundary import ErrorBoundary

FAILURE = "loop failed"
KINDS = [
    (TransientError("away"), ("store away", "warning"), (True, True)),
    (NamespaceResetError("reset"), (FAILURE, "debug"), (False, False)),
    (ConflictError("taken"), (FAILURE, "error"), (False, True)),
    (ValueError("bug"), (FAILURE, "error"), (False, True)),
]


@pytest.mark.parametrize(("error", "line", "judged"), KINDS, ids=lambda part: type(part).__name__)
def test_each_kind_of_error_is_logged_for_what_it_is(
    error: Exception, line: tuple[str, str], judged: tuple[bool, bool]
) -> None:
    with capture_logs() as logs, ErrorBoundary(FAILURE) as boundary:
        raise error
    assert [(found["event"], found["log_level"]) for found in logs] == [line]
    assert boundary.error is error
    assert (boundary.is_store_away, boundary.has_failed) == judged


def test_a_loop_may_name_what_it_could_not_do_while_the_store_is_away() -> None:
    with capture_logs() as logs, ErrorBoundary(FAILURE, away="leases not renewed"):
        raise TransientError("away")
    assert logs == [{"event": "leases not renewed", "log_level": "warning", "error": "away"}]


def test_what_goes_well_is_not_logged() -> None:
    with capture_logs() as logs, ErrorBoundary(FAILURE) as boundary:
        pass
    assert (logs, boundary.error, boundary.has_failed) == ([], None, False)


def test_a_cancellation_goes_through() -> None:
    with pytest.raises(asyncio.CancelledError), ErrorBoundary(FAILURE):
        raise asyncio.CancelledError
