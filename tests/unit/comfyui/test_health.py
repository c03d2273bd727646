"""A server is up while it answers, and its lists are read again when they are old or miss something."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta

import httpx
import pytest

from civitai_mock.clock import SeededIds, VirtualClock
from civitai_mock.domain.air import Air
from civitai_mock.domain.job import JobResource
from civitai_mock.providers.comfyui.address import parse_servers
from civitai_mock.providers.comfyui.options import WorkerDependencies
from civitai_mock.providers.comfyui.workers.fleet import Fleet, report_of
from civitai_mock.providers.comfyui.workers.worker import Worker
from tests.support.event_loop import settle, until

(SERVER,) = parse_servers("http://gpu:8188")
DAY = 86_400.0


@dataclass
class HealthBench:
    """Holds one worker; `names` are its LoRAs, and `asked` counts the calls of each route."""

    clock: VirtualClock
    names: list[str] = field(default_factory=lambda: ["style.safetensors"])
    is_away: bool = False
    answers: asyncio.Event = field(default_factory=asyncio.Event)  # once this is set, as it is at first
    changes: int = 0
    asked: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.answers.set()
        transport = httpx.MockTransport(self._answer)
        dependencies = WorkerDependencies(clock=self.clock, ids=SeededIds(), transport=transport)
        self.worker = Worker(SERVER, dependencies, on_capacity=lambda: None, on_availability=self._count_change)

    def _count_change(self) -> None:
        self.changes += 1

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0)  # others run meanwhile
        await self.answers.wait()
        if self.is_away:
            raise httpx.ConnectError("x") from ConnectionRefusedError()
        path = request.url.path
        self.asked[path] = self.asked.get(path, 0) + 1
        if path == "/system_stats":
            return httpx.Response(200, json={"system": {"comfyui_version": "0.3.64"}})
        if path == "/object_info":
            loader = {"input": {"required": {"lora_name": [self.names]}}}
            return httpx.Response(200, json={"LoraLoader": loader})
        return httpx.Response(200, json=["easynegative"])


@pytest.fixture
def bench(clock: VirtualClock) -> HealthBench:
    return HealthBench(clock)


async def test_a_server_is_there_once_its_lists_were_read(bench: HealthBench) -> None:
    assert not bench.worker.is_ready
    await bench.worker.health.check()
    report = report_of(bench.worker)
    assert (report.ready, report.version, bench.changes) == (True, "0.3.64", 1)
    assert report.models == {"embeddings": ("easynegative",), "loras": ("style.safetensors",)}


async def test_a_server_that_goes_down_and_comes_up_is_reported_once_each_time(bench: HealthBench) -> None:
    for is_away in (False, True, True, False, False):
        bench.is_away = is_away
        await bench.worker.health.check()
    assert bench.changes == 3


async def test_a_server_that_is_away_says_why(bench: HealthBench) -> None:
    bench.is_away = True
    await bench.worker.health.check()
    assert report_of(bench.worker).reason == "gpu:8188/system_stats: connection refused: nothing listens at this port"


@pytest.mark.parametrize(("seconds", "readings"), [(0, 1), (299, 1), (300, 2), (DAY, 2)])
async def test_lists_are_read_again_when_they_are_old(bench: HealthBench, seconds: float, readings: int) -> None:
    await bench.worker.health.check()
    bench.clock.advance(seconds)
    await bench.worker.health.check()
    assert bench.asked["/object_info"] == readings


async def test_lists_are_read_again_when_a_server_comes_back(bench: HealthBench) -> None:
    for is_away in (False, True, False):
        bench.is_away = is_away
        await bench.worker.health.check()
    assert bench.asked["/object_info"] == 2


async def test_a_missing_file_has_the_lists_read_again_however_new_they_are(bench: HealthBench) -> None:
    await bench.worker.health.check()
    await bench.worker.health.refresh()
    assert bench.asked["/object_info"] == 2


async def test_one_reading_will_do_for_all_who_miss_a_file_meanwhile(bench: HealthBench) -> None:
    """A reading that had begun before they asked does not count."""
    await bench.worker.health.check()
    await asyncio.gather(*(bench.worker.health.refresh() for _ in range(50)))
    assert bench.asked["/object_info"] == 3


async def test_a_server_that_is_away_is_not_asked_for_its_lists(bench: HealthBench) -> None:
    await bench.worker.health.refresh()
    assert bench.asked == {}


async def test_a_server_that_goes_while_its_lists_are_read_is_away(bench: HealthBench) -> None:
    await bench.worker.health.check()
    bench.clock.advance(60)
    bench.is_away = True
    await bench.worker.health.refresh()
    assert not bench.worker.is_ready


@pytest.mark.parametrize(
    ("air", "file_name", "has"),
    [
        ("urn:air:sdxl:lora:civitai:1@1234", "lora/sdxl/civitai/1/style.safetensors", True),
        ("urn:air:sdxl:LyCORIS:civitai:1@1234", "style.safetensors", True),
        ("urn:air:sdxl:lora:civitai:1@1234", "other.safetensors", False),
        ("urn:air:sdxl:checkpoint:civitai:1@1234", "style.safetensors", False),
        ("urn:air:sdxl:embedding:civitai:1@1234", "easynegative.pt", True),
        ("urn:air:sdxl:novelty:civitai:1@1234", "style.safetensors", True),
        ("civitai:1@1234", "style.safetensors", True),
    ],
)
async def test_a_server_has_a_resource_if_its_file_is_in_the_folder_of_its_type(
    bench: HealthBench, air: str, file_name: str, has: bool
) -> None:
    await bench.worker.health.check()
    assert bench.worker.health.installed_models.has(JobResource(air=Air.parse(air), file_name=file_name)) is has


@pytest.mark.parametrize(
    ("name", "has"),
    [
        ("lora/sdxl/civitai/1/2.safetensors", True),
        ("dreams_89d939e4d4.safetensors", True),
        ("dreams_89d939e4d5.safetensors", False),
    ],
)
async def test_a_server_has_a_resource_under_any_name_that_a_graph_would_find(
    bench: HealthBench, name: str, has: bool
) -> None:
    air = Air.parse("urn:air:sdxl:lora:civitai:1@2")
    bench.names.append(name)
    await bench.worker.health.check()
    assert (
        bench.worker.health.installed_models.has(
            JobResource(air=air, file_name="x.safetensors", hashes=("89d939e4d444",))
        )
        is has
    )


def test_a_server_that_was_never_reached_has_nothing(bench: HealthBench) -> None:
    resource = JobResource(air=Air.parse("urn:air:sdxl:lora:civitai:1@2"), file_name="style.safetensors")
    assert not bench.worker.health.installed_models.has(resource)


async def test_a_file_that_came_is_there_once_the_lists_were_read_again(bench: HealthBench) -> None:
    resource = JobResource(air=Air.parse("urn:air:sdxl:lora:civitai:1@2"), file_name="new.safetensors")
    await bench.worker.health.check()
    assert not bench.worker.health.installed_models.has(resource)
    bench.names.append("new.safetensors")
    bench.clock.advance(1)
    await bench.worker.health.refresh()
    assert bench.worker.health.installed_models.has(resource)


async def test_nobody_waits_for_a_server_that_hangs_and_it_is_asked_on(bench: HealthBench) -> None:
    fleet = Fleet([bench.worker])
    bench.answers.clear()
    running = asyncio.create_task(bench.worker.health.run())
    await fleet.check(SERVER.id, within=timedelta(0))
    assert not bench.worker.is_ready
    bench.answers.set()
    await until(lambda: bench.worker.is_ready)  # though the clock stands still
    running.cancel()


async def test_a_server_is_asked_at_once_when_another_process_was_told_to(bench: HealthBench) -> None:
    bench.is_away = True
    await bench.worker.health.check()
    bench.is_away = False
    running = asyncio.create_task(bench.worker.health.run())
    await settle()
    assert not bench.worker.is_ready
    Fleet([bench.worker]).recheck("another")
    await settle()
    assert not bench.worker.is_ready
    Fleet([bench.worker]).recheck(SERVER.id)
    await until(lambda: bench.worker.is_ready)
    running.cancel()
