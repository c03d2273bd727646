"""Ask all processes that serve a namespace about its journal: each knows only what it has answered itself."""

from dataclasses import dataclass

from civitai_mock.domain.json_types import JsonObject
from civitai_mock.services.journal import NamespaceJournal
from civitai_mock.services.journal_questions import AnswerQuestions
from civitai_mock.services.journal_reading import Answers


@dataclass(frozen=True, slots=True, kw_only=True)
class AskJournals:
    """Asks about the journal of one namespace."""

    journal: NamespaceJournal
    answer: AnswerQuestions

    @property
    def has_others(self) -> bool:
        return False

    async def __call__(self, question: JsonObject) -> Answers:
        return Answers(items=[await self.answer(self.journal.name, self.journal.epoch, question)])
