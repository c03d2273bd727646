"""The journals of a process, which those of other processes are asked about, and which others ask about."""

from functools import cached_property
from typing import TYPE_CHECKING

from civitai_mock.bootstrap.runtime import Runtime
from civitai_mock.domain.json_types import JsonObject
from civitai_mock.services.control_plane import ControlPlane
from civitai_mock.services.journal.presence import JournalPresence
from civitai_mock.services.journal.recording import NamespaceJournal
from civitai_mock.services.questions import Questions

if TYPE_CHECKING:
    from collections.abc import Callable

    from civitai_mock.services.journal.questions import AnswerQuestions, SubjectOf
    from civitai_mock.services.journal.sharing import AskJournals


class Journals:
    """Puts together who records, who asks and who answers; what only readers need is loaded for the first of them.

    What `get_subject_of` returns reads what requests asked for; it is None in a process without an API.
    """

    def __init__(
        self, runtime: Runtime, *, control: ControlPlane, get_subject_of: "Callable[[], SubjectOf] | None"
    ) -> None:
        store = runtime.stores.namespaces
        self.presence = JournalPresence(store=store, journal=runtime.journal, has_api=get_subject_of is not None)
        self.questions = Questions(
            store=store, clock=runtime.clock, process_id=control.process_id, reply=self._reply_to_others
        )
        self._runtime = runtime
        self._control = control
        self._get_subject_of = get_subject_of

    @cached_property
    def answer_questions(self) -> "AnswerQuestions":
        from civitai_mock.services.journal.questions import AnswerQuestions

        if self._get_subject_of is None:
            raise RuntimeError("a process without an API has no journal")
        return AnswerQuestions(
            journal=self._runtime.journal,
            secrets=lambda: self._runtime.settings.secrets,
            tokens_of=self._control.tokens_of,
            subject_of=self._get_subject_of(),
        )

    def ask_about(self, journal: NamespaceJournal) -> "AskJournals":
        """Return what asks all processes about the journal of a namespace."""
        from civitai_mock.services.journal.sharing import AskJournals

        return AskJournals(
            journal=journal,
            answer=self.answer_questions,
            presence=self.presence,
            questions=self.questions,
            is_private=self._runtime.stores.namespaces.is_private,
        )

    def forget(self, name: str, *, but: int | None) -> None:
        """Forget what was recorded of a namespace, unless that is in this epoch."""
        self._runtime.journal.forget(name, but=but)
        self.presence.forget(name, but=but)

    async def _reply_to_others(self, question: JsonObject) -> JsonObject:
        from civitai_mock.services.journal.sharing import ReplyOfJournal

        reply = ReplyOfJournal(get_answer=lambda: self.answer_questions, presence=self.presence)
        return await reply(question)
