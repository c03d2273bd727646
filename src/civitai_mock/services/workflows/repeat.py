"""Spawn the steps of a `repeat`: one for each element of an array, made by its template."""

from collections.abc import Sequence

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.dotnet import parse_timespan
from civitai_mock.domain.errors import InvalidRequestError, fault
from civitai_mock.domain.json_types import Json, JsonObject, as_object, as_text
from civitai_mock.domain.references import (
    AS,
    FOR,
    INPUT,
    PATH,
    REF,
    REPEAT,
    STEP_TYPE,
    TEMPLATE,
    EmptyPathError,
    loop_variable,
    resolved,
    value_at_path,
)
from civitai_mock.domain.workflow import WorkflowSnapshot, WorkflowStep
from civitai_mock.ports import Ids
from civitai_mock.ports.steps import StepTypes
from civitai_mock.services.workflows.late_inputs import ResolveInputs, StepFailedError, reason_in

MOST_SPAWNED = 1000


def check_repeat(step_input: Json, *, path: str) -> None:
    """Raise `InvalidRequestError` for a `repeat` inside a `repeat`."""
    if as_object(as_object(step_input).get(TEMPLATE)).get(STEP_TYPE) == REPEAT:
        raise fault(f"{path}.{TEMPLATE}.{STEP_TYPE}", "A repeat cannot repeat a repeat.")


@dataclass(frozen=True, slots=True, kw_only=True)
class SpawnSteps:
    """Makes the steps of a `repeat` whose sources have succeeded."""

    step_types: StepTypes
    resolve: ResolveInputs
    ids: Ids

    def __call__(self, snapshot: WorkflowSnapshot, index: int) -> Sequence[WorkflowStep]:
        """Return the new steps, whose inputs are complete; raise `StepFailedError` if there can be none."""
        repeat = snapshot.workflow.steps[index]
        clause, template = _clause(repeat.input), as_object(as_object(repeat.input).get(TEMPLATE))
        values = self.resolve.values(snapshot, repeat, repeat.input)
        try:
            elements = value_at_path(values[as_text(clause.get(REF))], as_text(clause.get(PATH)))
            inner: JsonObject = {FOR: {AS: clause.get(AS)}, TEMPLATE: template}
            filled = as_object(as_object(resolved(REPEAT, inner, values))[TEMPLATE])
            if not isinstance(elements, list):
                raise StepFailedError(f"'{clause.get(PATH)}' is not an array.")
            if len(elements) > MOST_SPAWNED:
                raise StepFailedError(f"A repeat makes at most {MOST_SPAWNED} steps; found {len(elements)} elements.")
            variable = loop_variable(repeat.input) or ""
            return [
                self._step(
                    filled, {variable: element}, snapshot.workflow.id, f"{repeat.name}[{place}]", spawned_by=index
                )
                for place, element in enumerate(elements)
            ]
        except EmptyPathError as error:
            raise StepFailedError(str(error)) from error
        except InvalidRequestError as error:
            raise StepFailedError(reason_in(error)) from error

    def _step(
        self, template: JsonObject, values: JsonObject, workflow_id: str, name: str, *, spawned_by: int
    ) -> WorkflowStep:
        step_type = as_text(template.get(STEP_TYPE))
        found = resolved(step_type, template.get(INPUT), values)
        step_input = self.step_types.echo(step_type, found, path=f"{name}.{INPUT}")
        timeout, retries = as_text(template.get("timeout")), template.get("retries")
        return WorkflowStep(
            name=name,
            type=step_type,
            input=step_input,
            priority=as_text(template.get("priority")) or "low",
            timeout=parse_timespan(timeout) if timeout else None,
            retries=retries if isinstance(retries, int) else None,
            metadata=as_object(template.get("metadata")),
            cost=self.step_types.cost(step_type, step_input),
            seed=self.ids.of_job(workflow_id, name).seed(),
            spawned_by=spawned_by,
        )


def _clause(step_input: Json) -> JsonObject:
    """Return the clause of a `repeat` that names its array."""
    return as_object(as_object(step_input).get(FOR))
