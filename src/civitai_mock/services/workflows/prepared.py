"""What follows for the steps of a workflow from its template alone: their inputs, sources, prices and maturity."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import field

from civitai_mock.domain.cost import StepCost
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import fault
from civitai_mock.domain.json_types import Json
from civitai_mock.domain.maturity import NsfwLevel
from civitai_mock.domain.references import REPEAT, link_steps
from civitai_mock.domain.workflow import WorkflowStep
from civitai_mock.domain.workflow_template import WorkflowTemplate
from civitai_mock.ports.steps import JobMaker, StepTypes
from civitai_mock.services.workflows.data_urls import has_data_url
from civitai_mock.services.workflows.late_inputs import with_arguments
from civitai_mock.services.workflows.repeat import check_repeat
from civitai_mock.services.workflows.step_jobs import BuildStepJobs, input_path

MOST_STEPS = 1000
MOST_KEPT = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedSteps:
    """Holds steps, which have no seeds yet, with the maturity of what each makes; some have `files` in data URLs.

    `makers` has what makes the jobs of a step, by its place, once that is known.
    """

    template: WorkflowTemplate
    steps: Sequence[WorkflowStep]
    levels: Sequence[NsfwLevel]
    files: Sequence[int]
    makers: dict[int, JobMaker] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class PrepareSteps:
    """Prepares the steps of templates, and remembers the last that `is_repeated`: the same object comes again."""

    step_types: StepTypes
    build: BuildStepJobs
    kept: OrderedDict[int, PreparedSteps] = field(default_factory=OrderedDict)

    def __call__(self, template: WorkflowTemplate) -> PreparedSteps:
        """Raise `InvalidRequestError` with each fault by its path."""
        if not template.is_repeated:
            return self._prepared(template)
        kept = self.kept
        found = kept.get(id(template))  # it is kept with its template, so no other one has its id meanwhile
        if found is None:
            found = kept[id(template)] = self._prepared(template)
            if len(kept) > MOST_KEPT:
                kept.popitem(last=False)
        return found

    def _prepared(self, template: WorkflowTemplate) -> PreparedSteps:
        if len(template.steps) > MOST_STEPS:
            raise fault("steps", f"A workflow may have at most {MOST_STEPS} steps; found {len(template.steps)}.")
        linked = link_steps(template.steps, dict(template.arguments))
        inputs = [self._input(template, index) for index in range(len(linked))]
        steps = [
            WorkflowStep(
                name=link.name,
                type=step.type,
                input=step_input,
                priority=step.priority,
                timeout=step.timeout,
                retries=step.retries,
                metadata=step.metadata,
                cost=self._cost(step.type, step_input),
                sources=link.sources,
            )
            for step, link, step_input in zip(template.steps, linked, inputs, strict=True)
        ]
        return PreparedSteps(
            template=template,
            steps=steps,
            levels=[self.build.level(step) for step in steps],
            files=[index for index, step in enumerate(steps) if has_data_url(step.input)],
        )

    def _input(self, template: WorkflowTemplate, index: int) -> Json:
        """Return the input of a step with the values of the arguments in it."""
        step, path = template.steps[index], input_path(index)
        if step.type == REPEAT:
            check_repeat(step.input, path=path)
            return step.input
        if not template.arguments:
            return step.input
        found = with_arguments(step.type, step.input, template.arguments)
        return step.input if found == step.input else self.step_types.echo(step.type, found, path=path)

    def _cost(self, step_type: str, step_input: Json) -> StepCost:
        """Return the price of a step; a `repeat` costs what the steps do that it spawns."""
        return StepCost() if step_type == REPEAT else self.step_types.cost(step_type, step_input)
