"""Step types that answer texts."""

from collections.abc import Sequence
from typing import ClassVar

from civitai_mock.api.v2.steps.step_type import Blobs, StepInput, StepType, result_of
from civitai_mock.domain.cost import StepCost
from civitai_mock.domain.job import Job
from civitai_mock.domain.json_types import JsonObject
from civitai_mock.generation.job_types.words import EchoSpec
from civitai_mock.ports.steps import StepJobs


class Echo(StepType):
    """Answers the message that it was sent."""

    name: ClassVar[str] = "echo"

    def cost(self, step_input: StepInput) -> StepCost:
        return StepCost()

    def jobs(self, step_input: StepInput, *, seed: int) -> StepJobs:
        return StepJobs(drafts=[EchoSpec(message=step_input["message"])])

    def output(self, step_input: StepInput, jobs: Sequence[Job], blobs: Blobs) -> JsonObject | None:
        return result_of(jobs)
