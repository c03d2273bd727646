"""Build the jobs of steps whose inputs are complete; nothing is stored."""

from collections.abc import Mapping, MutableMapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import InvalidRequestError
from civitai_mock.domain.job import NAMED_PRIORITIES, NORMAL, Job, WorkflowPlace
from civitai_mock.domain.json_types import as_number, as_object, as_text
from civitai_mock.domain.maturity import NsfwLevel, level_of_text
from civitai_mock.domain.named_ids import named_uuid
from civitai_mock.domain.progress_modes import stored_progress_mode
from civitai_mock.domain.references import INPUT, REPEAT, STEP_TYPE, TEMPLATE
from civitai_mock.domain.resource import Resource
from civitai_mock.domain.workflow import Workflow, WorkflowStep
from civitai_mock.ports import Clock
from civitai_mock.ports.steps import JobMaker, StepJobs, StepTypes
from civitai_mock.services.build_jobs import BuildJobs, BuiltJobs, JobOrigin, new_job
from civitai_mock.services.consumers import Caller
from civitai_mock.services.event_bus import EventBus
from civitai_mock.services.job_template import JobTemplate
from civitai_mock.services.submit_checks import MissingResources, find_named_resources
from civitai_mock.services.threads import in_thread_if_large

if TYPE_CHECKING:
    from civitai_mock.domain.faults.rules import FaultRule


def input_path(step: int) -> str:
    """Return where the input of a step stands in its workflow."""
    return f"steps[{step}].input"


def job_places(workflow: Workflow, step: int) -> Mapping[str, WorkflowPlace]:
    """Return the places of the jobs that a step has so far, by their ids; jobs that are made again come last.

    An id that follows from no place is left out.
    """
    ids = set(workflow.steps[step].jobs)
    places: dict[str, WorkflowPlace] = {}
    attempt = 0
    while len(places) < len(ids):
        made = [
            WorkflowPlace(workflow_id=workflow.id, step=step, index=index, attempt=attempt) for index in range(len(ids))
        ]
        found = {place.job_id: place for place in made if place.job_id in ids}
        if not found:
            break
        places |= found
        attempt += 1
    return places


