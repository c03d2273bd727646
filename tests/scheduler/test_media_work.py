"""Jobs that make files of recipes, and jobs that make them of other files, wherever those come from."""

import base64
from dataclasses import replace

import httpx
import pytest

from civitai_mock.domain.blob import BlobFacts, Slot, UndrawnBlob, blob_id_of, blob_key
from civitai_mock.domain.errors import JobError, MockError, TransientError
from civitai_mock.domain.job import Job, WorkflowPlace
from civitai_mock.domain.maturity import NsfwLevel
from civitai_mock.domain.media import MediaKind
from civitai_mock.drawing.artist import StandInArtist
from civitai_mock.generation.file_recipes import ImageRecipe, PlaceholderRecipe, stand_in_recipe
from civitai_mock.generation.graph import Graph
from civitai_mock.generation.graph_reader.samplers import SamplerPass
from civitai_mock.generation.media import ImageContent, ImageFile, ImageFormat
from civitai_mock.generation.operations import UpscaleImage
from civitai_mock.generation.recipe import GraphRecipe, read_recipe, recipe_text
from civitai_mock.generation.work import DerivedWork, GraphWork, InputImage, MediaWork
from civitai_mock.ports import Output, Outputs, UndrawnOutput
from civitai_mock.scheduler.executors.context import Executor, JobContext
from civitai_mock.scheduler.executors.graph import GraphExecutor
from civitai_mock.scheduler.executors.media import DerivedExecutor, MediaExecutor
from tests.scheduler.conftest import Bench
from tests.support.jobs import LIFETIME, chunks, make_job
from tests.support.scripted_provider import ScriptedProvider
from tests.support.standin import plain_png

IMAGE = plain_png(8, 8)
KEY = blob_key("an earlier job", 0)
URL = "http://images.test/fox.png?key=secret"
RECIPE = ImageRecipe(sampled=SamplerPass(prompt_text="a fox"), width=64, height=64)


class Simulation(ScriptedProvider):
    """Does not need to read files, as the simulator does not."""

    reads_files = False


def job_with(*keys: str) -> Job:
    return replace(make_job(), slots=tuple(Slot(blob_key=key) for key in keys))


def context_of(bench: Bench, job: Job, provider: ScriptedProvider | None = None) -> JobContext:
    return JobContext(
        job=job, services=bench.services(provider=provider), publish=_publish_nothing, before_waiting=_store_nothing
    )


async def work_on(
    bench: Bench, executor: Executor, job: Job, *, provider: ScriptedProvider | None = None
) -> JobContext:
    """Do all that an executor does for a job, and return what it leaves."""
    context = context_of(bench, job, provider)
    for step in (executor.prepare, executor.send, executor.collect):
        await step(context)
    return context


async def _publish_nothing(*_: object) -> None:
    raise AssertionError("there is nothing to publish")


async def _store_nothing() -> None:
    """Store no stage, as the job has entered none."""


def upscaling(source: str, *, needs_inputs: bool = True) -> DerivedExecutor:
    work = DerivedWork(operation=UpscaleImage(), inputs=(source,), seconds=0, needs_inputs=needs_inputs)
    return DerivedExecutor(work)


async def read(bench: Bench, context: JobContext) -> bytes:
    (slot,) = context.slots
    assert slot.available
    return await bench.read_blob(slot.blob_key)


async def store(bench: Bench, *, key: str = KEY, owner: str | None = make_job().issued_by) -> None:
    until = bench.clock.now() + LIFETIME
    await bench.stores.blobs.put(key, chunks(IMAGE), content_type="image/png", keep_until=until, owner=owner)


