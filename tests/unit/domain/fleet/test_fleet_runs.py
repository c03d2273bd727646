"""Whole runs of a fleet: a comic by hand, equal seeds, and any events in any order."""

from collections import Counter
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from civitai_mock.domain.errors import ConflictError
from civitai_mock.domain.fleet.document import parse_fleet
from civitai_mock.domain.fleet.pods import PodState, Use, may_follow
from civitai_mock.domain.fleet.state import state_json
from tests.unit.domain.fleet.world import START, World

COMIC = parse_fleet(
    {
        "providers": [
            {"name": "spot", "kind": "spot", "bootSeconds": {"min": 270, "max": 270}},
            {"name": "serverless", "kind": "serverless", "maxConcurrent": 1},
        ]
    }
)
PICTURE = 12.27


def a_comic() -> World:
    """Run 40 pictures, of which the pod is taken 5 s after the 17th has begun."""
    world = World(document=COMIC)
    world.submit(40)
    world.run_until(world.after(270 + 16 * PICTURE + 5))
    turn = world.turn()
    turn.preempt("spot-1", at=world.now)
    world.keep(turn)
    world.settle()
    world.run_until()
    return world


def test_a_comic_that_loses_its_pod_is_whole_and_costs_what_it_does_by_hand() -> None:
    world = a_comic()
    assert sorted(job_id for job_id, _ in world.made) == sorted(world.jobs)
    assert Counter(worker for _, worker in world.made) == {"spot-1": 17, "serverless-worker-1": 23}
    assert world.told() == [
        "pod_booting",
        "pod_ready",
        "pod_preemption_warning",
        "fallback_activated",
        "pod_shutdown",
    ]
    # The pod: 270 s to boot, 16 pictures, 5 s until the warning and 30 s after it.
    seconds = 270 + 16 * PICTURE + 5 + 30
    pod = next(cost for cost in world.costs if cost.id == "pod/spot-1")
    assert pod.billed == int(seconds * 440_000 / 3600 + 0.5) == 61_272
    jobs = [cost for cost in world.costs if cost.job_id is not None]
    assert sum(cost.per_picture for cost in jobs if cost.provider == "spot") == 17 * 1_500
    assert sum(cost.per_picture for cost in jobs if cost.provider == "serverless") == 23 * 3_000
    assert sum(cost.billed for cost in jobs) == 23 * 3_000
    (shut_down,) = [pod for pod in world.state.pods if pod.state is PodState.SHUTDOWN]
    assert shut_down.seconds_of(Use.BOOT, now=world.now) == 270
    assert shut_down.seconds_of(Use.BUSY, now=world.now) == pytest.approx(17 * PICTURE)
    assert shut_down.seconds_of(Use.IDLE, now=world.now) == pytest.approx(seconds - 270 - 17 * PICTURE)


def test_equal_seeds_are_equal_runs() -> None:
    one, other = a_comic(), a_comic()
    assert one.events == other.events
    assert one.costs == other.costs
    assert state_json(one.state) == state_json(other.state)


TIMES = st.sampled_from([0, 0.5, 1, 4, 12.27, 30, 61, 300])
DOCUMENTS = st.fixed_dictionaries(
    {
        "providers": st.tuples(
            st.fixed_dictionaries(
                {"name": st.just("spot"), "kind": st.just("spot")},
                optional={
                    "bootSeconds": TIMES.map(lambda most: {"min": most / 2, "max": most}),
                    "bootTimeoutSeconds": TIMES,
                    "warningSeconds": TIMES,
                    "idleShutdownSeconds": TIMES,
                    "secondsPerPicture": TIMES,
                    "coldStartSeconds": TIMES,
                    "maxPods": st.integers(1, 3),
                    "maxConcurrent": st.integers(1, 3),
                    "capacity": st.sampled_from(["always", "always", "never"]),
                    "preemption": st.fixed_dictionaries(
                        {}, optional={"atSeconds": TIMES, "probabilityPerMinute": st.sampled_from([0, 0.3, 1])}
                    ),
                },
            ),
            st.fixed_dictionaries(
                {"name": st.just("serverless"), "kind": st.just("serverless")},
                optional={
                    "secondsPerPicture": TIMES,
                    "idleShutdownSeconds": TIMES,
                    "maxConcurrent": st.integers(1, 3),
                    "capacity": st.sampled_from(["always", "always", "never"]),
                },
            ),
        ).map(list),
    }
)
SUBMISSION = st.tuples(
    st.just("submit"),
    st.integers(1, 25),
    st.booleans(),
    st.sampled_from([None, ["spot"], ["serverless"], []]),
)
ACTION = st.one_of(
    SUBMISSION,
    st.tuples(st.just("wait"), TIMES),
    st.tuples(st.just("preempt"), st.sampled_from([None, 0, 5, 60])),
    st.tuples(st.just("shutdown")),
    st.tuples(st.just("boot")),
    st.tuples(st.just("document"), DOCUMENTS),
)


@settings(max_examples=60, deadline=None)
@given(document=DOCUMENTS, actions=st.lists(ACTION, max_size=12))
def test_whatever_happens_no_pod_leaves_the_table(document: Any, actions: list[tuple[Any, ...]]) -> None:
    """`Pod.entered` raises for what the table forbids; orders are checked with what it says before."""
    world = World(document=parse_fleet(document))
    for action in actions:
        act(world, action)
        assert_is_sound(world)
    world.run_until(world.now + timedelta(hours=1))
    assert_is_sound(world)


def act(world: World, action: tuple[Any, ...]) -> None:
    name, *arguments = action
    if name == "submit":
        count, urgent, allowed = arguments
        world.submit(count, batch=f"batch {len(world.jobs)}", urgent=urgent, allowed=allowed)
    elif name == "wait":
        world.run_until(world.now + timedelta(seconds=arguments[0]))
    elif name == "document":
        world.document = parse_fleet(arguments[0])
        world.settle()
    else:
        order(world, name, arguments)


def order(world: World, name: str, arguments: list[Any]) -> None:
    turn = world.turn()
    if name == "boot":
        with suppress(ConflictError):
            turn.order_boot(None, at=world.now)
    else:
        after = PodState.PREEMPTION_WARN if name == "preempt" else PodState.SHUTDOWN
        for pod in list(turn.pods.values())[-1:]:
            is_legal = may_follow(pod.state, after)
            try:
                if name == "preempt":
                    turn.preempt(pod.pod_id, at=world.now, warning=arguments[0])
                else:
                    turn.order_shutdown(pod.pod_id, at=world.now)
            except ConflictError:
                assert not is_legal
            else:
                assert is_legal
    world.keep(turn)
    world.settle()


def assert_is_sound(world: World) -> None:
    assert len(dict(world.made)) == len(world.made)
    assert sorted([*dict(world.made), *world.running, *[job.job_id for job in world.waiting]]) == sorted(world.jobs)
    assert world.state.placements.keys() == world.running.keys()
    assert len({event.key for event in world.events}) == len(world.events)
    assert len({cost.id for cost in world.costs}) == len(world.costs)
    for pod in world.state.pods:
        ends: datetime = pod.shutdown_at or world.now
        spent = sum(pod.seconds_of(use, now=ends) for use in Use)
        assert spent == pytest.approx((max(ends, pod.requested_at) - pod.requested_at).total_seconds())
        assert START <= pod.requested_at <= world.now
    assert len([pod for pod in world.state.pods if not pod.is_over]) <= 3
