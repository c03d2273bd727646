"""`BlobStore`: bytes by key."""

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from civitai_mock.domain.blob import Blob, BlobFacts, UndrawnBlob
from civitai_mock.domain.errors import NotFoundError
from civitai_mock.domain.json_types import JsonObject
from civitai_mock.domain.maturity import NsfwLevel
from civitai_mock.ports import BlobStore
from tests.support.dates import START
from tests.support.jobs import LIFETIME, SECOND, chunks, collect

KEY = "AC146E9943652A7D6359696406CAFFBF3796C4AD81CD3711502EEBA988663395"
OTHER_KEY = "AC" + "0" * 62
KEEP_UNTIL = START + LIFETIME
BIG = random.Random(0).randbytes(5_000_000)


class ProviderGoneError(Exception):
    pass


async def put(store: BlobStore, *parts: bytes, key: str = KEY) -> Blob:
    return await store.put(key, chunks(*parts), content_type="image/png", keep_until=KEEP_UNTIL)


async def content(store: BlobStore, key: str = KEY) -> bytes:
    blob = await store.stat(key)
    assert isinstance(blob, Blob)
    return await collect(store.read(key, start=0, stop=blob.size))


async def failing(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part
    raise ProviderGoneError


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param((b"\x89PNG\r\n\x1a\n\x00",), id="one chunk"),
        pytest.param((b"a", b"", b"b" * 1000, b"c"), id="small chunks"),
        pytest.param(tuple(BIG[start : start + 300_001] for start in range(0, len(BIG), 300_001)), id="a big file"),
        pytest.param((BIG,), id="one big chunk"),
        pytest.param((), id="no chunk"),
        pytest.param((b"",), id="an empty chunk"),
    ],
)
async def test_a_blob_comes_back_as_it_was(blobs: BlobStore, parts: tuple[bytes, ...]) -> None:
    blob = await put(blobs, *parts)
    assert await content(blobs) == b"".join(parts)
    assert blob.size == sum(map(len, parts))


@pytest.mark.parametrize("owner", ["civitai-1000001", None])
async def test_whose_a_blob_is_is_kept(blobs: BlobStore, owner: str | None) -> None:
    put_in = await blobs.put(KEY, chunks(b"x"), content_type="image/png", keep_until=KEEP_UNTIL, owner=owner)
    assert await blobs.stat(KEY) == put_in
    assert put_in.owner == owner


FAULT: JsonObject = {"rule": "a", "until": "2026-01-01T00:00:00Z", "$x.y": 1.5}


async def test_a_blob_may_come_with_its_fault(blobs: BlobStore) -> None:
    blob = await blobs.put(KEY, chunks(b"x"), content_type="image/png", keep_until=KEEP_UNTIL, fault=FAULT)
    assert blob.fault == FAULT
    assert await blobs.stat(KEY) == blob
    assert await put(blobs, b"y") == await blobs.stat(KEY)


async def test_of_what_is_decided_at_once_about_a_blob_one_is_kept(blobs: BlobStore) -> None:
    blob = await put(blobs, b"x")
    faults: list[JsonObject] = [{"rule": str(number)} for number in range(9)]
    kept = await asyncio.gather(*(blobs.set_fault(KEY, fault, before=None) for fault in faults))
    assert kept.count(True) == 1
    assert await blobs.stat(KEY) == replace(blob, fault=faults[kept.index(True)])


async def test_a_fault_is_only_changed_from_the_one_that_was_seen(blobs: BlobStore) -> None:
    await put(blobs, b"x")
    assert not await blobs.set_fault(KEY, FAULT, before={"rule": "b"})
    assert await blobs.set_fault(KEY, FAULT, before=None)
    assert not await blobs.set_fault(KEY, {"rule": "b"}, before=None)
    assert await blobs.set_fault(KEY, {"rule": "b"}, before=FAULT)
    assert not await blobs.set_fault(OTHER_KEY, FAULT, before=None)


async def test_an_undrawn_blob_has_its_fault_once_it_is_drawn(blobs: BlobStore) -> None:
    undrawn = replace(UNDRAWN, fault=FAULT)
    await blobs.put_undrawn([undrawn])
    assert await blobs.stat(KEY) == undrawn
    drawn = await blobs.fill(undrawn, chunks(b"x"))
    assert drawn is not None
    assert drawn.fault == FAULT
    assert await blobs.stat(KEY) == drawn