async def test_files_of_a_job_are_recipes_until_somebody_asks_for_them(bench: Bench) -> None:
    files = (RECIPE, PlaceholderRecipe(content_type="model/gltf-binary"))
    context = await work_on(
        bench, MediaExecutor(MediaWork(files=files, seconds=0, result={"a": 1})), job_with("1", "2")
    )
    assert [(slot.blob_key, slot.available) for slot in context.slots] == [("1", True), ("2", True)]
    assert [slot.facts for slot in context.slots] == [BlobFacts(width=64, height=64), BlobFacts()]
    assert context.result == {"a": 1}
    blobs = [await bench.stores.blobs.stat(key) for key in ("1", "2")]
    assert all(isinstance(blob, UndrawnBlob) for blob in blobs)
    assert [blob.content_type for blob in blobs if blob] == ["image/jpeg", "model/gltf-binary"]
    assert await bench.read_blob("1") == recipe_text(RECIPE).encode()


async def test_a_recipe_says_what_this_process_has_images_show(bench: Bench) -> None:
    bench.runtime.artist.image_content = ImageContent.BLANK
    await work_on(bench, MediaExecutor(MediaWork(files=(RECIPE,), seconds=0)), job_with("1"))
    blob = await bench.stores.blobs.stat("1")
    assert isinstance(blob, UndrawnBlob)
    assert read_recipe(blob.recipe) == RECIPE.showing(ImageContent.BLANK)


async def test_a_result_needs_no_file(bench: Bench) -> None:
    context = await work_on(bench, MediaExecutor(MediaWork(files=(), seconds=0, result={"text": "x"})), job_with())
    assert (context.slots, context.result) == ((), {"text": "x"})


@pytest.mark.parametrize(
    "source",
    [
        f"data:image/png;base64,{base64.b64encode(IMAGE).decode()}",
        f"DATA:;base64,{base64.b64encode(IMAGE).decode().rstrip('=')}",
        base64.b64encode(IMAGE).decode(),
        base64.urlsafe_b64encode(IMAGE).decode().rstrip("="),
        base64.encodebytes(IMAGE).decode(),
        "data:image/png," + "".join(f"%{byte:02x}" for byte in IMAGE),
        KEY,
        "0123456789ABCDEFGHJKMNPQRS.png",
    ],
    ids=[
        "data URL",
        "loose data URL",
        "base64",
        "URL base64",
        "lines of base64",
        "quoted data URL",
        "v1 key",
        "v2 key",
    ],
)
async def test_an_input_may_stand_in_the_request_or_in_the_store(bench: Bench, source: str) -> None:
    await store(bench)
    await store(bench, key="0123456789ABCDEFGHJKMNPQRS.png")
    context = await work_on(bench, upscaling(source), job_with("1"))
    assert await read(bench, context) == b"UpscaleImage and " + IMAGE
    assert bench.receiver.requests == []


async def test_an_input_of_another_host_is_fetched_once_for_all_claims(bench: Bench) -> None:
    bench.receiver.answer = lambda _: httpx.Response(200, content=chunks(IMAGE))
    made = [await read(bench, await work_on(bench, upscaling(URL), job_with("1"))) for _ in range(2)]
    assert made == [b"UpscaleImage and " + IMAGE] * 2
    assert len(bench.receiver.requests) == 1


async def test_a_url_of_ours_is_read_from_the_store(bench: Bench) -> None:
    await store(bench)
    url, _ = bench.blob_urls.sign(KEY, base_url="https://elsewhere.test")
    assert await read(bench, await work_on(bench, upscaling(url), job_with("1"))) == b"UpscaleImage and " + IMAGE
    assert bench.receiver.requests == []


async def test_a_job_without_slots_takes_what_there_is(bench: Bench) -> None:
    context = await work_on(bench, upscaling(base64.b64encode(IMAGE).decode()), job_with())
    assert [slot.blob_key for slot in context.slots] == [blob_id_of(f"{make_job().id}-0", ".jpeg")]
    assert context.result == {"inputs": 1}


