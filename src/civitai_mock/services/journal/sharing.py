"""Share the journals of all processes on a store: each has its own, and answers what others ask about it.

Where a process that has had a journal does not answer, as it is dead or has left, nobody knows what it had recorded.
"""

from collections.abc import Callable, Sequence
from typing import Final

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.json_types import JsonObject, ReadOnlyJson, as_number, as_object, as_text
from civitai_mock.services.journal.presence import JournalPresence
from civitai_mock.services.journal.questions import CLEAR_QUESTION, AnswerQuestions
from civitai_mock.services.journal.reading import Answers
from civitai_mock.services.journal.recording import NamespaceJournal
from civitai_mock.services.questions import Questions

NAMESPACE, EPOCH, ASKED, ANSWERED, HAS_ONE = "namespace", "epoch", "question", "answer", "hasJournal"
ATTEMPTS: Final = 5


class ReplyOfJournal:
    """Replies to what other processes ask about the journal of a namespace."""

    def __init__(self, *, get_answer: Callable[[], AnswerQuestions], presence: JournalPresence) -> None:
        self._get_answer = get_answer
        self._presence = presence

    async def __call__(self, question: ReadOnlyJson) -> JsonObject:
        name, epoch = as_text(question.get(NAMESPACE)), int(as_number(question.get(EPOCH)) or 0)
        if not self._presence.has_journal(name, epoch):
            return {HAS_ONE: False}
        return {HAS_ONE: True, ANSWERED: await self._get_answer()(name, epoch, as_object(question.get(ASKED)))}


@dataclass(frozen=True, slots=True, kw_only=True)
class AskJournals:
    """Asks about the journal of one namespace, in this process and in all others that have one."""

    journal: NamespaceJournal
    answer: AnswerQuestions
    presence: JournalPresence
    questions: Questions
    is_private: bool

    async def has_others(self) -> bool:
        return not self.is_private and await self.presence.count(self.journal.epoch) > 1

    async def __call__(self, question: JsonObject) -> Answers:
        """Return the answers; they are not whole if a process that had a journal has not answered."""
        own = await self.answer(self.journal.name, self.journal.epoch, question)
        if self.is_private:
            return Answers(items=[own])
        others = await self.presence.count(self.journal.epoch) - 1
        if others <= 0:
            return Answers(items=[own])
        found, _ = await self._ask_others(question, others)
        return Answers(items=[own, *found], is_whole=len(found) >= others)

    async def clear(self) -> Sequence[str]:
        """Clear all journals, and forget that some have gone; return the processes that have not answered."""
        missing: Sequence[str] = ()
        for _ in range(ATTEMPTS):
            self.journal.clear()
            if not await self.has_others():
                return ()
            before = await self.presence.count(self.journal.epoch)
            found, missing = await self._ask_others(CLEAR_QUESTION, None)
            if missing or await self.presence.set_count(self.journal.epoch, before, len(found) + 1):
                break
        return missing

    async def _ask_others(self, question: JsonObject, others: int | None) -> tuple[Sequence[JsonObject], Sequence[str]]:
        """Return what others with a journal answer, as many as they are or all, and who lives and has not answered."""
        asked: JsonObject = {NAMESPACE: self.journal.name, EPOCH: self.journal.epoch, ASKED: question}
        replies = await self.questions.ask(
            asked, suffices=lambda found: others is not None and len(_told(found)) >= others
        )
        return _told([*replies.answers.values()]), replies.missing


def _told(replies: Sequence[JsonObject]) -> Sequence[JsonObject]:
    return [as_object(reply.get(ANSWERED)) for reply in replies if reply.get(HAS_ONE) is True]