async def test_what_is_known_of_a_blob_is_kept(blobs: BlobStore) -> None:
    blob = await put(blobs, b"content")
    assert (blob.key, blob.content_type, blob.keep_until) == (KEY, "image/png", KEEP_UNTIL)
    assert await blobs.stat(KEY) == blob


ALL_FACTS = BlobFacts(
    width=64, height=48, duration=1.5, nsfw_level=NsfwLevel.PG13, job_id="a-job", workflow_id="7-20260101000000000"
)


@pytest.mark.parametrize("facts", [ALL_FACTS, BlobFacts(width=1), BlobFacts(), None])
async def test_the_facts_of_a_blob_are_kept(blobs: BlobStore, facts: BlobFacts | None) -> None:
    blob = await blobs.put(KEY, chunks(b"x"), content_type="image/png", keep_until=KEEP_UNTIL, facts=facts)
    recipe = UndrawnBlob(key=OTHER_KEY, content_type="image/png", recipe="{}", keep_until=KEEP_UNTIL, facts=facts)
    await blobs.put_undrawn([recipe])
    assert await blobs.stat(KEY) == blob
    assert await blobs.stat(OTHER_KEY) == recipe
    filled = await blobs.fill(recipe, chunks(b"y"))
    assert filled is not None
    assert [found and found.facts for found in (blob, recipe, filled, await blobs.stat(OTHER_KEY))] == [facts] * 4


@pytest.mark.parametrize("size", [1, len(BIG) * 2])
async def test_a_blob_that_is_described_is_kept_as_long_as_is_said(blobs: BlobStore, size: int) -> None:
    """A large one is a file of its own in some stores, which has to be kept as long."""
    content_of_it = (BIG * 2)[:size]
    blob = await put(blobs, content_of_it)
    later = KEEP_UNTIL + LIFETIME
    assert await blobs.describe(KEY, ALL_FACTS, keep_until=later)
    assert await blobs.stat(KEY) == replace(blob, facts=ALL_FACTS, keep_until=later)
    await blobs.sweep(KEEP_UNTIL)
    assert await content(blobs) == content_of_it
    await blobs.sweep(later)
    assert await blobs.stat(KEY) is None


async def test_what_is_not_there_cannot_be_described(blobs: BlobStore) -> None:
    assert not await blobs.describe(KEY, ALL_FACTS, keep_until=KEEP_UNTIL)
    assert await blobs.stat(KEY) is None


@pytest.mark.parametrize("key", ["7Q00000000000000000000000Z.jpeg", "a..b", "a.", "0-0.tar.gz", "x" * 123 + ".jpeg"])
async def test_a_key_may_have_an_extension(blobs: BlobStore, key: str) -> None:
    await put(blobs, b"x", key=key)
    assert await content(blobs, key) == b"x"
    assert await blobs.delete(key)
    assert await blobs.stat(key) is None


async def test_the_etag_depends_on_the_bytes_alone(blobs: BlobStore) -> None:
    first = await put(blobs, b"one", b"two")
    same = await blobs.put(OTHER_KEY, chunks(b"onetwo"), content_type="text/plain", keep_until=START)
    other = await put(blobs, b"onetwo!")
    assert first.etag == same.etag != other.etag
    assert '"' not in first.etag


async def test_an_unknown_blob_is_none(blobs: BlobStore) -> None:
    await put(blobs, b"content", key=OTHER_KEY)
    assert await blobs.stat(KEY) is None


@pytest.mark.parametrize("key", ["", "..", "../store", "AC/" + KEY, "/etc/passwd", KEY.lower(), "%", "\x00"])
async def test_text_that_is_no_key_is_an_unknown_blob(blobs: BlobStore, key: str) -> None:
    await put(blobs, b"content")
    assert await blobs.stat(key) is None
    assert not await blobs.delete(key)
    with pytest.raises(NotFoundError):
        await collect(blobs.read(key, start=0, stop=1))
    assert await content(blobs) == b"content"


@pytest.mark.parametrize("size", [10, 700_000])
@pytest.mark.parametrize(
    ("start", "stop"), [(0.0, 1.0), (0.0, 0.1), (0.9, 1.0), (0.3, 0.8), (0.5, 0.5), (0.0, 0.0), (1.0, 1.0)]
)
async def test_a_range_is_the_bytes_from_start_up_to_stop(
    blobs: BlobStore, size: int, start: float, stop: float
) -> None:
    await put(blobs, BIG[:size])
    first, end = int(size * start), int(size * stop)
    assert await collect(blobs.read(KEY, start=first, stop=end)) == BIG[first:end]