async def test_an_operation_that_makes_too_few_files_ends_the_job(bench: Bench) -> None:
    with pytest.raises(JobError, match="too few files: 1 of 2"):
        await work_on(bench, upscaling(base64.b64encode(IMAGE).decode()), job_with("1", "2"))


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("no base64!", "neither a URL"),
        ("data:image/png;base64", "no comma"),
        ("data:;base64,%%%", "nor base64"),
        (f"{KEY[:-1]}0", "does not exist"),
        (base64.b64encode(bytes(1_000_001)).decode(), "MEDIA_MAX_BYTES"),
    ],
)
async def test_an_input_that_is_none_ends_the_job(bench: Bench, source: str, reason: str) -> None:
    with pytest.raises(JobError, match=reason):
        await work_on(bench, upscaling(source), job_with("1"))


async def test_a_blob_of_another_consumer_does_not_exist(bench: Bench) -> None:
    await store(bench, owner="somebody else")
    with pytest.raises(JobError, match="does not exist"):
        await work_on(bench, upscaling(KEY), job_with("1"))


async def test_a_drawing_stands_in_for_what_an_air_names(bench: Bench) -> None:
    air = "urn:air:other:image:civitai:1@2"
    stand_in = recipe_text(stand_in_recipe(MediaKind.IMAGE, air)).encode()
    assert await read(bench, await work_on(bench, upscaling(air), job_with("1"))) == b"UpscaleImage and " + stand_in


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (httpx.Response(404), JobError),
        ("<html>", JobError),
        (httpx.Response(503), TransientError),
        (httpx.ConnectError("refused"), TransientError),
    ],
)
async def test_an_input_that_cannot_be_had_is_a_failure_for_a_real_provider(
    bench: Bench, failure: httpx.Response | httpx.ConnectError | str, kind: type[MockError]
) -> None:
    _answer_with(bench, failure)
    with pytest.raises(kind, match=r"images\.test") as caught:
        await work_on(bench, upscaling(URL), job_with("1"))
    assert "secret" not in caught.value.message


@pytest.mark.parametrize("failure", [httpx.ConnectError("refused"), None], ids=["unreachable", "forbidden"])
async def test_in_simulation_a_drawing_stands_in_for_a_file_of_a_host_out_of_reach(
    bench: Bench, failure: httpx.ConnectError | None
) -> None:
    if failure is None:
        bench.receiver.addresses = {"images.test": ("8.8.8.8",)}
    else:
        _answer_with(bench, failure)
    context = await work_on(bench, upscaling(URL), job_with("1"), provider=Simulation())
    stand_in = recipe_text(stand_in_recipe(MediaKind.IMAGE, URL)).encode()
    assert await read(bench, context) == b"UpscaleImage and " + stand_in


@pytest.mark.parametrize("failure", [httpx.Response(404), httpx.Response(503), httpx.ConnectError("refused")])
async def test_an_operation_that_can_do_without_its_input_does(
    bench: Bench, failure: httpx.Response | httpx.ConnectError
) -> None:
    _answer_with(bench, failure)
    context = await work_on(bench, upscaling(URL, needs_inputs=False), job_with("1"))
    assert await read(bench, context) == b"UpscaleImage and nothing"


def _answer_with(bench: Bench, failure: httpx.Response | httpx.ConnectError | str) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        if isinstance(failure, httpx.ConnectError):
            raise failure
        return httpx.Response(200, content=chunks(failure.encode())) if isinstance(failure, str) else failure

    bench.receiver.answer = answer


@pytest.mark.parametrize(
    ("file", "content", "content_type"),
    [(None, b"image", "image/png"), (ImageFile(format=ImageFormat.WEBP), b"webp of image", "image/webp")],
)
async def test_images_of_a_graph_are_given_out_as_the_work_asks(
    bench: Bench, file: ImageFile | None, content: bytes, content_type: str
) -> None:
    executor = GraphExecutor(GraphWork(graph={}, image_file=file))
    context = context_of(bench, job_with("1"))
    context.prompt_id, context.is_done = "a prompt", True
    await executor.collect(context)
    assert await read(bench, context) == content
    blob = await bench.stores.blobs.stat("1")
    assert blob is not None
    assert blob.content_type == content_type


