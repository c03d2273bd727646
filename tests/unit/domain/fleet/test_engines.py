"""Pods that have ComfyUI servers as their engines: they boot and are lost with them, and take as long as those do."""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from civitai_mock.domain.errors import InvalidRequestError
from civitai_mock.domain.fleet.document import FleetDocument, as_json, parse_fleet, stored_fleet
from civitai_mock.domain.fleet.engines import PATIENCE, Engine, Engines
from civitai_mock.domain.fleet.pods import PodState, pod_json, stored_pod
from civitai_mock.domain.fleet.turn import Turn
from tests.unit.domain.fleet.world import START, World

SERVERS = {"gpu-1:8188": "gpu-1:8188", "http://gpu-1:8188": "gpu-1:8188", "gpu-2:8188": "gpu-2:8188"}
SPOT: dict[str, Any] = {
    "name": "spot",
    "kind": "spot",
    "bootSeconds": {"min": 60, "max": 60},
    "bootTimeoutSeconds": 600,
    "secondsPerPicture": 10,
    "engines": ["gpu-1:8188"],
}
SERVERLESS: dict[str, Any] = {"name": "serverless", "kind": "serverless", "coldStartSeconds": 0}


def fleet(**spot: Any) -> FleetDocument:
    document: Any = {"providers": [SPOT | spot, SERVERLESS], "policy": [{"use": "spot"}]}
    return parse_fleet(document, servers=SERVERS)


def there(after: float = 0) -> Engine:
    return Engine(is_there=True, since=START + timedelta(seconds=after))


def away(after: float = 0) -> Engine:
    return Engine(is_there=False, since=START + timedelta(seconds=after))


@dataclass(kw_only=True)
class EngineWorld(World):
    """Is a fleet whose pods have engines."""

    document: FleetDocument = field(default_factory=fleet)
    engines: Engines = field(default_factory=lambda: {"gpu-1:8188": there()})

    def turn(self) -> Turn:
        return Turn(self.state, self.document, tuple(self.waiting), self.engines)

    def at(self, seconds: float, **engines: Engine) -> None:
        """Let time pass, and then learn how the engine is."""
        self.run_until(self.after(seconds))
        if engines:
            self.engines = {"gpu-1:8188": engines["engine"]}
        self.settle()


def test_a_server_is_named_by_its_address_or_its_id_and_told_by_its_id() -> None:
    document = fleet(engines=["http://gpu-1:8188/", "gpu-2:8188"])
    assert document.engines == ("gpu-1:8188", "gpu-2:8188")
    assert document.provider("spot").max_pods == 2
    assert stored_fleet(as_json(document)) == document


def test_what_was_stored_is_read_whatever_servers_there_are_now() -> None:
    document = stored_fleet(as_json(fleet()) | {"policy": [{"use": "spot"}]})
    assert document == fleet()


def test_a_fleet_without_engines_is_stored_as_it_always_was() -> None:
    plain = parse_fleet({"providers": [{"name": "spot", "kind": "spot"}]})
    assert "engines" not in str(as_json(plain))
    pod = Turn(World().state, plain).order_boot(None, at=START)
    assert not {"engine", "pace"} & pod_json(pod).keys()
    assert stored_pod(pod_json(pod)) == pod


def test_a_name_that_is_nobodys_is_refused() -> None:
    with pytest.raises(InvalidRequestError) as raised:
        fleet(engines=["gpu-1:8188", "gpu-3:8188"])
    assert list(raised.value.errors) == ["providers[0].engines[1]"]


def test_a_pod_has_the_first_engine_that_no_other_has() -> None:
    world = EngineWorld(document=fleet(engines=["gpu-1:8188", "gpu-2:8188"]))
    turn = world.turn()
    pods = [turn.order_boot("spot", at=START) for _ in range(2)]
    assert [pod.engine for pod in pods] == ["gpu-1:8188", "gpu-2:8188"]


def test_a_pod_is_ready_when_it_has_booted_and_its_engine_is_there() -> None:
    world = EngineWorld(engines={"gpu-1:8188": away()})
    world.submit(1)
    world.at(100)
    assert (world.pod().state, world.pod().text(now=world.now)) == (PodState.BOOTING, "starting, later than planned")
    world.at(200, engine=there(150))
    assert world.pod().booted_at == world.after(150)
    assert world.running["job 0"].at == world.after(200)


def test_an_engine_that_is_unknown_is_not_there() -> None:
    world = EngineWorld(engines={})
    world.submit(1)
    world.at(500)
    assert world.pod().state is PodState.BOOTING


def test_a_pod_is_given_up_with_its_batch_when_the_boot_has_lasted_too_long() -> None:
    world = EngineWorld(engines={"gpu-1:8188": away()})
    world.submit(2)
    world.at(700)
    assert (world.pod().state, world.pod().reason) == (PodState.SHUTDOWN, "boot_timeout")
    assert world.pod().shutdown_at == world.after(600)
    assert world.pod().billed(now=world.now) == round(600 / 3600 * 440_000)
    assert [worker.partition("-")[0] for _, worker in world.made] == ["serverless"] * 2
    assert world.told() == ["pod_booting", "pod_shutdown", "fallback_activated"]
    assert len(world.state.pods) == 1


