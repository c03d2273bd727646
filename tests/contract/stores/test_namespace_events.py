"""`NamespaceEventStore` and `NamespaceEventFeed`: events are stored once, and read in order from any position."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest

from civitai_mock.domain.json_types import JsonObject
from civitai_mock.domain.namespace_events import LoggedEvent, NamespaceEvent
from civitai_mock.domain.namespaces import FIRST_EPOCH, Epoch
from civitai_mock.ports import NamespaceEventFeed, NamespaceEventStore, Stores
from tests.support.dates import START
from tests.support.jobs import SECOND, add_jobs, job_id

KEPT = START + timedelta(days=1)
WRITERS, EACH = 5, 8
BODY: JsonObject = {"podId": "é", "estimatedTime": 1.5, "$odd.name": [None, 2**60]}


@pytest.fixture
def events(stores: Stores) -> NamespaceEventStore:
    return stores.namespace_events


@pytest.fixture
def namespace_feed(stores: Stores) -> NamespaceEventFeed:
    return stores.namespace_feed


def event(key: str, job_ids: list[str] | None = None) -> NamespaceEvent:
    return NamespaceEvent(key=key, type="pod_booting", at=START + SECOND, body=BODY, job_ids=job_ids)


async def append(events: NamespaceEventStore, *keys: str) -> None:
    await events.append([event(key) for key in keys], keep_until=KEPT)


def keys_of(logged: Sequence[LoggedEvent]) -> list[str]:
    return [each.event.key for each in logged]


async def read(feed: NamespaceEventFeed, position: int, *, limit: int = 3) -> list[LoggedEvent]:
    """Return all events behind a position, read page by page."""
    found: list[LoggedEvent] = []
    while page := await feed.after(found[-1].position if found else position, limit=limit):
        assert len(page) <= limit
        found += page
    return found


async def test_an_event_is_read_as_it_was_appended(
    events: NamespaceEventStore, namespace_feed: NamespaceEventFeed
) -> None:
    stored = [event("a"), event("b", [job_id(1), job_id(2)]), event("c", [])]
    await events.append(stored, keep_until=KEPT)
    logged = await read(namespace_feed, 0)
    assert [(each.epoch, each.event) for each in logged] == [(FIRST_EPOCH, each) for each in stored]


async def test_an_event_whose_key_is_known_is_stored_once(
    events: NamespaceEventStore, namespace_feed: NamespaceEventFeed, stores: Stores
) -> None:
    await append(events, "a", "b", "a")
    await append(events, "b", "c")
    await append(stores.in_epoch(Epoch("other", 9)).namespace_events, "a")
    logged = await read(namespace_feed, 0)
    assert [(each.epoch, each.event.key) for each in logged] == [(1, "a"), (1, "b"), (1, "c"), (9, "a")]


async def test_who_goes_on_from_a_position_gets_what_came_after_it_alone(
    events: NamespaceEventStore, namespace_feed: NamespaceEventFeed
) -> None:
    assert await read(namespace_feed, await namespace_feed.last_position()) == []
    await append(events, "a", "b", "c")
    logged = await read(namespace_feed, 0)
    for count, each in enumerate(logged, 1):
        assert await read(namespace_feed, each.position) == logged[count:]
    assert await namespace_feed.last_position() == logged[-1].position
    assert [*await namespace_feed.after(0, limit=0), *await namespace_feed.after(0, limit=-1)] == []


async def test_nothing_is_missed_of_what_many_append_at_once(
    events: NamespaceEventStore, namespace_feed: NamespaceEventFeed
) -> None:
    async def write(number: int) -> None:
        for turn in range(EACH):
            await append(events, f"{number}/{turn}")

    writing = asyncio.gather(*map(write, range(WRITERS)))
    told: list[LoggedEvent] = []
    is_over = False
    while not is_over:
        is_over = writing.done()
        told += await read(namespace_feed, told[-1].position if told else 0)
        await asyncio.sleep(0)
    await writing
    assert told == await read(namespace_feed, 0)
    for number in range(WRITERS):
        assert [key for key in keys_of(told) if key.startswith(f"{number}/")] == [
            f"{number}/{turn}" for turn in range(EACH)
        ]


async def test_the_events_that_name_a_job_are_found_by_it(events: NamespaceEventStore) -> None:
    first, second, third = map(job_id, (1, 2, 3))
    named = [event("a", [first]), event("b"), event("c", [second, first]), event("d", [third]), event("e", [first])]
    await events.append(named, keep_until=KEPT)
    found = await events.of_jobs([first, second], after=0)
    assert keys_of(found) == ["a", "c", "e"]
    assert keys_of(await events.of_jobs([first, second], after=found[0].position)) == ["c", "e"]
    assert list(await events.of_jobs([], after=0)) == []


async def test_positions_grow_though_all_events_were_swept(
    events: NamespaceEventStore, namespace_feed: NamespaceEventFeed
) -> None:
    await append(events, "a", "b")
    last = await namespace_feed.last_position()
    assert await events.sweep(KEPT) == 0
    assert await events.sweep(KEPT + SECOND) == 2
    assert await events.sweep(KEPT + SECOND) == 0
    assert await read(namespace_feed, 0) == []
    await append(events, "c")
    assert keys_of(await read(namespace_feed, last)) == ["c"]


async def test_an_event_is_behind_the_events_of_jobs_that_were_written_before_it(
    events: NamespaceEventStore, namespace_feed: NamespaceEventFeed, stores: Stores
) -> None:
    await append(events, "a")
    await add_jobs(stores.jobs, 1)
    await append(events, "b")
    (entry,) = (await stores.feed.after("", limit=9)).entries
    before, behind = await read(namespace_feed, 0)
    assert before.feed_position < entry.position <= behind.feed_position


async def test_events_of_an_epoch_that_is_over_are_deleted(stores: Stores, namespace_feed: NamespaceEventFeed) -> None:
    other = await stores.namespaces.add("other", now=START, document={})
    await append(stores.namespace_events, "kept")
    await append(stores.in_epoch(Epoch("other", other.epoch)).namespace_events, "a", "b")
    last = await namespace_feed.last_position()
    await stores.namespaces.renew("other", {})
    while await stores.namespaces.sweep_over(limit=1):
        pass
    assert keys_of(await read(namespace_feed, 0)) == ["kept"]
    await append(stores.namespace_events, "new")
    assert keys_of(await read(namespace_feed, last)) == ["new"]
