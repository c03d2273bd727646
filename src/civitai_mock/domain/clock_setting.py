"""What a store keeps of the clock of a namespace: how it goes, and to where it is being advanced."""

from datetime import datetime

from civitai_mock.domain.clock_state import REAL, ClockMode, ClockState
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.json_types import Json, JsonObject, ReadOnlyJson, as_number

CLOCK = "clock"  # the member of the documents of namespaces
NEXT = "next"


@dataclass(frozen=True, slots=True, kw_only=True)
class AdvanceOrder:
    """Asks for an advance to a date, or to whatever falls due next (None); `id` tells it from any other."""

    id: str
    to: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockSetting:
    """Is how a clock goes; one that has an `advance` is moved until that is done."""

    state: ClockState = REAL
    advance: AdvanceOrder | None = None

    def document(self) -> JsonObject | None:
        """Return what is stored; None for a clock as it is in a new namespace."""
        if self == ClockSetting():
            return None
        state, advance = self.state, self.advance
        document: JsonObject = {"mode": state.mode.value}
        if state is not REAL:
            document |= {"now": state.at.isoformat(), "since": state.since.isoformat(), "rate": state.rate}
        if advance is not None:
            document["advance"] = {"id": advance.id, "to": NEXT if advance.to is None else advance.to.isoformat()}
        return document


def has_advance(document: ReadOnlyJson) -> bool:
    """Return whether a clock is to be advanced, by the document of its namespace."""
    clock = document.get(CLOCK)
    return isinstance(clock, dict) and "advance" in clock


def stored_clock(value: Json) -> ClockSetting:
    """Read what is stored."""
    if not isinstance(value, dict):
        return ClockSetting()
    mode = ClockMode(str(value["mode"]))
    state = REAL
    if mode is not ClockMode.REAL:
        at, since = (datetime.fromisoformat(str(value[name])) for name in ("now", "since"))
        state = ClockState(mode=mode, at=at, since=since, rate=float(as_number(value["rate"]) or 1))
    return ClockSetting(state=state, advance=_stored_advance(value.get("advance")))


def _stored_advance(value: Json) -> AdvanceOrder | None:
    if not isinstance(value, dict):
        return None
    to = str(value["to"])
    return AdvanceOrder(id=str(value["id"]), to=None if to == NEXT else datetime.fromisoformat(to))
