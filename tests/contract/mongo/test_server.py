"""A server that is not there, lets nobody in, or dies and comes back."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from itertools import chain
from typing import TypeVar

import pytest

from civitai_mock.domain.errors import TransientError
from civitai_mock.storage.mongo import CollectionNames, open_mongo
from tests.support.dates import START
from tests.support.jobs import add_claimed, chunks, make_resource, prepared
from tests.support.mongo import MongoProcess, free_port, new_process

NAMES = CollectionNames()
SECRET = "hunter2"
IMPATIENT = "serverSelectionTimeoutMS=300&connectTimeoutMS=300"
SOON_SECONDS = 25
PATIENCE_SECONDS = 60
T = TypeVar("T")


async def _once_back(call: Callable[[], Awaitable[T]]) -> T:
    """Ask again until there is an answer: a server that has come back is not found within 0.3 s on a busy machine."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            try:
                return await call()
            except TransientError:
                await asyncio.sleep(0)


@pytest.fixture
def process() -> Iterator[MongoProcess]:
    process = new_process()
    try:
        process.start()
        yield process
    finally:
        process.remove()


async def test_opening_a_store_that_is_not_there_names_the_address_and_no_password() -> None:
    address = f"127.0.0.1:{free_port()}"
    with pytest.raises(TransientError, match=f"^MongoDB at {address}/civitai does not answer") as away:
        async with open_mongo(uri=f"mongodb://me:{SECRET}@{address}/?{IMPATIENT}", database="civitai", names=NAMES):
            pass
    assert SECRET not in str(away.value) + repr(away.value.__cause__) + repr(away.value.evidence)


@pytest.mark.mongo
@pytest.mark.slow
async def test_a_store_whose_server_dies_says_so_soon_and_goes_on_when_it_is_back(process: MongoProcess) -> None:
    async with open_mongo(uri=f"{process.uri}?{IMPATIENT}", database="civitai", names=NAMES) as stores:
        job = await add_claimed(stores.jobs, stores.queue)
        assert await stores.jobs.replace(job, prepared(job))
        blob = await stores.blobs.put("key", chunks(b"image"), content_type="image/png", keep_until=START)
        process.kill()
        began = time.monotonic()
        for call in (
            stores.jobs.get(job.id),
            stores.jobs.replace(prepared(job), prepared(job)),
            stores.resources.add(make_resource()),
            stores.blobs.stat("key"),
            stores.secrets.secret("name"),
            stores.health.ping(),
        ):
            with pytest.raises(TransientError):
                await call
        assert time.monotonic() - began < SOON_SECONDS
        process.start()
        assert await _once_back(lambda: stores.jobs.get(job.id)) == prepared(job)
        assert await stores.blobs.stat("key") == blob
        await stores.health.ping()
        assert await stores.queue.renew("local-1", [job.id], START) == {job.id}


@pytest.mark.mongo
@pytest.mark.slow
async def test_many_calls_at_once_do_not_wait_one_after_the_other_for_a_server_that_is_dead(
    process: MongoProcess,
) -> None:
    async with open_mongo(uri=f"{process.uri}?{IMPATIENT}", database="civitai", names=NAMES) as stores:
        process.kill()
        began = time.monotonic()
        calls = [
            (stores.jobs.get("1"), stores.blobs.stat("key"), stores.resources.add(make_resource())) for _ in range(200)
        ]
        answers = await asyncio.gather(*chain.from_iterable(calls), return_exceptions=True)
        assert {type(answer) for answer in answers} == {TransientError}
        assert (
            time.monotonic() - began < SOON_SECONDS
        )  # 600 calls that wait twice for 0.3 s; ten at a time, it was 40 s
        process.start()
        assert await _once_back(lambda: stores.jobs.get("1")) is None


@pytest.mark.mongo
@pytest.mark.slow
async def test_a_store_that_lets_nobody_in_says_who_refused_and_no_password() -> None:
    process = new_process("--auth")
    try:
        process.start()
        uri = f"mongodb://me:{SECRET}@127.0.0.1:{process.port}/"
        with pytest.raises(TransientError, match=f"^MongoDB at 127.0.0.1:{process.port}/civitai refused: ") as refused:
            async with open_mongo(uri=uri, database="civitai", names=NAMES):
                pass
    finally:
        process.remove()
    assert SECRET not in str(refused.value) + repr(refused.value.__cause__)
