"""Job types that answer texts."""

from collections.abc import Mapping
from functools import partial
from typing import ClassVar

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.job import Job
from civitai_mock.domain.json_types import JsonObject, ReadOnlyJson
from civitai_mock.domain.resource import Resource
from civitai_mock.generation.graph import Skeleton
from civitai_mock.generation.job_types.draft import CompleteSpec, JobDraft, JobSpec, Plan
from civitai_mock.generation.operations import JudgeMedia
from civitai_mock.generation.words.chat import chat_completion, conversation_of
from civitai_mock.generation.words.prompts import enhanced_prompt
from civitai_mock.generation.work import DerivedWork, ResultWork


@dataclass(frozen=True, slots=True, kw_only=True)
class EchoSpec(CompleteSpec):
    """Answers the message."""

    job_type: ClassVar[str] = "Echo"
    cost: ClassVar[float] = 0

    message: str

    def own_work(self) -> ResultWork:
        return ResultWork(result={"message": self.message}, seconds=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatCompletionSpec(JobSpec, JobDraft):
    """Answers a conversation, whose `body` is as v2 or OpenAI has it; the answer is as old as the job.

    A JSON Schema in it may take a while, so the answer is made in a thread, as judgements are.
    """

    job_type: ClassVar[str] = "ChatCompletion"

    body: ReadOnlyJson

    def references(self) -> Mapping[str, str]:
        return {}

    def resolve(self, *, resources: Mapping[str, Resource], seed: int) -> Plan:  # noqa: ARG002 - nothing is left open
        return Plan(spec=self, resources=(), cost=1)

    def work(self, job: Job, skeletons: Mapping[str, Skeleton]) -> DerivedWork:  # noqa: ARG002 - no graph is built
        operation = JudgeMedia(judge=partial(self._answer, created=int(job.created_at.timestamp())))
        return DerivedWork(operation=operation, inputs=(), seconds=2.0)

    def _answer(self, _: str, *, created: int) -> JsonObject:
        return chat_completion(conversation_of(self.body), created=created)


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptEnhancementSpec(CompleteSpec):
    """Answers a prompt text with a garnish."""

    job_type: ClassVar[str] = "PromptEnhancement"
    cost: ClassVar[float] = 1

    prompt: str
    negative_prompt: str | None = None
    ecosystem: str

    def own_work(self) -> ResultWork:
        enhanced = enhanced_prompt(self.prompt, ecosystem=self.ecosystem, negative_prompt=self.negative_prompt)
        return ResultWork(result=enhanced, seconds=1.5)
