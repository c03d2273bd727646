"""Check that the records of a snapshot fit each other, beyond what their types say."""

import re
from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any

from civitai_mock.domain.blob import KEY_PATTERN
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import fault
from civitai_mock.domain.job import Job
from civitai_mock.domain.workflow import Workflow
from civitai_mock.generation.job_types import check_spec
from civitai_mock.ports.snapshots import CounterRecord, Delivery, JobRecord, ResourceRecord, WorkflowRecord
from civitai_mock.services.snapshots.format import BLOBS, COUNTERS, JOBS, RESOURCES, WORKFLOWS, BlobRecord
from civitai_mock.services.workflows.step_jobs import job_places

ID = re.compile(r"[A-Za-z0-9._:-]{1,200}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordChecks:
    """Holds what was read so far of one snapshot: names that may not come twice, and those that others refer to.

    Each check raises `InvalidRequestError` at the place of its record.
    """

    files: frozenset[int]
    seen: set[tuple[str, object]] = field(default_factory=set)
    jobs_of_workflows: set[str] = field(default_factory=set)

    def check(self, name: str, place: str, record: Any) -> None:
        """Check a record of the file `name`."""
        checks: Mapping[str, Callable[[str, Any], None]] = {
            WORKFLOWS: self._check_workflow,
            JOBS: self._check_job,
            RESOURCES: self._check_resource,
            BLOBS: self._check_blob,
            COUNTERS: self._check_counter,
        }
        checks[name](place, record)

    def check_files(self) -> None:
        """Raise for files that no blob has, once all records are read."""
        for number in sorted(self.files):
            if ("file", number) not in self.seen:
                raise fault(f"blobs/{number}", "No record has this file.")

    def _check_workflow(self, place: str, record: WorkflowRecord) -> None:
        workflow, announcements = record.workflow, record.announcements
        self._check_new("workflow", workflow.id, f"{place}.workflow.id")
        if not workflow.steps:
            raise fault(f"{place}.workflow.steps", "A workflow has at least one step.")
        for index, step in enumerate(workflow.steps):
            self._check_step(workflow, index, f"{place}.workflow.steps[{index}]")
            self.jobs_of_workflows.update(step.jobs)
        if workflow.external_id is not None and not record.is_deleted:
            named = (workflow.owner, workflow.external_id)
            self._note_new("external id", named, f"{place}.workflow.external_id")
        if [each.seq for each in announcements] != list(range(len(announcements))):
            raise fault(f"{place}.announcements", "Expected them in the order of seq, from 0 without gaps.")
        if any(not 0 <= each.callback < len(workflow.callbacks) for each in announcements):
            raise fault(f"{place}.announcements", "The workflow does not have the callback of one of them.")
        if (record.delivery is None) != (not announcements):
            raise fault(f"{place}.delivery", "Expected it where there are announcements, and only there.")
        if record.delivery is not None:
            _check_delivery(record.delivery, last=len(announcements) - 1, place=place)

    def _check_step(self, workflow: Workflow, index: int, place: str) -> None:
        step, count = workflow.steps[index], len(workflow.steps)
        others = [*step.sources, *([] if step.spawned_by is None else [step.spawned_by])]
        if any(not 0 <= other < count or other == index for other in others):
            raise fault(place, f"Expected sources and spawned_by among the other steps; there are {count} steps.")
        if job_places(workflow, index).keys() != set(step.jobs):
            raise fault(f"{place}.jobs", "Expected ids that follow from the places of the jobs in their workflow.")

    def _check_job(self, place: str, record: JobRecord) -> None:
        job = record.job
        self._check_new("job", job.id, f"{place}.job.id")
        events = [*record.earlier, job.last_event]
        if [event.seq for event in events] != list(range(len(events))):
            raise fault(f"{place}.earlier", "Expected all events of the job in the order of seq, from 0 without gaps.")
        repeated = {(event.job_id, event.job_type, event.trace_id) for event in events}
        if repeated != {(job.id, job.type, job.trace_id)}:
            raise fault(f"{place}.earlier", f"Expected events of the job {job.id} alone.")
        if job.outcome is not None and (job.claim is not None or job.is_blocked):
            raise fault(f"{place}.job.outcome", "A job that has ended is not claimed, and waits for no other.")
        self._check_place(job, f"{place}.job.workflow")
        try:
            check_spec(job)
        except ValueError as error:
            raise fault(f"{place}.job.spec", str(error)) from error
        if job.callback_url is None and record.delivery != Delivery():
            raise fault(f"{place}.delivery", "The job has nobody to tell.")
        _check_delivery(record.delivery, last=job.seq, place=place)
        _check_least(record.polls, 0, f"{place}.polls")

    def _check_place(self, job: Job, path: str) -> None:
        """Check that a job stands where its workflow has it; one may be younger than what the snapshot has of that."""
        if job.workflow is None:
            if job.id in self.jobs_of_workflows:
                raise fault(path, "A workflow has this job.")
            return
        if ("workflow", job.workflow.workflow_id) not in self.seen:
            raise fault(path, f"There is no workflow '{job.workflow.workflow_id[:100]}'.")
        if job.workflow.job_id != job.id:
            raise fault(path, "Expected the place from which the id of the job follows.")

    def _check_resource(self, place: str, record: ResourceRecord) -> None:
        self._note_new("resource", record.identity, f"{place}.identity")
        if record.resource is not None and record.resource.air.identity != record.identity:
            raise fault(f"{place}.identity", f"Expected '{record.resource.air.identity}', as the AIR says.")

    def _check_blob(self, place: str, record: BlobRecord) -> None:
        if (record.blob is None) == (record.undrawn is None) or (record.blob is None) != (record.file is None):
            raise fault(place, "Expected either file and blob, or undrawn.")
        if not KEY_PATTERN.fullmatch(record.key):
            raise fault(f"{place}.blob.key", "This cannot be the key of a blob.")
        self._note_new("blob", record.key, f"{place}.blob.key")
        if record.file is not None:
            if record.file not in self.files:
                raise fault(f"{place}.file", f"The file blobs/{record.file} is missing.")
            self._note_new("file", record.file, f"{place}.file")

    def _check_counter(self, place: str, record: CounterRecord) -> None:
        self._note_new("counter", record.key, f"{place}.key")
        _check_least(record.value, 1, f"{place}.value")

    def _check_new(self, what: str, name: str, path: str) -> None:
        if not ID.fullmatch(name):
            raise fault(path, f"This cannot be the id of a {what}.")
        self._note_new(what, name, path)

    def _note_new(self, what: str, name: object, path: str) -> None:
        if (what, name) in self.seen:
            raise fault(path, f"The {what} is there twice.")
        self.seen.add((what, name))


def check_counts(expected: Mapping[str, int], found: Mapping[str, int]) -> None:
    """Raise `InvalidRequestError` if a file has not as many records as the manifest says."""
    for name, count in found.items():
        if expected.get(name) != count:
            raise fault(f"manifest.json.counts.{name}", f"Expected {count}, as {name} has so many records.")


def _check_delivery(delivery: Delivery, *, last: int, place: str) -> None:
    if not -1 <= delivery.told <= last:
        raise fault(f"{place}.delivery.told", f"Expected a number from -1 to {last}.")
    _check_least(delivery.failures, 0, f"{place}.delivery.failures")


def _check_least(number: int, least: int, path: str) -> None:
    if number < least:
        raise fault(path, f"Expected at least {least}.")
