"""Every step type of v2: with any input its jobs succeed, its output is as described, and its files can be opened."""

import asyncio
import base64
import io
import json
import re
import zipfile
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import av
import pytest

from civitai_mock.api.v2.description.document import recipe_schemas
from civitai_mock.api.v2.description.echo import echo_input
from civitai_mock.api.v2.steps import STEP_TYPES, RegisteredStepTypes
from civitai_mock.bootstrap.namespace_factory import make_namespace
from civitai_mock.bootstrap.runtime import open_runtime
from civitai_mock.clock import SeededIds, VirtualClock
from civitai_mock.domain.air import Air
from civitai_mock.domain.job import Job, WorkflowPlace
from civitai_mock.domain.json_types import Json, JsonObject
from civitai_mock.domain.media import SNIFFED_BYTES, sniffed_type
from civitai_mock.domain.stages import Outcome
from civitai_mock.drawing.artist import StandInArtist
from civitai_mock.drawing.media.image_files import open_image
from civitai_mock.generation.job_types import check_spec
from civitai_mock.generation.media import ImageContent
from civitai_mock.ports.steps import OutputView
from civitai_mock.services.blob_reading import JobReading
from civitai_mock.services.blob_urls import WorkflowBlobUrls
from tests.scheduler.conftest import SETTINGS, Bench, running
from tests.support.generation import job_of, resolve
from tests.support.jobs import make_job
from tests.support.media import image_bytes
from tests.support.media_files import video_file
from tests.support.receiver import Receiver
from tests.support.scripted_provider import ScriptedProvider
from tests.support.v2_description import check_output
from tests.support.v2_media_inputs import sent_inputs

SEED = 11
MEDIA = "https://example.com/fox.bin"
# The largest numbers of some members, and numbers with which all kinds of a type take less than a minute.
SMALLER = {("resolution", 4096): 128, ("epochs", 200): 3}
VIEW = OutputView(base_url="http://here", allows_mature_content=False)
# Graphs need a simulator that makes as many images as they ask for: see tests/api.
OF_GRAPHS = frozenset({"textToImage", "imageGen", "comfy", "customComfy"})