async def test_a_range_may_be_a_single_byte(blobs: BlobStore) -> None:
    await put(blobs, BIG)
    for position in (0, 65_535, 65_536, 262_143, 262_144, 262_145, len(BIG) - 1):
        assert await collect(blobs.read(KEY, start=position, stop=position + 1)) == BIG[position : position + 1]


async def test_chunks_are_of_bounded_size(blobs: BlobStore) -> None:
    await put(blobs, BIG)
    sizes = [len(chunk) async for chunk in blobs.read(KEY, start=0, stop=len(BIG))]
    assert max(sizes) <= 1024 * 1024


@pytest.mark.parametrize("key", [KEY, OTHER_KEY])
async def test_a_blob_that_went_cannot_be_read(blobs: BlobStore, key: str) -> None:
    await put(blobs, b"content")
    await blobs.delete(KEY)
    with pytest.raises(NotFoundError):
        await collect(blobs.read(key, start=0, stop=7))


async def test_a_blob_is_replaced_whole(blobs: BlobStore) -> None:
    await put(blobs, BIG)
    new = await blobs.put(KEY, chunks(b"short"), content_type="image/jpeg", keep_until=KEEP_UNTIL + SECOND)
    assert await blobs.stat(KEY) == new
    assert (new.content_type, new.keep_until) == ("image/jpeg", KEEP_UNTIL + SECOND)
    assert await content(blobs) == b"short"


async def test_simultaneous_puts_leave_one_of_them_whole(blobs: BlobStore) -> None:
    contents = [bytes([number]) * (1000 * number) for number in range(1, 9)]
    await asyncio.gather(*(put(blobs, part) for part in contents))
    blob = await blobs.stat(KEY)
    assert isinstance(blob, Blob)
    kept = await content(blobs)
    assert kept in contents
    assert len(kept) == blob.size


@pytest.mark.parametrize("before", [b"", BIG], ids=["at once", "after much"])
async def test_a_put_that_fails_midway_leaves_nothing(blobs: BlobStore, before: bytes) -> None:
    with pytest.raises(ProviderGoneError):
        await blobs.put(KEY, failing(before), content_type="image/png", keep_until=KEEP_UNTIL)
    assert await blobs.stat(KEY) is None
    with pytest.raises(NotFoundError):
        await collect(blobs.read(KEY, start=0, stop=1))


async def test_a_put_that_fails_midway_leaves_what_was_there(blobs: BlobStore) -> None:
    old = await put(blobs, b"old")
    with pytest.raises(ProviderGoneError):
        await blobs.put(KEY, failing(b"new", BIG), content_type="text/plain", keep_until=START)
    assert await blobs.stat(KEY) == old
    assert await content(blobs) == b"old"


async def test_a_put_that_is_cancelled_leaves_nothing(blobs: BlobStore) -> None:
    waiting = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        yield BIG
        waiting.set()
        await asyncio.get_running_loop().create_future()

    task = asyncio.create_task(blobs.put(KEY, endless(), content_type="image/png", keep_until=KEEP_UNTIL))
    await waiting.wait()
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    assert await blobs.stat(KEY) is None


async def test_a_deleted_blob_is_gone_once(blobs: BlobStore) -> None:
    await put(blobs, b"content")
    other = await put(blobs, b"other", key=OTHER_KEY)
    assert await blobs.delete(KEY)
    assert not await blobs.delete(KEY)
    assert await blobs.stat(KEY) is None
    assert await blobs.stat(OTHER_KEY) == other


async def test_a_sweep_takes_blobs_whose_time_has_passed(blobs: BlobStore) -> None:
    keys = [f"{number:064X}" for number in range(5)]
    for number, key in enumerate(keys):
        await blobs.put(key, chunks(b"x"), content_type="image/png", keep_until=START + number * SECOND)
    assert await blobs.sweep(START + 2.5 * SECOND) == 3
    assert [key for key in keys if await blobs.stat(key)] == keys[3:]
    with pytest.raises(NotFoundError):
        await collect(blobs.read(keys[0], start=0, stop=1))
    assert await content(blobs, keys[3]) == b"x"


async def test_a_sweep_takes_any_number_of_blobs(blobs: BlobStore) -> None:
    await asyncio.gather(*(put(blobs, b"x", key=f"{number:064X}") for number in range(70)))
    assert await blobs.sweep(KEEP_UNTIL + SECOND) == 70
    assert await blobs.sweep(KEEP_UNTIL + SECOND) == 0


