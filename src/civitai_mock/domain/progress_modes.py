"""Progress modes: what moves jobs from stage to stage, and how long they stay in each."""

from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import datetime, timedelta
from enum import StrEnum
from random import Random

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.delays import Delay, FixedDelay, parse_delay
from civitai_mock.domain.errors import InvalidRequestError, fault, invalid
from civitai_mock.domain.events import JobEvent
from civitai_mock.domain.json_types import Json, JsonObject, ReadOnlyJson
from civitai_mock.domain.nearest import unknown_name
from civitai_mock.domain.stages import JobEventType, MovedBy, Stage

HEADER = "X-Mock-Progress"
MODE, EACH, STAGES = "mode", "each", "stages"
MEMBERS = (MODE, EACH, STAGES)
MOST_GETS = 1000  # by which a stage is shown


class ProgressModeName(StrEnum):
    """Names what moves jobs."""

    INSTANT = "instant"  # a scheduler, and nothing takes time
    TIME = "time"  # a scheduler, and stages last as they are told
    POLLS = "polls"  # each GET of a status shows a stage, then moves it
    MANUAL = "manual"  # orders of the control plane


@dataclass(frozen=True, slots=True, kw_only=True)
class StagePlan:
    """Says how long a job stays in stages; those that are not here last as the simulation has it.

    A job is over in COMFY_RESULT: its duration is that of the collecting before, which SENT_TO_COMFY shows.
    """

    durations: Mapping[Stage, timedelta]

    def lasts(self, stage: Stage) -> timedelta:
        """Return how long a stage lasts beside the work that is done in it."""
        return self.durations.get(stage, timedelta())


INSTANT = StagePlan(durations=dict.fromkeys(Stage, timedelta()))


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressMode:
    """Is a mode with what it was given: `each` counts the GETs that show a stage in `polls`.

    `fixed_plan` is that of all jobs, unless there is something to draw, or the simulation has its way.
    """

    name: ProgressModeName
    each: int = 1
    stages: Mapping[Stage, Delay] = field(default_factory=dict)
    document: ReadOnlyJson
    fixed_plan: StagePlan | None = None

    @property
    def moved_by(self) -> MovedBy:
        by_requests = self.name in {ProgressModeName.POLLS, ProgressModeName.MANUAL}
        return MovedBy.REQUESTS if by_requests else MovedBy.TIME

    @property
    def gets_per_stage(self) -> int | None:
        """Return by how many GETs a job is shown in each stage; None if they do not move it."""
        return self.each if self.name is ProgressModeName.POLLS else None

    def plan(self, job_id: str) -> StagePlan | None:
        """Draw how long a job takes, the same each time; None if that is left to the simulation."""
        if self.fixed_plan is not None or not self.stages:
            return self.fixed_plan
        drawn = {stage: self.stages[stage].draw(_stream(job_id, stage)) for stage in self.stages}
        return StagePlan(durations=drawn)


SIMULATED: ReadOnlyJson = {MODE: ProgressModeName.TIME.value}  # is how jobs move where nobody has said anything


def _stream(job_id: str, stage: Stage) -> Random:
    """Return a stream of its own for each stage, so that one more stage in the mode changes no other one."""
    return Random(f"{job_id}/{stage}")


def parse_progress_mode(value: Json) -> ProgressMode:
    """Read a mode; raise `InvalidRequestError` that has all faults by their paths."""
    if not isinstance(value, dict):
        raise fault("$", f"expected an object with {', '.join(MEMBERS)}.")
    errors: dict[str, Sequence[str]] = {}
    for member in value:
        if member not in MEMBERS:
            errors[member] = [unknown_name("member", member, MEMBERS)]
    try:
        name = _name(value.get(MODE), path=MODE)
    except InvalidRequestError as error:
        raise invalid(errors | error.errors) from error
    each, stages = value.get(EACH), value.get(STAGES)
    errors |= _faults_of_each(each, name) | _faults_of_stages(stages, name)
    delays: dict[Stage, Delay] = {}
    for stage, delay in stages.items() if isinstance(stages, dict) else ():
        try:
            delays[_stage(stage, path=f"{STAGES}.{stage}")] = parse_delay(delay, path=f"{STAGES}.{stage}")
        except InvalidRequestError as error:
            errors |= error.errors
    if errors:
        raise invalid(errors)
    document = {member: given for member, given in value.items() if given is not None}
    return ProgressMode(
        name=name,
        each=each if isinstance(each, int) else 1,
        stages=delays,
        document=document,
        fixed_plan=INSTANT if name is ProgressModeName.INSTANT else _fixed_plan(delays),
    )


