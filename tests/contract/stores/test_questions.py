"""Processes on one store ask each other, and none is waited for that is dead."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from civitai_mock.clock import SystemClock
from civitai_mock.domain.json_types import JsonObject
from civitai_mock.domain.namespaces import FIRST_EPOCH
from civitai_mock.ports import Metrics, NamespaceStore
from civitai_mock.services import questions
from civitai_mock.services.journal.presence import JournalPresence
from civitai_mock.services.journal.recording import Journal
from civitai_mock.services.questions import Questions
from tests.support.event_loop import until_found

CLOCK = SystemClock()


def _process(store: NamespaceStore, name: str, *, breaks: bool = False) -> Questions:
    async def reply(question: JsonObject) -> JsonObject:
        if breaks:
            raise RuntimeError("a bug")
        return {"by": name, "asked": question}

    return Questions(store=store, clock=CLOCK, process_id=name, reply=reply)


async def _lives(store: NamespaceStore, *names: str) -> None:
    for name in names:
        await store.heartbeat(name, revision=0, now=CLOCK.now())


@asynccontextmanager
async def _looking(*processes: Questions) -> AsyncIterator[None]:
    """Have processes look for questions all the time, as they do after each change."""

    async def look() -> None:
        while True:
            for process in processes:
                await process.look()
            await asyncio.sleep(0)

    looking = asyncio.create_task(look())
    try:
        yield
    finally:
        looking.cancel()
        for process in processes:
            process.stop()


def never(_: Any) -> bool:
    return False


async def test_all_others_that_live_answer(namespaces: NamespaceStore) -> None:
    await _lives(namespaces, "a", "b", "c")
    a, b, c = (_process(namespaces, name) for name in "abc")
    async with _looking(a, b, c):
        replies = await a.ask({"x": ["ä"]}, suffices=never)
        again, other = await asyncio.gather(b.ask({}, suffices=never), a.ask({"y": 1}, suffices=never))
    assert replies.answers == {name: {"by": name, "asked": {"x": ["ä"]}} for name in "bc"}
    assert list(replies.missing) == []
    assert again.answers.keys() == {"a", "c"}
    assert {each["by"] for each in other.answers.values()} == {"b", "c"}
    assert await namespaces.posted("question/") == await namespaces.posted("answer/") == {}


async def test_what_suffices_is_not_waited_beyond(namespaces: NamespaceStore) -> None:
    await _lives(namespaces, "a", "b", "silent")
    a, b = _process(namespaces, "a"), _process(namespaces, "b")
    enough: Callable[[Any], bool] = lambda found: len(found) == 1  # noqa: E731 - shorter
    async with _looking(b):
        replies = await a.ask({}, suffices=enough)
    assert (list(replies.answers), list(replies.missing)) == (["b"], ["silent"])


@pytest.mark.parametrize("others", [[], ["dead"]])
async def test_nobody_waits_for_the_dead(namespaces: NamespaceStore, others: list[str]) -> None:
    for name in others:
        await namespaces.heartbeat(name, revision=0, now=CLOCK.now() - timedelta(seconds=30))
    await _lives(namespaces, "a")
    replies = await _process(namespaces, "a").ask({}, suffices=never)
    assert (dict(replies.answers), list(replies.missing)) == ({}, [])


async def test_who_does_not_answer_in_time_is_missing(
    namespaces: NamespaceStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(questions, "PATIENCE", timedelta(0))
    await _lives(namespaces, "a", "b")
    replies = await _process(namespaces, "a").ask({}, suffices=never)
    assert list(replies.missing) == ["b"]


async def test_who_stops_waits_for_no_answer_any_more(
    namespaces: NamespaceStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(questions, "PATIENCE", timedelta(days=1))
    now = CLOCK.now() + timedelta(days=1)  # it lives for ever, as it were
    await namespaces.heartbeat("b", revision=0, now=now)
    a = _process(namespaces, "a")
    waiting = asyncio.create_task(a.ask({}, suffices=never))

    async def is_asked() -> bool:
        return bool(await namespaces.posted("question/"))

    await until_found(is_asked)
    assert not waiting.done()
    a.stop_asking()
    assert list((await waiting).missing) == list((await a.ask({}, suffices=never)).missing) == ["b"]


async def test_a_bug_in_an_answer_is_logged_and_nothing_else(
    namespaces: NamespaceStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(questions, "PATIENCE", timedelta(milliseconds=1))
    await _lives(namespaces, "a", "b")
    a, b = _process(namespaces, "a"), _process(namespaces, "b", breaks=True)
    async with _looking(b):
        assert list((await a.ask({}, suffices=never)).missing) == ["b"]


async def test_journals_are_counted_from_any_number_of_processes_at_once(namespaces: NamespaceStore) -> None:
    journal = Journal(max_entries=1, max_bytes=1000, metrics=Metrics())
    processes = [JournalPresence(store=namespaces, journal=journal, has_api=True) for _ in range(10)]
    await asyncio.gather(*(each.add(FIRST_EPOCH, 1) for each in processes))
    assert await processes[0].count(FIRST_EPOCH) == 10
    await asyncio.gather(*(each.add(FIRST_EPOCH, -1) for each in processes))
    assert await processes[0].count(FIRST_EPOCH) == 0
    await processes[0].add(FIRST_EPOCH, 1)
    assert await processes[1].count(FIRST_EPOCH) == 1
    assert not await processes[0].set_count(FIRST_EPOCH, 2, 1)
