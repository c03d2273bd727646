"""Step types that answer texts."""

from typing import ClassVar

from civitai_mock.api.v2.steps.step_type import ResultStep, StepInput
from civitai_mock.generation.job_types.words import ChatCompletionSpec, EchoSpec, PromptEnhancementSpec


class Echo(ResultStep):
    """Answers the message that it was sent."""

    name: ClassVar[str] = "echo"

    def draft(self, step_input: StepInput, *, seed: int) -> EchoSpec:
        return EchoSpec(message=step_input["message"])


class ChatCompletion(ResultStep):
    """Answers a conversation; nothing that its images show is looked at."""

    name: ClassVar[str] = "chatCompletion"
    price: ClassVar[int] = 1

    def draft(self, step_input: StepInput, *, seed: int) -> ChatCompletionSpec:
        return ChatCompletionSpec(body=step_input)


class PromptEnhancement(ResultStep):
    """Answers a better prompt text."""

    name: ClassVar[str] = "promptEnhancement"
    price: ClassVar[int] = 1

    def draft(self, step_input: StepInput, *, seed: int) -> PromptEnhancementSpec:
        return PromptEnhancementSpec(
            prompt=step_input["prompt"],
            negative_prompt=step_input.get("negativePrompt"),
            ecosystem=step_input["ecosystem"],
        )
