"""Verify what is expected of the requests of a namespace, also of those that are still to come."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Final

from civitai_mock.domain.errors import NotVerifiedError
from civitai_mock.domain.json_types import JsonObject, as_list, as_object
from civitai_mock.domain.near_misses import NearMiss, nearest
from civitai_mock.domain.verification import ORDER, Expectation, Findings, Verdict, judge
from civitai_mock.services.journal.questions import ITEMS, find_question, near_question
from civitai_mock.services.journal.reading import AskProcesses, check_is_on
from civitai_mock.services.journal.recording import NamespaceJournal

PAUSE_SECONDS: Final = 0.01  # between two looks, however many requests come meanwhile
POLL_SECONDS: Final = 0.25  # for what other processes have recorded


class VerifyRequests:
    """Verifies expectations; whoever waits is answered when nothing can change the answer, or nobody waits any more."""

    def __init__(self, *, journal: NamespaceJournal, ask: AskProcesses, most: int) -> None:
        """At most so many wait at once; others are answered at once."""
        self._journal = journal
        self._ask = ask
        self._most = most
        self._waiting: set[asyncio.Event] = set()
        self._is_stopped = False

    async def __call__(self, expectation: Expectation, given_up: "asyncio.Future[None]") -> int:
        """Return how many requests match, or raise `NotVerifiedError`; whoever waits has `given_up` when it is done.

        A wait that ends before its time does not show that none came too many. Raise `NamespaceResetError` if it ended
        because of a reset.
        """
        check_is_on(self._journal)
        verdict = await self._judge(expectation)
        if expectation.within and not verdict.is_final:
            verdict = await self._wait(verdict, given_up)
            self._journal.check()
        if verdict.passes:
            return verdict.count
        raise await self._not_verified(verdict)

    def stop(self) -> None:
        """Answer all who wait, and those who come from now on at once."""
        self._is_stopped = True
        for has_news in self._waiting:
            has_news.set()

    async def _wait(self, verdict: Verdict, given_up: "asyncio.Future[None]") -> Verdict:
        """Return the last verdict: the first that is final, or that at the end of the time."""
        if len(self._waiting) >= self._most:
            return verdict.cut_short()
        clock = asyncio.get_running_loop().time
        ends = clock() + verdict.expectation.within.total_seconds()
        with self._listening() as has_news:
            given_up.add_done_callback(lambda _: has_news.set())
            has_others = await self._ask.has_others()
            while not verdict.is_final and clock() < ends:
                if given_up.done() or self._is_stopped:
                    return verdict.cut_short()
                left = ends - clock()
                with suppress(TimeoutError):
                    async with asyncio.timeout(min(left, POLL_SECONDS) if has_others else left):
                        await has_news.wait()
                await asyncio.sleep(min(left, PAUSE_SECONDS))
                has_news.clear()
                verdict = await self._judge(verdict.expectation)
        return verdict

    @contextmanager
    def _listening(self) -> Iterator[asyncio.Event]:
        has_news = asyncio.Event()
        has_news.set()  # as something may have come since the last look
        self._waiting.add(has_news)
        self._journal.subscribe(has_news.set)
        try:
            yield has_news
        finally:
            self._journal.unsubscribe(has_news.set)
            self._waiting.discard(has_news)

    async def _judge(self, expectation: Expectation) -> Verdict:
        answers = await self._ask(find_question(expectation.document))
        found = Findings.of_all(map(Findings.of, answers.items), is_whole=answers.is_whole)
        return judge(expectation, found)

    async def _not_verified(self, verdict: Verdict) -> NotVerifiedError:
        name, match = verdict.missed
        after = None if verdict.fails_count else verdict.last_id
        answers = await self._ask(near_question(name, as_object(match), after=after))
        near = nearest(NearMiss.of(as_object(item)) for answer in answers.items for item in as_list(answer[ITEMS]))
        return NotVerifiedError(_detail(verdict, near), members=_members(verdict, near))


def _members(verdict: Verdict, near: Sequence[NearMiss]) -> JsonObject:
    expectation = verdict.expectation
    members: JsonObject = {
        "expected": expectation.expected_count if verdict.fails_count else expectation.document.get(ORDER),
        "actual": verdict.count if verdict.fails_count else verdict.reached,
        "nearest": [each.shown() for each in near],
    }
    return {**members, "incomplete": True} if verdict.is_incomplete else members


def _detail(verdict: Verdict, near: Sequence[NearMiss]) -> str:
    """Say what was expected and what came, and of the nearest request how it differs."""
    expectation = verdict.expectation
    if verdict.fails_count:
        text = f"Expected {expectation.shown_count} to match; found {verdict.count}."
    else:
        text = f"Expected {len(expectation.order)} requests in this order; found the first {verdict.reached} of them."
    if verdict.is_incomplete:
        text += " Others may have come: not all of the journal is there."
    return f"{text} Nearest: {near[0].method} {near[0].path}, {near[0].difference}." if near else text
