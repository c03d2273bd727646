"""What steps answer, as references of other steps see it, and the inputs of those others with these values in them."""

from collections.abc import Mapping, Sequence

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import InvalidRequestError
from civitai_mock.domain.job import Job
from civitai_mock.domain.json_types import Json, JsonObject, ReadOnlyJson
from civitai_mock.domain.references import ARGUMENTS, EmptyPathError, place_of_source, references_in, resolved
from civitai_mock.domain.workflow import Workflow, WorkflowSnapshot, WorkflowStep
from civitai_mock.ports.steps import OutputView, StepTypes


class StepFailedError(Exception):
    """Raised if a step can never be made ready; the message says why."""


def with_arguments(step_type: str, step_input: Json, arguments: ReadOnlyJson) -> Json:
    """Return an input with the values of the arguments that it refers to."""
    return resolved(step_type, step_input, {ARGUMENTS: dict(arguments)})


def jobs_of_step(snapshot: WorkflowSnapshot, index: int) -> Sequence[Job]:
    """Return the jobs of a step that count: of one that was made again, the last."""
    latest: dict[int, Job] = {}
    for job in snapshot.jobs:
        place = job.workflow
        if place is not None and place.step == index:
            latest[place.index] = job  # they are in the order of their attempts
    return [latest[place] for place in sorted(latest)]


def children_of(workflow: Workflow, index: int) -> Sequence[int]:
    """Return the places of the steps that a `repeat` has spawned."""
    return [place for place, step in enumerate(workflow.steps) if step.spawned_by == index]


def output_view(workflow: Workflow, *, hides_mature_content: bool = False, base_url: str | None = None) -> OutputView:
    """Return how outputs of a workflow are shown: with URLs like those of its own request, unless given others."""
    return OutputView(
        base_url=workflow.base_url if base_url is None else base_url,
        allows_mature_content=workflow.allow_mature_content is not False,
        hides_mature_content=hides_mature_content,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolveInputs:
    """Resolves the references of steps whose sources have succeeded."""

    step_types: StepTypes

    def values(self, snapshot: WorkflowSnapshot, step: WorkflowStep, step_input: Json) -> Mapping[str, Json]:
        """Return what each source of an input stands for."""
        workflow = snapshot.workflow
        places = {other.name: place for place, other in reversed(list(enumerate(workflow.steps)))}
        values: dict[str, Json] = {ARGUMENTS: dict(workflow.arguments)}
        for source in {reference.source for reference in references_in(step.type, step_input)} - {ARGUMENTS}:
            place = place_of_source(source, places)
            if place is not None:
                values[source] = self.document(snapshot, place)
        return values

    def complete(self, snapshot: WorkflowSnapshot, index: int) -> Json:
        """Return the input of a step with all values in it, checked again; raise `StepFailedError` for a bad one."""
        step = snapshot.workflow.steps[index]
        try:
            found = resolved(step.type, step.input, self.values(snapshot, step, step.input))
            return self.step_types.echo(step.type, found, path=f"steps[{index}].input")
        except EmptyPathError as error:
            raise StepFailedError(str(error)) from error
        except InvalidRequestError as error:
            raise StepFailedError(reason_in(error)) from error

    def document(self, snapshot: WorkflowSnapshot, index: int) -> JsonObject:
        """Return a step as references see it."""
        step = snapshot.workflow.steps[index]
        children = children_of(snapshot.workflow, index)
        document: JsonObject = {
            "$type": step.type,
            "name": step.name,
            "input": step.input,
            "metadata": dict(step.metadata),
        }
        if children:
            return document | {"output": {"steps": [self.document(snapshot, child) for child in children]}}
        jobs, view = jobs_of_step(snapshot, index), output_view(snapshot.workflow)
        return document | {"output": self.step_types.output(step.type, step.input, jobs, view=view)}


def reason_in(error: InvalidRequestError) -> str:
    """Return the first fault, with its path, in one line."""
    for path, messages in error.errors.items():
        return f"{path}: {messages[0]}" if messages else error.message
    return error.message
