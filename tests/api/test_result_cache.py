"""The same prompt has the same result with RESULT_CACHE=on: what was made before is given out again, for nothing."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from civitai_mock.comfyui_standin.options import ModelNames
from tests.support.event_loop import until_found
from tests.support.provider_openers import draw_simulated
from tests.support.served_app import JOBS, LORA, PATIENCE_SECONDS, Opened, serve_all, template
from tests.support.standin import running_standin
from tests.support.v2_workflows import WorkflowClient, image

OTHER_MODEL = "urn:air:sdxl:checkpoint:civitai:133005@1759168"
FILES: ModelNames = {"checkpoints": ["sdxl/civitai/101055/128078.safetensors"]}
SIZE = {"width": 64, "height": 64}


@pytest.fixture
async def opened() -> AsyncIterator[Opened]:
    async with serve_all(result_cache="on", missing_resources="lenient") as running:
        yield running


def asked(changes: dict[str, Any] | None = None, **params: Any) -> dict[str, Any]:
    """Return a request for a small image of seed 7; a parameter of None is left out."""
    made = template(**changes or {})
    made["params"] = {name: value for name, value in (made["params"] | SIZE | params).items() if value is not None}
    return made


def is_cached(status: Any) -> bool:
    return "cached" in status["lastEvent"]["context"]


async def contents(opened: Opened, status: Any) -> Sequence[bytes]:
    answers = [await opened.client.get(result["blobUrl"]) for result in status["result"]]
    assert [answer.status_code for answer in answers] == [200] * len(answers)
    return [answer.content for answer in answers]


async def test_an_equal_request_has_the_same_images_for_nothing(opened: Opened) -> None:
    first, second = [await opened.run(asked({"quantity": 2})) for _ in range(2)]
    assert (is_cached(first), is_cached(second)) == (False, True)
    assert (first["cost"] > 0, second["cost"]) == (True, 0)
    assert await contents(opened, first) == await contents(opened, second)
    assert {result["blobKey"] for result in first["result"]}.isdisjoint(r["blobKey"] for r in second["result"])
    assert [result["seed"] for result in second["result"]] == [7, 7]


@pytest.mark.parametrize(
    ("before", "after", "hits"),
    [
        ({}, {}, True),
        ({}, {"prompt": "a wolf"}, False),
        ({}, {"width": 128}, False),
        ({}, {"steps": 21}, False),
        ({}, {"negativePrompt": "fog"}, False),
        ({}, {"seed": 8}, False),
        ({}, {"seed": None}, True),
        ({"seed": None}, {"seed": None}, True),
        ({"seed": None}, {"seed": -1}, True),
        ({"seed": None}, {"seed": 7}, False),
    ],
)
async def test_a_request_is_equal_if_it_asks_for_the_same_and_a_random_seed_equals_any(
    opened: Opened, before: dict[str, Any], after: dict[str, Any], hits: bool
) -> None:
    first = await opened.run(asked(**before))
    second = await opened.run(asked(**after))
    assert is_cached(second) is hits
    assert (await contents(opened, first) == await contents(opened, second)) is hits


@pytest.mark.parametrize(
    "changes", [{"model": OTHER_MODEL}, {"quantity": 2}, {"additionalNetworks": {LORA: {"strength": 1}}}]
)
async def test_another_model_number_or_network_misses(opened: Opened, changes: dict[str, Any]) -> None:
    await opened.run(asked())
    assert not is_cached(await opened.run(asked(changes)))


async def test_the_seed_that_was_drawn_is_found_again(opened: Opened) -> None:
    first = await opened.run(asked(seed=None))
    seed = first["result"][0]["seed"]
    again = await opened.run(asked(seed=seed))
    assert is_cached(again)
    assert await contents(opened, again) == await contents(opened, first)


async def test_another_namespace_misses(opened: Opened) -> None:
    await opened.run(asked())
    answer = await opened.client.post(f"/ns/other{JOBS}?wait=true", json=asked())
    job = (await opened.client.get(f"/ns/other{JOBS}/{answer.json()['jobId']}")).json()
    assert job["lastEvent"]["type"] == "Succeeded"
    assert not is_cached(job)


async def test_deleted_images_are_made_again(opened: Opened) -> None:
    first = await opened.run(asked())
    await opened.stores.blobs.delete(first["result"][0]["blobKey"])
    second = await opened.run(asked())
    assert not is_cached(second)
    third = await opened.run(asked())
    assert is_cached(third)
    assert await contents(opened, third) == await contents(opened, second)


async def test_images_stay_when_those_that_they_were_copied_from_are_deleted(opened: Opened) -> None:
    first, second = [await opened.run(asked()) for _ in range(2)]
    expected = await contents(opened, second)
    await opened.client.delete(f"{JOBS}/{first['jobId']}")
    await opened.stores.blobs.delete(first["result"][0]["blobKey"])
    assert await contents(opened, second) == expected


async def test_fifty_equal_requests_at_once_make_one_image(opened: Opened) -> None:
    async def run() -> Any:
        answer = await opened.client.post(f"{JOBS}?wait=true", json=asked(seed=None))
        job_id = answer.json()["jobId"]
        await opened.wait_until_ended(job_id)
        return (await opened.client.get(f"{JOBS}/{job_id}")).json()

    jobs = await asyncio.gather(*[run() for _ in range(50)])
    assert sorted([is_cached(job) for job in jobs]) == [False] + [True] * 49
    assert len({b"".join(await contents(opened, job)) for job in jobs}) == 1
    assert [job["cost"] for job in jobs].count(0) == 49


async def test_who_waits_for_an_equal_job_takes_its_place_when_that_is_canceled() -> None:
    async with serve_all(result_cache="on", simulation_prompt_ms=3_000_000) as opened:
        first = (await opened.client.post(JOBS, json=asked())).json()["jobId"]
        await until_stage(opened, first, "SENT_TO_COMFY")
        second = (await opened.client.post(JOBS, json=asked())).json()["jobId"]
        await until_stage(opened, second, "CLAIMED")
        await opened.client.delete(f"{JOBS}/{first}")
        await until_stage(opened, second, "SENT_TO_COMFY")


async def until_stage(opened: Opened, job_id: str, stage: str) -> None:
    async def in_stage() -> bool:
        return (await opened.use_cases.query.by_id(job_id)).stage == stage

    async with asyncio.timeout(PATIENCE_SECONDS):
        await until_found(in_stage)


async def test_time_that_is_moved_does_not_wait_for_who_waits() -> None:
    async with serve_all(result_cache="on", simulation_prompt_ms=60_000) as opened:
        await opened.client.put("/_mock/clock", json={"mode": "frozen", "now": "2031-01-31T12:00:00Z"})
        jobs = [(await opened.client.post(JOBS, json=asked())).json()["jobId"] for _ in range(5)]
        advanced = await opened.client.post("/_mock/clock/advance", json={"by": "5m"})
        assert advanced.status_code == 200, advanced.text
        ended = [(await opened.client.get(f"{JOBS}/{job}")).json() for job in jobs]
        assert {job["lastEvent"]["type"] for job in ended} == {"Succeeded"}
        assert [is_cached(job) for job in ended].count(False) == 1
        assert len({job["lastEvent"]["dateTime"] for job in ended}) == 1


async def test_a_fault_is_not_given_out_again(opened: Opened) -> None:
    await opened.run(asked())
    failed = await opened.run(asked(), headers={"x-mock-fault": "node-crash"})
    assert failed["lastEvent"]["type"] == "Failed"
    assert is_cached(await opened.run(asked()))


async def test_a_workflow_gets_back_what_it_paid_for_images_that_were_there(opened: Opened) -> None:
    client = WorkflowClient(opened.client)
    step = image(seed=7, quantity=2, **SIZE)
    first, second = [await client.until_over((await client.submit(step))["id"]) for _ in range(2)]
    urls = [[made["url"] for made in workflow["steps"][0]["output"]["images"]] for workflow in (first, second)]
    made = [[(await opened.client.get(url, follow_redirects=True)).content for url in row] for row in urls]
    assert made[0] == made[1]
    assert len(set(made[0])) == 2
    assert first["cost"]["total"] > 0
    assert second["cost"]["total"] == 0
    kinds = [transaction["type"] for transaction in second["transactions"]["list"]]
    assert kinds == ["debit", "credit"]


async def test_images_of_one_workflow_differ_though_it_draws_their_seeds(opened: Opened) -> None:
    client = WorkflowClient(opened.client)
    workflow = await client.until_over((await client.submit(image(quantity=3, **SIZE)))["id"])
    urls = [made["url"] for made in workflow["steps"][0]["output"]["images"]]
    assert len({(await opened.client.get(url, follow_redirects=True)).content for url in urls}) == 3


async def test_without_the_setting_each_request_makes_its_own() -> None:
    async with serve_all() as opened:
        jobs = [await opened.run(asked()) for _ in range(2)]
        assert not any(is_cached(job) for job in jobs)
        assert {(await opened.use_cases.query.by_id(job["jobId"])).result_key for job in jobs} == {None}


async def test_a_workflow_pays_for_the_images_that_were_not_there(opened: Opened) -> None:
    client = WorkflowClient(opened.client)
    two, four = [image(seed=7, quantity=quantity, width=512, height=512) for quantity in (2, 4)]
    await client.until_over((await client.submit(two))["id"])
    workflow = await client.until_over((await client.submit(four))["id"])
    paid, back = workflow["transactions"]["list"]
    assert (paid["type"], back["type"]) == ("debit", "credit")
    assert back["amount"] == paid["amount"] // 2
    assert workflow["cost"]["total"] == paid["amount"] - back["amount"]
    assert "lostBlobsRefund" not in workflow


async def test_results_are_found_after_a_restart(tmp_path: Path) -> None:
    async def run() -> tuple[bool, Sequence[bytes]]:
        async with serve_all(result_cache="on", mongodb_uri=None, data_dir=tmp_path) as opened:
            job = await opened.run(asked(seed=None))
            return is_cached(job), await contents(opened, job)

    first, second = [await run() for _ in range(2)]
    assert (first[0], second[0]) == (False, True)
    assert first[1] == second[1]


async def test_a_server_of_comfyui_is_asked_once() -> None:
    async with (
        running_standin(models=FILES, draw=draw_simulated) as standin,
        serve_all(result_cache="on", comfy_http_url=standin.url, missing_resources="lenient") as opened,
        httpx.AsyncClient(base_url=standin.url) as comfyui,
    ):
        jobs = [await opened.run(asked(steps=2)) for _ in range(3)]
        assert [is_cached(job) for job in jobs] == [False, True, True]
        assert len({(await contents(opened, job))[0] for job in jobs}) == 1
        assert len((await comfyui.get("/history")).json()) == 1


async def test_results_of_a_consumer_are_found_by_others_who_own_their_copies() -> None:
    async with serve_all(result_cache="on", auth="tokens", auth_tokens="one,two") as opened:
        first, second = [
            await opened.run(asked(), headers={"authorization": f"Bearer {token}"}) for token in ("one", "two")
        ]
        assert is_cached(second)
        key = second["result"][0]["blobKey"]
        assert first["result"][0]["blobKey"] != key
        blob = await opened.stores.blobs.stat(key)
        assert blob is not None
        assert blob.owner == (await opened.use_cases.query.by_id(second["jobId"])).issued_by
