"""The clock of a test's namespace: stop it, let it go on at once, and ask it for the time."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from civitai_mock.pytest_plugin.control import ControlPlane

ADVANCING = "advancing"
POLL_SECONDS = 0.05


class MockClock:
    """Moves the time of one namespace; a `datetime` without a zone is UTC, and a text is ISO 8601."""

    def __init__(self, control: ControlPlane) -> None:
        self._control = control

    @property
    def now(self) -> datetime:
        __tracebackhide__ = True
        return _date(self._control.get("/clock"))

    def freeze(self, at: datetime | str | None = None) -> None:
        """Stop the clock where it is, or at a date: what is due by then happens at that date."""
        __tracebackhide__ = True
        self._control.change("PUT", "/clock", {"mode": "frozen", **({} if at is None else {"now": date_text(at)})})

    def tick(self, by: float | timedelta | str) -> None:
        """Advance by seconds, or by a duration like `"10m"`; all that falls due on the way has happened then."""
        __tracebackhide__ = True
        self._advance({"by": duration_text(by)})

    def move_to(self, at: datetime | str) -> None:
        """Advance to a date; all that falls due on the way has happened then. A clock never goes back."""
        __tracebackhide__ = True
        self._advance({"to": date_text(at)})

    def _advance(self, wanted: Mapping[str, Any]) -> None:
        __tracebackhide__ = True
        shown = self._control.change("POST", "/clock/advance", wanted)
        while shown["status"] == ADVANCING:
            time.sleep(POLL_SECONDS)
            shown = self._control.get("/clock")


def duration_text(duration: float | timedelta | str) -> str:
    """Return a duration as the control plane reads it; a number is seconds."""
    if isinstance(duration, str):
        return duration
    seconds = duration.total_seconds() if isinstance(duration, timedelta) else duration
    return f"{seconds:.6f}s"


def date_text(date: datetime | str) -> str:
    return date if isinstance(date, str) else date.isoformat()


def _date(shown: Mapping[str, Any]) -> datetime:
    """Return the time that a clock shows; its digits after the microseconds are dropped."""
    seconds, _, fraction = str(shown["now"]).removesuffix("Z").partition(".")
    return datetime.fromisoformat(f"{seconds}.{fraction[:6]:0<6}").replace(tzinfo=UTC)