class PngProvider(ScriptedProvider):
    """Makes a real image, or leaves one to be drawn."""

    def __init__(self, *, is_undrawn: bool) -> None:
        super().__init__()
        self.is_undrawn = is_undrawn

    async def collect(self, prompt_id: str) -> Outputs:  # noqa: ARG002 - the same for all
        if self.is_undrawn:
            recipe = GraphRecipe(job_id="a job", node_id="9", index=0, image_content=ImageContent.DRAWN)
            undrawn = UndrawnOutput(node_id="9", content_type="image/png", recipe=recipe, size=(8, 6))
            return Outputs(items=[undrawn], facts={})
        image = Output(node_id="9", content_type="image/png", content=chunks(SMALL[:20], SMALL[20:]))
        return Outputs(items=[image], facts={})


SMALL = plain_png(8, 6)
PLACE = WorkflowPlace(workflow_id="1-20261126000000000", step=0, index=0)
FACTS = BlobFacts(nsfw_level=NsfwLevel.PG, job_id=make_job().id, workflow_id=PLACE.workflow_id)


async def collected(bench: Bench, work: GraphWork, provider: ScriptedProvider, *, place: WorkflowPlace | None) -> Slot:
    context = context_of(bench, replace(job_with(), workflow=place), provider)
    context.prompt_id, context.is_done = "a prompt", True
    await GraphExecutor(work).collect(context)
    (slot,) = context.slots
    return slot


@pytest.mark.parametrize("is_undrawn", [True, False])
async def test_a_graph_of_v2_leaves_its_images_under_ids_of_v2_with_their_size(
    bench: Bench, *, is_undrawn: bool
) -> None:
    slot = await collected(bench, GraphWork(graph={}), PngProvider(is_undrawn=is_undrawn), place=PLACE)
    assert (slot.blob_key, slot.name) == (blob_id_of(f"{make_job().id}-0", ".png"), "9_0.png")
    assert slot.facts == replace(FACTS, width=8, height=6)
    blob = await bench.stores.blobs.stat(slot.blob_key)
    assert blob is not None
    assert blob.facts == slot.facts
    if not is_undrawn:
        assert await bench.read_blob(slot.blob_key) == SMALL


async def test_an_image_of_v2_has_the_ending_of_the_format_that_was_asked_for(bench: Bench) -> None:
    work = GraphWork(graph={}, image_file=ImageFile(format=ImageFormat.WEBP))
    slot = await collected(bench, work, ScriptedProvider(), place=PLACE)
    assert slot.blob_key == blob_id_of(f"{make_job().id}-0", ".webp")
    assert await bench.read_blob(slot.blob_key) == b"webp of image"
    assert slot.facts == FACTS, "as these bytes are not an image"


async def test_files_of_a_custom_graph_are_called_as_comfyui_would(bench: Bench) -> None:
    work = GraphWork(
        graph={"9": {"class_type": "SaveImage", "inputs": {"filename_prefix": "a folder/ö out"}}},
        asset_prefix="customcomfy-1-asset-",
    )
    slot = await collected(bench, work, PngProvider(is_undrawn=False), place=PLACE)
    assert slot.blob_key == "customcomfy-1-asset-_out_00001_.png"
    assert await bench.read_blob(slot.blob_key) == SMALL


async def test_what_a_graph_of_v2_draws_says_how_mature_its_images_are(bench: Bench) -> None:
    """Negative prompt texts say what is not drawn."""
    work = GraphWork(
        graph={
            "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "a naked man"}},
            "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "hardcore"}},
            "9": {
                "class_type": "KSampler",
                "inputs": {"steps": 4, "latent_image": ["8", 0], "positive": ["6", 0], "negative": ["7", 0]},
            },
        }
    )
    slot = await collected(bench, work, PngProvider(is_undrawn=False), place=PLACE)
    assert slot.facts == replace(FACTS, width=8, height=6, nsfw_level=NsfwLevel.X)


