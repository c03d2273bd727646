"""A job's events and assets, and the shapes of its result."""

from dataclasses import replace
from typing import Any

import httpx
import pytest

from civitai_mock.domain.stages import Outcome, Stage
from tests.support.jobs import LEASE, prepared
from tests.support.served_app import IMAGE, JOBS, Served, serve


async def _end(served: Served, *, names: tuple[str | None, ...] = (), result: Any = None) -> str:
    """Let the one queued job succeed with files of these names."""
    claimed = await served.claim()
    sent = prepared(claimed, at=served.clock.now()).entered(
        Stage.SENT_TO_COMFY, at=served.clock.now(), until=served.clock.now() + LEASE, context={}, prompt_id="p"
    )
    (slot,) = sent.slots
    slots = [
        replace(slot, blob_key=f"{slot.blob_key[:-1]}{index}", name=name, available=True)
        for index, name in enumerate(names)
    ]
    for made in slots:
        await served.store_blob(made.blob_key)
    now = served.clock.now()
    ended = sent.ended(Outcome.SUCCEEDED, at=now, context={}, slots=slots or None, result=result)
    assert await served.stores.jobs.replace(claimed, ended)
    return claimed.id


@pytest.mark.parametrize("name", ["model.safetensors", "samples/1 a.png"])
async def test_an_asset_is_served_by_its_name_whole_and_in_ranges(served: Served, name: str) -> None:
    await served.submit()
    url = f"{JOBS}/{await _end(served, names=(None, name))}/assets/{name}"
    whole = await served.client.get(url)
    assert (whole.status_code, whole.content, whole.headers["content-type"]) == (200, IMAGE, "image/png")
    part = await served.client.get(url, headers={"range": "bytes=1-3"})
    assert (part.status_code, part.content) == (206, IMAGE[1:4])
    again = await served.client.get(url, headers={"if-none-match": whole.headers["etag"]})
    assert again.status_code == 304
    head = await served.client.head(url)
    assert (head.headers["content-length"], head.content) == (str(len(IMAGE)), b"")


@pytest.mark.parametrize("name", ["other", "None", "../x", "%2e%2e"])
async def test_an_asset_that_the_job_does_not_have_is_a_404(served: Served, name: str) -> None:
    await served.submit()
    job_id = await _end(served, names=("model",))
    assert (await served.client.get(f"{JOBS}/{job_id}/assets/{name}")).status_code == 404


@pytest.mark.parametrize(
    ("query", "types"),
    [
        ("", ["Initialized", "Claimed", "Deleted"]),
        ("?descending=true", ["Deleted", "Claimed", "Initialized"]),
        ("?take=2", ["Initialized", "Claimed"]),
        ("?take=1&descending=true", ["Deleted"]),
    ],
)
async def test_events_are_listed_in_the_order_asked_for(served: Served, query: str, types: list[str]) -> None:
    job_id = await served.submit_one()
    await served.enter(await served.claim(), {})
    await served.client.delete(f"{JOBS}/{job_id}")
    answer = await served.client.get(f"/v1/producer/jobs/{job_id}/events{query}")
    assert [event["type"] for event in answer.json()] == types


@pytest.mark.parametrize("query", ["take=0", "take=1001", "take=1.5", "descending=maybe"])
async def test_events_with_a_wrong_parameter_are_a_400(client: httpx.AsyncClient, query: str) -> None:
    answer = await client.get(f"/v1/producer/jobs/x/events?{query}")
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [query.partition("=")[0]]


async def test_events_of_an_unknown_job_are_a_404(client: httpx.AsyncClient) -> None:
    assert (await client.get("/v1/producer/jobs/x/events")).status_code == 404


async def test_as_object_the_result_is_that_of_the_first_image() -> None:
    async with serve(result_format="object") as served:
        job_id = await served.submit_one(quantity=2)
        done = await served.finish()
        result = (await served.client.get(f"{JOBS}/{job_id}")).json()["result"]
        assert list(result) == ["blobKey", "available", "blobUrl", "blobUrlExpirationDate", "seed"]
        assert result["blobKey"] == done.slots[0].blob_key


@pytest.mark.parametrize("form", ["array", "object"])
async def test_a_result_that_is_not_images_is_shown_as_it_is(form: str) -> None:
    async with serve(result_format=form) as served:
        await served.submit()
        job_id = await _end(served, result={"tags": {"fox": 0.9}})
        assert (await served.client.get(f"{JOBS}/{job_id}")).json()["result"] == {"tags": {"fox": 0.9}}
