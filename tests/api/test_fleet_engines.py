"""Pods whose jobs a ComfyUI server runs, as an app and its tests see them: over HTTP, and in real time."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest

from civitai_mock.comfyui_standin.options import Durations, ModelNames, StandinOptions
from civitai_mock.comfyui_standin.state.prompt_stats import PromptFacts
from civitai_mock.domain.fleet import pod_life
from tests.support.deployment import LAYOUTS, deployed
from tests.support.provider_openers import draw_simulated
from tests.support.served_app import CHECKPOINT, JOBS, PATIENCE_SECONDS, serve_all
from tests.support.standin import RunningStandin, running_standin
from tests.support.standin_session import text_to_image

FLEET, PODS, COSTS = "/_mock/fleet", "/_mock/fleet/pods", "/_mock/costs"
FILES: ModelNames = {"checkpoints": ["sdxl/civitai/101055/128078.safetensors", "sd15.safetensors"]}
STEP = 0.05  # seconds
SLOW = StandinOptions(durations=Durations(step=STEP))  # it can be interrupted between steps
LONG, SHORT = 120, 2  # steps
LOOK_SECONDS = 0.02
SEEDS = count(1)
AT_ONCE = {"bootSeconds": {"min": 0.1, "max": 0.1}}
SERVERLESS = {"name": "serverless", "kind": "serverless", "coldStartSeconds": 0}


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Has a mock with two servers: `engine` is slow, and that of the pod, `other` is quick, and nobody's."""

    client: httpx.AsyncClient
    engine: RunningStandin
    other: RunningStandin

    async def ask(self, method: str, path: str, body: Any = None, *, status: int = 200) -> Any:
        answer = await self.client.request(method, path, json={} if body is None else body)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    async def set_fleet(self, **spot: Any) -> Any:
        provider = {"name": "spot", "kind": "spot", "engines": [self.engine.url], "secondsPerPicture": 60, **AT_ONCE}
        policy = [{"use": "spot"}]
        return await self.ask("PUT", FLEET, {"providers": [provider | spot, SERVERLESS], "policy": policy})

    async def submit(self, *, steps: int = SHORT, quantity: int = 1, providers: Sequence[str] = ()) -> str:
        params = {"prompt": "a fox", "width": 64, "height": 64, "steps": steps, "seed": next(SEEDS)}
        job = {"$type": "textToImage", "model": CHECKPOINT, "params": params, "quantity": quantity}
        job |= {"providers": list(providers)} if providers else {}
        return str((await self.ask("POST", JOBS, job, status=202))["jobId"])

    async def job(self, job_id: str) -> Any:
        return await self.ask("GET", f"{JOBS}/{job_id}?detailed=true")

    async def events(self, job_id: str) -> Any:
        return await self.ask("GET", f"/v1/producer/jobs/{job_id}/events")

    async def succeeded(self, job_id: str) -> Any:
        """Return the last event of a job once it has ended, which has to be a success with all of its images."""

        async def ended() -> Any:
            found = await self.job(job_id)
            return found if found["lastEvent"]["type"] in {"Succeeded", "Failed", "Deleted", "Expired"} else None

        found = await until(ended)
        assert found["lastEvent"]["type"] == "Succeeded", found["lastEvent"]
        for result in found["result"]:
            assert (await self.client.get(result["blobUrl"])).content.startswith(b"\x89PNG")
        return found["lastEvent"]

    async def pods(self) -> Any:
        return (await self.ask("GET", PODS))["items"]

    async def pod_in(self, state: str, pod_id: str = "spot-1") -> Any:
        """Return a pod once it is in a state."""

        async def found() -> Any:
            return next((pod for pod in await self.pods() if (pod["podId"], pod["state"]) == (pod_id, state)), None)

        return await until(found)

    async def costs_with(self, pictures: int) -> Any:
        """Return what each provider has cost once so many pictures are told: the fleet counts them at its next turn."""

        async def told() -> Any:
            providers = (await self.ask("GET", COSTS))["providers"]
            return providers if sum(each["pictures"] for each in providers) == pictures else None

        return await until(told)

    async def runs_on_engine(self) -> None:
        await until_true(lambda: self.engine.server.life.queue.running is not None)