async def test_a_trace_tells_what_was_run(bench: Bench) -> None:
    work = GraphWork(graph={"9": {"class_type": "SaveImage", "inputs": {}}}, has_trace=True)
    context = context_of(bench, replace(job_with(), workflow=PLACE), PngProvider(is_undrawn=False))
    context.prompt_id, context.is_done, context.graph = "a prompt", True, work.graph
    await GraphExecutor(work).collect(context)
    image, trace = context.slots
    assert (image.name, trace.name, trace.available) == ("9_0.png", "trace", True)
    lines = (await bench.read_blob(trace.blob_key)).decode().splitlines()
    assert lines[0].startswith("prompt a prompt on ")
    assert "node 9: SaveImage" in lines


@pytest.mark.parametrize(
    ("slots", "has_trace", "tells_progress", "is_kept"),
    [
        (["1"], False, False, False),
        ([], False, False, True),
        (["1"], True, False, True),
        (["1"], False, True, True),
    ],
)
async def test_a_graph_is_forgotten_while_it_runs_unless_somebody_reads_it(
    bench: Bench, slots: list[str], has_trace: bool, tells_progress: bool, is_kept: bool
) -> None:
    provider = ScriptedProvider()
    provider.tells_progress = tells_progress
    executor = GraphExecutor(GraphWork(graph=graph_of("a cat"), alternatives=(graph_of("a"),), has_trace=has_trace))
    context = context_of(bench, job_with(*slots), provider)
    context.prompt_id = "a prompt"
    await executor.send(context)
    assert [*provider.submissions[0].graph] == ["9"]
    assert (bool(executor.work.graph), bool(executor.work.alternatives), bool(context.graph)) == (is_kept,) * 3


def graph_of(text: str) -> Graph:
    return {"9": {"class_type": "SaveImage", "inputs": {"filename_prefix": text}}}


@pytest.mark.parametrize("is_undrawn", [True, False])
async def test_an_image_of_v1_has_a_name_and_no_facts(bench: Bench, *, is_undrawn: bool) -> None:
    slot = await collected(bench, GraphWork(graph={}), PngProvider(is_undrawn=is_undrawn), place=None)
    assert (slot.blob_key, slot.name, slot.facts) == (blob_key(make_job().id, 0), "9_0.png", None)


async def test_a_store_that_is_away_is_not_taken_for_a_file_that_cannot_be_had(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer would depend on it, so the job waits."""

    async def away(_: str) -> None:
        raise TransientError("The store is away.")

    monkeypatch.setattr(bench.stores.blobs, "stat", away)
    with pytest.raises(TransientError, match="store is away"):
        await work_on(bench, upscaling(URL, needs_inputs=False), job_with("1"))


def reading(source: str) -> GraphExecutor:
    return GraphExecutor(GraphWork(graph={}, images=(InputImage.of(source, name="source"),)))


@pytest.mark.parametrize(
    "source", [base64.b64encode(IMAGE).decode(), f"data:image/png;base64,{base64.b64encode(IMAGE).decode()}"]
)
async def test_a_graph_reads_an_image_that_stands_in_the_request(bench: Bench, source: str) -> None:
    context = context_of(bench, job_with())
    await reading(source).prepare(context)
    (file,) = context.files
    assert (file.name, file.content_type) == ("source", "image/png")
    assert b"".join([chunk async for chunk in file.read()]) == IMAGE


@pytest.mark.parametrize("source", ["not base64: at all! " * 8, base64.b64encode(b"a text" * 40).decode()])
async def test_what_stands_in_the_request_and_is_not_an_image_ends_the_job(bench: Bench, source: str) -> None:
    with pytest.raises(JobError):
        await reading(source).prepare(context_of(bench, job_with()))


@pytest.mark.parametrize(("provider", "files"), [(ScriptedProvider(), 1), (Simulation(), 0)])
async def test_a_drawing_stands_in_for_an_image_that_an_air_names(
    bench: Bench, provider: ScriptedProvider, files: int
) -> None:
    context = context_of(bench, job_with(), provider)
    async with StandInArtist(image_content=ImageContent.BLANK) as artist:
        context.services = replace(context.services, artist=artist)
        await reading("urn:air:other:image:civitai:1@2").prepare(context)
    assert len(context.files) == files
