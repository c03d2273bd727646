"""Questions between the processes on one store: each is answered by all that live, by notes in the store."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from secrets import token_hex
from typing import Final, TypeAlias

import orjson

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.json_types import JsonObject, as_object
from civitai_mock.ports import Clock, NamespaceStore
from civitai_mock.services.error_boundary import ErrorBoundary

QUESTION, ANSWER = "question/", "answer/"
KEPT = timedelta(minutes=1)
PATIENCE = timedelta(seconds=10)
LOOK_SECONDS: Final = 0.02
DEAD_AFTER: Final = timedelta(seconds=5)  # a process that was not heard of for so long answers nothing

Reply: TypeAlias = Callable[[JsonObject], Awaitable[JsonObject]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Replies:
    """Holds what other processes have answered, by their ids, and which of them live and have not."""

    answers: Mapping[str, JsonObject]
    missing: Sequence[str]


class Questions:
    """Asks the other processes, and answers what they ask, as `reply` does; `clock` is the real one.

    Whoever obeys changes of the store looks for new questions then, as each question is one.
    """

    def __init__(self, *, store: NamespaceStore, clock: Clock, process_id: str, reply: Reply) -> None:
        self._store = store
        self._clock = clock
        self._process_id = process_id
        self._reply = reply
        self._asked: set[str] = set()
        self._seen: set[str] = set()
        self._replying: set[asyncio.Task[None]] = set()
        self._is_stopping = False

    async def ask(self, question: JsonObject, *, suffices: Callable[[Sequence[JsonObject]], bool]) -> Replies:
        """Return what others answer: when that suffices, or all that live have answered, or patience ends.

        Patience ends at once while this process stops.
        """
        number, until = token_hex(8), self._clock.now() + KEPT
        self._asked.add(number)
        try:
            await self._store.post(QUESTION + number, orjson.dumps(question).decode(), until=until, is_news=True)
            return await self._replies(number, suffices)
        finally:
            self._asked.discard(number)
            with ErrorBoundary("question not taken down"):
                await self._store.take_down(QUESTION + number)
                await self._store.take_down(f"{ANSWER}{number}/")

    async def look(self) -> None:
        """Answer new questions of others, each by itself."""
        posted = await self._store.posted(QUESTION)
        for number in posted.keys() - self._seen - self._asked:
            task = asyncio.create_task(self._answer(number, posted[number]), name="answer to a question")
            self._replying.add(task)
            task.add_done_callback(self._replying.discard)
        self._seen = set(posted)

    def stop_asking(self) -> None:
        """Wait for no answer any more: whoever has none is missing."""
        self._is_stopping = True

    def stop(self) -> None:
        """Answer nothing any more."""
        for task in self._replying:
            task.cancel()

    async def _answer(self, number: str, text: str) -> None:
        with ErrorBoundary("question not answered"):
            answer = orjson.dumps(await self._reply(as_object(orjson.loads(text)))).decode()
            until = self._clock.now() + KEPT
            await self._store.post(f"{ANSWER}{number}/{self._process_id}", answer, until=until)

    async def _replies(self, number: str, suffices: Callable[[Sequence[JsonObject]], bool]) -> Replies:
        ends = self._clock.now() + PATIENCE
        answers: dict[str, JsonObject] = {}
        while True:
            alive = {each.id for each in await self._store.live_processes(self._clock.now() - DEAD_AFTER)}
            for process, text in (await self._store.posted(f"{ANSWER}{number}/")).items():
                if process not in answers:
                    answers[process] = as_object(orjson.loads(text))
            missing = sorted(alive - answers.keys() - {self._process_id})
            is_enough = not missing or suffices([*answers.values()])
            if is_enough or self._is_stopping or self._clock.now() >= ends:
                return Replies(answers=answers, missing=missing)
            await asyncio.sleep(LOOK_SECONDS)
