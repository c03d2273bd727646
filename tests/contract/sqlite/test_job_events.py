"""How SQLite keeps the events of a job: one row for each write, and a long text once."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import orjson
import pytest

from civitai_mock.domain.events import LONG_TEXT, JobEvent
from civitai_mock.domain.job import Job
from civitai_mock.domain.json_types import JsonObject, JsonText, ReadOnlyJson
from civitai_mock.domain.stages import Outcome
from civitai_mock.ports import Stores
from civitai_mock.storage.sqlite import TableNames, open_sqlite
from civitai_mock.storage.sqlite.job_events import MOST_TEXTS
from civitai_mock.storage.sqlite.open import FILE_NAME
from civitai_mock.storage.sqlite.packing import unpack
from tests.support.dates import START
from tests.support.jobs import SECOND, add_claimed, make_job

GRAPH = "graph " * LONG_TEXT
OTHER = "other " * LONG_TEXT
COUNTS = (
    "SELECT count(*) FROM jobs",
    "SELECT count(*) FROM [jobs requests]",
    "SELECT count(*) FROM [jobs texts]",
    "SELECT count(*) FROM [jobs leaves]",
    "SELECT count(*) FROM [jobs jobEvent]",
)


@pytest.fixture
async def stores(tmp_path: Path) -> AsyncIterator[Stores]:
    async with open_sqlite(directory=tmp_path, names=TableNames()) as opened:
        yield opened


def events_of(folder: Path) -> list[list[object]]:
    return unpacked(folder, 'SELECT body FROM "jobs jobEvent" ORDER BY job, seq')


def texts_of(folder: Path) -> list[list[object]]:
    return unpacked(folder, 'SELECT body FROM "jobs texts" ORDER BY job')


def unpacked(folder: Path, sql: str) -> list[list[object]]:
    with closing(sqlite3.connect(folder / FILE_NAME)) as connection:
        return [unpack(body) for (body,) in connection.execute(sql) if body]


async def report(stores: Stores, job: Job, *contexts: JsonObject) -> Job:
    """Store an event with each context, one after the other; every context must come back as it was."""
    for context in contexts:
        after = job.progressed(at=job.last_event.at + SECOND, context=context)
        assert await stores.jobs.replace(job, after)
        assert await stores.jobs.get(job.id) == after
        job = after
    told = [event.context for event in (await stores.jobs.events(job.id))[-len(contexts) :]]
    assert [list(context.items()) for context in told] == [list(context.items()) for context in contexts]
    return job


async def test_a_first_event_that_says_nothing_takes_no_place(stores: Stores, tmp_path: Path) -> None:
    job = make_job()
    await stores.jobs.add([job])
    assert events_of(tmp_path) == []
    assert await stores.jobs.events(job.id) == [job.last_event]


async def test_a_text_that_several_events_repeat_is_stored_once(stores: Stores, tmp_path: Path) -> None:
    claimed = await add_claimed(stores.jobs, stores.queue)
    again: JsonObject = {"first": 1, "graph": GRAPH, "last": None}
    await report(stores, claimed, again, {"step": 1}, again, {"graph": GRAPH, "response": "{}"})
    assert texts_of(tmp_path) == [[GRAPH]]
    assert "graph graph" not in str(events_of(tmp_path))


async def test_a_second_text_is_stored_beside_the_first(stores: Stores, tmp_path: Path) -> None:
    claimed = await add_claimed(stores.jobs, stores.queue)
    await report(stores, claimed, {"graph": GRAPH}, {"graph": OTHER}, {"graph": GRAPH}, {"a": OTHER, "b": GRAPH + "!"})
    assert texts_of(tmp_path) == [[GRAPH, OTHER, GRAPH + "!"]]


async def test_the_row_of_texts_has_a_bound_and_every_event_its_text(stores: Stores, tmp_path: Path) -> None:
    claimed = await add_claimed(stores.jobs, stores.queue)
    contexts: list[JsonObject] = [{"error": f"{number} {GRAPH}"} for number in range(2 * MOST_TEXTS)]
    await report(stores, claimed, *contexts)
    (texts,) = texts_of(tmp_path)
    assert len(texts) == MOST_TEXTS


async def test_a_short_text_stays_in_its_event(stores: Stores, tmp_path: Path) -> None:
    claimed = await add_claimed(stores.jobs, stores.queue)
    await report(stores, claimed, {"text": "x" * (LONG_TEXT - 1), "null": None})
    assert texts_of(tmp_path) == []


async def test_the_row_of_the_end_has_the_text_that_its_events_repeat(stores: Stores, tmp_path: Path) -> None:
    claimed = await add_claimed(stores.jobs, stores.queue)
    context: JsonObject = {"graph": GRAPH, "prompt_id": "1"}
    reported = claimed.progressed(at=START, context=context)
    ended = reported.ended(Outcome.FAILED, at=START, context={**context, "last": None})
    assert await stores.jobs.replace(claimed, ended, between=[reported.last_event])
    assert texts_of(tmp_path) == []
    assert await told(stores, ended) == [{}, context, {**context, "last": None}]


async def test_the_last_events_of_a_job_find_the_texts_of_those_before(stores: Stores, tmp_path: Path) -> None:
    claimed = await add_claimed(stores.jobs, stores.queue)
    before = await report(stores, claimed, {"graph": GRAPH}, {"graph": OTHER})
    contexts: list[JsonObject] = [{"graph": OTHER}, {"graph": GRAPH}, {"graph": "new" + OTHER}, {"graph": OTHER}]
    after, between = before, list[JobEvent]()
    for context in contexts:
        after = after.progressed(at=START, context=context)
        between.append(after.last_event)
    ended = after.ended(Outcome.FAILED, at=START, context={"graph": GRAPH})
    assert await stores.jobs.replace(before, ended, between=between)
    assert texts_of(tmp_path) == [[GRAPH, OTHER, "new" + OTHER]]
    assert await told(stores, ended) == [{}, {"graph": GRAPH}, {"graph": OTHER}, *contexts, {"graph": GRAPH}]


async def test_a_summary_holds_the_text_that_is_stored(stores: Stores) -> None:
    """Nothing of it is parsed until somebody looks into it."""
    claimed = await add_claimed(stores.jobs, stores.queue)
    ended = claimed.ended(Outcome.FAILED, at=START, context={"graph": GRAPH})
    assert await stores.jobs.replace(claimed, ended)
    summary = await stores.jobs.get_summary(claimed.id)
    assert summary is not None
    for stored, value in (
        (summary.last_event.context, ended.last_event.context),
        (summary.properties, ended.properties),
    ):
        assert isinstance(stored, JsonText)
        assert stored.text == orjson.dumps(dict(value))
        assert stored == value


async def told(stores: Stores, ended: Job) -> list[ReadOnlyJson]:
    """Return the contexts of all events of a job that has ended, which must be as it was written."""
    job, summary = await stores.jobs.get(ended.id), await stores.jobs.get_summary(ended.id)
    assert job == ended
    assert summary is not None
    assert summary.last_event == ended.last_event
    events = await stores.jobs.events(ended.id)
    assert [event.seq for event in events] == list(range(len(events)))
    assert events[-1] == ended.last_event
    return [event.context for event in events]


async def test_nothing_of_a_swept_job_stays(stores: Stores, tmp_path: Path) -> None:
    claimed = await add_claimed(stores.jobs, stores.queue)
    job = await report(stores, claimed, {"graph": GRAPH})
    assert await stores.jobs.sweep(job.keep_until) == 1
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as connection:
        counts = [connection.execute(sql).fetchone() for sql in COUNTS]
    assert counts == [(0,)] * len(COUNTS)