def publish_new_jobs(event_bus: EventBus, jobs: Sequence[Job]) -> None:
    """Publish jobs that were stored with their workflow, and can be claimed."""
    if jobs:
        event_bus.publish_changes(jobs)
        event_bus.publish_work()


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildStepJobs:
    """Builds jobs of steps; their drafts follow from the stored step, so that jobs made twice are the same.

    Jobs are kept for `lifetime` after the last moment at which they can end.
    """

    step_types: StepTypes
    build: BuildJobs
    clock: Clock
    lifetime: timedelta

    async def __call__(
        self,
        workflow: Workflow,
        steps: Sequence[int],
        *,
        levels: Sequence[NsfwLevel] = (),
        makers: MutableMapping[int, JobMaker] | None = None,
        size: int = 0,
        missing: MissingResources | None = None,
    ) -> BuiltJobs:
        """Return all first jobs of these steps; `size` is that of their inputs, in bytes.

        `levels` are those of the first steps of the workflow, as far as they are known. What makes the jobs of a step
        is remembered in `makers`, by its place. `missing` says what is done about unknown resources, if it is not the
        usual. Raise `InvalidRequestError` with each fault by its path in the workflow.
        """
        known = {} if makers is None else makers
        templates = [made for step in steps for made in self._templates(workflow, step, known)]
        return await self._build(workflow, templates, levels=levels, size=size, missing=missing)

    async def again(self, workflow: Workflow, places: Sequence[WorkflowPlace]) -> BuiltJobs:
        """Return jobs of steps that are ready already, at the given places."""
        by_step = {place.step: self._templates(workflow, place.step, {}) for place in places}
        templates = [(place, by_step[place.step][place.index][1]) for place in places]
        return await self._build(workflow, templates)

    def _templates(
        self, workflow: Workflow, index: int, makers: MutableMapping[int, JobMaker]
    ) -> Sequence[tuple[WorkflowPlace, JobTemplate]]:
        step, path = workflow.steps[index], input_path(index)
        try:
            if index not in makers:
                makers[index] = self.step_types.job_maker(step.type, step.input)
            made = makers[index](step.seed or 0)
        except InvalidRequestError as error:
            raise error.under(path) from error
        expire_at = self.clock.now() + self.build.job_lifetime
        seed = as_number(as_object(step.input).get("seed"))
        return [
            (
                WorkflowPlace(workflow_id=workflow.id, step=index, index=place),
                JobTemplate(
                    draft=draft,
                    draws_seed=seed is None or seed < 0,
                    path=path,
                    spell=partial(_spell, made),
                    priority=NAMED_PRIORITIES.get(step.priority, NORMAL),
                    timeout=step.timeout,
                    expire_at=expire_at,
                ),
            )
            for place, draft in enumerate(made.drafts)
        ]

    async def _build(
        self,
        workflow: Workflow,
        templates: Sequence[tuple[WorkflowPlace, JobTemplate]],
        *,
        levels: Sequence[NsfwLevel] = (),
        size: int = 0,
        missing: MissingResources | None = None,
    ) -> BuiltJobs:
        named = await find_named_resources(
            [template for _, template in templates], self.build.resources, missing or self.build.missing_resources
        )
        make = partial(self._jobs, workflow, templates, named.resources, levels, at=self.clock.now())
        return BuiltJobs(jobs=await in_thread_if_large(make, size=size), new_resources=named.made_up)

    def _jobs(
        self,
        workflow: Workflow,
        templates: Sequence[tuple[WorkflowPlace, JobTemplate]],
        resources: Mapping[str, Resource],
        known_levels: Sequence[NsfwLevel],
        *,
        at: datetime,
    ) -> Sequence[Job]:
        levels = dict(enumerate(known_levels))
        for place, _ in templates:
            if place.step not in levels:
                levels[place.step] = self.level(workflow.steps[place.step])
        origin = JobOrigin(
            submission_id=named_uuid(workflow.id),
            caller=Caller(
                trace_id=workflow.trace_id,
                consumer=workflow.owner,
                progress=stored_progress_mode(workflow.progress),
                asked_fault=_asked_fault(workflow),
            ),
            at=at,
            keep_until=at + self.build.job_lifetime + self.lifetime,
            claim_timeout=self.build.claim_timeout,
            charged=False,
        )
        steps = workflow.steps
        return [
            self._job(place, template, origin, resources, level=levels[place.step], seed=steps[place.step].seed)
            for place, template in templates
        ]

    def _job(
        self,
        place: WorkflowPlace,
        template: JobTemplate,
        origin: JobOrigin,
        resources: Mapping[str, Resource],
        *,
        level: NsfwLevel,
        seed: int | None,
    ) -> Job:
        job_id, plan = place.job_id, self.build.plan(template, resources, seed=seed or 0)
        slots = plan.slots(job_id, workflow_id=place.workflow_id, level=level)
        key = self.build.result_key(template, plan, slots, place=place.index)
        return new_job(job_id, template, plan, origin, slots=slots, workflow=place, result_key=key)

    def level(self, step: WorkflowStep) -> NsfwLevel:
        """Return how mature what a step makes will be, by the texts in its input."""
        step_type, step_input = step.type, step.input
        if step_type == REPEAT:
            template = as_object(as_object(step_input).get(TEMPLATE))
            step_type, step_input = as_text(template.get(STEP_TYPE)), template.get(INPUT)
        return level_of_text("\n".join(self.step_types.prompt_texts(step_type, step_input)))


def _asked_fault(workflow: Workflow) -> "FaultRule | None":
    if workflow.asked_fault is None:
        return None
    from civitai_mock.domain.faults.kept import asked_rule  # noqa: PLC0415 - as mostly nobody asks for a fault

    return asked_rule(workflow.asked_fault)


def _spell(made: StepJobs, field: str) -> str:
    """Return the path in an input of a field of a draft; `networks.` stands for all that begin so."""
    for begin, path in made.paths.items():
        if begin.endswith(".") and field.startswith(begin):
            return path + field.removeprefix(begin)
    return made.paths.get(field, field)
