"""Which provider gets which jobs of a fleet, and why."""

from collections.abc import Sequence

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.fleet.document import PROPERTIES, SUBMISSION, FleetDocument
from civitai_mock.domain.job import Job

REQUESTED = "requested"  # is why a job is with a provider that its request names


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetJob:
    """Says of a job what a fleet needs to know: the `batch` that it is counted with, and who may run it.

    `ran_on` is the worker that began with it, and may still have its prompt.
    """

    job_id: str
    batch: str
    is_urgent: bool
    pictures: int
    allowed: tuple[str, ...]
    ran_on: str | None = None

    @property
    def key(self) -> str:
        """Return what all jobs have in common that get the same provider."""
        return "/".join([self.batch, "urgent" if self.is_urgent else "", *self.allowed])


def fleet_job(job: Job, document: FleetDocument) -> FleetJob:
    """Return a job as a fleet sees it; a request that names providers allows no others."""
    names = document.names
    return FleetJob(
        job_id=job.id,
        batch=batch_of(job, document.batch_by),
        is_urgent=job.priority >= document.urgent_from,
        pictures=pictures_of(job),
        allowed=tuple([name for name in names if name in job.providers]) if job.providers else names,
        ran_on=None if job.prompt_id is None else job.last_event.worker_id,
    )


def batch_of(job: Job, batch_by: str) -> str:
    """Return which jobs are counted together: those without the property are with those of their submission."""
    if batch_by != SUBMISSION:
        value = job.properties.get(batch_by.removeprefix(PROPERTIES))
        if value is not None:
            return f"{batch_by}={value}"
    return job.submission_id


def pictures_of(job: Job) -> int:
    """Return how many pictures a job makes; work without files counts as one."""
    return max(len(job.slots), 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Is the provider of a batch, and the rule or the event that chose it, in a word."""

    provider: str
    reason: str


def choose(
    document: FleetDocument, *, urgent: bool, pictures: int, offline: bool, allowed: Sequence[str]
) -> Choice | None:
    """Return who gets a batch by the first rule that fits; without one it is the first provider.

    If the batch is not allowed that one it gets the first that it is allowed. None if it is allowed none.
    """
    if not allowed:
        return None
    choice = Choice(provider=document.names[0], reason="default")
    for rule in document.policy:
        fits_urgent = rule.urgent is None or rule.urgent == urgent
        fits_pictures = rule.pictures_over is None or pictures > rule.pictures_over
        if fits_urgent and fits_pictures and (rule.offline is None or rule.offline == offline):
            choice = Choice(provider=rule.use, reason=rule.reason)
            break
    return choice if choice.provider in allowed else Choice(provider=allowed[0], reason=REQUESTED)


def reserve_of(document: FleetDocument, *, instead_of: str, allowed: Sequence[str]) -> str | None:
    """Return who finishes what a provider cannot: the first allowed serverless one, or the first of pods for that."""
    others = [document.provider(name) for name in document.names if name in allowed and name != instead_of]
    return next((each.name for each in sorted(others, key=lambda each: each.has_pods)), None)
