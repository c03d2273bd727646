"""A fleet without a scheduler: jobs that end by the plan, and a clock that goes from one event to the next."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from civitai_mock.domain.fleet.costs import CostEntry
from civitai_mock.domain.fleet.document import HYBRID, FleetDocument
from civitai_mock.domain.fleet.pods import Pod
from civitai_mock.domain.fleet.policy import FleetJob
from civitai_mock.domain.fleet.state import FleetEvent, FleetState, Placement, state_json, stored_state
from civitai_mock.domain.fleet.turn import Turn

START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(kw_only=True)
class World:
    """Runs the jobs of a fleet; after each turn the state goes through its JSON, as it does through a store."""

    document: FleetDocument = HYBRID
    now: datetime = START
    state: FleetState = field(default_factory=lambda: FleetState(seed="7"))
    waiting: list[FleetJob] = field(default_factory=list)
    running: dict[str, Placement] = field(default_factory=dict)
    jobs: dict[str, FleetJob] = field(default_factory=dict)
    runs: list[Placement] = field(default_factory=list)
    made: list[tuple[str, str]] = field(default_factory=list)  # each job that succeeded, with its worker
    lost: list[tuple[str, bool]] = field(default_factory=list)  # each job that was interrupted, and whether it was told
    refused: list[str] = field(default_factory=list)
    events: list[FleetEvent] = field(default_factory=list)
    costs: list[CostEntry] = field(default_factory=list)
    next_due: datetime | None = None

    def submit(
        self,
        count: int,
        *,
        batch: str = "comic",
        urgent: bool = False,
        pictures: int = 1,
        allowed: Sequence[str] | None = None,
    ) -> None:
        names = tuple(self.document.names if allowed is None else allowed)
        for number in range(len(self.jobs), len(self.jobs) + count):
            job = FleetJob(job_id=f"job {number}", batch=batch, is_urgent=urgent, pictures=pictures, allowed=names)
            self.jobs[job.job_id] = job
            self.waiting.append(job)
        self.settle()

    def turn(self) -> Turn:
        return Turn(self.state, self.document, tuple(self.waiting))

    def keep(self, turn: Turn) -> None:
        self.state = stored_state(state_json(turn.state))
        assert self.state == turn.state
        self.events += turn.events
        self.costs += turn.costs
        self.next_due = turn.next_due

    def settle(self) -> None:
        """Take turns until nothing follows any more."""
        while True:
            turn = self.turn()
            turn.run(now=self.now, room=1000)
            self.keep(turn)
            for placement in turn.placed:
                self.waiting = [job for job in self.waiting if job.job_id != placement.job_id]
                self.running[placement.job_id] = placement
                self.runs.append(placement)
            self.refused += [refusal.job_id for refusal in turn.refusals]
            interrupted = turn.interrupted
            if not interrupted:
                return
            for job_id, is_warned in interrupted.items():
                del self.running[job_id]
                self.lost.append((job_id, is_warned))
            self.waiting = [self.jobs[job_id] for job_id in interrupted] + self.waiting
            for job_id in interrupted:
                turn = self.turn()
                turn.left(job_id, at=self.now)
                self.keep(turn)

    def run_until(self, moment: datetime | None = None) -> None:
        """Go from event to event until then, or until nothing is left to happen."""
        while True:
            ends = sorted((placement.ends_at, job_id) for job_id, placement in self.running.items())
            dues = [due for due in (ends[0][0] if ends else None, self.next_due) if due is not None]
            if not dues or (moment is not None and min(dues) > moment):
                break
            self.now = max(self.now, min(dues))
            if ends and ends[0][0] <= self.now:
                self.end(ends[0][1])
            self.settle()
        self.now = self.now if moment is None else max(self.now, moment)

    def end(self, job_id: str) -> None:
        placement = self.running.pop(job_id)
        self.made.append((job_id, placement.worker))
        turn = self.turn()
        turn.left(job_id, at=self.now, pictures=placement.pictures, properties={"comicId": placement.batch})
        self.keep(turn)

    def pod(self) -> Pod:
        return self.state.pods[-1]

    def told(self) -> list[str]:
        return [event.type for event in self.events]

    def after(self, seconds: float) -> datetime:
        return START + timedelta(seconds=seconds)
