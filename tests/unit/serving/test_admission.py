"""Requests that come at once begin by and by, in their order."""

import asyncio
from collections import Counter
from datetime import timedelta
from itertools import pairwise
from typing import cast

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from civitai_mock.serving.admission import MOST_AT_ONCE, TURNS, Admission
from civitai_mock.serving.server import Server

REQUESTS = 5 * MOST_AT_ONCE


class Begun:
    """Notes in which turn of the event loop each request begins."""

    def __init__(self) -> None:
        self.turns: dict[int, int] = {}
        self._admission = Admission()
        self.turn = 0

    async def count_turns(self) -> None:
        while True:
            self.turn += 1
            await asyncio.sleep(0)

    async def request(self, number: int) -> None:
        await self._admission.admit()
        self.turns[number] = self.turn


async def test_every_few_turns_the_loop_admits_only_some_of_many_requests_and_in_their_order() -> None:
    begun = Begun()
    turns = asyncio.create_task(begun.count_turns())
    await asyncio.gather(*map(begun.request, range(REQUESTS)))
    turns.cancel()
    assert list(begun.turns) == list(range(REQUESTS))
    admitted = Counter(begun.turns.values())
    assert set(admitted.values()) == {MOST_AT_ONCE}
    assert all(after - before >= TURNS for before, after in pairwise(admitted))


async def test_few_requests_begin_at_once_and_those_after_a_rest_too() -> None:
    begun = Begun()
    for _ in range(2):
        begun.turns.clear()
        await asyncio.gather(*map(begun.request, range(MOST_AT_ONCE)))
        assert set(begun.turns.values()) == {begun.turn}
        turns = asyncio.create_task(begun.count_turns())
        for _ in range(2 * TURNS):
            await asyncio.sleep(0)
        turns.cancel()


async def test_requests_that_come_later_do_not_overtake_those_that_wait() -> None:
    begun = Begun()
    async with asyncio.TaskGroup() as group:
        for number in range(REQUESTS):
            group.create_task(begun.request(number))
            if number % MOST_AT_ONCE == 0:
                await asyncio.sleep(0)
    assert list(begun.turns) == list(range(REQUESTS))


async def test_a_request_that_is_cancelled_while_it_waits_takes_nobodys_place() -> None:
    begun = Begun()
    requests = [asyncio.create_task(begun.request(number)) for number in range(REQUESTS)]
    await asyncio.sleep(0)
    for cancelled in requests[MOST_AT_ONCE:-1]:
        cancelled.cancel()
    await requests[-1]
    assert list(begun.turns) == [*range(MOST_AT_ONCE), REQUESTS - 1]


@pytest.mark.parametrize(("method", "most"), [("POST", MOST_AT_ONCE), ("DELETE", MOST_AT_ONCE), ("GET", REQUESTS)])
async def test_a_server_admits_what_changes_something_by_and_by_and_reads_at_once(method: str, most: int) -> None:
    begun = Begun()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        del receive, send
        begun.turns[scope["number"]] = begun.turn

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        del message

    server = Server(app, grace=timedelta(0), on_ready=lambda: None, on_stop=lambda: None)
    serve = cast("ASGIApp", server.config.app)
    turns = asyncio.create_task(begun.count_turns())
    scopes: list[Scope] = [{"type": "http", "method": method, "number": number} for number in range(REQUESTS)]
    await asyncio.gather(*(serve(scope, receive, send) for scope in scopes))
    turns.cancel()
    assert list(begun.turns) == list(range(REQUESTS))
    assert max(Counter(begun.turns.values()).values()) == most
