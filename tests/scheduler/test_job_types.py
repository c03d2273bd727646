"""Each kind of work, done by its executor; what it takes is the time of the clock."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, get_args

import pytest

from civitai_mock.domain.blob import blob_key
from civitai_mock.domain.job import Job
from civitai_mock.domain.json_types import Json
from civitai_mock.generation.work import BlobAction, JobWork
from civitai_mock.scheduler.executors import EXECUTORS
from civitai_mock.scheduler.executors.blobs import PINNED
from civitai_mock.services.consumers import EVERYBODY
from tests.scheduler.conftest import LEASE_SECONDS, Bench, running
from tests.support.comfy_graphs import text_to_image
from tests.support.event_loop import settle, until_found
from tests.support.templates import TEMPLATES, template

DAY = timedelta(days=1)
EPOCH_SECONDS = 4.0


async def submit(bench: Bench, name: str, *, consumer: str = EVERYBODY, **changes: Json) -> Job:
    (job,) = await bench.submit(1, consumer=consumer, **template(name, **changes))
    return job


async def run(bench: Bench, name: str, *, consumer: str = EVERYBODY, **changes: Json) -> Job:
    """Return a job of a `$type` at its end, however long that takes."""
    async with running(bench.scheduler()):
        job = await submit(bench, name, consumer=consumer, **changes)
        while not await bench.has_ended(job.id):
            await settle()
            bench.clock.advance(1)
    return await bench.job(job.id)


async def make_image(bench: Bench) -> Job:
    return await run(bench, "textToImage")


def test_there_is_an_executor_for_each_kind_of_work() -> None:
    assert set(EXECUTORS) == set(get_args(JobWork))


@pytest.mark.parametrize("name", sorted(set(TEMPLATES) - {"copyAsset", "clearAssets", "imageResourceTraining"}))
async def test_a_job_of_any_type_goes_through_the_same_stages(bench: Bench, name: str) -> None:
    job = await run(bench, name)
    events = await bench.stores.jobs.events(job.id)
    assert [event.type for event in events] == ["Initialized", "Claimed", "Updated", "Updated", "Succeeded"]
    assert job.last_event.context["worker_group"] == "local"


async def test_a_result_comes_after_the_time_that_a_model_would_take(bench: Bench) -> None:
    async with running(bench.scheduler()):
        job = await submit(bench, "mediaCaptioning")
        await settle()
        bench.clock.advance(2.4)
        await settle()
        assert not await bench.has_ended(job.id)
        bench.clock.advance(0.2)
        await until_found(lambda: bench.has_ended(job.id))
    ended = await bench.job(job.id)
    assert isinstance(ended.result, dict)
    assert ended.slots == ()


async def test_the_files_of_every_output_node_are_named_by_it(bench: Bench) -> None:
    bench.provider.nodes = ["9", "9", "57:9", "a/b"]
    job = await run(bench, "comfy")
    assert [slot.name for slot in job.slots] == ["9_0.png", "9_1.png", "57:9_0.png", "a%2Fb_0.png"]
    assert [slot.blob_key for slot in job.slots] == [blob_key(job.id, index) for index in range(4)]
    assert [slot.seed for slot in job.slots] == [7, 7, None, None]
    assert all(slot.available for slot in job.slots)
    assert await bench.read_blob(job.slots[3].blob_key) == b"image"


async def test_a_graph_without_any_file_fails(bench: Bench) -> None:
    bench.provider.nodes = []
    job = await run(bench, "comfy", params={"workflow": text_to_image()})
    message = "The graph made too few images: 0 of 1."
    assert (job.outcome, job.last_event.context["message"]) == ("FAILED", message)


async def train(bench: Bench, epochs: int) -> Job:
    return await submit(bench, "imageResourceTraining", params={"maxTrainEpochs": epochs, "samplePrompts": ["a fox"]})


async def one_epoch(bench: Bench) -> None:
    await settle()
    await bench.pass_time(EPOCH_SECONDS)


def available(job: Job) -> Sequence[str | None]:
    return [slot.name for slot in job.slots if slot.available]


async def test_each_epoch_is_published_as_soon_as_its_files_are_there(bench: Bench) -> None:
    async with running(bench.scheduler()):
        job = await train(bench, 2)
        await one_epoch(bench)
        first = await bench.job(job.id)
        await one_epoch(bench)
        await until_found(lambda: bench.has_ended(job.id))
    assert available(first) == ["epoch-1.safetensors", "epoch-1-sample-1.png"]
    assert first.last_event.context == {
        "epoch": 1,
        "epochs": 2,
        "model": "epoch-1.safetensors",
        "samples": ["epoch-1-sample-1.png"],
    }
    assert first.claim is not None
    assert first.claim.until == bench.clock.now() - timedelta(seconds=EPOCH_SECONDS - LEASE_SECONDS)
    assert await bench.event_types(job.id) == ["Initialized", "Claimed", *["Updated"] * 4, "Succeeded"]


async def test_the_last_event_of_a_training_has_all_epochs(bench: Bench) -> None:
    job = await run(bench, "imageResourceTraining")
    epochs = job.last_event.context["epochs"]
    assert isinstance(epochs, list)
    assert [epoch["epoch"] for epoch in epochs if isinstance(epoch, dict)] == [1, 2]
    assert len(available(job)) == len(job.slots) == 6
    assert (await bench.read_blob(job.slots[0].blob_key))[8:9] == b"{"
    assert await bench.read_blob(job.slots[1].blob_key) == b"a fox 8"


async def test_a_training_goes_on_where_another_worker_left_it(bench: Bench) -> None:
    async with running(bench.scheduler()):
        job = await train(bench, 3)
        await one_epoch(bench)
    assert available(await bench.job(job.id)) == ["epoch-1.safetensors", "epoch-1-sample-1.png"]
    async with running(bench.scheduler(worker_id="local-2")):
        await one_epoch(bench)
        await one_epoch(bench)
        await until_found(lambda: bench.has_ended(job.id))
    events = await bench.stores.jobs.events(job.id)
    epochs = [event.context["epoch"] for event in events if "epoch" in event.context]
    assert epochs == [1, 2, 3]


async def test_a_cancelled_training_keeps_what_it_made(bench: Bench) -> None:
    async with running(bench.scheduler()):
        job = await train(bench, 3)
        await one_epoch(bench)
        await bench.cancel(job.id)
        await one_epoch(bench)
    cancelled = await bench.job(job.id)
    assert cancelled.outcome == "DELETED"
    assert available(cancelled) == ["epoch-1.safetensors", "epoch-1-sample-1.png"]


async def test_a_blob_is_transformed(bench: Bench) -> None:
    (slot,) = (await make_image(bench)).slots
    job = await run(bench, "imageTransform", imageUrl=None, blobKey=slot.blob_key)
    (made,) = job.slots
    assert await bench.read_blob(made.blob_key) == b"Canny of image"


async def test_a_drawn_image_stands_in_for_one_elsewhere(bench: Bench) -> None:
    (made,) = (await run(bench, "imageTransform")).slots
    assert await bench.read_blob(made.blob_key) == b"Canny of https://images.example/fox.png 0"


async def keep_until(bench: Bench, action: BlobAction, **changes: Any) -> timedelta:
    """Return for how long a new image is kept after the action, from now."""
    (slot,) = (await make_image(bench)).slots
    bench.clock.advance(3600)
    job = await run(bench, f"blob{action.capitalize()}", key=slot.blob_key, **changes)
    assert job.slots == (replace(slot, seed=None),)
    assert await bench.read_blob(slot.blob_key) == b"image"
    blob = await bench.stores.blobs.stat(slot.blob_key)
    assert blob is not None
    return blob.keep_until - job.created_at


@pytest.mark.parametrize(
    ("action", "duration", "kept"),
    [
        (BlobAction.GET, None, DAY - timedelta(hours=1)),
        (BlobAction.GET, "00:10:00", DAY - timedelta(hours=1)),
        (BlobAction.GET, "3.00:00:00", 3 * DAY),
        (BlobAction.UPLOAD, "3.00:00:00", 3 * DAY),
        (BlobAction.UNPIN, None, DAY),
    ],
)
async def test_a_blob_is_kept_as_long_as_it_is_asked_for(
    bench: Bench, action: BlobAction, duration: str | None, kept: timedelta
) -> None:
    changes: dict[str, Json] = {} if action is BlobAction.UNPIN else {"duration": duration}
    assert abs(await keep_until(bench, action, **changes) - kept) < timedelta(seconds=10)


async def test_a_pinned_blob_outlives_its_job_until_it_is_unpinned(bench: Bench) -> None:
    made = await make_image(bench)
    (slot,) = made.slots
    await run(bench, "blobPin", key=slot.blob_key)
    pinned = await bench.stores.blobs.stat(slot.blob_key)
    assert pinned is not None
    assert pinned.keep_until == PINNED
    await bench.stores.blobs.sweep(made.keep_until + 365 * DAY)
    unpinning = await run(bench, "blobUnpin", key=slot.blob_key)
    await bench.stores.blobs.sweep(unpinning.keep_until)
    assert await bench.stores.blobs.stat(slot.blob_key) is None


async def test_a_deleted_blob_is_gone(bench: Bench) -> None:
    (slot,) = (await make_image(bench)).slots
    job = await run(bench, "blobDelete", key=slot.blob_key)
    assert [(result.blob_key, result.available) for result in job.slots] == [(slot.blob_key, False)]
    assert await bench.stores.blobs.stat(slot.blob_key) is None


@pytest.mark.parametrize("name", ["blobGet", "blobPin", "blobUnpin", "blobDelete", "blobUpload"])
async def test_a_blob_that_is_not_there_is_answered_as_not_available(bench: Bench, name: str) -> None:
    job = await run(bench, name)
    assert job.outcome == "SUCCEEDED"
    assert [slot.available for slot in job.slots] == [False]


async def test_an_upload_without_key_gets_one_of_its_own(bench: Bench) -> None:
    job = await run(bench, "blobUpload", key=None)
    assert [slot.blob_key for slot in job.slots] == [blob_key(job.id, 0)]


async def test_an_asset_is_copied_under_its_name(bench: Bench) -> None:
    training = await run(bench, "imageResourceTraining")
    copy = await run(bench, "copyAsset", jobId=training.id)
    (slot,) = copy.slots
    assert (slot.name, slot.blob_key) == ("epoch-1.safetensors", blob_key(copy.id, 0))
    assert await bench.read_blob(slot.blob_key) == await bench.read_blob(training.slots[0].blob_key)


async def test_the_files_of_a_job_are_cleared(bench: Bench) -> None:
    training = await run(bench, "imageResourceTraining")
    cleared = await run(bench, "clearAssets", jobId=training.id)
    assert cleared.result == {"jobId": training.id, "deleted": 6}
    assert await bench.stores.blobs.stat(training.slots[0].blob_key) is None
    assert (await run(bench, "clearAssets", jobId=training.id)).result == {"jobId": training.id, "deleted": 0}


@pytest.mark.parametrize("name", ["copyAsset", "clearAssets"])
async def test_the_assets_of_another_consumer_are_out_of_reach(bench: Bench, name: str) -> None:
    job = await run(bench, "textToImage", consumer="civitai-2")
    asset = {"assetName": job.slots[0].blob_key} if name == "copyAsset" else {}
    failed = await run(bench, name, consumer="civitai-3", jobId=job.id, **asset)
    assert failed.outcome == "FAILED"
    assert failed.last_event.context["message"] == f"The job '{job.id}' does not exist."
    assert await bench.stores.blobs.stat(job.slots[0].blob_key) is not None


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("copyAsset", {}, "The job '37d9d863-7928-41c1-bc83-626c00995137' does not exist."),
        ("clearAssets", {}, "The job '37d9d863-7928-41c1-bc83-626c00995137' does not exist."),
        ("imageTransform", {"imageUrl": None, "blobKey": "gone"}, "The blob 'gone' does not exist."),
    ],
)
async def test_work_on_what_is_not_there_fails(bench: Bench, name: str, changes: dict[str, Any], message: str) -> None:
    job = await run(bench, name, **changes)
    assert (job.outcome, job.last_event.context["message"]) == ("FAILED", message)


async def test_an_asset_that_a_job_does_not_have_cannot_be_copied(bench: Bench) -> None:
    made = await make_image(bench)
    job = await run(bench, "copyAsset", jobId=made.id, assetName="no such file")
    assert (job.outcome, job.last_event.context["message"]) == (
        "FAILED",
        f"The job '{made.id}' has no asset 'no such file'.",
    )
