"""The rules of a fleet: which provider gets which jobs, and what becomes of them when it cannot run them."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from civitai_mock.domain.errors import ConflictError, NotFoundError
from civitai_mock.domain.fleet.document import HYBRID, FleetDocument, parse_fleet
from civitai_mock.domain.fleet.pods import PodState
from civitai_mock.domain.fleet.policy import fleet_job
from civitai_mock.domain.fleet.turn import Turn, is_new
from tests.support.jobs import make_job
from tests.unit.domain.fleet.world import START, World


def fleet(
    *, spot: dict[str, Any] | None = None, serverless: dict[str, Any] | None = None, **more: Any
) -> FleetDocument:
    providers: list[Any] = [
        {"name": "spot", "kind": "spot", "bootSeconds": {"min": 270, "max": 270}, **(spot or {})},
        {"name": "serverless", "kind": "serverless", **(serverless or {})},
    ]
    return parse_fleet({"providers": providers, **more})


@pytest.mark.parametrize(
    ("pictures", "urgent", "provider", "reason"),
    [
        (19, False, "serverless", "offline"),
        (20, False, "serverless", "offline"),
        (21, False, "spot", "pictures_over_20"),
        (40, False, "spot", "pictures_over_20"),
        (19, True, "serverless", "urgent"),
        (21, True, "serverless", "urgent"),
    ],
)
def test_who_gets_a_batch(pictures: int, *, urgent: bool, provider: str, reason: str) -> None:
    world = World(document=fleet())
    world.submit(pictures, urgent=urgent)
    (batch,) = world.state.batches.values()
    assert (batch.provider, batch.reason) == (provider, reason)
    world.run_until()
    assert {run.provider for run in world.runs} == {provider}
    assert {run.reason for run in world.runs} == {reason}
    assert len(world.made) == len(world.jobs) == pictures


def test_few_pictures_go_to_serverless_also_while_a_pod_is_up() -> None:
    world = World(document=fleet())
    world.submit(21)
    world.submit(5, batch="other")
    assert {run.reason for run in world.runs} == {"default"}
    assert {run.provider for run in world.runs} == {"serverless"}


def test_the_pictures_of_all_jobs_of_a_batch_count() -> None:
    world = World(document=fleet())
    world.submit(6, pictures=4)
    assert world.pod().state is PodState.BOOT_REQUESTED


def test_a_batch_that_grows_is_chosen_for_again() -> None:
    world = World(document=fleet(serverless={"maxConcurrent": 1}))
    world.submit(20)
    world.submit(1)
    assert world.state.waiting == {"spot": 20}
    world.run_until()
    assert Counter(run.provider for run in world.runs) == {"spot": 20, "serverless": 1}


def test_no_capacity_is_told_and_the_reserve_has_it_at_once() -> None:
    world = World(document=fleet(spot={"capacity": "never"}))
    world.submit(21)
    assert world.told() == ["pod_booting", "pod_shutdown", "fallback_activated"]
    assert world.events[-1].body == {"reason": "no_capacity", "from": "spot", "to": "serverless"}
    assert world.events[-1].job_ids == tuple(world.jobs)
    assert {run.reason for run in world.runs} == {"no_capacity"}
    assert [(cost.id, cost.billed) for cost in world.costs] == [("pod/spot-1", 0)]
    world.submit(21, batch="soon after")
    assert world.told()[3:] == ["fallback_activated"]
    world.run_until()
    assert len(world.made) == 42


def test_who_may_run_on_pods_alone_waits_until_there_is_room() -> None:
    world = World(document=fleet(spot={"capacity": "never"}))
    world.submit(21, allowed=["spot"])
    world.run_until(world.after(150))
    assert world.told() == ["pod_booting", "pod_shutdown"] * 3
    world.document = fleet()
    world.run_until()
    assert {run.provider for run in world.runs} == {"spot"}
    assert len(world.made) == 21


@pytest.mark.parametrize("allowed", [["spot"], ["serverless"]])
def test_a_request_gets_no_provider_that_it_does_not_name(allowed: list[str]) -> None:
    world = World(document=fleet())
    world.submit(3 if allowed == ["spot"] else 30, allowed=allowed)
    assert next(iter(world.state.batches.values())).reason == "requested"
    world.run_until()
    assert {run.provider for run in world.runs} == set(allowed)


def test_a_request_that_names_none_of_the_fleet_is_not_scheduled() -> None:
    world = World(document=fleet())
    world.submit(30, allowed=[])
    world.run_until()
    assert world.runs == []
    assert len(world.waiting) == 30


def test_a_batch_waits_for_a_slow_boot_as_long_as_it_may() -> None:
    world = World(document=fleet(spot={"bootSeconds": {"min": 700, "max": 700}}))
    world.submit(21)
    world.run_until(world.after(599.9))
    assert world.runs == []
    world.run_until(world.after(600))
    assert world.events[-1].type == "fallback_activated"
    assert world.events[-1].body == {"reason": "boot_timeout", "from": "spot", "to": "serverless"}
    assert {run.reason for run in world.runs} == {"boot_timeout"}
    world.run_until()
    assert world.told() == ["pod_booting", "fallback_activated", "pod_ready", "pod_shutdown"]
    assert world.pod().shutdown_at == world.after(1000)
    assert world.pod().reason == "idle"


def test_what_waits_for_a_pod_that_is_taken_while_it_boots_waits_for_the_next_one() -> None:
    world = World(document=fleet(spot={"preemption": {"atSeconds": 100}}))
    world.submit(21)
    world.run_until()
    assert world.told() == [
        *["pod_booting", "pod_preemption_warning", "pod_shutdown"] * 4,
        "pod_booting",  # at 520 s
        "fallback_activated",  # at 600 s
        "pod_preemption_warning",
        "pod_shutdown",
    ]
    fallback = world.events[world.told().index("fallback_activated")]
    assert (fallback.at, fallback.body["reason"]) == (world.after(600), "boot_timeout")
    assert {run.at for run in world.runs if run.reason == "boot_timeout"} >= {world.after(600)}
    assert len(world.made) == 21


def test_a_warned_pod_ends_what_it_can_and_hands_over_the_rest() -> None:
    world = World(document=fleet(spot={"maxConcurrent": 2, "preemption": {"atSeconds": 280}}))
    world.submit(1, batch="a long one", pictures=21, allowed=["spot"])
    world.submit(29)
    world.run_until(world.after(280))
    assert world.lost == [("job 0", True)]
    assert world.pod().jobs == ("job 1",)
    assert world.pod().state is PodState.FALLBACK
    warning = next(event for event in world.events if event.type == "pod_preemption_warning")
    assert warning.body == {"podId": "spot-1", "provider": "spot", "timeLeft": 30}
    assert warning.job_ids is not None
    assert set(warning.job_ids) == set(world.jobs)
    world.run_until(world.after(310))
    assert [pod.state for pod in world.state.pods] == [PodState.SHUTDOWN, PodState.BOOT_REQUESTED]
    assert world.made[0] == ("job 1", "spot-1")
    assert world.state.waiting == {"spot": 1}  # what may run nowhere else waits for another pod


@pytest.mark.parametrize("warning", [0, 5])
def test_who_was_not_warned_in_time_is_interrupted(warning: float) -> None:
    world = World(document=fleet())
    world.submit(21)
    world.run_until(world.after(271))
    turn = world.turn()
    pod = turn.preempt("spot-1", at=world.now, warning=warning)
    assert pod.state is PodState.PREEMPTION_WARN
    world.keep(turn)
    world.settle()
    assert world.lost == [("job 0", warning > 0)]
    assert ("pod_preemption_warning" in world.told()) is (warning > 0)
    world.run_until()
    assert Counter(run.job_id for run in world.runs) == Counter({**dict.fromkeys(world.jobs, 1), "job 0": 2})
    assert len({job_id for job_id, _ in world.made}) == len(world.made) == 21
    assert {worker.startswith("serverless") for _, worker in world.made} == {True}


def test_a_cold_worker_begins_late_and_a_warm_one_does_not() -> None:
    world = World(document=fleet(serverless={"maxConcurrent": 2, "idleShutdownSeconds": 60}))
    world.submit(4)
    world.run_until()
    world.now = world.after(13 + 61)
    world.submit(1, batch="later")
    assert [(run.worker, (run.ends_at - run.at).total_seconds()) for run in world.runs] == [
        ("serverless-worker-1", 9),
        ("serverless-worker-2", 9),
        ("serverless-worker-1", 4),
        ("serverless-worker-2", 4),
        ("serverless-worker-1", 9),
    ]


def test_a_full_provider_refuses_and_the_reserve_has_the_rest() -> None:
    world = World(document=fleet(serverless={"capacity": "never"}))
    world.submit(3)
    assert world.refused == ["job 0"]
    assert world.events[0].body == {"reason": "full", "from": "serverless", "to": "spot"}
    world.run_until()
    assert {run.provider for run in world.runs} == {"spot"}


def test_without_a_reserve_a_full_provider_refuses_a_job_a_minute() -> None:
    world = World(document=fleet(serverless={"capacity": "never"}))
    world.submit(3, allowed=["serverless"])
    world.run_until(world.after(150))
    assert world.refused == ["job 0"] * 3
    assert world.events == []


def test_as_many_pods_boot_as_there_are_batches_up_to_the_most() -> None:
    world = World(document=fleet(spot={"maxPods": 2}))
    for name in ("one", "two", "three"):
        world.submit(21, batch=name)
    assert [pod.pod_id for pod in world.state.pods] == ["spot-1", "spot-2"]
    world.run_until()
    assert Counter(worker for _, worker in world.made).keys() == {"spot-1", "spot-2"}
    assert len(world.made) == 63


def test_a_pod_is_idle_once_nothing_is_left_and_is_gone_five_minutes_after_its_last_job() -> None:
    world = World(document=fleet())
    world.submit(21)
    world.run_until()
    pod = world.pod()
    last = world.after(270) + 21 * timedelta(seconds=12.27)
    assert pod.last_job_at == last
    assert pod.shutdown_at == last + timedelta(minutes=5)
    assert world.told() == ["pod_booting", "pod_ready", "pod_idle", "pod_shutdown"]
    assert (pod.state, pod.reason, pod.done, pod.planned) == (PodState.SHUTDOWN, "idle", 21, 21)


def test_a_pod_that_idles_takes_the_next_batch() -> None:
    world = World(document=fleet())
    world.submit(21)
    world.run_until(world.after(270 + 21 * 12.27 + 200))
    assert world.pod().state is PodState.IDLE
    world.submit(21, batch="next")
    assert world.pod().state is PodState.GENERATING
    world.run_until()
    assert [pod.pod_id for pod in world.state.pods] == ["spot-1"]


def test_what_fell_due_while_nobody_looked_happens_in_order_at_its_own_dates() -> None:
    watched, missed = World(document=fleet()), World(document=fleet())
    for world in (watched, missed):
        turn = world.turn()
        turn.order_boot(None, at=world.now)
        world.keep(turn)
    watched.run_until()
    missed.now = missed.after(86_400)
    missed.settle()
    assert missed.events == watched.events
    assert missed.costs == watched.costs
    assert missed.state.pods == watched.state.pods


def test_a_pod_of_a_provider_that_is_removed_is_shut_down() -> None:
    world = World(document=fleet())
    world.submit(21)
    world.run_until(world.after(300))
    world.document = parse_fleet({"providers": [{"name": "serverless", "kind": "serverless"}]})
    world.settle()
    assert (world.pod().state, world.pod().reason) == (PodState.SHUTDOWN, "removed")
    world.run_until()
    assert len(world.made) == 21


@pytest.mark.parametrize("after", [0, 100, 275, 560])
def test_a_fleet_that_is_turned_off_has_no_pods(after: float) -> None:
    world = World(document=fleet())
    world.submit(21)
    world.run_until(world.after(after))
    turn = world.turn()
    turn.close(world.now)
    assert [pod.state for pod in turn.state.pods] == [PodState.SHUTDOWN]
    assert not turn.state.batches
    assert not turn.state.placements
    assert not turn.state.waiting
    assert turn.costs[-1].ended_at == world.now


def test_orders_that_the_table_forbids_are_refused_and_change_nothing() -> None:
    world = World(document=fleet())
    world.submit(21)
    turn = world.turn()
    with pytest.raises(ConflictError):
        turn.preempt("spot-1", at=world.now)
    for provider in (None, "spot", "serverless", "elsewhere"):
        with pytest.raises(ConflictError):
            turn.order_boot(provider, at=world.now)
    assert not is_new(world.state, turn.state)
    world.run_until(world.after(271))
    with pytest.raises(ConflictError, match="is in GENERATING, which SHUTDOWN cannot follow"):
        world.turn().order_shutdown("spot-1", at=world.now)
    with pytest.raises(NotFoundError):
        turn.preempt("spot-2", at=world.now)


def test_an_idle_pod_can_be_shut_down() -> None:
    world = World(document=fleet())
    world.submit(21)
    world.run_until(world.after(560))
    turn = world.turn()
    assert turn.order_shutdown("spot-1", at=world.now).reason == "requested"
    assert turn.events[-1].body == {"podId": "spot-1", "provider": "spot", "reason": "requested"}


@pytest.mark.parametrize(
    ("preemption", "seed", "earliest", "latest"),
    [
        ({"atSeconds": 0}, "1", 1, 1),
        ({"atSeconds": 12}, "1", 12, 12),
        ({"probabilityPerMinute": 1}, "1", 1, 60),
        ({"probabilityPerMinute": 1, "atSeconds": 1}, "1", 1, 1),
        ({"probabilityPerMinute": 1e-12}, "1", None, None),
        ({}, "1", None, None),
    ],
)
def test_when_a_pod_is_taken_is_drawn_at_its_start(
    preemption: dict[str, Any], seed: str, earliest: float | None, latest: float | None
) -> None:
    world = World(document=fleet(spot={"preemption": preemption}))
    world.state = replace(world.state, seed=seed)
    turn = world.turn()
    taken_at = turn.order_boot(None, at=START).preempted_at
    if earliest is None or latest is None:
        assert taken_at is None
    else:
        assert taken_at is not None
        assert world.after(earliest) <= taken_at <= world.after(latest)


def test_about_one_pod_in_ten_is_taken_in_a_minute_if_that_is_its_chance() -> None:
    document = fleet(spot={"preemption": {"probabilityPerMinute": 0.1}})
    taken = 0
    for number in range(2000):
        turn = Turn(replace(World().state, seed=str(number)), document)
        at = turn.order_boot(None, at=START).preempted_at
        taken += at is not None and at <= START + timedelta(minutes=1)
    assert 160 <= taken <= 240


def test_a_boot_lasts_as_long_as_its_provider_says() -> None:
    boots = [
        (Turn(replace(World().state, seed=str(number)), HYBRID).order_boot(None, at=START).ready_at - START).seconds
        for number in range(200)
    ]
    assert 240 <= min(boots) < 250
    assert 290 < max(boots) < 300


@pytest.mark.parametrize(
    ("batch_by", "properties", "batch"),
    [
        ("submission", {"comicId": "c"}, "a submission"),
        ("properties.comicId", {"comicId": "c"}, "properties.comicId=c"),
        ("properties.comicId", {}, "a submission"),
    ],
)
def test_which_jobs_are_counted_together(batch_by: str, properties: dict[str, Any], batch: str) -> None:
    job = replace(make_job(), submission_id="a submission", properties=properties, priority=10, providers=("x", "spot"))
    found = fleet_job(job, parse_fleet({"batchBy": batch_by}))
    assert (found.batch, found.is_urgent, found.allowed) == (batch, True, ("spot",))
    assert not fleet_job(job, parse_fleet({"urgentFrom": 11})).is_urgent
    assert found.pictures == len(job.slots)
