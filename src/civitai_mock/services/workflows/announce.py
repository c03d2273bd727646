"""Announce the statuses of a workflow, its steps and its jobs to its callbacks, each once and in order."""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import field

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.workflow import OVER, Callback, WorkflowSnapshot, WorkflowStatus
from civitai_mock.domain.workflow_progress import Progress, WorkflowProgress, job_progress, workflow_progress
from civitai_mock.domain.workflow_search import Announcement
from civitai_mock.ports import Clock, WorkflowOutbox
from civitai_mock.services.event_bus import EventBus

MOST_QUIET = 10_000
WORKFLOW, STEP, JOB = OPENING = ("workflow", "step", "job")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Is something whose status is announced, by its scope and its name or id."""

    scope: str
    name: str
    progress: Progress


class QuietWorkflows:
    """Remembers workflows without callbacks: nobody has to hear that a job of one begins.

    Of more than `MOST_QUIET`, the oldest are forgotten, which is looked up again for them.
    """

    def __init__(self) -> None:
        self._ids: OrderedDict[str, None] = OrderedDict()  # a dict takes long to find its first key after deletions

    def __contains__(self, workflow_id: str) -> bool:
        return workflow_id in self._ids

    def add(self, workflow_id: str) -> None:
        self._ids[workflow_id] = None
        if len(self._ids) > MOST_QUIET:
            self._ids.popitem(last=False)

    def discard(self, workflow_id: str) -> None:
        self._ids.pop(workflow_id, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnounceStatuses:
    """Appends to the outbox of a workflow what its callbacks do not know yet.

    What has ended was processed before, even if nobody saw it: each goes through unassigned, processing, and its end.
    """

    outbox: WorkflowOutbox
    event_bus: EventBus
    clock: Clock
    quiet: QuietWorkflows = field(default_factory=QuietWorkflows)

    async def __call__(self, snapshot: WorkflowSnapshot, progress: WorkflowProgress | None = None) -> bool:
        """Return False if somebody else has announced something meanwhile; `progress` is that of the snapshot."""
        callbacks = snapshot.workflow.callbacks
        if not callbacks:
            self.quiet.add(snapshot.workflow.id)
            return True
        wanted = list(_wanted(callbacks, _subjects(snapshot, progress or workflow_progress(snapshot))))
        known = await self.outbox.announced(snapshot.workflow.id) if wanted else ()
        told = {(item.callback, item.scope, item.subject, item.status) for item in known}
        new = [item for item in wanted if item not in told]
        if not new:
            return True
        now = self.clock.now()
        announcements = [
            Announcement(seq=seq, callback=callback, scope=scope, subject=subject, status=status, at=now)
            for seq, (callback, scope, subject, status) in enumerate(new, len(known))
        ]
        is_appended = await self.outbox.announce(snapshot.workflow.id, announcements)
        if is_appended:
            self.event_bus.publish_announcements()
        return is_appended


def has_more_to_tell(snapshot: WorkflowSnapshot, callback: int, announced: Sequence[Announcement]) -> bool:
    """Return whether it is certain that one of the callbacks is to be told more than was announced.

    That is so before the end of a workflow if the callback wants to know of any end.
    """
    progress, wishes = workflow_progress(snapshot), snapshot.workflow.callbacks[callback]
    if not progress.status.is_over:
        return all(wishes.wants(WORKFLOW, status) for status in OVER)
    told = {(item.scope, item.subject, item.status) for item in announced if item.callback == callback}
    wanted = _wanted([wishes], _subjects(snapshot, progress))
    return any((scope, subject, status) not in told for _, scope, subject, status in wanted)


def _subjects(snapshot: WorkflowSnapshot, progress: WorkflowProgress) -> Sequence[Subject]:
    """Return jobs before their step, and steps before the workflow: an end is that of its parts."""
    workflow = snapshot.workflow
    subjects = [Subject(scope=JOB, name=job.id, progress=job_progress(job)) for job in snapshot.jobs]
    steps = zip(workflow.steps, progress.steps, strict=True)
    subjects += [Subject(scope=STEP, name=step.name, progress=found) for step, found in steps]
    return [*subjects, Subject(scope=WORKFLOW, name="", progress=progress)]


def _wanted(
    callbacks: Sequence[Callback], subjects: Sequence[Subject]
) -> Iterator[tuple[int, str, str, WorkflowStatus]]:
    """Return what is to be announced, in order: a workflow begins before its steps, and ends after them."""
    opening = sorted(subjects, key=lambda subject: OPENING.index(subject.scope))
    for phase, order in ((_begun, opening), (_processed, opening), (_over, subjects)):
        for subject in order:
            status = phase(subject.progress)
            if status is not None:
                for place, callback in enumerate(callbacks):
                    if callback.wants(subject.scope, status):
                        yield place, subject.scope, subject.name, status


def _begun(_: Progress) -> WorkflowStatus | None:
    return WorkflowStatus.UNASSIGNED


def _processed(progress: Progress) -> WorkflowStatus | None:
    is_running = progress.status is WorkflowStatus.PROCESSING
    has_run = progress.status.is_over and progress.started_at is not None
    return WorkflowStatus.PROCESSING if is_running or has_run else None


def _over(progress: Progress) -> WorkflowStatus | None:
    return progress.status if progress.status.is_over else None
