"""Input images of a job, from the store or from other hosts."""

from dataclasses import replace

import httpx
import pytest

from civitai_mock.domain.blob import blob_key
from civitai_mock.domain.errors import JobError, MockError, TransientError
from civitai_mock.domain.job import Job
from civitai_mock.domain.json_types import JsonObject
from civitai_mock.generation.work import GraphWork, InputImage
from civitai_mock.ports import InputFile
from civitai_mock.scheduler.executors.context import JobContext
from civitai_mock.scheduler.executors.graph import GraphExecutor
from tests.scheduler.conftest import LEASE_SECONDS, POLL_SECONDS, Bench, running
from tests.support.event_loop import until_found
from tests.support.jobs import LIFETIME, chunks, collect, make_job
from tests.support.receiver import Answer
from tests.support.scripted_provider import ScriptedProvider
from tests.support.standin import plain_png

URL = "http://images.test/fox.png?key=secret"
IMAGE, OTHER = plain_png(8, 8), plain_png(16, 16)
KEY = blob_key("an earlier job", 0)


class NameReader(ScriptedProvider):
    """Makes do with the names of images, as the simulator does."""

    reads_files = False


async def _prepare(
    bench: Bench, image: InputImage, *, reads_files: bool = True, job: Job | None = None
) -> list[InputFile]:
    """Return the files of one more claim of one and the same job."""
    provider = bench.provider if reads_files else NameReader()
    context = JobContext(
        job=job or make_job(),
        services=bench.services(provider=provider),
        publish=_publish_nothing,
        before_waiting=_store_nothing,
    )
    await GraphExecutor(GraphWork(graph={}, images=(image,))).prepare(context)
    return list(context.files)


async def _publish_nothing(*_: object) -> None:
    raise AssertionError("there is nothing to publish")


async def _store_nothing() -> None:
    """Store no stage, as the job has entered none."""


def _from_url(url: str = URL) -> InputImage:
    return InputImage(name="fox", url=url)


async def _store(bench: Bench, content: bytes, content_type: str = "image/png") -> None:
    until, owner = bench.clock.now() + LIFETIME, make_job().issued_by
    await bench.stores.blobs.put(KEY, chunks(content), content_type=content_type, keep_until=until, owner=owner)


def _answers(*statuses: int) -> Answer:
    left = list(reversed(statuses))
    return lambda _: httpx.Response(left.pop(), content=chunks(IMAGE))


async def test_an_image_is_fetched_once_for_all_claims_of_a_job(bench: Bench) -> None:
    bench.receiver.answer = _answers(200)
    (first,), (second,) = [await _prepare(bench, _from_url()) for _ in range(2)]
    assert (first.name, first.content_type, first.digest) == (second.name, second.content_type, second.digest)
    assert await collect(second.read()) == IMAGE
    assert len(bench.receiver.requests) == 1


async def test_a_fetched_image_is_kept_as_long_as_its_job(bench: Bench) -> None:
    bench.receiver.answer = _answers(200)
    await _prepare(bench, _from_url())
    blob = await bench.stores.blobs.stat(blob_key(make_job().id, "input/0"))
    assert blob is not None
    assert (blob.content_type, blob.keep_until) == ("image/png", make_job().keep_until)


async def test_an_image_that_could_not_be_fetched_leaves_nothing_behind(bench: Bench) -> None:
    bench.receiver.answer = lambda _: httpx.Response(200, content=chunks(IMAGE, bytes(1_000_000)))
    with pytest.raises(JobError):
        await _prepare(bench, _from_url())
    assert await bench.stores.blobs.stat(blob_key(make_job().id, "input/0")) is None


async def test_the_image_of_a_blob_is_of_the_type_that_its_bytes_have(bench: Bench) -> None:
    await _store(bench, IMAGE, "application/octet-stream")
    (file,) = await _prepare(bench, InputImage(name="fox", blob_key=KEY))
    assert (file.name, file.content_type) == ("fox", "image/png")
    assert await collect(file.read()) == IMAGE


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"weights" * 100, "is not a PNG"),
        (IMAGE + bytes(1_000_000), "IMAGE_MAX_BYTES"),
        (plain_png(1001, 1000), "IMAGE_MAX_PIXELS"),
    ],
    ids=["no image", "too large", "too many pixels"],
)
async def test_a_blob_that_cannot_be_an_input_ends_the_job(bench: Bench, content: bytes, reason: str) -> None:
    await _store(bench, content)
    with pytest.raises(JobError, match=f"'{KEY}'.*{reason}"):
        await _prepare(bench, InputImage(name="fox", blob_key=KEY))


@pytest.mark.parametrize("reads_files", [True, False])
async def test_a_blob_that_is_not_there_ends_the_job_whoever_runs_it(bench: Bench, *, reads_files: bool) -> None:
    with pytest.raises(JobError, match=f"The blob '{KEY}' does not exist"):
        await _prepare(bench, InputImage(name="fox", blob_key=KEY), reads_files=reads_files)


