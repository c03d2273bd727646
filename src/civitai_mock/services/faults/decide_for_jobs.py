"""Decide what goes wrong with jobs: once for each attempt, and kept with the job before anything comes of it."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from civitai_mock.domain.changed import changed
from civitai_mock.domain.errors import TransientError
from civitai_mock.domain.fault_presets import Hook
from civitai_mock.domain.faults.actions import PresetEffect, PresetWord
from civitai_mock.domain.faults.conditions import FaultSubject
from civitai_mock.domain.faults.job_effects import (
    asked_for_job,
    attempt_of,
    decided_for,
    held_in,
    is_stuck,
    preset_value,
    shows_in_queue,
    waits_for_ever,
    was_preempted,
    with_decision,
)
from civitai_mock.domain.faults.kept import what_it_does
from civitai_mock.domain.faults.rules import FaultRule
from civitai_mock.domain.job import Job
from civitai_mock.domain.job_fault import JobFault
from civitai_mock.domain.stages import MovedBy
from civitai_mock.domain.workflow import Workflow
from civitai_mock.ports import Clock, Ids, Sleep, Stores
from civitai_mock.services.controls import Controls
from civitai_mock.services.faults.firing import Faults
from civitai_mock.services.faults.subjects import JobSubjects

V1_ROUTE, V2_ROUTE = "/v1/consumer/jobs", "/v2/consumer/workflows"
LONGEST_DECISION: Final = timedelta(seconds=10)
PAUSE_SECONDS = 0.02  # for another process that decides
RESERVE: Final = "serverless"
LONG_REST: Final = timedelta(hours=1)


class DecideJobFaults:
    """Decides faults of the jobs of a namespace.

    What is seen before anybody begins with a job is decided when that comes, all else when it is claimed, or moved by a
    request. Leases go by the `system_clock`.
    """

    def __init__(
        self,
        *,
        faults: Faults,
        subjects: JobSubjects,
        controls: Controls,
        stores: Stores,
        epoch: int,
        clock: Clock,
        system_clock: Clock,
        ids: Ids,
    ) -> None:
        self._faults = faults
        self._subjects = subjects
        self._jobs = stores.jobs
        self._namespaces = stores.namespaces
        self._epoch = epoch
        self._clock = clock
        self._system_clock = system_clock
        self._ids = ids
        self._resting: set[Sleep] = set()
        controls.subscribe(self._wake)

    async def of_new(self, jobs: Sequence[Job], *, workflow: Workflow | None) -> Sequence[Job]:
        """Return jobs that are not stored yet with what has to be decided now."""
        asked = asked_for_job(jobs[0])
        is_early = asked is not None and shows_in_queue(asked.action)
        if not is_early and not self._faults.has_rule(lambda rule: shows_in_queue(rule.action)):
            return jobs
        return [await self._of_new(job, workflow) for job in jobs]

    async def _of_new(self, job: Job, workflow: Workflow | None) -> Job:
        """Return a job that no scheduler claims if nobody is ever to begin with it."""
        decided = await self._choose(job, {}, workflow)
        if decided is None:
            return job
        job = with_decision(job, decided)
        return changed(job, moved_by=MovedBy.REQUESTS) if waits_for_ever(job) else job

    async def decided(self, job: Job) -> Job:
        """Return a job that somebody is to begin with, with what is decided for its attempt; that is not stored yet."""
        known = decided_for(job)
        if self._is_open(job):
            found = await self._choose(job, {} if known is None else known.turns)
            if found is not None and found != known:
                job = with_decision(job, found)
        return _held_oddly(job)

    async def decided_alone(self, job: Job) -> Job | None:
        """Return what `decided` does, stored, for a job that nobody has claimed: one process decides at a time.

        Return None if another one does so now, or if somebody has changed the job.
        """
        if not self._is_open(job):
            return _held_oddly(job)
        name, holder, now = f"faults of {job.id}", self._ids.uuid(), self._system_clock.now()
        if not await self._namespaces.hold(name, holder, now=now, until=now + LONGEST_DECISION):
            await self._system_clock.sleep(PAUSE_SECONDS)
            return None
        try:
            stored = await self._jobs.get(job.id)
            if stored is None or (stored.seq, stored.faults) != (job.seq, job.faults):
                return None
            decided = await self.decided(job)
            is_kept = decided.faults == job.faults or await self._jobs.keep_faults(stored, decided.faults)
            return decided if is_kept else None
        finally:
            await self._namespaces.release(name, holder)

    def _is_open(self, job: Job) -> bool:
        """Return whether there is something to choose for the attempt of a job."""
        known = decided_for(job)
        is_decided = known is not None and known.rule is not None
        return not is_decided and (self._faults.hits(Hook.JOB) or job.asked_fault is not None)

    def keeps(self, job: Job) -> bool:
        """Return whether a fault keeps a job in a stage still: for good, or as long as its rule is on."""
        decided = decided_for(job)
        if decided is None or decided.rule is None or held_in(job) is None:
            return False
        asked = asked_for_job(job)
        is_asked = asked is not None and asked.id == decided.rule
        return is_stuck(job) or is_asked or self._faults.find(decided.rule) is not None

    async def rest(self, job: Job) -> bool:
        """Return when it may be that a job is kept no longer; at once, and False, if it is not kept."""
        if not self.keeps(job):
            return False
        now = self._clock.now()
        ends = [moment for moment in (job.expire_at, self._rule_ends_at(job)) if moment is not None and moment > now]
        sleep = self._clock.begin_sleep((min(ends) - now if ends else LONG_REST).total_seconds())
        self._resting.add(sleep)
        try:
            await sleep
        finally:
            self._resting.discard(sleep)
        return True

    def _rule_ends_at(self, job: Job) -> datetime | None:
        decided = decided_for(job)
        rule = None if decided is None or decided.rule is None else self._faults.find(decided.rule)
        return None if rule is None else rule.scope.ends_at

    def _wake(self) -> None:
        for sleep in list(self._resting):
            sleep.wake()

    async def _choose(self, job: Job, turns: Mapping[str, str], workflow: Workflow | None = None) -> JobFault | None:
        """Return what is decided for the attempt of a job; None if nothing is, and nobody has to know."""
        attempt, asked = attempt_of(job), asked_for_job(job)
        route = V1_ROUTE if job.workflow is None else V2_ROUTE
        subject = FaultSubject(hook=Hook.JOB, method="POST", route=route, attempt=attempt)
        described = await self._subjects.described(subject, [job], workflow=workflow)
        choice = await self._faults.choose(described, asked=asked, turns=turns)
        if choice.rule is None:
            taken = {**turns, **self._faults.turns_of(choice)}
            return JobFault(attempt=attempt, turns=taken) if taken else None
        is_over = choice.rule is not asked and await self._is_warm(choice.rule)
        return JobFault(attempt=attempt, rule=choice.rule.id, does=what_it_does(choice.rule.document), is_over=is_over)

    async def _is_warm(self, rule: FaultRule) -> bool:
        """Return whether a rule is about a cold start that another job had."""
        words = {effect.word for effect in rule.action.effects if isinstance(effect, PresetEffect)}
        if PresetWord.COLD_START not in words:
            return False
        try:
            return await self._namespaces.count(self._epoch, f"{self._faults.key_of(rule)}cold") > 0
        except TransientError:
            return True


def _held_oddly(job: Job) -> Job:
    """Return a job whose claim is under the name of a provider that a fault has made up.

    A job whose worker was taken away is with another one; a fleet has others.
    """
    odd = preset_value(job, PresetWord.ODD_PROVIDER)
    if job.claim is not None and not job.claim.is_of_fleet and was_preempted(job):
        odd = RESERVE
    if job.claim is None or not isinstance(odd, str):
        return job
    return changed(job, claim=changed(job.claim, provider=odd))
