"""Images that are drawn when somebody asks for them, on every store."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from hashlib import sha256

import pytest
from structlog.testing import capture_logs

from civitai_mock.clock import SeededIds, VirtualClock
from civitai_mock.domain.blob import Blob, UndrawnBlob
from civitai_mock.domain.errors import NotDrawnError, NotFoundError, TransientError
from civitai_mock.domain.events import GRAPH_MEMBER
from civitai_mock.domain.job import Job
from civitai_mock.domain.stages import Stage
from civitai_mock.generation import recipe as recipes
from civitai_mock.generation.file_recipes import VideoRecipe
from civitai_mock.generation.graph_reader.samplers import SamplerPass
from civitai_mock.generation.media import ImageContent
from civitai_mock.generation.recipe import GraphRecipe, Recipe, read_recipe, recipe_text
from civitai_mock.ports import BlobStore, Stores
from civitai_mock.services.blob_drawing import BlobDrawing
from civitai_mock.services.blob_previews import BlobPreviews
from civitai_mock.services.blobs import BlobAccess
from civitai_mock.services.faults.blobs import BlobFaults
from tests.support.dates import START
from tests.support.event_loop import settle
from tests.support.faults import faults_of
from tests.support.jobs import LEASE, LIFETIME, SECOND, add_claimed, collect
from tests.support.scripted_provider import PlainArtist

GRAPH = '{"9":{}}'
IMAGE = f"9 0 of {GRAPH}".encode()
LATER = LEASE + SECOND


class HeldArtist(PlainArtist):
    """Draws when it is let, and counts; `failure` is what it raises instead."""

    def __init__(self, *, held: bool = False) -> None:
        self.drawings = 0
        self.failure: Exception | None = None
        self.begun, self.go_on = asyncio.Event(), asyncio.Event()
        if not held:
            self.go_on.set()

    async def draw_recipe(self, recipe: Recipe, graph_text: str) -> bytes:
        self.drawings += 1
        self.begun.set()
        await self.go_on.wait()
        if self.failure is not None:
            raise self.failure
        return await super().draw_recipe(recipe, graph_text)


class FullBlobStore:
    """Is a blob store that cannot take anything new while it is `full`."""

    def __init__(self, inner: BlobStore) -> None:
        self.full = True
        self.stat, self.read, self.put, self.put_undrawn = inner.stat, inner.read, inner.put, inner.put_undrawn
        self.delete, self.sweep, self._fill, self.describe = inner.delete, inner.sweep, inner.fill, inner.describe
        self.set_fault = inner.set_fault

    async def fill(self, blob: UndrawnBlob, content: AsyncIterator[bytes]) -> Blob | None:
        if self.full:
            raise TransientError("The disk is full.")
        return await self._fill(blob, content)


@pytest.fixture
async def job(stores: Stores) -> Job:
    """A job whose graph was prepared twice, of which the second one ran."""
    job = await add_claimed(stores.jobs, stores.queue)
    for stage, text in ((Stage.CLAIMED, None), (Stage.PROMPT_PREPARED, "{}"), (Stage.SENT_TO_COMFY, GRAPH)):
        context = {} if text is None else {GRAPH_MEMBER: text}
        entered = job.entered(
            stage, at=job.created_at, until=job.created_at + LEASE, context=dict(context), prompt_id="p"
        )
        assert await stores.jobs.replace(job, entered)
        job = entered
    return job


@pytest.fixture
async def undrawn(stores: Stores, job: Job) -> UndrawnBlob:
    recipe = GraphRecipe(job_id=job.id, node_id="9", index=0, image_content=ImageContent.DRAWN)
    blob = UndrawnBlob(
        key=job.slots[0].blob_key,
        content_type="image/png",
        recipe=recipe_text(recipe),
        keep_until=job.keep_until,
        owner=job.issued_by,
    )
    await stores.blobs.put_undrawn([blob])
    return blob


@asynccontextmanager
async def access(stores: Stores, artist: PlainArtist, blobs: BlobStore | None = None) -> AsyncIterator[BlobAccess]:
    """Open the blobs as a process does."""
    async with aclosing(BlobDrawing(blobs=blobs or stores.blobs, jobs=stores.jobs, artist=artist)) as drawing:
        previews = BlobPreviews(blobs=blobs or stores.blobs, drawing=drawing, artist=artist)
        yield BlobAccess(
            blobs=blobs or stores.blobs,
            drawing=drawing,
            previews=previews,
            chooser=faults_of(stores, clock=VirtualClock(START), ids=SeededIds()),
            get_faults=_no_faults,
        )


def _no_faults() -> BlobFaults:
    raise AssertionError("nothing goes wrong with these blobs")


async def bytes_of(blobs: BlobAccess, key: str) -> bytes:
    return await collect((await blobs.open(key, owner=None)).content())


async def test_an_image_is_drawn_once_and_kept_as_what_it_is(stores: Stores, undrawn: UndrawnBlob) -> None:
    artist = HeldArtist()
    async with access(stores, artist) as blobs:
        assert [await bytes_of(blobs, undrawn.key) for _ in range(2)] == [IMAGE] * 2
    etag = sha256(IMAGE).hexdigest()[:32]
    assert await stores.blobs.stat(undrawn.key) == undrawn.filled(size=len(IMAGE), etag=etag)
    assert artist.drawings == 1


async def test_all_who_ask_at_once_wait_for_one_drawing(stores: Stores, undrawn: UndrawnBlob) -> None:
    artist = HeldArtist(held=True)
    async with access(stores, artist) as blobs:
        waiting = [asyncio.create_task(bytes_of(blobs, undrawn.key)) for _ in range(50)]
        await artist.begun.wait()
        artist.go_on.set()
        assert await asyncio.gather(*waiting) == [IMAGE] * 50
    assert artist.drawings == 1


async def test_who_was_told_of_the_recipe_before_it_was_drawn_finds_the_image(
    stores: Stores, undrawn: UndrawnBlob
) -> None:
    artist = HeldArtist()
    async with access(stores, artist) as blobs:
        await blobs.drawing.open(undrawn)
        assert await collect((await blobs.drawing.open(undrawn)).content()) == IMAGE
    assert artist.drawings == 1


async def test_two_processes_that_draw_at_once_give_out_the_same(stores: Stores, undrawn: UndrawnBlob) -> None:
    artists = [HeldArtist(held=True) for _ in range(2)]
    async with access(stores, artists[0]) as one, access(stores, artists[1]) as other:
        opening = [asyncio.create_task(blobs.open(undrawn.key, owner=None)) for blobs in (one, other)]
        for artist in artists:
            await artist.begun.wait()
        for artist in artists:
            artist.go_on.set()
        opened = await asyncio.gather(*opening)
        assert [await collect(blob.content()) for blob in opened] == [IMAGE] * 2
    assert opened[0].blob == opened[1].blob == await stores.blobs.stat(undrawn.key)


async def test_what_cannot_be_kept_is_given_out_and_drawn_again_next_time(stores: Stores, undrawn: UndrawnBlob) -> None:
    artist, full = HeldArtist(), FullBlobStore(stores.blobs)
    async with access(stores, artist, full) as blobs:
        with capture_logs() as logs:
            given_out = [await blobs.open(undrawn.key, owner=None) for _ in range(2)]
        assert [(line["event"], line["reason"]) for line in logs] == [("drawn image not kept", "The disk is full.")]
        assert [await collect(opened.content()) for opened in given_out] == [IMAGE] * 2
        assert await collect(given_out[0].read(start=2, stop=5)) == IMAGE[2:5]
        assert await stores.blobs.stat(undrawn.key) == undrawn
        full.full = False
        kept = await blobs.open(undrawn.key, owner=None)
    assert kept.blob == given_out[0].blob == await stores.blobs.stat(undrawn.key)
    assert artist.drawings == 3


async def test_a_second_time_of_a_full_disk_is_logged_again(stores: Stores, undrawn: UndrawnBlob) -> None:
    full = FullBlobStore(stores.blobs)
    async with access(stores, HeldArtist(), full) as blobs:
        with capture_logs() as logs:
            await blobs.open(undrawn.key, owner=None)
            full.full = False
            await blobs.open(undrawn.key, owner=None)
            full.full = True
            await stores.blobs.put_undrawn([undrawn])
            await blobs.open(undrawn.key, owner=None)
    assert [line["event"] for line in logs] == ["drawn image not kept"] * 2


@pytest.mark.parametrize("how", ["deleted", "swept"])
async def test_a_blob_that_goes_while_it_is_drawn_does_not_come_back(
    stores: Stores, undrawn: UndrawnBlob, how: str
) -> None:
    artist = HeldArtist(held=True)
    async with access(stores, artist) as blobs:
        opening = asyncio.create_task(blobs.open(undrawn.key, owner=None))
        await artist.begun.wait()
        if how == "deleted":
            assert await blobs.delete(undrawn.key, owner=None)
        else:
            assert await stores.blobs.sweep(undrawn.keep_until) == 1
        artist.go_on.set()
        with pytest.raises(NotFoundError):
            await opening
    assert await stores.blobs.stat(undrawn.key) is None


async def test_a_drawing_goes_on_without_the_one_who_asked_for_it(stores: Stores, undrawn: UndrawnBlob) -> None:
    artist = HeldArtist(held=True)
    async with access(stores, artist) as blobs:
        first = asyncio.create_task(blobs.open(undrawn.key, owner=None))
        await artist.begun.wait()
        first.cancel()
        await asyncio.wait([first])
        artist.go_on.set()
        assert await bytes_of(blobs, undrawn.key) == IMAGE
    assert artist.drawings == 1


async def test_a_process_that_ends_breaks_its_drawings_off_and_leaves_the_recipes(
    stores: Stores, undrawn: UndrawnBlob
) -> None:
    artist = HeldArtist(held=True)
    async with access(stores, artist) as blobs:
        opening = asyncio.create_task(blobs.open(undrawn.key, owner=None))
        await artist.begun.wait()
    await asyncio.wait([opening])
    assert opening.cancelled()
    assert await stores.blobs.stat(undrawn.key) == undrawn


async def test_what_a_bug_does_not_draw_is_logged_and_drawn_another_time(stores: Stores, undrawn: UndrawnBlob) -> None:
    artist = HeldArtist()
    artist.failure = ZeroDivisionError("a bug")
    async with access(stores, artist) as blobs:
        with capture_logs() as logs, pytest.raises(NotDrawnError, match="an error in this server"):
            await blobs.open(undrawn.key, owner=None)
        assert [(line["event"], line["blob_key"]) for line in logs] == [("image not drawn", undrawn.key)]
        artist.failure = None
        assert await bytes_of(blobs, undrawn.key) == IMAGE


async def test_a_bug_that_nobody_waits_for_is_no_trouble_to_others(stores: Stores, undrawn: UndrawnBlob) -> None:
    artist = HeldArtist(held=True)
    artist.failure = ZeroDivisionError("a bug")
    async with access(stores, artist) as blobs:
        opening = asyncio.create_task(blobs.open(undrawn.key, owner=None))
        await artist.begun.wait()
        opening.cancel()
        artist.go_on.set()
        await asyncio.wait([opening])
        await settle()
        artist.failure = None
        assert await bytes_of(blobs, undrawn.key) == IMAGE


async def test_a_recipe_of_a_later_painter_waits_for_a_process_that_has_it(
    stores: Stores, undrawn: UndrawnBlob, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recipes, "PAINTER_VERSION", recipes.PAINTER_VERSION + 1)
    recipe = recipe_text(read_recipe(undrawn.recipe))
    await stores.blobs.put_undrawn([replace(undrawn, recipe=recipe)])
    monkeypatch.undo()
    artist = HeldArtist()
    async with access(stores, artist) as blobs:
        with pytest.raises(TransientError, match="later version of this program"):
            await blobs.open(undrawn.key, owner=None)
        assert artist.drawings == 0
        monkeypatch.setattr(recipes, "PAINTER_VERSION", recipes.PAINTER_VERSION + 1)
        assert await bytes_of(blobs, undrawn.key) == IMAGE


async def test_a_recipe_of_an_earlier_painter_is_drawn_by_this_one(
    stores: Stores, undrawn: UndrawnBlob, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recipes, "PAINTER_VERSION", recipes.PAINTER_VERSION + 1)
    async with access(stores, HeldArtist()) as blobs:
        assert await bytes_of(blobs, undrawn.key) == IMAGE


async def test_an_image_whose_job_is_gone_is_gone_as_well(stores: Stores, undrawn: UndrawnBlob) -> None:
    assert await stores.jobs.sweep(undrawn.keep_until) == 1
    async with access(stores, HeldArtist()) as blobs:
        with pytest.raises(NotFoundError):
            await blobs.open(undrawn.key, owner=None)


async def test_an_image_that_is_kept_longer_is_drawn_and_outlives_its_job(stores: Stores, undrawn: UndrawnBlob) -> None:
    async with access(stores, HeldArtist()) as blobs:
        await blobs.keep(undrawn, undrawn.keep_until + LATER)
        for sweep in (stores.jobs.sweep, stores.blobs.sweep):
            await sweep(undrawn.keep_until)
        assert await bytes_of(blobs, undrawn.key) == IMAGE


async def test_one_that_is_kept_as_long_as_it_was_is_not_drawn(stores: Stores, undrawn: UndrawnBlob) -> None:
    artist = HeldArtist()
    async with access(stores, artist) as blobs:
        await blobs.keep(undrawn, undrawn.keep_until)
    assert artist.drawings == 0
    assert await stores.blobs.stat(undrawn.key) == undrawn


async def test_a_file_of_a_recipe_without_a_graph_needs_no_job(stores: Stores) -> None:
    """Its recipe says all; where the disk is full it is given out all the same, and made again next time."""
    recipe = VideoRecipe(sampled=SamplerPass(prompt_text="a fox"), width=64, height=64, seconds=1)
    key, keep_until = "0123456789ABCDEFGHJKMNPQRS.mp4", START + LIFETIME
    blob = UndrawnBlob(key=key, content_type="video/mp4", recipe=recipe_text(recipe), keep_until=keep_until)
    await stores.blobs.put_undrawn([blob])
    artist, full = HeldArtist(), FullBlobStore(stores.blobs)
    async with access(stores, artist, full) as blobs:
        assert [await bytes_of(blobs, key) for _ in range(2)] == [recipe_text(recipe).encode()] * 2
        full.full = False
        opened = await asyncio.gather(*(blobs.open(key, owner=None) for _ in range(50)))
    assert artist.drawings == 3
    assert {one.blob.size for one in opened} == {len(recipe_text(recipe))}
    assert isinstance(await stores.blobs.stat(key), Blob)