@pytest.mark.parametrize("busy", [True, False])
def test_a_pod_is_lost_when_its_engine_does_not_answer_for_a_while(busy: bool) -> None:
    world = EngineWorld(document=fleet(secondsPerPicture=30))
    world.submit(3)
    world.at(61 if busy else 155)
    state = PodState.GENERATING if busy else PodState.IDLE
    assert world.pod().state is state
    seconds = (world.now - START).total_seconds()
    world.at(seconds, engine=away(seconds))
    world.at(seconds + PATIENCE.total_seconds() - 1)
    assert world.pod().state is state
    world.at(seconds + PATIENCE.total_seconds())
    assert (world.pod().state, world.pod().reason) == (PodState.SHUTDOWN, "engine_lost")
    assert world.pod().shutdown_at == world.after(seconds) + PATIENCE
    if busy:
        assert world.lost == [("job 0", False)]
        fallback = next(event for event in world.events if event.type == "fallback_activated")
        assert fallback.body["reason"] == "engine_lost"
        world.run_until()
        assert sorted(job for job, _ in world.made) == ["job 0", "job 1", "job 2"]


@pytest.mark.parametrize("count", [0, 2])
def test_a_pod_whose_engine_drains_ends_what_it_has_and_is_gone(count: int) -> None:
    world = EngineWorld()
    turn = world.turn()
    turn.order_boot("spot", at=START)
    world.keep(turn)
    world.at(60)
    world.submit(count)
    world.at(62, engine=replace(there(62), is_draining=True))
    assert world.pod().state is (PodState.GENERATING if count else PodState.SHUTDOWN)
    world.run_until()
    assert (world.pod().reason, world.pod().shutdown_at) == ("engine_drained", world.after(70 if count else 62))
    assert [(job, worker.partition("-")[0]) for job, worker in world.made] == [
        ("job 0", "spot"),
        ("job 1", "serverless"),
    ][:count]
    assert world.lost == []


def test_no_pod_boots_on_an_engine_that_drains() -> None:
    world = EngineWorld(engines={"gpu-1:8188": replace(there(), is_draining=True)})
    world.submit(1)
    world.at(100)
    assert world.pod().state is PodState.BOOTING
    world.at(101, engine=there(101))
    assert world.pod().booted_at == world.after(101)


def test_nothing_is_placed_on_a_pod_whose_engine_does_not_answer() -> None:
    world = EngineWorld()
    world.submit(1)
    world.at(75)
    assert world.pod().state is PodState.IDLE
    world.at(76, engine=away(76))
    world.submit(1)
    world.at(77)
    assert world.running == {}
    world.at(78, engine=there(78))
    assert [placement.worker for placement in world.running.values()] == ["spot-1"]


def test_a_picture_is_thought_to_take_as_long_as_the_last_one_did() -> None:
    world = EngineWorld()
    world.submit(2)
    world.at(60)
    first = world.running["job 0"]
    assert first.ends_at - first.at == timedelta(seconds=10)
    world.now = first.at + timedelta(seconds=3)
    world.end("job 0")
    world.settle()
    second = world.running["job 1"]
    assert second.ends_at - second.at == timedelta(seconds=3)


def test_a_warned_job_that_takes_longer_than_thought_is_told_as_one_that_was_warned() -> None:
    world = EngineWorld()
    world.submit(1)
    world.at(61)
    turn = world.turn()
    turn.preempt("spot-1", at=world.now, warning=20.0)
    world.keep(turn)
    world.settle()
    assert world.pod().state is PodState.FALLBACK
    world.now = world.after(81)
    world.settle()
    assert world.lost == [("job 0", True)]


def test_a_job_goes_back_to_the_pod_that_began_with_it() -> None:
    world = EngineWorld(document=fleet(engines=["gpu-1:8188", "gpu-2:8188"]))
    world.engines = {name: there() for name in world.document.engines}
    world.submit(1, batch="a")
    world.submit(1, batch="b")
    world.at(61)
    assert {job: placement.worker for job, placement in world.running.items()} == {"job 0": "spot-1", "job 1": "spot-2"}
    for job_id in ("job 0", "job 1"):
        turn = world.turn()
        turn.left(job_id, at=world.now)
        world.keep(turn)
    world.running.clear()
    world.waiting = [replace(world.jobs[job], ran_on=pod) for job, pod in (("job 0", "spot-2"), ("job 1", "spot-1"))]
    world.settle()
    assert {job: placement.worker for job, placement in world.running.items()} == {"job 0": "spot-2", "job 1": "spot-1"}


def test_what_was_due_while_nobody_looked_has_its_own_date() -> None:
    """A process that comes after a crash has known an engine since it began."""
    world = EngineWorld()
    world.submit(1)
    world.now = world.after(100)
    world.engines = {"gpu-1:8188": there(100)}
    world.settle()
    assert world.pod().booted_at == world.after(100)
