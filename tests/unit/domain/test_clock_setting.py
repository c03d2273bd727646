"""What is stored of the clock of a namespace."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from civitai_mock.domain.clock_setting import CLOCK, AdvanceOrder, ClockSetting, has_advance, stored_clock
from civitai_mock.domain.clock_state import EARLIEST_DATE, LATEST_DATE, REAL, ClockMode, ClockState
from tests.support.dates import START

DATES = st.datetimes(
    min_value=EARLIEST_DATE.replace(tzinfo=None), max_value=LATEST_DATE.replace(tzinfo=None), timezones=st.just(UTC)
)
MOVED = st.builds(
    ClockState,
    mode=st.sampled_from([ClockMode.FROZEN, ClockMode.SCALED]),
    at=DATES,
    since=DATES,
    rate=st.floats(0.001, 100_000),
)
SETTINGS = st.builds(
    ClockSetting,
    state=st.just(REAL) | MOVED,
    advance=st.none() | st.builds(AdvanceOrder, id=st.text(), to=st.none() | DATES),
)


@given(SETTINGS)
def test_what_is_stored_is_read_again(setting: ClockSetting) -> None:
    document = setting.document()
    assert stored_clock(document) == setting
    assert has_advance({} if document is None else {CLOCK: document}) is (setting.advance is not None)


def test_nothing_is_stored_of_a_clock_that_is_as_new() -> None:
    assert ClockSetting().document() is None
    assert stored_clock(None).state is REAL


@given(MOVED, DATES, st.timedeltas(min_value=timedelta(), max_value=timedelta(days=36_500)))
def test_time_never_goes_back_by_itself(state: ClockState, real: datetime, later: timedelta) -> None:
    real = max(real, state.since)
    assert EARLIEST_DATE <= state.now(real) <= state.now(real + later) <= LATEST_DATE


def test_a_clock_at_a_rate_goes_on_from_where_it_was_moved_to() -> None:
    state = ClockState(mode=ClockMode.SCALED, at=START, since=START, rate=60)
    moved = state.moved_to(START + timedelta(days=1), START + timedelta(seconds=30))
    assert moved.now(START + timedelta(seconds=31)) == START + timedelta(days=1, minutes=1)


def test_a_real_clock_that_is_moved_goes_on_as_fast() -> None:
    moved = REAL.moved_to(START + timedelta(days=1), START)
    assert (moved.mode, moved.now(START + timedelta(hours=1))) == (ClockMode.SCALED, START + timedelta(days=1, hours=1))
