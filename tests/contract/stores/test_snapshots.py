"""All of an epoch is read as records, and written into another one of any store, which shows the same then."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from typing import Any

import orjson
import pytest

from civitai_mock.domain.air import parse_reference
from civitai_mock.domain.blob import Blob
from civitai_mock.domain.callbacks import CallbackAttempt
from civitai_mock.domain.errors import ConflictError
from civitai_mock.domain.json_types import as_object
from civitai_mock.domain.namespaces import DEFAULT, Epoch
from civitai_mock.domain.search import JobCriteria
from civitai_mock.domain.typed_json import read_value, write_value
from civitai_mock.ports import Stores
from civitai_mock.ports.snapshots import CounterRecord, JobRecord, ResourceRecord, WorkflowRecord
from tests.contract.conftest import OPENERS
from tests.support.dates import START
from tests.support.jobs import CHECKPOINT, LORA, SECOND, chunks, collect, job_id, make_job, make_resource
from tests.support.stored_world import ENDED, KEPT, OVER, QUEUED, World, fill, observe
from tests.support.workflows import OWNER, workflow_id

HERE, DOCUMENT = "here", {"seed": 7}


LONG, OVER_AT_ONCE = timedelta(minutes=1), timedelta(minutes=-1)


async def filled(stores: Stores, epoch: int = 7) -> World:
    """Store what `fill` does, and what it has not: attempts, polls, counters, and what is hidden or deleted."""
    world = await fill(stores.in_epoch(Epoch(HERE, epoch)))
    attempt = CallbackAttempt(seq=0, at=START, error="away")
    await world.stores.webhooks.mark_failed(job_id(QUEUED), retry_at=START + SECOND, attempt=attempt)
    await world.stores.announcements.mark_delivered(workflow_id(OVER), seq=0, attempt=replace(attempt, status=200))
    await world.stores.webhooks.keep_fault(job_id(QUEUED), seq=0, fault={"rule": "a"})
    await world.stores.announcements.keep_fault(workflow_id(OVER), seq=1, fault={"rule": "b"})
    assert await world.stores.blobs.set_fault(KEPT, {"rule": "c"}, before=None)
    await world.stores.jobs.count_poll(job_id(QUEUED), 0)
    await stores.resources.add(make_resource(LORA))
    await world.stores.resources.delete(make_resource(LORA).air)
    assert await world.stores.workflows.delete(world.open)
    assert [await stores.namespaces.count(epoch, "one") for _ in range(3)] == [0, 1, 2]
    return world


async def records(stores: Stores) -> dict[str, list[Any]]:
    found = stores.snapshots
    return {
        "workflows": [record async for record in found.workflows()],
        "jobs": [record async for record in found.jobs()],
        "resources": [record async for record in found.resources()],
        "blobs": [record async for record in found.blobs()],
        "counters": [record async for record in found.counters()],
    }


def through_json(values: Sequence[Any]) -> list[Any]:
    return [read_value(type(value), orjson.loads(orjson.dumps(write_value(value)))) for value in values]


async def copy(source: Stores, target: Stores) -> None:
    found = {kind: through_json(values) for kind, values in (await records(source)).items()}
    await target.snapshots.write_workflows(found["workflows"])
    await target.snapshots.write_jobs(found["jobs"])
    await target.snapshots.write_resources(found["resources"])
    await target.snapshots.write_counters(found["counters"])
    for blob in found["blobs"]:
        if isinstance(blob, Blob):
            content = await collect(source.blobs.read(blob.key, start=0, stop=blob.size))
            await target.blobs.put(
                blob.key,
                chunks(content),
                content_type=blob.content_type,
                keep_until=blob.keep_until,
                owner=blob.owner,
                facts=blob.facts,
                fault=blob.fault,
            )
        else:
            await target.blobs.put_undrawn([blob])


async def seen(world: World) -> dict[str, Any]:
    """Return what can be asked of a world, without what stores may answer differently, and what is not copied.

    That is the order of jobs of one deadline, and whether a worker is known to be dead. Events of namespaces, their
    fleets and what these have cost are not copied.
    """
    found = await observe(world)
    del found["queue.held_by_dead"], found["namespace_events.of_jobs"], found["fleet.read"], found["fleet.costs"]
    found["queue.past_deadline"].sort(key=lambda job: job.id)
    return {**found, "jobs.events": [list(events) for events in found["jobs.events"]]}


@pytest.fixture(params=OPENERS)
async def others(request: pytest.FixtureRequest) -> AsyncIterator[Stores]:
    """Another store, of each kind."""
    async with AsyncExitStack() as stack:
        yield await stack.enter_async_context(request.param())


async def test_a_copy_in_any_store_shows_the_same(stores: Stores, others: Stores) -> None:
    world = await filled(stores)
    await others.resources.add(make_resource(LORA))
    epoch = await others.namespaces.begin_epoch(lasting=LONG)
    target = others.in_epoch(Epoch("there", epoch))
    await copy(world.stores, target)
    assert await records(target) == await records(world.stores)
    assert await seen(replace(world, stores=target)) == await seen(world)
    await others.namespaces.adopt("there", epoch, now=START, document=DOCUMENT)
    assert await others.namespaces.count(epoch, "one") == 3
    assert [await each.jobs.count_poll(job_id(QUEUED), 0) for each in (target, world.stores)] == [2, 2]


async def test_what_is_read_has_everything_of_a_job(stores: Stores) -> None:
    world = await filled(stores)
    found = {record.job.id: record async for record in world.stores.snapshots.jobs()}
    ended = found[job_id(ENDED)]
    assert [*ended.earlier, ended.job.last_event] == await world.stores.jobs.events(job_id(ENDED))
    queued = found[job_id(QUEUED)]
    assert (queued.polls, queued.delivery.failures, queued.delivery.due_at) == (1, 1, START + SECOND)
    assert len(queued.delivery.attempts) == 1
    assert queued.delivery.faults == {"0": {"rule": "a"}}


async def test_pages_follow_each_other(stores: Stores) -> None:
    """There are more jobs than a page has, of one instant and of different ones."""
    here = stores.in_epoch(Epoch(HERE, 7))
    jobs = [replace(make_job(number), created_at=START + SECOND * (number // 9)) for number in range(1, 251)]
    await here.jobs.add([replace(job, last_event=replace(job.last_event, at=job.created_at)) for job in jobs])
    found = [record.job.id async for record in here.snapshots.jobs()]
    assert sorted(found) == sorted(job.id for job in jobs)


async def test_an_adopted_epoch_is_that_of_the_namespace_and_the_former_one_is_over(stores: Stores) -> None:
    namespaces = stores.namespaces
    before = await namespaces.add(HERE, now=START, document={})
    await stores.in_epoch(Epoch(HERE, before.epoch)).jobs.add([make_job()])
    revision = await namespaces.revision()
    epoch = await namespaces.begin_epoch(lasting=LONG)
    await stores.in_epoch(Epoch(HERE, epoch)).jobs.add([make_job(2)])
    assert await namespaces.epochs_with_work() == [before.epoch]
    adopted = await namespaces.adopt(HERE, epoch, now=START + SECOND, document=DOCUMENT)
    assert (adopted.epoch, adopted.document, adopted.used_at) == (epoch, DOCUMENT, START)
    assert await namespaces.get(HERE) == adopted
    assert await namespaces.changed_since(revision) == [adopted]
    assert await namespaces.epochs_with_work() == [epoch]
    while await namespaces.sweep_over(limit=100):
        pass
    assert [len(await _jobs_in(stores, number)) for number in (before.epoch, epoch)] == [0, 1]


async def _jobs_in(stores: Stores, epoch: int) -> Sequence[Any]:
    return await stores.in_epoch(Epoch(HERE, epoch)).search.find(JobCriteria(), limit=9)


async def test_a_namespace_that_is_unknown_or_was_deleted_is_made(stores: Stores) -> None:
    for number in range(2):
        epoch = await stores.namespaces.begin_epoch(lasting=LONG)
        made = await stores.namespaces.adopt("new", epoch, now=START + number * SECOND, document=DOCUMENT)
        assert (made.epoch, made.used_at, made.is_deleted) == (epoch, START + number * SECOND, False)
        assert await stores.namespaces.delete("new")


async def test_an_epoch_that_is_written_into_is_not_swept(stores: Stores) -> None:
    epoch = await stores.namespaces.begin_epoch(lasting=LONG)
    here = stores.in_epoch(Epoch(HERE, epoch))
    await here.jobs.add([make_job()])
    assert not await stores.namespaces.sweep_over(limit=100)
    assert await here.jobs.get(job_id(1)) is not None


@pytest.mark.parametrize("is_left", [True, False], ids=["left", "dead"])
async def test_an_epoch_that_nobody_writes_into_any_more_is_swept_and_never_adopted(
    stores: Stores, is_left: bool
) -> None:
    epoch = await stores.namespaces.begin_epoch(lasting=LONG if is_left else OVER_AT_ONCE)
    world = await filled(stores, epoch)
    if is_left:
        await stores.namespaces.leave_epoch(epoch)
    while await stores.namespaces.sweep_over(limit=100):
        pass
    assert [len(found) for found in (await records(world.stores)).values()] == [0] * 5
    assert not await stores.namespaces.keep_epoch(epoch, lasting=LONG)
    with pytest.raises(ConflictError):
        await stores.namespaces.adopt(HERE, epoch, now=START, document=DOCUMENT)
    assert await stores.namespaces.get(HERE) is None


async def test_a_lease_that_is_over_can_be_taken_up_again_until_somebody_has_seen_it(stores: Stores) -> None:
    epoch = await stores.namespaces.begin_epoch(lasting=OVER_AT_ONCE)
    assert await stores.namespaces.keep_epoch(epoch, lasting=LONG)
    await stores.namespaces.sweep_over(limit=100)
    assert (await stores.namespaces.adopt(HERE, epoch, now=START, document={})).epoch == epoch


async def test_what_the_default_namespace_adopts_is_shared(stores: Stores) -> None:
    """It has no resources of its own: they take the place of the shared ones, and what hid one deletes it."""
    await stores.resources.add(make_resource(CHECKPOINT, trainedWords=["old"]))
    await stores.resources.add(make_resource(LORA))
    assert (await stores.resources.find([parse_reference(CHECKPOINT)]))[CHECKPOINT].trained_words == ("old",)
    epoch = await stores.namespaces.begin_epoch(lasting=LONG)
    new = make_resource(CHECKPOINT, trainedWords=["new"])
    hidden = make_resource(LORA).air.identity
    await stores.in_epoch(Epoch(DEFAULT, epoch)).snapshots.write_resources(
        [ResourceRecord(identity=new.air.identity, resource=new), ResourceRecord(identity=hidden)]
    )
    await stores.namespaces.adopt(DEFAULT, epoch, now=START, document={})
    for name in (DEFAULT, "other"):
        seen = await stores.in_epoch(Epoch(name, epoch)).resources.search("", offset=0, limit=9)
        assert list(seen.items) == [new]


async def test_a_deleted_workflow_gives_its_external_id_free(stores: Stores) -> None:
    world = await filled(stores)
    found = [record async for record in world.stores.snapshots.workflows()]
    assert [record.is_deleted for record in found] == [True, False]
    spent = await world.stores.workflows.spent(OWNER)
    again = replace(world.open, id=workflow_id(9), version=0)
    copied = stores.in_epoch(Epoch("there", 8))
    await copied.snapshots.write_workflows([*found, WorkflowRecord(workflow=again)])
    assert (await copied.workflows.add(replace(again, id=workflow_id(8)), [])).id == again.id
    assert spent == await world.stores.workflows.spent(OWNER)


def test_what_is_as_new_is_left_out_and_comes_back() -> None:
    record = JobRecord(job=make_job())
    written = write_value(record)
    assert list(written) == ["job"]
    assert "charged" not in as_object(written["job"])
    assert through_json([record]) == [record]
    assert write_value(CounterRecord(key="a", value=1)) == {"key": "a", "value": 1}
