"""List jobs for whoever looks into the server: all of a namespace, whoever submitted them, by what is known of them."""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import datetime

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import fault
from civitai_mock.domain.job import Job
from civitai_mock.domain.json_types import ReadOnlyJson, named_texts
from civitai_mock.domain.nearest import unknown_name
from civitai_mock.domain.search import JobCriteria, Position
from civitai_mock.domain.stages import JobEventType
from civitai_mock.domain.tokens import position_of
from civitai_mock.generation.job_types import JOB_TYPES, find_job_type
from civitai_mock.ports import JobSearch
from civitai_mock.services.callback_views import ShowCallbacks, has_callbacks

MOST_LOOKED_AT = 2000  # jobs for one page of a search: then it ends, however few it has, and the next goes on
BATCH = 200
COST_OF_LOOKUP = 10  # jobs, whose callbacks are not stored with them
MOST_COUNTED = 1000
PROMPT = "prompt"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFilter:
    """Says which jobs are asked for; None asks for all.

    `status` is the type of the last event. `text` is a part, in any case, of the id or of anything that was asked for:
    a prompt text, a model, a sampler. `ecosystem` is that of the first resource, `provider` who had the job last, and
    `since` when it was submitted at the earliest. `rule` is the id of a rule of faults that hit it or its callbacks.
    """

    status: JobEventType | None = None
    job_type: str | None = None
    ecosystem: str | None = None
    provider: str | None = None
    text: str | None = None
    since: datetime | None = None
    rule: str | None = None

    @property
    def is_plain(self) -> bool:
        """Return whether all jobs of the right type and age are asked for."""
        return self.status is self.ecosystem is self.provider is self.text is self.rule is None

    def matches(self, job: Job) -> bool:
        """Return whether a job of the right type and age is asked for, whatever hit it."""
        if self.is_plain:
            return True
        if self.status is not None and job.last_event.type is not self.status:
            return False
        if self.ecosystem is not None and ecosystem_of(job) != self.ecosystem.lower():
            return False
        if self.provider is not None and (job.last_event.provider or "").lower() != self.provider.lower():
            return False
        return self.text is None or any(self.text.lower() in text.lower() for text in _texts_of(job))


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundJobs:
    """Holds jobs, the youngest first; the list goes on after `last`, which is None at its end."""

    jobs: Sequence[Job]
    last: Position | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListJobs:
    """Finds jobs of all consumers, page by page.

    The type is looked up in an index. For the rest jobs are looked at one after the other, `MOST_LOOKED_AT` for a page,
    or a tenth of that where their callbacks have to be looked up.
    """

    search: JobSearch
    callbacks: ShowCallbacks

    async def __call__(self, wanted: JobFilter, *, before: Position | None, take: int) -> FoundJobs:
        """Return at most `take` of the jobs that are older than a position; there may be fewer, though it goes on."""
        batch = take + 1 if wanted.is_plain else BATCH
        found: list[Job] = []
        last, looked_at = before, 0
        while looked_at < MOST_LOOKED_AT:
            jobs = await self.search.find(JobCriteria(job_type=wanted.job_type, before=last), limit=batch)
            for job in jobs:
                if wanted.since is not None and job.created_at < wanted.since:
                    return FoundJobs(jobs=found, last=None)
                if wanted.matches(job) and (wanted.rule is None or await self._is_hit(job, wanted.rule)):
                    if len(found) == take:
                        return FoundJobs(jobs=found, last=position_of(found[-1]))
                    found.append(job)
            if not jobs:
                return FoundJobs(jobs=found, last=None)
            last = position_of(jobs[-1])
            has_lookups = wanted.rule is not None
            looked_at += sum(COST_OF_LOOKUP if has_lookups and has_callbacks(job) else 1 for job in jobs)
            await asyncio.sleep(0)  # a store in memory never waits, and others have to get on
        return FoundJobs(jobs=found, last=last)

    async def _is_hit(self, job: Job, rule: str) -> bool:
        if any(fault.rule == rule for fault in job.faults):
            return True
        return has_callbacks(job) and rule in await self.callbacks.rules_of(job)


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedJobs:
    """Says how many jobs were found; where it is not `exact`, there may be more."""

    count: int
    exact: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CountJobs:
    """Counts the jobs that are asked for, up to `MOST_COUNTED`."""

    list_jobs: ListJobs

    async def __call__(self, wanted: JobFilter) -> CountedJobs:
        found = await self.list_jobs(wanted, before=None, take=MOST_COUNTED)
        return CountedJobs(count=len(found.jobs), exact=found.last is None)


def ecosystem_of(job: Job) -> str | None:
    """Return the ecosystem of the model that a job uses."""
    return job.resources[0].air.ecosystem if job.resources else None


def known_job_type(name: str) -> str:
    """Return the name of a job type, which may be in any case; raise `InvalidRequestError` for an unknown one."""
    names = {known.lower(): known for known in JOB_TYPES}
    found = names.get(name.lower()) or (name if find_job_type(name) else None)
    if found is None:
        raise fault("type", unknown_name("job type", name, JOB_TYPES))
    return found


def prompt_of(spec: ReadOnlyJson) -> str | None:
    """Return the first prompt text in a spec; None for a job without any."""
    texts = (text for name, text in named_texts(PROMPT, dict(spec)) if name == PROMPT)
    return next(texts, None)


def _texts_of(job: Job) -> Iterator[str]:
    yield job.id
    yield from (str(resource.air) for resource in job.resources)
    yield from (text for _, text in named_texts("", dict(job.spec)))