class Simulation(ScriptedProvider):
    """Does not need to read files, as the simulator does not."""

    reads_files = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Is a step with the jobs that were made of it."""

    type: str
    input: Json
    jobs: Sequence[Job]

    def __str__(self) -> str:
        return f"{self.type} {self.input}"


@pytest.fixture
async def bench(clock: VirtualClock, ids: SeededIds) -> AsyncIterator[Bench]:
    """Open one that draws for real, but blank images, and works without the time that models take."""
    async with Receiver() as receiver, StandInArtist(image_content=ImageContent.BLANK) as artist:
        receiver.addresses = {"example.com": ("8.8.8.8",)}  # not private, so that a drawing stands in for its files
        async with open_runtime(
            SETTINGS.model_copy(update={"simulation_profile": "instant", "media_max_bytes": 50_000_000}),
            clock=clock,
            ids=ids,
            provider=Simulation(),
            artist=artist,
            network=receiver.network,
        ) as runtime:
            yield Bench(
                runtime=runtime,
                namespace=make_namespace(runtime),
                clock=clock,
                provider=Simulation(),
                receiver=receiver,
            )


def types_of(bench: Bench) -> RegisteredStepTypes:
    urls = WorkflowBlobUrls(key=b"k" * 32, lifetime=timedelta(days=1), clock=bench.clock)
    return RegisteredStepTypes(blob_urls=urls)


def make_step(bench: Bench, step_type: str, sent: Json, *, number: int = 0) -> Step:
    """Make the jobs that a step of a workflow would have."""
    echo, workflow = echo_input(step_type, sent), f"7-2026112510150{number:04d}"
    made = types_of(bench).job_maker(step_type, echo)(SEED)
    jobs = []
    for index, draft in enumerate(made.drafts):
        plan, place = resolve(draft), WorkflowPlace(workflow_id=workflow, step=0, index=index)
        job = replace(make_job(), id=place.job_id, created_at=bench.clock.now(), properties={}, dependencies=())
        job = replace(job, type=plan.spec.job_type, spec=plan.spec.to_json(), resources=plan.resources, workflow=place)
        job = replace(job, is_blocked=False, callback_url=None, slots=plan.slots(job.id))
        jobs.append(replace(job, last_event=replace(job.last_event, job_id=job.id)))
    return Step(type=step_type, input=echo, jobs=jobs)


async def run(bench: Bench, steps: Sequence[Step]) -> Sequence[Step]:
    """Work on all jobs of some steps, and return the steps at their end."""
    jobs = [job for step in steps for job in step.jobs]
    await bench.stores.jobs.add(jobs)
    async with running(bench.scheduler(provider=Simulation())):
        bench.event_bus.publish_work()
        while not await bench.have_all_ended(jobs):  # noqa: ASYNC110 - a thread takes real time
            await asyncio.sleep(0.01)
    return [replace(step, jobs=[await bench.job(job.id) for job in step.jobs]) for step in steps]


async def run_one(bench: Bench, step_type: str, sent: Json) -> Step:
    (step,) = await run(bench, [make_step(bench, step_type, sent)])
    return step


def output_of(bench: Bench, step: Step) -> Any:
    return types_of(bench).output(step.type, step.input, step.jobs, view=VIEW)


@pytest.mark.parametrize("is_full", [False, True], ids=["minimal", "full"])
@pytest.mark.parametrize("step_type", sorted(STEP_TYPES.keys() - OF_GRAPHS - {"blobArchive"}))
async def test_a_step_of_any_input_succeeds_with_an_output_as_described(
    bench: Bench, step_type: str, is_full: bool
) -> None:
    sent = sent_inputs(step_type, is_full=is_full)
    steps = [make_step(bench, step_type, one, number=place) for place, one in enumerate(sent)]
    for step in await run(bench, steps):
        failed = [job.last_event for job in step.jobs if job.outcome is not Outcome.SUCCEEDED]
        assert not failed, step
        check_output(step_type, output_of(bench, step))
        assert types_of(bench).cost(step_type, step.input).base >= 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """Is what was found in a file."""

    kind: str
    size: tuple[int, int] | None = None
    seconds: float | None = None
    frames: int | None = None
    has_sound: bool = False


def opened(content: bytes) -> Opened:
    """Read all of a file; fail for one that is broken."""
    kind = sniffed_type(content[:SNIFFED_BYTES]) or "application/octet-stream"
    family = kind.partition("/")[0]
    if family == "image":
        return Opened(kind=kind, size=open_image(content).size)
    if family in {"video", "audio"}:
        return opened_clip(content, kind)
    return Opened(kind=kind)


def opened_clip(content: bytes, kind: str) -> Opened:
    with av.open(io.BytesIO(content), "r") as container:
        seconds = round((container.duration or 0) / av.time_base, 1)
        has_sound = bool(container.streams.audio)
        if not container.streams.video:
            assert list(container.decode(audio=0))
            return Opened(kind=kind, seconds=seconds, has_sound=has_sound)
        stream = container.streams.video[0]
        frames = len(list(container.decode(stream)))
        size = (stream.width, stream.height)
    return Opened(kind=kind, size=size, seconds=seconds, frames=frames, has_sound=has_sound)


async def files_of(bench: Bench, step: Step) -> list[Opened]:
    return [opened(await bench.read_blob(slot.blob_key)) for job in step.jobs for slot in job.slots]


CLIP = f"data:video/mp4;base64,{base64.b64encode(video_file('mp4', 'libx264')).decode()}"
WAN: JsonObject = {
    "engine": "wan",
    "version": "v2.2",
    "provider": "fal",
    "operation": "text-to-video",
    "prompt": "a fox",
}
LTX: JsonObject = {"engine": "ltx2.3", "prompt": "a fox", "width": 320, "height": 192, "duration": 3, "fps": 8}


@pytest.mark.parametrize(
    ("sent", "found"),
    [
        (
            {**WAN, "resolution": "480p", "duration": 2},
            [Opened(kind="video/mp4", size=(854, 480), seconds=2, frames=48)],
        ),
        (
            {**WAN, "resolution": "480p", "aspectRatio": "9:16", "duration": 1, "frameRate": 10},
            [Opened(kind="video/mp4", size=(480, 854), seconds=1, frames=10)],
        ),
        (
            {**LTX, "quantity": 2},
            [Opened(kind="video/mp4", size=(320, 192), seconds=3, frames=24, has_sound=True)] * 2,
        ),
        (
            {**LTX, "operation": "extendVideo", "sourceVideo": MEDIA, "numFrames": 16, "generateAudio": False},
            [Opened(kind="video/mp4", size=(320, 192), seconds=2, frames=16)],
        ),
        (
            {"engine": "kling", "prompt": "a fox", "aspectRatio": "1:1", "duration": "10"},
            [Opened(kind="video/mp4", size=(720, 720), seconds=10, frames=240)],
        ),
        (  # of a version that is newer than the description (capture)
            {
                "engine": "wan",
                "version": "v3.0",
                "operation": "image-to-video",
                "startImage": MEDIA,
                "prompt": "the lamp turns slowly",
                "resolution": "720p",
                "duration": 1,
            },
            [Opened(kind="video/mp4", size=(1280, 720), seconds=1, frames=24)],
        ),
    ],
    ids=["wan", "upright", "two", "extended", "kling", "newer"],
)
async def test_a_video_is_as_large_long_and_quick_as_was_asked_for(
    bench: Bench, sent: Json, found: list[Opened]
) -> None:
    step = await run_one(bench, "videoGen", sent)
    assert await files_of(bench, step) == found


async def test_videos_beside_the_first_one_are_additional(bench: Bench) -> None:
    output = output_of(bench, await run_one(bench, "videoGen", {**LTX, "quantity": 3}))
    assert len({video["id"] for video in (output["video"], *output["additionalVideos"])}) == 3


@pytest.mark.parametrize(
    ("step_type", "sent", "found"),
    [
        (
            "videoInterpolation",
            {"interpolationFactor": 3},
            Opened(kind="video/mp4", size=(64, 48), seconds=1, frames=36),
        ),
        ("videoUpscaler", {"scaleFactor": 2}, Opened(kind="video/mp4", size=(128, 96), seconds=1, frames=12)),
        (
            "videoEnhancement",
            {"upscaler": {"width": 96, "height": 80}, "interpolation": {"multiplier": 2}},
            Opened(kind="video/mp4", size=(96, 80), seconds=1, frames=24),
        ),
        ("videoBackgroundRemoval", {}, Opened(kind="video/mp4", size=(64, 48), seconds=1, frames=12)),
        (
            "transcode",
            {"width": 32, "containerFormat": "webM"},
            Opened(kind="video/webm", size=(32, 24), seconds=1, frames=12),
        ),
    ],
)
async def test_a_clip_is_changed(bench: Bench, step_type: str, sent: Any, found: Opened) -> None:
    member = "sourceUrl" if step_type in {"videoEnhancement", "transcode"} else "video"
    assert await files_of(bench, await run_one(bench, step_type, {member: CLIP, **sent})) == [found]


async def test_frames_of_a_clip_are_images_and_as_many_as_there_are(bench: Bench) -> None:
    sent: JsonObject = {"videoUrl": CLIP, "frameRate": 4, "uniqueThreshold": 2}
    step = await run_one(bench, "videoFrameExtraction", sent)
    assert await files_of(bench, step) == [Opened(kind="image/jpeg", size=(64, 48))] * 4
    output = output_of(bench, step)
    assert output["totalFramesExtracted"] == len(output["frames"]) == 4
    assert output["frames"][0]["jobId"] == step.jobs[0].id


async def test_a_clip_is_measured(bench: Bench) -> None:
    output = output_of(bench, await run_one(bench, "videoMetadata", {"video": CLIP}))
    assert output == {"width": 64, "height": 48, "fps": 12, "duration": "00:00:01"}


def data_url(image: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(image).decode()}"


@pytest.mark.parametrize("step_type", ["wdTagging", "mediaRating", "mediaCaptioning", "transcription"])
async def test_the_same_content_is_judged_alike_wherever_it_is(bench: Bench, step_type: str) -> None:
    urls = [data_url(image_bytes()), data_url(image_bytes(fmt="WEBP", lossless=True))]
    sent: JsonObject = {"includeAIRecognition": True} if step_type == "mediaRating" else {}
    steps = [make_step(bench, step_type, {"mediaUrl": url, **sent}, number=place) for place, url in enumerate(urls)]
    one, other = (output_of(bench, step) for step in await run(bench, steps))
    assert one == other


async def test_what_nobody_can_fetch_is_rated_too(bench: Bench) -> None:
    """As in capture v2-callback-workflow-succeeded."""
    step = await run_one(bench, "mediaRating", {"mediaUrl": MEDIA, "engine": "civitai"})
    assert output_of(bench, step) == {"nsfwLevel": "pg", "isBlocked": False}


async def test_each_type_of_hash_is_answered(bench: Bench) -> None:
    sent: JsonObject = {"mediaUrl": data_url(image_bytes()), "hashTypes": ["perceptual", "perceptualDct"]}
    hashes = output_of(bench, await run_one(bench, "mediaHash", sent))["hashes"]
    assert list(hashes) == ["perceptual", "perceptualDct"]
    assert re.fullmatch("[0-9A-F]{16}", hashes["perceptual"])


SOUND = Opened(kind="audio/mpeg", seconds=3, has_sound=True)


@pytest.mark.parametrize(
    ("step_type", "sent", "found"),
    [
        ("textToSpeech", {"text": "a" * 45}, Opened(kind="audio/ogg", seconds=3, has_sound=True)),
        ("textToSpeech", {"text": ""}, Opened(kind="audio/ogg", seconds=1, has_sound=True)),
        ("aceStepAudio", {"musicDescription": "calm", "lyrics": "", "duration": 3}, SOUND),
        (
            "aceStepAudio",
            {"musicDescription": "calm", "lyrics": "", "duration": 3, "cover": {"imageUrl": MEDIA}},
            Opened(kind="video/mp4", size=(512, 512), seconds=3, frames=6, has_sound=True),
        ),
        (
            "composeMedia",
            {"elements": [{"url": MEDIA}, {"url": MEDIA}], "canvas": {"width": 64, "height": 48, "fps": 2}},
            Opened(kind="video/mp4", size=(64, 48), seconds=10, frames=20, has_sound=True),
        ),
        (
            "composeMedia",
            {"elements": [{"url": MEDIA}, {"url": MEDIA, "at": 2}], "output": {"container": "ogg"}},
            Opened(kind="audio/ogg", seconds=7, has_sound=True),
        ),
    ],
    ids=["speech", "silence", "music", "cover", "video", "sound"],
)
async def test_a_sound_is_as_long_as_was_asked_for(bench: Bench, step_type: str, sent: Json, found: Opened) -> None:
    (file,) = await files_of(bench, await run_one(bench, step_type, sent))
    assert file == replace(found, seconds=file.seconds)
    assert file.seconds == pytest.approx(found.seconds, abs=0.1)


async def test_speech_has_the_url_of_a_stream(bench: Bench) -> None:
    step = await run_one(bench, "textToSpeech", {"text": "Good morning", "speaker": "ryan"})
    output = output_of(bench, step)
    assert output["audioBlob"]["url"].startswith("http://here/v2/consumer/streaming-blobs/")
    assert (output["audioBlob"]["type"], output["speaker"]) == ("audio", "ryan")


TRAINING: JsonObject = {
    "engine": "ai-toolkit",
    "ecosystem": "sdxl",
    "epochs": 2,
    "samples": {"prompts": ["a fox", "a hare"]},
    "trainingData": {"type": "zip", "sourceUrl": "https://example.com/data.zip", "count": 20},
}
WEIGHTS = Opened(kind="application/octet-stream")


@pytest.mark.parametrize(
    ("ecosystem", "sample"),
    [
        ("sdxl", Opened(kind="image/jpeg", size=(512, 512))),
        ("ltx2", Opened(kind="video/mp4", size=(512, 512), seconds=2, frames=48)),
        ("ace_step_15", Opened(kind="audio/wav", seconds=2, has_sound=True)),
    ],
)
async def test_each_epoch_of_a_training_has_weights_and_samples(bench: Bench, ecosystem: str, sample: Opened) -> None:
    step = await run_one(bench, "training", {**TRAINING, "ecosystem": ecosystem})
    assert await files_of(bench, step) == [WEIGHTS, sample, sample] * 2
    (job,) = step.jobs
    content = await bench.read_blob(job.slots[0].blob_key)
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    assert header["__metadata__"]["ss_epoch"] == "1"
    epochs = output_of(bench, step)["epochs"]
    assert [(epoch["epochNumber"], len(epoch["samples"])) for epoch in epochs] == [(1, 2), (2, 2)]


async def test_a_training_shows_the_epochs_that_are_over(bench: Bench) -> None:
    step = make_step(bench, "training", TRAINING)
    (job,) = step.jobs
    assert output_of(bench, step)["epochs"] == []
    half = tuple(replace(slot, available=place < 3) for place, slot in enumerate(job.slots))
    (epoch,) = output_of(bench, replace(step, jobs=[replace(job, slots=half)]))["epochs"]
    assert (epoch["epochNumber"], epoch["model"]["id"]) == (1, job.slots[0].blob_key)


@pytest.mark.parametrize(("engine", "members", "count"), [("kohya", {"maxTrainEpochs": 3}, 3), ("flux2-dev", {}, 1)])
async def test_the_older_form_of_a_training_has_urls(
    bench: Bench, engine: str, members: JsonObject, count: int
) -> None:
    sent: JsonObject = {
        "engine": engine,
        "model": "urn:air:sdxl:checkpoint:civitai:101055@128078",
        "trainingData": "https://example.com/data.zip",
        "trainingDataImagesCount": 20,
        "samplePrompts": ["a fox"],
        **members,
    }
    output = output_of(bench, await run_one(bench, "imageResourceTraining", sent))
    check_output("imageResourceTraining", output)
    assert [len(epoch["sampleImages"]) for epoch in output["epochs"]] == [1] * count
    assert output["epochs"][0]["blobUrl"].startswith(
        f"http://here/v2/consumer/blobs/{output['epochs'][0]['blobName']}?"
    )


async def test_a_3d_model_comes_with_what_is_asked_for(bench: Bench) -> None:
    asked: JsonObject = {"engine": "fal", "model": "meshy", "operation": "textTo3D", "prompt": "a cube"}
    step = await run_one(bench, "polyGen", {**asked, "enableRigging": True})
    model = Opened(kind="model/gltf-binary")
    assert await files_of(bench, step) == [model, Opened(kind="image/jpeg", size=(512, 512)), model]
    output = output_of(bench, step)
    assert list(output) == ["model", "thumbnail", "riggedModel"]
    assert (output["model"]["type"], output["model"]["format"]) == ("model3d", "glb")


async def test_a_3d_model_is_seen_from_each_pose(bench: Bench) -> None:
    pose: JsonObject = {"yaw": 0, "pitch": 0, "distance": 1, "fov": 40}
    sent: JsonObject = {"model": MEDIA, "width": 64, "height": 48, "outputFormat": "png", "cameraPoses": [pose, pose]}
    step = await run_one(bench, "model3DPreview", sent)
    assert await files_of(bench, step) == [Opened(kind="image/png", size=(64, 48))] * 2


async def test_packs_of_nodes_have_layers_that_a_graph_can_name(bench: Bench) -> None:
    step = await run_one(bench, "comfyNodepackSnapshot", {"nodepacks": ["one", "two", "one"]})
    results = output_of(bench, step)["results"]
    assert [result["nodepack"] for result in results] == ["one", "two", "one"]
    airs = [result["layerAir"] for result in results]
    assert airs[0] == airs[2] != airs[1]
    assert [str(Air.parse(air)) for air in airs] == airs
    kinds = [file.kind for file in await files_of(bench, step)]
    assert kinds == ["application/x-tar", "application/octet-stream", "application/x-tar"] * 3


async def test_an_archive_has_the_blobs_of_its_caller(bench: Bench) -> None:
    drawn = await run_one(bench, "textToSpeech", {"text": "Good morning"})
    (slot,) = drawn.jobs[0].slots
    sent: JsonObject = {"entries": [{"blobId": slot.blob_key, "fileName": "a.ogg"}, {"blobId": slot.blob_key}]}
    (step,) = await run(bench, [make_step(bench, "blobArchive", sent, number=1)])
    output = output_of(bench, step)
    check_output("blobArchive", output)
    assert (output["entryCount"], output["format"]) == (2, "zip")
    base, _, token = output["url"].rpartition("/")
    assert base == "http://here/v2/consumer/blobs/archive"
    archive = await bench.namespace.archives.open(token, reading=JobReading(by_url=False))
    content = b"".join([chunk async for chunk in archive.content()])
    with zipfile.ZipFile(io.BytesIO(content)) as opened_archive:
        assert opened_archive.namelist() == ["a.ogg", slot.blob_key]
        assert opened_archive.read("a.ogg") == await bench.read_blob(slot.blob_key)


async def test_an_archive_of_a_blob_that_is_not_there_fails(bench: Bench) -> None:
    step = await run_one(bench, "blobArchive", {"entries": [{"blobId": "gone.png"}]})
    (job,) = step.jobs
    assert job.outcome is Outcome.FAILED
    assert output_of(bench, step) is None


@pytest.mark.parametrize("step_type", sorted(STEP_TYPES.keys() - OF_GRAPHS - {"blobArchive"}))
def test_the_same_input_and_seed_make_the_same(step_type: str) -> None:
    for is_full in (False, True):
        for sent in sent_inputs(step_type, is_full=is_full):
            echo = echo_input(step_type, sent)
            one, same = (
                [resolve(draft) for draft in STEP_TYPES[step_type].job_maker(echo)(SEED).drafts] for _ in range(2)
            )
            assert one == same
            for plan in one:
                check_spec(job_of(plan))


@pytest.mark.parametrize("step_type", ["videoGen", "aceStepAudio", "polyGen", "tryOnU", "training"])
def test_another_seed_makes_something_else(step_type: str) -> None:
    echo = echo_input(step_type, sent_inputs(step_type, is_full=False)[0])
    one, other = (resolve(STEP_TYPES[step_type].job_maker(echo)(seed).drafts[0]) for seed in (1, 2))
    assert one != other


def test_every_recipe_has_a_step_type_but_repeat() -> None:
    assert STEP_TYPES.keys() == recipe_schemas().keys() - {"repeat"}