async def until(find: Any) -> Any:
    """Return what is found, once it is."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not (found := await find()):  # noqa: ASYNC110 - whatever is answered counts
            await asyncio.sleep(LOOK_SECONDS)
    return found


async def until_true(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():  # noqa: ASYNC110 - the server says nothing of it
            await asyncio.sleep(LOOK_SECONDS)


def facts(standin: RunningStandin) -> Sequence[PromptFacts]:
    return list(standin.server.state.stats.prompts.values())


def outcomes(standin: RunningStandin) -> Sequence[Sequence[str]]:
    return [found.outcomes for found in facts(standin)]


@asynccontextmanager
async def standins() -> AsyncIterator[tuple[RunningStandin, RunningStandin]]:
    async with (
        running_standin(models=FILES, draw=draw_simulated, options=SLOW) as engine,
        running_standin(models=FILES, draw=draw_simulated) as other,
    ):
        yield engine, other


def settings_for(*servers: RunningStandin) -> dict[str, Any]:
    urls = ",".join(server.url for server in servers)
    return {"comfy_http_url": urls, "missing_resources": "lenient", "scheduler_poll_ms": 20}


@asynccontextmanager
async def open_world(**settings: Any) -> AsyncIterator[World]:
    async with standins() as (engine, other), serve_all(**settings_for(engine, other), **settings) as opened:
        yield World(client=opened.client, engine=engine, other=other)


@pytest.mark.parametrize("layout", LAYOUTS)
async def test_what_a_pod_claims_runs_on_its_engine_and_takes_as_long_as_it_does(layout: str, tmp_path: Path) -> None:
    async with standins() as (engine, other):
        servers = f"{other.url},{engine.url}"
        async with deployed(layout, tmp_path, comfy_http_url=servers) as deployment:
            world = World(client=deployment.client, engine=engine, other=other)
            await world.set_fleet()
            for job_id in [await world.submit(quantity=2) for _ in range(3)]:
                event = await world.succeeded(job_id)
                assert (event["provider"], event["workerId"]) == ("spot", "spot-1")
                assert event["context"]["worker"] == f"127.0.0.1:{engine.port}"
            assert (outcomes(engine), outcomes(other)) == ([["success"]] * 3, [])
            assert (await world.pod_in("IDLE"))["engine"] == f"127.0.0.1:{engine.port}"
            (spot, _) = await world.costs_with(6)
            assert (spot["pictures"], spot["perPicture"]) == (6, 9_000)
            assert 3 * SHORT * STEP <= spot["busySeconds"] < 60  # and not the 60 s of each picture that are planned


async def test_who_has_no_engine_leaves_those_of_pods_alone() -> None:
    async with standins() as (engine, other), serve_all(**settings_for(engine, other)) as opened:
        world = World(client=opened.client, engine=engine, other=other)
        await until_true(lambda: all(worker.ready for worker in opened.namespace.provider.workers))
        await world.set_fleet()
        for job_id in [await world.submit(providers=["serverless"]) for _ in range(3)]:
            assert (await world.succeeded(job_id))["context"]["worker"] == f"127.0.0.1:{other.port}"
        (_, serverless) = await world.costs_with(3)
        assert (serverless["pictures"], serverless["billed"]) == (3, 9_000)


async def test_the_progress_of_a_job_on_a_pod_is_that_of_its_prompt() -> None:
    async with open_world(progress_interval_ms=10) as world:
        await world.set_fleet()
        job_id = await world.submit(steps=20)
        await world.succeeded(job_id)
        steps = [event["context"].get("step") for event in await world.events(job_id) if event["type"] == "Updated"]
        assert any(steps), steps


@pytest.mark.parametrize(("warning", "kind", "attempt"), [(30, "LateRejected", 0), (0, "ClaimExpired", 1)])
@pytest.mark.parametrize("has_other", [True, False])
async def test_a_preemption_interrupts_the_prompt_and_serverless_draws_the_picture(
    warning: float, kind: str, attempt: int, *, has_other: bool
) -> None:
    """Where all servers are engines the reserve uses those, too; with a seed the job draws the same ids each time."""
    async with standins() as (engine, other):
        servers = (engine, other) if has_other else (engine,)
        async with serve_all(**settings_for(*servers)) as opened:
            world = World(client=opened.client, engine=engine, other=other)
            await world.ask("PUT", "/_mock/namespaces/default", {"seed": 7})
            await world.set_fleet()
            job_id = await world.submit(steps=LONG)
            await world.runs_on_engine()
            await world.ask("POST", f"{PODS}/spot-1/preempt", {"warningSeconds": warning})
            last = await world.succeeded(job_id)
            assert (last["provider"], last["retryAttempt"]) == ("serverless", attempt)
            ended = next(event for event in await world.events(job_id) if event["type"] == kind)
            assert (ended["provider"], ended["workerId"]) == ("spot", "spot-1")
            if warning:
                assert ended["context"] == {"reason": "preempted"}
            assert outcomes(engine) == [["interrupted"], *([] if has_other else [["success"]])]
            assert outcomes(other) == ([["success"]] if has_other else [])
            assert [each["pictures"] for each in await world.costs_with(1)] == [0, 1]


async def test_the_preset_preempted_takes_the_pod_of_a_real_prompt_away_once() -> None:
    async with open_world() as world:
        await world.set_fleet()
        await world.ask("POST", "/_mock/faults", {"preset": "preempted", "times": 1}, status=201)
        job_id = await world.submit(steps=LONG)
        last = await world.succeeded(job_id)
        assert (last["provider"], last["retryAttempt"]) == ("serverless", 0)
        types = [event["type"] for event in await world.events(job_id)]
        assert types.count("LateRejected") == 1
        assert {end for ends in outcomes(world.engine) for end in ends} <= {
            "interrupted"
        }  # or it was deleted before it began
        assert [pod["status"] for pod in await world.pods()] == ["preemption_warning"]


@pytest.mark.parametrize("is_first", [True, False])
async def test_a_preemption_leaves_the_prompts_of_others_alone(*, is_first: bool) -> None:
    async with open_world() as world, httpx.AsyncClient(base_url=world.engine.url) as stranger:
        await world.set_fleet()
        await world.ask("POST", PODS, status=201)
        await world.pod_in("READY")
        theirs = {"prompt": text_to_image(steps=LONG if is_first else SHORT)}
        if is_first:
            assert (await stranger.post("/prompt", json=theirs)).is_success
        job_id = await world.submit(steps=LONG)
        await until_true(lambda: len(facts(world.engine)) == 1 + is_first)
        if not is_first:
            await world.runs_on_engine()
            assert (await stranger.post("/prompt", json=theirs)).is_success
        await world.ask("POST", f"{PODS}/spot-1/preempt", {"warningSeconds": 30})
        await world.succeeded(job_id)
        await until_true(lambda: ["success"] in outcomes(world.engine))
        ours = [] if is_first else [["interrupted"]]
        assert [found for found in outcomes(world.engine) if found] == [*ours, ["success"]]


async def test_a_warned_job_that_was_thought_to_end_in_time_and_does_not_uses_no_retry() -> None:
    async with open_world() as world:
        await world.set_fleet(secondsPerPicture=0.1)
        job_id = await world.submit(steps=LONG)
        await world.runs_on_engine()
        warned = await world.ask("POST", f"{PODS}/spot-1/preempt", {"warningSeconds": 1})
        assert warned["state"] == "FALLBACK"  # as nothing has to be handed over
        last = await world.succeeded(job_id)
        assert (last["provider"], last["retryAttempt"]) == ("serverless", 0)
        ended = next(event for event in await world.events(job_id) if event["type"] == "LateRejected")
        assert ended["context"] == {"reason": "preempted"}
        assert outcomes(world.engine) == [["interrupted"]]


async def test_what_a_picture_took_says_whether_the_next_one_ends_in_time() -> None:
    """The document says a minute, and the first picture says how long it really takes."""
    async with open_world() as world:
        await world.set_fleet()
        await world.succeeded(await world.submit())
        job_id = await world.submit(steps=20)
        await world.runs_on_engine()
        await world.ask("POST", f"{PODS}/spot-1/preempt", {"warningSeconds": 30})
        assert (await world.succeeded(job_id))["provider"] == "spot"
        assert outcomes(world.engine) == [["success"]] * 2


@asynccontextmanager
async def open_without_engine() -> AsyncIterator[World]:
    async with standins() as (engine, other):
        engine.go_down()
        async with serve_all(**settings_for(engine, other)) as opened:
            yield World(client=opened.client, engine=engine, other=other)


async def test_a_pod_boots_once_its_engine_is_there() -> None:
    async with open_without_engine() as world:
        await world.set_fleet()
        job_id = await world.submit()
        pod = await until(lambda: _late_pod(world))
        assert pod["state"] == "BOOTING"
        await world.engine.come_back()
        assert (await world.succeeded(job_id))["provider"] == "spot"


async def _late_pod(world: World) -> Any:
    return next((pod for pod in await world.pods() if pod["text"] == "starting, later than planned"), None)


async def test_a_pod_whose_engine_does_not_come_is_given_up_and_its_batch_falls_back() -> None:
    async with open_without_engine() as world:
        await world.set_fleet(bootTimeoutSeconds=1)
        job_id = await world.submit()
        last = await world.succeeded(job_id)
        assert (last["provider"], last["retryAttempt"]) == ("serverless", 0)
        claimed = next(event for event in await world.events(job_id) if event["type"] == "Claimed")
        assert claimed["context"]["fleet_reason"] == "boot_timeout"
        pod = await world.pod_in("SHUTDOWN")
        assert "bootedAt" not in pod
        (spot, _) = await world.costs_with(1)
        assert 1 <= spot["bootSeconds"] < 5
        assert spot["billed"] > 0


async def test_a_pod_whose_engine_dies_is_gone_without_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pod_life, "PATIENCE", timedelta(seconds=0.5))
    async with open_world() as world:
        await world.set_fleet()
        job_id = await world.submit(steps=LONG)
        await world.runs_on_engine()
        world.engine.go_down()
        last = await world.succeeded(job_id)
        assert (last["provider"], last["retryAttempt"]) == ("serverless", 1)
        events = await world.events(job_id)
        assert [event["context"].get("fleet_reason") for event in events if event["type"] == "Claimed"] == [
            "default",
            "engine_lost",
        ]
        await world.pod_in("SHUTDOWN")


async def test_a_pod_whose_engine_is_drained_ends_what_it_has_and_the_rest_falls_back() -> None:
    async with open_world() as world:
        await world.set_fleet()
        first = await world.submit(steps=20)
        await world.runs_on_engine()
        second = await world.submit()
        await world.ask("POST", f"/_mock/workers/127.0.0.1:{world.engine.port}/drain")
        assert (await world.succeeded(first))["workerId"] == "spot-1"
        assert (await world.succeeded(second))["provider"] == "serverless"
        claims = [event["context"] for event in await world.events(second) if event["type"] == "Claimed"]
        assert [context["fleet_reason"] for context in claims] == ["engine_drained"]
        await world.pod_in("SHUTDOWN")


async def test_an_engine_that_is_away_for_a_moment_costs_no_pod() -> None:
    async with standins() as (engine, other), serve_all(**settings_for(engine, other)) as opened:
        world = World(client=opened.client, engine=engine, other=other)
        await world.set_fleet()
        await world.succeeded(await world.submit())
        engine.go_down()
        await until_true(lambda: not all(worker.answers for worker in opened.namespace.provider.workers))
        job_id = await world.submit()
        await engine.come_back()
        assert (await world.succeeded(job_id))["workerId"] == "spot-1"


@pytest.mark.parametrize(
    ("spot", "path", "message"),
    [
        ({"engines": ["http://127.0.0.1:1"]}, "providers[0].engines[0]", "Did you mean '127.0.0.1:"),
        ({"engines": []}, "providers[0].engines", "at least one"),
        ({"engines": [7]}, "providers[0].engines", "a list of"),
        ({"engine": "x"}, "providers[0].engine", "Did you mean 'engines'?"),
        ({"maxPods": 2}, "providers[0].maxPods", "at most the number of engines, 1; found 2"),
        ({"kind": "serverless"}, "providers[0].engines", "for kind spot alone"),
    ],
)
async def test_a_wrong_engine_is_refused_with_its_path(spot: dict[str, Any], path: str, message: str) -> None:
    async with open_world() as world:
        document = {"name": "spot", "kind": "spot", "engines": [world.engine.url]} | spot
        errors = (await world.ask("PUT", FLEET, {"providers": [document]}, status=400))["errors"]
        assert message in errors[path][0]


async def test_each_pod_has_an_engine_of_its_own() -> None:
    async with open_world() as world:
        told = await world.set_fleet(engines=[f"{world.engine.url}/", f"127.0.0.1:{world.other.port}"])
        names = [f"127.0.0.1:{server.port}" for server in (world.engine, world.other)]
        assert (told["providers"][0]["engines"], told["providers"][0]["maxPods"]) == (names, 2)
        assert await world.ask("PUT", FLEET, told) == told
        made = [await world.ask("POST", PODS, status=201) for _ in names]
        assert [pod["engine"] for pod in made] == names
        twice = {"providers": [{"name": name, "kind": "spot", "engines": names[:1]} for name in ("a", "b")]}
        errors = (await world.ask("PUT", FLEET, twice, status=400))["errors"]
        assert "engine of another pod" in errors["providers[1].engines[0]"][0]


async def test_without_servers_no_engine_can_be_named() -> None:
    async with serve_all() as opened:
        document = {"providers": [{"name": "spot", "kind": "spot", "engines": ["127.0.0.1:8188"]}]}
        answer = await opened.client.put(FLEET, json=document)
        assert answer.status_code == 400
        assert "COMFY_HTTP_URL" in answer.json()["errors"]["providers[0].engines[0]"][0]


async def test_a_user_and_a_password_in_the_address_of_a_server_are_not_told() -> None:
    async with running_standin(models=FILES, draw=draw_simulated) as engine:
        address = f"http://user:hidden@127.0.0.1:{engine.port}"
        async with serve_all(comfy_http_url=address) as opened:
            document = {"providers": [{"name": "spot", "kind": "spot", "engines": [engine.url]}]}
            answer = await opened.client.put(FLEET, json=document)
            assert answer.json()["providers"][0]["engines"] == [f"127.0.0.1:{engine.port}"]


async def test_a_file_of_the_setting_may_name_engines(tmp_path: Path) -> None:
    async with running_standin(models=FILES, draw=draw_simulated) as engine:
        document = tmp_path / "fleet.yaml"
        document.write_text(f"providers:\n- {{name: spot, kind: spot, engines: ['{engine.url}']}}\n")
        async with serve_all(comfy_http_url=engine.url, fleet=str(document)) as opened:
            found = (await opened.client.get(FLEET)).json()
            assert found["providers"][0]["engines"] == [f"127.0.0.1:{engine.port}"]


async def test_where_the_engines_of_a_snapshot_are_not_its_pods_do_not_boot() -> None:
    async with open_world() as world, serve_all() as elsewhere:
        told = await world.set_fleet()
        saved = (await world.client.get("/_mock/namespaces/default/snapshot")).content
        zipped = {"Content-Type": "application/zip"}
        answer = await elsewhere.client.put("/_mock/namespaces/default/snapshot", content=saved, headers=zipped)
        assert answer.is_success, answer.text
        there = World(client=elsewhere.client, engine=world.engine, other=world.other)
        assert await there.ask("GET", FLEET) == told
        assert (await there.ask("POST", PODS, status=201))["engine"] == told["providers"][0]["engines"][0]
        assert (await until(lambda: _late_pod(there)))["state"] == "BOOTING"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "/_mock/clock", {"mode": "frozen"}),
        ("PUT", "/_mock/clock", {"mode": "scaled", "rate": 2}),
        ("POST", "/_mock/clock/advance", {"by": "1h"}),
        ("PUT", "/_mock/progress", {"mode": "manual"}),
    ],
)
async def test_the_time_of_real_engines_cannot_be_moved(method: str, path: str, body: Any) -> None:
    async with open_world() as world:
        await world.set_fleet()
        await world.ask(method, path, body, status=409)