def _fixed_plan(delays: Mapping[Stage, Delay]) -> StagePlan | None:
    fixed = {stage: delay.duration for stage, delay in delays.items() if isinstance(delay, FixedDelay)}
    return StagePlan(durations=fixed) if fixed and len(fixed) == len(delays) else None


def parse_progress_header(text: str) -> ProgressMode:
    """Read `polls; each=2` or `time; SENT_TO_COMFY=2s`; raise `InvalidRequestError` at the header for anything else."""
    word, *params = [part.strip() for part in text.split(";")]
    document: JsonObject = {MODE: word.lower()}
    stages: JsonObject = {}
    for param in params:
        name, equals, value = (part.strip() for part in param.partition("="))
        if not equals:
            raise fault(HEADER, f"expected '<mode>; name=value'; found '{param[:100]}'.")
        if name in document or name in stages:
            raise fault(HEADER, f"'{name[:100]}' is there twice.")
        if name == EACH:
            document[EACH] = int(value) if value.isascii() and value.isdecimal() and len(value) < 9 else value
        elif name in list(Stage):
            stages[name] = value
        else:
            raise fault(HEADER, unknown_name("parameter", name, [EACH, *Stage]))
    if stages:
        document[STAGES] = stages
    try:
        return parse_progress_mode(document)
    except InvalidRequestError as error:
        raise invalid({HEADER: [text for texts in error.errors.values() for text in texts]}) from error


def stored_progress_mode(document: ReadOnlyJson | None) -> ProgressMode | None:
    """Return what a mode was stored as; it was checked then."""
    return None if document is None else parse_progress_mode(dict(document))


def stage_entries(events: Sequence[JobEvent], *, retry_attempt: int) -> Mapping[Stage, datetime]:
    """Return when a job with so many retries first entered each stage, by its events in order of `seq`.

    What a worker that stops or dies has begun counts: stages that have lasted need not last again. They do once the job
    has waited for others, was refused, or has used up a retry because its work failed.
    """
    entries: dict[Stage, datetime] = {}
    failed: JobEvent | None = None  # the claim that ended last, if nothing came after it
    for event in events:
        if _begins_again(event):
            entries = {Stage.QUEUED: event.at}
        elif failed is not None and event.retry_attempt > failed.retry_attempt:
            entries = {Stage.QUEUED: failed.at}
        if not event.claim_has_completed:
            entries.setdefault(event.stage, event.at)
        failed = event if event.type is JobEventType.CLAIM_EXPIRED else None
    return {Stage.QUEUED: failed.at} if failed is not None and retry_attempt > failed.retry_attempt else entries


def _begins_again(event: JobEvent) -> bool:
    """Return whether the job waits from now on as a new one does: for nothing any more, or as it was refused."""
    was_unblocked = event.type is JobEventType.UPDATED and event.stage is Stage.QUEUED
    return was_unblocked or event.type is JobEventType.REJECTED


def _name(value: Json, *, path: str) -> ProgressModeName:
    if value is None:
        raise fault(path, f"{path} is required: one of {', '.join(ProgressModeName)}.")
    if isinstance(value, str) and value in list(ProgressModeName):
        return ProgressModeName(value)
    raise fault(path, unknown_name(path, value if isinstance(value, str) else repr(value), ProgressModeName))


def _stage(word: str, *, path: str) -> Stage:
    if word in list(Stage):
        return Stage(word)
    raise fault(path, unknown_name("stage", word, Stage))


def _faults_of_each(value: Json, name: ProgressModeName) -> dict[str, Sequence[str]]:
    if value is None:
        return {}
    if name is not ProgressModeName.POLLS:
        return {EACH: [f"{EACH} is for mode polls alone; found mode '{name}'."]}
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MOST_GETS:
        return {EACH: [f"{EACH} must be a whole number from 1 to {MOST_GETS}; found {value!r:.100}."]}
    return {}


def _faults_of_stages(value: Json, name: ProgressModeName) -> dict[str, Sequence[str]]:
    if value is None:
        return {}
    if name is not ProgressModeName.TIME:
        return {STAGES: [f"{STAGES} are for mode time alone; found mode '{name}'."]}
    if not isinstance(value, dict):
        return {STAGES: [f"{STAGES} must be an object with durations by stages: {', '.join(Stage)}."]}
    return {}
