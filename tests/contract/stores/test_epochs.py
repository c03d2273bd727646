"""Two epochs of one store never mix, though all ids in them are equal, and an ended one is out of reach."""

from dataclasses import replace

import pytest

from civitai_mock.domain.errors import NamespaceResetError
from civitai_mock.domain.namespaces import Epoch
from civitai_mock.domain.search import JobCriteria
from civitai_mock.ports import (
    BlobStore,
    FleetStore,
    JobQueue,
    JobSearch,
    JobStore,
    NamespaceEventStore,
    ResourceStore,
    Stores,
    WebhookOutbox,
    WorkflowOutbox,
    WorkflowStore,
)
from civitai_mock.ports.snapshots import SnapshotStore
from tests.contract.conftest import IN_FILE, IN_MEMORY, ON_MONGO_IF_LONG
from tests.support.jobs import job_id, make_job
from tests.support.stored_world import COUNTS, ENDED, KEPT, QUEUED, READS, WRITES, World, fill, observe

ROLES = {
    "jobs": JobStore,
    "queue": JobQueue,
    "search": JobSearch,
    "webhooks": WebhookOutbox,
    "workflows": WorkflowStore,
    "announcements": WorkflowOutbox,
    "resources": ResourceStore,
    "blobs": BlobStore,
    "snapshots": SnapshotStore,
    "namespace_events": NamespaceEventStore,
    "fleet": FleetStore,
}
CALLS = {**READS, **WRITES, **COUNTS}
# The stand-in for MongoDB takes a second for each write with all that is asked before and after it.
EACH_WRITE_ON = [IN_FILE, IN_MEMORY, ON_MONGO_IF_LONG]
# Whose process is dead, nobody can tell in memory, so nothing of the epoch is read.
ANSWERED_ANYWAY = frozenset({"queue.held_by_dead"})


@pytest.fixture
async def here(stores: Stores) -> World:
    return await fill(stores.in_epoch(Epoch("here", 7)))


@pytest.fixture
async def there(stores: Stores, here: World) -> World:
    return await fill(stores.in_epoch(Epoch("there", 8)))


def test_every_method_of_a_role_that_works_on_one_epoch_is_called_here() -> None:
    methods = {
        f"{name}.{method}"
        for name, role in ROLES.items()
        for method in vars(role)
        if not method.startswith("_") and callable(getattr(role, method))
    }
    assert set(CALLS) == methods


async def test_each_epoch_shows_its_own_alone(here: World, there: World) -> None:
    """Both have the same in them, so each shows as much as if there was no other."""
    assert await observe(here) == await observe(there)


async def test_all_that_is_written_in_one_epoch_changes_nothing_in_the_other(here: World, there: World) -> None:
    before = await observe(here)
    for name, write in WRITES.items():
        if not name.startswith("snapshots."):  # these write what others have written
            await write(there)
    assert await observe(here) == before != await observe(there)


@pytest.mark.parametrize("stores", EACH_WRITE_ON, indirect=True)
@pytest.mark.parametrize("name", WRITES)
async def test_what_is_written_is_seen_by_all_who_work_on_its_epoch_and_changes_no_other(
    stores: Stores, here: World, there: World, name: str
) -> None:
    other = other_view(stores, there, Epoch("there", 8))
    before = await observe(here)
    assert await observe(other) == before
    await WRITES[name](other)
    assert await observe(here) == before
    assert await observe(there) == await observe(other) != before


async def test_polls_are_counted_in_each_epoch_by_itself(here: World, there: World) -> None:
    count = COUNTS["jobs.count_poll"]
    assert [await count(world) for world in (there, there, here)] == [1, 2, 1]


async def test_an_epoch_without_anything_shows_nothing_of_another_one(stores: Stores, here: World) -> None:
    empty = stores.in_epoch(Epoch("empty", 9))
    assert await empty.jobs.get(job_id(QUEUED)) is None
    assert await empty.search.find(JobCriteria(), limit=9) == []
    assert (await empty.queue.backlog()).jobs == 0
    assert await empty.blobs.stat(KEPT) is None
    assert await empty.jobs.settled_at(job_id(ENDED)) is None


def other_view(stores: Stores, world: World, epoch: Epoch) -> World:
    """Return the same world as another object of the same epoch sees it."""
    return replace(world, stores=stores.in_epoch(Epoch(epoch.namespace, epoch.number)))


async def test_nothing_of_an_epoch_is_read_or_written_after_its_end(stores: Stores) -> None:
    epoch = Epoch("here", 7)
    world = await fill(stores.in_epoch(epoch))
    witness = other_view(stores, world, epoch)
    before = await observe(witness)
    epoch.end()
    for name in sorted(set(CALLS) - ANSWERED_ANYWAY):
        with pytest.raises(NamespaceResetError):
            pytest.fail(f"{name} answered {await CALLS[name](world)!r}")
    assert await observe(witness) == before


async def test_jobs_of_all_epochs_are_in_one_feed_with_the_number_of_theirs(stores: Stores) -> None:
    epochs = [Epoch("a", 7), Epoch("b", 8)]
    start = await stores.feed.last_position()
    for epoch in epochs:
        await stores.in_epoch(epoch).jobs.add([make_job()])
    page = await stores.feed.after(start, limit=9)
    assert [(entry.job_id, entry.epoch) for entry in page.entries] == [(job_id(1), epoch.number) for epoch in epochs]