async def test_nothing_is_fetched_for_a_provider_that_makes_do_with_names(bench: Bench) -> None:
    assert await _prepare(bench, _from_url(), reads_files=False) == []
    assert bench.receiver.requests == []


async def test_a_blob_url_of_ours_is_read_from_the_store_at_whatever_host(bench: Bench) -> None:
    await _store(bench, IMAGE)
    url, _ = bench.blob_urls.sign(KEY, base_url="https://elsewhere.test/prefix")
    (file,) = await _prepare(bench, _from_url(url))
    assert await collect(file.read()) == IMAGE
    assert bench.receiver.requests == []


async def test_a_blob_url_of_ours_that_is_wrong_or_over_ends_the_job(bench: Bench) -> None:
    await _store(bench, IMAGE)
    url, _ = bench.blob_urls.sign(KEY, base_url="https://elsewhere.test")
    with pytest.raises(JobError, match=r"^Cannot load an input image: The signature of this URL is wrong\."):
        await _prepare(bench, _from_url(url[:-1] + ("0" if url[-1] != "0" else "1")))
    bench.clock.advance(3600)
    with pytest.raises(JobError, match=r"^Cannot load an input image: This URL has expired"):
        await _prepare(bench, _from_url(url), job=replace(make_job(), created_at=bench.clock.now()))


async def test_a_blob_url_of_ours_that_was_good_when_the_job_came_stays_good_for_it(bench: Bench) -> None:
    """Wait for hours: the image is still there."""
    await _store(bench, IMAGE)
    url, _ = bench.blob_urls.sign(KEY, base_url="https://elsewhere.test")
    bench.clock.advance(3600)
    (file,) = await _prepare(bench, _from_url(url))
    assert await collect(file.read()) == IMAGE


async def test_a_url_that_others_signed_is_fetched(bench: Bench) -> None:
    bench.receiver.answer = _answers(200)
    url = f"http://bucket.test/blobs/{KEY}?X-Amz-Algorithm=a&X-Amz-Date=b&X-Amz-Expires=c&X-Amz-Signature=d"
    await _prepare(bench, _from_url(url))
    assert len(bench.receiver.requests) == 1


async def test_a_blob_that_goes_before_it_is_read_is_looked_for_again(bench: Bench) -> None:
    await _store(bench, IMAGE)
    (file,) = await _prepare(bench, InputImage(name="fox", blob_key=KEY))
    await bench.stores.blobs.delete(KEY)
    with pytest.raises(TransientError):
        await collect(file.read())


@pytest.mark.parametrize(("status", "kind"), [(404, JobError), (503, TransientError)])
async def test_no_error_tells_more_of_a_url_than_its_host(bench: Bench, status: int, kind: type[MockError]) -> None:
    bench.receiver.answer = _answers(status)
    with pytest.raises(kind) as caught:
        await _prepare(bench, _from_url("http://user:secret@images.test/secret.png?secret"))
    assert "images.test" in caught.value.message
    assert "secret" not in caught.value.message


async def test_a_host_that_is_busy_costs_a_retry_and_not_the_job(bench: Bench) -> None:
    bench.receiver.answer = _answers(503, 200)
    (job,) = await bench.submit(controlNets=[_net()])
    async with running(bench.scheduler()):
        await _moving_until_ended(bench, job.id)
    assert (await bench.job(job.id)).retry_attempt == 1
    assert (await bench.event_types(job.id))[-1] == "Succeeded"
    (submission,) = bench.provider.submissions
    (file,) = submission.files
    assert await collect(file.read()) == IMAGE


async def test_a_provider_that_fails_does_not_have_the_image_fetched_again(bench: Bench) -> None:
    failures = [TransientError("away"), TransientError("away")]

    def fail(_: str) -> None:
        if failures:
            raise failures.pop()

    bench.receiver.answer, bench.provider.on_send = _answers(200), fail
    (job,) = await bench.submit(controlNets=[_net()])
    async with running(bench.scheduler()):
        await _moving_until_ended(bench, job.id)
    assert (await bench.event_types(job.id))[-1] == "Succeeded"
    assert len(bench.receiver.requests) == 1


async def test_an_image_that_is_not_there_is_the_reason_in_the_jobs_last_event(bench: Bench) -> None:
    bench.receiver.answer = _answers(404)
    (job,) = await bench.submit(controlNets=[_net()])
    async with running(bench.scheduler()):
        await _moving_until_ended(bench, job.id)
    event = (await bench.job(job.id)).last_event
    assert event.type == "Failed"
    assert event.context["reason"] == "The host 'images.test' answered 404 instead of an image."


def _net() -> JsonObject:
    return {"preprocessor": "canny", "imageUrl": URL}


async def _moving_until_ended(bench: Bench, job_id: str) -> None:
    async def has_ended() -> bool:
        bench.clock.advance(POLL_SECONDS / LEASE_SECONDS)
        return await bench.has_ended(job_id)

    await until_found(has_ended)
