"""Real processes that move pods with ComfyUI servers as engines, killed with kill -9 while those draw."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.scheduler.test_comfyui_processes import ComfyUIProcess, comfyuis, mock, submit, wait_until_succeeded
from tests.support.job_client import JobClient
from tests.support.process import PATIENCE_SECONDS, poll_until, start

FLEET, PODS, COSTS = "/_mock/fleet", "/_mock/fleet/pods", "/_mock/costs"
AT_ONCE = {"bootSeconds": {"min": 0.1, "max": 0.1}, "secondsPerPicture": 60}
SERVERLESS = {"name": "serverless", "kind": "serverless", "coldStartSeconds": 0}
LONG_STEPS = 100

pytestmark = [pytest.mark.slow, pytest.mark.long]


@pytest.fixture(scope="module")
def http() -> Iterator[httpx.Client]:
    with httpx.Client(timeout=PATIENCE_SECONDS) as client:
        yield client


def ask(client: JobClient, method: str, path: str, body: Any = None) -> Any:
    answer = client.http.request(method, f"{client.server.url}{path}", json=body)
    assert answer.is_success, answer.text
    return answer.json()


def set_fleet(client: JobClient, engine: ComfyUIProcess, **spot: Any) -> None:
    provider = {"name": "spot", "kind": "spot", "engines": [engine.url], **AT_ONCE, **spot}
    ask(client, "PUT", FLEET, {"providers": [provider, SERVERLESS], "policy": [{"use": "spot"}]})


def costs(client: JobClient) -> dict[str, Any]:
    return {each["name"]: each for each in ask(client, "GET", COSTS)["providers"]}


def test_a_prompt_of_a_pod_goes_on_when_the_mock_is_killed_and_is_billed_once(
    http: httpx.Client, tmp_path: Path
) -> None:
    with comfyuis(http, tmp_path, 2) as (engine, other), ExitStack() as lives:
        client = lives.enter_context(mock(http, tmp_path, [engine, other], ADMIN="open"))
        set_fleet(client, engine)
        first, second = submit(client, steps=LONG_STEPS)[0], submit(client)[0]
        poll_until(engine.runs_something)
        client.server.kill()
        client = lives.enter_context(mock(http, tmp_path, [engine, other], ADMIN="open"))
        for job_id in (first, second):
            last = wait_until_succeeded(client, job_id)["lastEvent"]
            assert (last["provider"], last["workerId"], last["retryAttempt"]) == ("spot", "spot-1", 0)
        assert [(facts["started"], facts["outcomes"]) for facts in engine.prompts().values()] == [(1, ["success"])] * 2
        assert other.prompts() == {}
        poll_until(lambda: costs(client)["spot"]["pictures"] == 2)
        assert costs(client)["serverless"]["pictures"] == 0
        (pod,) = ask(client, "GET", PODS)["items"]
        assert pod["podId"] == "spot-1"


def test_a_pod_that_was_taken_while_no_mock_lived_leaves_no_prompt_on_its_engine(
    http: httpx.Client, tmp_path: Path
) -> None:
    with comfyuis(http, tmp_path, 2) as (engine, other), ExitStack() as lives:
        client = lives.enter_context(mock(http, tmp_path, [engine, other], ADMIN="open"))
        http.post(f"{engine.url}/standin/faults", json={"stuck": True}).raise_for_status()
        set_fleet(client, engine, preemption={"atSeconds": 3}, warningSeconds=0)
        (job_id,) = submit(client, steps=LONG_STEPS)
        poll_until(lambda: any(facts["accepted"] for facts in engine.prompts().values()))
        client.server.kill()
        http.delete(f"{engine.url}/standin/faults").raise_for_status()
        client = lives.enter_context(mock(http, tmp_path, [engine, other], ADMIN="open"))
        last = wait_until_succeeded(client, job_id)["lastEvent"]
        assert (last["provider"], last["retryAttempt"]) == ("serverless", 1)
        poll_until(lambda: [facts["outcomes"] for facts in engine.prompts().values()] == [["interrupted"]])
        assert [facts["outcomes"] for facts in other.prompts().values()] == [["success"]]
        assert (costs(client)["spot"]["pictures"], costs(client)["serverless"]["pictures"]) == (0, 1)


def test_another_scheduler_goes_on_with_the_pod_when_the_one_that_moves_it_is_killed(
    http: httpx.Client, tmp_path: Path
) -> None:
    with comfyuis(http, tmp_path) as (engine,), mock(http, tmp_path, [engine], "api", ADMIN="open") as client:
        environment = {"COMFY_HTTP_URL": engine.url, "SCHEDULER_POLL_MS": "20", "SCHEDULER_LEASE_MS": "1000"}
        command = ("-m", "civitai_mock", "scheduler")
        set_fleet(client, engine)
        with ExitStack() as schedulers:
            leader = start(tmp_path, environment, command=command)
            schedulers.callback(leader.kill)
            (job_id,) = submit(client, steps=LONG_STEPS)
            poll_until(engine.runs_something)
            heir = start(tmp_path, environment, command=command)
            schedulers.callback(heir.kill)
            leader.kill()
            leader.wait(PATIENCE_SECONDS)
            last = wait_until_succeeded(client, job_id)["lastEvent"]
            assert (last["provider"], last["workerId"], last["retryAttempt"]) == ("spot", "spot-1", 0)
            (facts,) = engine.prompts().values()
            assert (facts["accepted"], facts["started"], facts["outcomes"]) == (1, 1, ["success"])
            poll_until(lambda: costs(client)["spot"]["pictures"] == 1)
            heir.terminate()
            assert heir.wait(PATIENCE_SECONDS) == 0
