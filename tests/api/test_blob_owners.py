"""Whose is it? Every way to reach a blob from inside a job, tried by its owner, by somebody else, and without AUTH."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from civitai_mock.domain.blob import Blob, UndrawnBlob
from civitai_mock.services.consumers import consumer_id
from tests.support.comfy_graphs import text_to_image
from tests.support.served_app import JOBS, Opened, serve_all, template

Headers = Mapping[str, str]
ALICE, BOB, NOBODY = {"authorization": "Bearer alice"}, {"authorization": "Bearer bob"}, dict[str, str]()
PINNED_YEAR = 9999


@dataclass(frozen=True, kw_only=True)
class Image:
    """Alice's, and a job of somebody's own that named it once."""

    job_id: str
    key: str
    url: str
    namer: str


def loading(source: str) -> dict[str, Any]:
    graph: dict[str, Any] = text_to_image(seed=7)
    return {**graph, "90": {"class_type": "LoadImage", "inputs": {"image": source}}}


def drawn_from(source: str) -> dict[str, Any]:
    return template(params={**template()["params"], "sourceImage": source})


# A submission that names the image, and whether it ends well although the image is not there.
SUBMISSIONS: Mapping[str, tuple[Callable[[Image], dict[str, Any]], bool]] = {
    "blobGet": (lambda it: {"$type": "blobGet", "key": it.key}, True),
    "blobGet for longer": (lambda it: {"$type": "blobGet", "key": it.key, "duration": "30.00:00:00"}, True),
    "blobPin": (lambda it: {"$type": "blobPin", "key": it.key}, True),
    "blobUnpin": (lambda it: {"$type": "blobUnpin", "key": it.key}, True),
    "blobDelete": (lambda it: {"$type": "blobDelete", "key": it.key}, True),
    "blobUpload": (lambda it: {"$type": "blobUpload", "key": it.key, "duration": "30.00:00:00", "replace": True}, True),
    "imageTransform": (lambda it: {"$type": "imageTransform", "blobKey": it.key, "transformer": "Canny"}, False),
    "sourceImage": (lambda it: drawn_from(it.key), False),
    "controlNets": (lambda it: template(controlNets=[{"preprocessor": "canny", "blobKey": it.key}]), False),
    "LoadImage": (lambda it: {"$type": "comfy", "params": {"workflow": loading(it.key)}}, False),
    "copyAsset": (
        lambda it: {
            "$type": "copyAsset",
            "jobId": it.job_id,
            "assetName": it.key,
            "destinationUri": "https://x.example/1",
        },
        False,
    ),
    "copyAsset of a job that named it": (
        lambda it: {
            "$type": "copyAsset",
            "jobId": it.namer,
            "assetName": it.key,
            "destinationUri": "https://x.example/1",
        },
        False,
    ),
    "clearAssets": (lambda it: {"$type": "clearAssets", "jobId": it.job_id}, False),
    "clearAssets of a job that named it": (lambda it: {"$type": "clearAssets", "jobId": it.namer}, True),
}
GONE_AFTERWARDS = {"blobDelete", "clearAssets", "clearAssets of a job that named it"}
READ_BY_URL: Mapping[str, Callable[[str], dict[str, Any]]] = {
    "sourceImage": drawn_from,
    "controlNets": lambda url: template(controlNets=[{"preprocessor": "canny", "imageUrl": url}]),
    "LoadImage": lambda url: {"$type": "comfy", "params": {"workflow": loading(url)}},
}


@asynccontextmanager
async def opened_for(who: Headers) -> AsyncIterator[Opened]:
    settings: dict[str, Any] = {"auth": "tokens", "auth_tokens": "alice,bob"} if who else {}
    settings["simulation_pictures"] = "blank"
    async with serve_all(**settings) as opened:
        yield opened


async def image_of_alice(opened: Opened, who: Headers) -> Image:
    done = await opened.run(template(), headers=ALICE if who else NOBODY)
    (result,) = done["result"]
    named = await opened.run({"$type": "blobGet", "key": result["blobKey"]}, headers=who)
    return Image(job_id=done["jobId"], key=result["blobKey"], url=result["blobUrl"], namer=named["jobId"])


async def blob_at(opened: Opened, key: str) -> Blob | UndrawnBlob | None:
    return await opened.stores.blobs.stat(key)


@pytest.mark.parametrize("kind", SUBMISSIONS)
async def test_a_blob_of_somebody_else_is_not_there_and_stays_as_it_is(kind: str) -> None:
    submission, ends_well = SUBMISSIONS[kind]
    async with opened_for(BOB) as opened:
        image = await image_of_alice(opened, BOB)
        before = await blob_at(opened, image.key)
        tried = await opened.run(submission(image), headers=BOB)
        assert tried["lastEvent"]["type"] == ("Succeeded" if ends_well else "Failed"), tried
        assert image.url.partition("?")[0] not in str(tried)
        assert before is not None
        assert await blob_at(opened, image.key) == before
        assert (await opened.client.get(image.url)).status_code == 200


@pytest.mark.parametrize("kind", ["blobGet", "blobPin", "blobUnpin", "blobDelete", "blobUpload"])
async def test_a_blob_of_somebody_else_is_reported_like_one_that_never_existed(kind: str) -> None:
    submission, _ = SUBMISSIONS[kind]
    async with opened_for(BOB) as opened:
        image = await image_of_alice(opened, BOB)
        tried = await opened.run(submission(image), headers=BOB)
        assert tried["result"] == [{"blobKey": image.key, "available": False}]


@pytest.mark.parametrize("kind", SUBMISSIONS)
@pytest.mark.parametrize("who", [ALICE, NOBODY], ids=["the owner", "without AUTH"])
async def test_the_owner_reaches_it_and_without_auth_everybody_does(who: Headers, kind: str) -> None:
    submission, _ = SUBMISSIONS[kind]
    async with opened_for(who) as opened:
        image = await image_of_alice(opened, who)
        done = await opened.run(submission(image), headers=who)
        assert done["lastEvent"]["type"] == "Succeeded", done
        assert (await blob_at(opened, image.key) is None) == (kind in GONE_AFTERWARDS)


@pytest.mark.parametrize("kind", READ_BY_URL)
async def test_a_signed_url_is_a_right_to_read_whoever_has_it(kind: str) -> None:
    async with opened_for(BOB) as opened:
        image = await image_of_alice(opened, BOB)
        done = await opened.run(READ_BY_URL[kind](image.url), headers=BOB)
        assert done["lastEvent"]["type"] == "Succeeded", done


async def test_a_pinned_blob_stays_its_owners_when_its_job_is_gone() -> None:
    async with opened_for(ALICE) as opened:
        image = await image_of_alice(opened, ALICE)
        await opened.run({"$type": "blobPin", "key": image.key}, headers=ALICE)
        pinned = await blob_at(opened, image.key)
        assert pinned is not None
        assert (pinned.owner, pinned.keep_until.year) == (consumer_id("alice"), PINNED_YEAR)
        await opened.stores.jobs.sweep(pinned.keep_until)
        for who, available in ((BOB, False), (ALICE, True)):
            (result,) = (await opened.run({"$type": "blobGet", "key": image.key}, headers=who))["result"]
            assert result["available"] is available


@pytest.mark.parametrize("who", [BOB, ALICE])
async def test_what_a_job_names_is_no_asset_of_it_for_anybody_else(who: Headers) -> None:
    async with opened_for(who) as opened:
        image = await image_of_alice(opened, who)
        answer = await opened.client.get(f"{JOBS}/{image.namer}/assets/{image.key}", headers=who)
        assert answer.status_code == 404
