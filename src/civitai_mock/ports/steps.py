"""Port to the step types of v2: what they make of the input of a step, and what they answer of its jobs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from typing import Protocol, TypeAlias

from civitai_mock.domain.cost import StepCost
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.job import Job
from civitai_mock.domain.json_types import Json, JsonObject
from civitai_mock.generation.job_types.draft import JobDraft


@dataclass(frozen=True, slots=True, kw_only=True)
class StepJobs:
    """Says which jobs a step makes, in order.

    Faults name fields of the drafts: `paths` has the places of fields in the input, by their names; one that it does
    not have is spelled alike there.
    """

    drafts: Sequence[JobDraft]
    paths: Mapping[str, str] = field(default_factory=dict)


# Makes the jobs of a step of a seed, which is used where its input has none.
JobMaker: TypeAlias = Callable[[int], StepJobs]


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputView:
    """Says for whom an output is shown: its URLs begin with `base_url`.

    What is mature is withheld where the workflow does not allow it, and has no URLs for one who hides it.
    """

    base_url: str
    allows_mature_content: bool
    hides_mature_content: bool = False


class StepTypes(Protocol):
    """Knows all step types by their `$type`; one that it does not know raises `NotFoundError`.

    An input is the echo of what was sent, complete but for references that are not resolved yet.
    """

    def echo(self, step_type: str, step_input: Json, *, path: str) -> Json:
        """Check an input whose references were resolved, which stands at `path`; raise `InvalidRequestError`."""
        ...

    def cost(self, step_type: str, step_input: Json) -> StepCost:
        """Return the price; what a reference stands for counts as its usual value."""
        ...

    def prompt_texts(self, step_type: str, step_input: Json) -> Sequence[str]:
        """Return the texts that say what is drawn: they may ask for mature content."""
        ...

    def job_maker(self, step_type: str, step_input: Json) -> JobMaker:
        """Return what makes the jobs of a step whose input is complete, and may be called again with another seed.

        Both raise `InvalidRequestError` or `FieldError`.
        """
        ...

    def output(self, step_type: str, step_input: Json, jobs: Sequence[Job], *, view: OutputView) -> JsonObject | None:
        """Return what a step answers of its jobs, finished or not; None before it is known.

        References of other steps lead into this.
        """
        ...
