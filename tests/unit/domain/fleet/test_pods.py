"""Pods: the table of their states, what they cost, and what a user reads of them."""

from datetime import UTC, datetime, timedelta

import pytest

from civitai_mock.domain.fleet.pods import (
    COARSE,
    TRANSITIONS,
    CoarseState,
    Pod,
    PodState,
    Use,
    may_follow,
    pod_json,
    stored_pod,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def a_pod(state: PodState = PodState.BOOT_REQUESTED, *, price: int = 440_000) -> Pod:
    return Pod(
        pod_id="spot-1",
        provider="spot",
        state=state,
        since=NOW,
        requested_at=NOW,
        price_per_hour=price,
        starts_at=NOW + timedelta(seconds=1),
        ready_at=NOW + timedelta(seconds=270),
    )


def seconds(count: float) -> datetime:
    return NOW + timedelta(seconds=count)


def test_the_table_is_that_of_the_specification() -> None:
    rows = {(str(before), str(after)) for before, follow in TRANSITIONS.items() for after in follow}
    assert rows == {
        ("SHUTDOWN", "BOOT_REQUESTED"),
        ("BOOT_REQUESTED", "BOOTING"),
        ("BOOT_REQUESTED", "SHUTDOWN"),
        ("BOOTING", "READY"),
        ("BOOTING", "PREEMPTION_WARN"),
        ("READY", "GENERATING"),
        ("IDLE", "GENERATING"),
        ("GENERATING", "IDLE"),
        ("IDLE", "SHUTDOWN"),
        ("READY", "PREEMPTION_WARN"),
        ("GENERATING", "PREEMPTION_WARN"),
        ("IDLE", "PREEMPTION_WARN"),
        ("PREEMPTION_WARN", "FALLBACK"),
        ("FALLBACK", "SHUTDOWN"),
    }


def test_every_state_has_a_coarse_one_and_a_text() -> None:
    assert set(COARSE) == set(TRANSITIONS) == set(PodState)
    assert set(COARSE.values()) == set(CoarseState)
    assert all(a_pod(state).text(now=NOW) for state in PodState)


@pytest.mark.parametrize("before", PodState)
@pytest.mark.parametrize("after", PodState)
def test_a_pod_enters_only_what_the_table_allows(before: PodState, after: PodState) -> None:
    pod = a_pod(before)
    if may_follow(before, after):
        entered = pod.entered(after, at=seconds(5))
        assert (entered.state, entered.since, entered.transitions) == (after, seconds(5), 1)
    else:
        with pytest.raises(ValueError, match=f"a pod in {before} cannot enter {after}"):
            pod.entered(after, at=seconds(5))


@pytest.mark.parametrize(
    ("lasts", "price", "billed"),
    [
        (3600, 440_000, 440_000),
        (270, 440_000, 33_000),
        (300, 440_000, 36_667),  # 36,666.67
        (12.27, 440_000, 1_500),  # 1,499.67
        (0.5, 3600, 1),  # half a microdollar is rounded up
        (0.499999, 3600, 0),
        (0, 440_000, 0),
    ],
)
def test_a_pod_is_billed_by_the_time_and_rounded_half_up(lasts: float, price: int, billed: int) -> None:
    assert a_pod(price=price).billed(now=seconds(lasts)) == billed


def test_a_pod_is_billed_up_to_its_shutdown_and_between_dates() -> None:
    pod = a_pod().used_for(Use.BOOT, at=NOW).used_for(Use.IDLE, at=seconds(270)).used_for(Use.BUSY, at=seconds(300))
    assert pod.used_for(Use.BUSY, at=seconds(310)) == pod
    assert [pod.seconds_of(use, now=seconds(400)) for use in Use] == [270, 100, 30]
    assert pod.seconds_of(Use.BOOT, now=seconds(400), since=seconds(200), until=seconds(250)) == 50
    assert pod.seconds_of(Use.BUSY, now=seconds(400), until=seconds(10)) == 0
    assert pod.billed(now=seconds(400), since=seconds(100), until=seconds(109)) == 1_100
    assert pod.billed(now=seconds(400), since=seconds(500)) == 0


@pytest.mark.parametrize(
    ("state", "after", "text"),
    [
        (PodState.BOOTING, 30, "starting, about 4 min"),
        (PodState.BOOTING, 200, "starting, about 70 s"),
        (PodState.BOOTING, 300, "starting, about 0 s"),
        (PodState.FALLBACK, 0, "switched to the reserve"),
    ],
)
def test_a_user_reads_how_a_pod_is(state: PodState, after: float, text: str) -> None:
    assert a_pod(state).text(now=seconds(after)) == text


def test_a_pod_comes_out_of_the_store_as_it_went_in() -> None:
    pod = a_pod().used_for(Use.BOOT, at=NOW).entered(PodState.BOOTING, at=seconds(1))
    assert stored_pod(pod_json(pod)) == pod
