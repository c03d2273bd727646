"""The base of all step types of v2, and what most of them share."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, TypeAlias

from civitai_mock.api.v2.blob_documents import BlobRenderer
from civitai_mock.domain.blob import Shown, Slot
from civitai_mock.domain.cost import StepCost
from civitai_mock.domain.errors import fault
from civitai_mock.domain.job import Job
from civitai_mock.domain.json_types import Json, JsonObject, as_object, as_text
from civitai_mock.domain.maturity import MATURE_CONTENT
from civitai_mock.domain.media import type_of_name
from civitai_mock.domain.stages import Outcome
from civitai_mock.generation.job_types.draft import JobDraft
from civitai_mock.ports.steps import JobMaker, StepJobs

# An input was read by the official description, which says what is in it.
StepInput: TypeAlias = Any


class Blobs:
    """Renders the files of jobs for one answer; mature ones are withheld unless the workflow allows them."""

    def __init__(self, renderer: BlobRenderer, *, allows_mature_content: bool) -> None:
        self._renderer = renderer
        self._allows_mature_content = allows_mature_content

    @property
    def base_url(self) -> str:
        return self._renderer.base_url

    def render(self, slot: Slot, *, shown: Shown = Shown.FILE) -> JsonObject:
        level = None if self._allows_mature_content or slot.facts is None else slot.facts.nsfw_level
        is_withheld = level is not None and level.is_mature
        return self._renderer.render(
            slot.blob_key,
            content_type=type_of_name(slot.blob_key),
            facts=slot.facts,
            is_available=slot.available,
            blocked_reason=MATURE_CONTENT if is_withheld else _blocked_reason(slot),
            shown=shown,
            expired_at=slot.expired_at,
        )

    def render_all(self, jobs: Sequence[Job]) -> list[Json]:
        """Render all files of all jobs, in order."""
        return [self.render(slot) for slot in slots_of(jobs)]


class StepType(ABC):
    """Is one `$type`, `name`: see `ports.steps.StepTypes` for what the methods do."""

    name: ClassVar[str]

    @abstractmethod
    def cost(self, step_input: StepInput) -> StepCost: ...

    @abstractmethod
    def job_maker(self, step_input: StepInput) -> JobMaker: ...

    @abstractmethod
    def output(self, step_input: StepInput, jobs: Sequence[Job], blobs: Blobs) -> JsonObject | None: ...

    def prompt_texts(self, step_input: StepInput) -> Sequence[str]:
        """Return the members that most inputs have for this."""
        text = as_text(as_object(step_input).get("prompt"))
        return (text,) if text else ()


class OneJobStep(StepType):
    """Makes one job, and costs `price` Buzz whatever is in its input.

    `paths` has the places of fields of the job's draft in the input, where they have other names there.
    """

    price: ClassVar[int] = 0
    paths: ClassVar[Mapping[str, str]] = {}

    def cost(self, step_input: StepInput) -> StepCost:
        return StepCost(factors={"base": self.price}) if self.price else StepCost()

    def job_maker(self, step_input: StepInput) -> JobMaker:
        return lambda seed: StepJobs(drafts=[self.draft(step_input, seed=seed)], paths=self.paths)

    @abstractmethod
    def draft(self, step_input: StepInput, *, seed: int) -> JobDraft:
        """Return the draft of the job."""


class ResultStep(OneJobStep):
    """Answers the result of its job; the texts of its input are judged or answered, and nothing is drawn by them."""

    def output(self, step_input: StepInput, jobs: Sequence[Job], blobs: Blobs) -> JsonObject | None:
        return result_of(jobs)

    def prompt_texts(self, step_input: StepInput) -> Sequence[str]:
        return ()


class FileStep(OneJobStep):
    """Answers the only file of its job, as `member`."""

    member: ClassVar[str]

    def output(self, step_input: StepInput, jobs: Sequence[Job], blobs: Blobs) -> JsonObject | None:
        slot = next(slots_of(jobs), None)
        return None if slot is None else {self.member: blobs.render(slot)}


def check_count(items: Sequence[Json], path: str, *, most: int) -> None:
    """Raise `InvalidRequestError` for more items than one job can work on; the limits are ours."""
    if len(items) > most:
        raise fault(path, f"Expected at most {most} items; found {len(items)}.")


def slots_of(jobs: Sequence[Job]) -> Iterator[Slot]:
    for job in jobs:
        yield from job.slots


def have_succeeded(jobs: Sequence[Job]) -> bool:
    return bool(jobs) and all(job.outcome is Outcome.SUCCEEDED for job in jobs)


def _blocked_reason(slot: Slot) -> str | None:
    return None if slot.facts is None else slot.facts.blocked_reason


def errors_of(jobs: Sequence[Job]) -> list[Json]:
    """Return what whoever ran jobs gave as the reasons of their failures; an exception of a node is none (captures)."""
    failed = [job.last_event.context for job in jobs if job.outcome is Outcome.FAILED]
    given = [context["message"] for context in failed if "message" in context and "error" not in context]
    return [*dict.fromkeys(map(str, given))]


def result_of(jobs: Sequence[Job]) -> JsonObject | None:
    """Return the result of the only job, once it has one."""
    return next((as_object(job.result) for job in jobs if job.result is not None), None)