async def test_a_blob_that_was_put_again_is_kept_for_its_new_time(blobs: BlobStore) -> None:
    await blobs.put(KEY, chunks(b"old"), content_type="image/png", keep_until=START)
    await put(blobs, b"new")
    assert await blobs.sweep(START + SECOND) == 0
    assert await content(blobs) == b"new"


async def test_one_that_is_being_read_can_be_replaced(blobs: BlobStore) -> None:
    """The reader gets the old bytes or an error, and never a mixture."""
    old, new = BIG, bytes(len(BIG))
    await put(blobs, old)
    reading = blobs.read(KEY, start=0, stop=len(old))
    received = [await anext(reading)]
    await put(blobs, new)
    try:
        received.extend([chunk async for chunk in reading])
    except NotFoundError:
        return
    assert b"".join(received) == old


UNDRAWN = UndrawnBlob(key=KEY, content_type="image/png", recipe='{"painter":1}', keep_until=KEEP_UNTIL, owner="alice")
OTHER_UNDRAWN = replace(UNDRAWN, key=OTHER_KEY, recipe="another", owner=None)


async def test_an_image_to_be_drawn_has_a_recipe_and_no_bytes(blobs: BlobStore) -> None:
    await blobs.put_undrawn([UNDRAWN, OTHER_UNDRAWN])
    assert [await blobs.stat(key) for key in (KEY, OTHER_KEY)] == [UNDRAWN, OTHER_UNDRAWN]
    with pytest.raises(NotFoundError):
        await collect(blobs.read(KEY, start=0, stop=1))


@pytest.mark.parametrize("size", [5, len(BIG)])
async def test_what_is_drawn_takes_the_place_of_its_recipe(blobs: BlobStore, size: int) -> None:
    await blobs.put_undrawn([UNDRAWN, OTHER_UNDRAWN])
    filled = await blobs.fill(UNDRAWN, chunks(BIG[:size]))
    assert filled == await blobs.stat(KEY)
    assert filled is not None
    assert (filled.size, filled.keep_until, filled.owner) == (size, KEEP_UNTIL, "alice")
    assert filled.etag == (await put(blobs, BIG[:size], key="B" * 64)).etag
    assert await content(blobs) == BIG[:size]
    assert await blobs.stat(OTHER_KEY) == OTHER_UNDRAWN


async def test_two_that_draw_at_once_keep_one_and_the_other_is_told(blobs: BlobStore) -> None:
    await blobs.put_undrawn([UNDRAWN])
    filled = await asyncio.gather(*(blobs.fill(UNDRAWN, chunks(b"image")) for _ in range(2)))
    assert [blob is None for blob in filled].count(True) == 1
    assert await content(blobs) == b"image"


async def test_what_is_drawn_does_not_bring_back_a_blob_that_was_deleted_or_stored_again(blobs: BlobStore) -> None:
    assert await blobs.fill(UNDRAWN, chunks(b"image")) is None
    assert await blobs.stat(KEY) is None
    await put(blobs, b"other")
    assert await blobs.fill(UNDRAWN, chunks(b"image")) is None
    assert await content(blobs) == b"other"
    await blobs.put_undrawn([replace(UNDRAWN, recipe="newer")])
    assert await blobs.fill(UNDRAWN, chunks(b"image")) is None
    assert await blobs.stat(KEY) == replace(UNDRAWN, recipe="newer")


async def test_a_drawing_that_fails_midway_leaves_the_recipe(blobs: BlobStore) -> None:
    await blobs.put_undrawn([UNDRAWN])
    with pytest.raises(ProviderGoneError):
        await blobs.fill(UNDRAWN, failing(b"half"))
    assert await blobs.stat(KEY) == UNDRAWN


async def test_an_image_to_be_drawn_takes_the_place_of_bytes(blobs: BlobStore) -> None:
    await put(blobs, BIG)
    await blobs.put_undrawn([UNDRAWN])
    assert await blobs.stat(KEY) == UNDRAWN
    with pytest.raises(NotFoundError):
        await collect(blobs.read(KEY, start=0, stop=1))
    stored = await put(blobs, b"new")
    assert await blobs.stat(KEY) == stored


async def test_an_image_to_be_drawn_is_deleted_and_swept_like_any_blob(blobs: BlobStore) -> None:
    await blobs.put_undrawn([UNDRAWN, OTHER_UNDRAWN])
    assert await blobs.delete(KEY)
    assert await blobs.stat(KEY) is None
    assert await blobs.sweep(KEEP_UNTIL) == 1
    assert await blobs.stat(OTHER_KEY) is None
