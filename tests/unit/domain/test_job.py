"""Every change that a job may go through, and those that it may not."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from civitai_mock.domain.claims import MAX_DEATHS
from civitai_mock.domain.events import JobEvent
from civitai_mock.domain.job import Job
from civitai_mock.domain.stages import ENDS_CLAIM, ENDS_JOB, NEXT_STAGE, JobEventType, Outcome, Stage
from tests.support.dates import START
from tests.support.jobs import LEASE, make_claim, make_job
from tests.support.table import table

LATER = START + timedelta(seconds=10)
CLAIMED_AT = START + timedelta(seconds=4)
WORKED = [Stage.CLAIMED, Stage.PROMPT_PREPARED, Stage.SENT_TO_COMFY]


def claimed(*, retry_attempt: int = 0, max_retry_attempt: int = 5) -> Job:
    """As a store hands it out: the claim is stamped, no event says so yet."""
    job = make_job(max_retry_attempt=max_retry_attempt)
    return replace(job, claim=make_claim(at=CLAIMED_AT), retry_attempt=retry_attempt)


def enter(job: Job, stage: Stage) -> Job:
    return job.entered(stage, at=LATER, until=LATER + LEASE, context={"stage": stage})


def job_in(stage: Stage) -> Job:
    """A claimed job that has come so far."""
    job = claimed()
    while job.stage is not stage:
        job = enter(job, NEXT_STAGE[job.stage])
    return job


def end(job: Job, outcome: Outcome) -> Job:
    return job.ended(outcome, at=LATER, context={"why": outcome})


def ended(outcome: Outcome) -> Job:
    return end(job_in(Stage.SENT_TO_COMFY), outcome)


@pytest.mark.parametrize(
    ("stage", "event"),
    [
        (Stage.CLAIMED, JobEventType.CLAIMED),
        (Stage.PROMPT_PREPARED, JobEventType.UPDATED),
        (Stage.SENT_TO_COMFY, JobEventType.UPDATED),
    ],
)
def test_entering_a_stage_is_told_and_extends_the_lease(stage: Stage, event: JobEventType) -> None:
    job = job_in(stage)
    assert job.last_event.type is event
    assert job.last_event.context == {"stage": stage}
    assert job.claim == make_claim(at=CLAIMED_AT, lease=LATER + LEASE - CLAIMED_AT)
    assert not job.last_event.claim_has_completed


@pytest.mark.parametrize(
    ("here", "there"),
    [(here, there) for here in [Stage.QUEUED, *WORKED] for there in Stage if NEXT_STAGE[here] is not there],
)
def test_no_stage_is_skipped_or_entered_again(here: Stage, there: Stage) -> None:
    with pytest.raises(ValueError, match="cannot enter"):
        enter(job_in(here), there)


def test_the_last_stage_is_entered_by_succeeding_only() -> None:
    sent = job_in(Stage.SENT_TO_COMFY)
    with pytest.raises(ValueError, match="cannot enter"):
        enter(sent, Stage.COMFY_RESULT)
    assert end(sent, Outcome.SUCCEEDED).stage is Stage.COMFY_RESULT


def test_a_job_that_nobody_holds_goes_nowhere() -> None:
    with pytest.raises(ValueError, match="cannot enter"):
        enter(make_job(), Stage.CLAIMED)


def test_a_prompt_id_stays_once_it_is_known() -> None:
    prepared = job_in(Stage.CLAIMED).entered(
        Stage.PROMPT_PREPARED, at=LATER, until=LATER + LEASE, context={}, prompt_id="prompt-1"
    )
    again = replace(prepared.released(at=LATER, reason="stop"), claim=make_claim("other"))
    assert enter(prepared, Stage.SENT_TO_COMFY).prompt_id == "prompt-1"
    assert enter(again, Stage.CLAIMED).prompt_id == "prompt-1"


@table(
    ("outcome", "event"),
    [
        (Outcome.FAILED, JobEventType.FAILED),
        (Outcome.EXPIRED, JobEventType.EXPIRED),
        (Outcome.DELETED, JobEventType.DELETED),
    ],
)
@table("job", [make_job(), *map(job_in, WORKED)], ids=lambda job: job.stage)
def test_an_unfinished_job_can_end_from_any_stage(job: Job, outcome: Outcome, event: JobEventType) -> None:
    over = end(job, outcome)
    assert (over.outcome, over.stage, over.claim) == (outcome, job.stage, None)
    assert (over.last_event.type, over.last_event.context) == (event, {"why": outcome})
    assert over.slots == job.slots


@pytest.mark.parametrize("stage", [Stage.QUEUED, Stage.CLAIMED, Stage.PROMPT_PREPARED])
def test_only_a_job_that_was_sent_can_succeed(stage: Stage) -> None:
    with pytest.raises(ValueError, match="cannot end SUCCEEDED"):
        end(job_in(stage), Outcome.SUCCEEDED)


def test_a_job_that_succeeds_has_its_images() -> None:
    job = job_in(Stage.SENT_TO_COMFY)
    slots = [replace(slot, available=True) for slot in job.slots]
    over = job.ended(Outcome.SUCCEEDED, at=LATER, context={}, slots=slots)
    assert over.slots == tuple(slots)
    assert (over.outcome, over.claim) == (Outcome.SUCCEEDED, None)
    assert over.last_event.type is JobEventType.SUCCEEDED


CHANGES: dict[str, Callable[[Job], Job]] = {
    "succeed": lambda job: end(job, Outcome.SUCCEEDED),
    "fail": lambda job: end(job, Outcome.FAILED),
    "be deleted": lambda job: end(job, Outcome.DELETED),
    "expire": lambda job: end(job, Outcome.EXPIRED),
    "be released": lambda job: job.released(at=LATER, reason="stop"),
    "lose its claim": lambda job: job.claim_expired(at=LATER, reason="late"),
    "be abandoned": lambda job: job.abandoned(at=LATER, reason="gone"),
    "go on": lambda job: enter(job, Stage.COMFY_RESULT),
}


@table("change", CHANGES.values(), ids=CHANGES.keys())
@table("outcome", Outcome)
def test_a_job_that_has_ended_cannot(outcome: Outcome, change: Callable[[Job], Job]) -> None:
    with pytest.raises(ValueError, match="cannot"):
        change(ended(outcome))


@pytest.mark.parametrize("name", ["be released", "lose its claim", "be abandoned"])
def test_a_job_that_nobody_holds_cannot(name: str) -> None:
    with pytest.raises(ValueError, match="cannot be done to a job that is QUEUED"):
        CHANGES[name](make_job())


@pytest.mark.parametrize("stage", WORKED)
def test_a_released_job_is_back_in_the_queue_and_keeps_its_retries(stage: Stage) -> None:
    back = job_in(stage).released(at=LATER, reason="The worker is stopping.")
    assert (back.stage, back.claim, back.outcome, back.retry_attempt) == (Stage.QUEUED, None, None, 0)
    assert back.last_event.type is JobEventType.LATE_REJECTED
    assert back.last_event.stage is stage
    assert back.last_event.context == {"reason": "The worker is stopping."}


def test_an_expired_claim_uses_up_a_retry() -> None:
    back = claimed(retry_attempt=2).claim_expired(at=LATER, reason="late")
    assert (back.stage, back.claim, back.outcome, back.retry_attempt) == (Stage.QUEUED, None, None, 3)
    assert (back.last_event.type, back.last_event.retry_attempt) == (JobEventType.CLAIM_EXPIRED, 2)
    assert back.last_event.context == {"reason": "late"}


@pytest.mark.parametrize(("prompt_stopped", "prompt_id"), [(True, None), (False, "p")])
def test_a_prompt_is_asked_for_again_unless_it_was_stopped(prompt_stopped: bool, prompt_id: str | None) -> None:
    job = replace(claimed(), prompt_id="p")
    assert job.claim_expired(at=LATER, reason="late", prompt_stopped=prompt_stopped).prompt_id == prompt_id


@pytest.mark.parametrize("stage", WORKED)
def test_a_holder_that_is_gone_costs_no_retry_before_it_is_known_what_was_lost(stage: Stage) -> None:
    held = replace(job_in(stage), prompt_id="p")
    back = held.abandoned(at=LATER, reason="gone")
    assert (back.stage, back.claim, back.outcome, back.prompt_id) == (Stage.QUEUED, None, None, "p")
    assert back.retry_attempt == 0
    assert (back.last_event.type, back.last_event.stage) == (JobEventType.CLAIM_EXPIRED, stage)
    assert back.last_event.context == {"reason": "gone"}


def test_work_that_begins_again_uses_a_retry_and_its_event_says_so() -> None:
    sent = job_in(Stage.PROMPT_PREPARED).entered(
        Stage.SENT_TO_COMFY, at=LATER, until=LATER + LEASE, context={}, uses_retry=True
    )
    assert (sent.retry_attempt, sent.last_event.retry_attempt) == (1, 1)


def test_a_job_fails_after_too_many_deaths_in_a_row() -> None:
    held = job_in(Stage.SENT_TO_COMFY)
    assert held.abandoned(at=LATER, reason="gone", deaths=MAX_DEATHS - 1).outcome is None
    failed = held.abandoned(at=LATER, reason="gone", deaths=MAX_DEATHS)
    assert failed.outcome is Outcome.FAILED
    assert failed.last_event.context["message"] == f"{MAX_DEATHS + 1} workers died one after the other with this job."


@pytest.mark.parametrize("retries", [0, 1, 5])
def test_a_job_without_retries_left_fails(retries: int) -> None:
    over = claimed(retry_attempt=retries, max_retry_attempt=retries).claim_expired(at=LATER, reason="late")
    assert (over.outcome, over.retry_attempt) == (Outcome.FAILED, retries)
    assert over.last_event.type is JobEventType.FAILED
    assert over.last_event.context == {"error": "claim_expired", "message": "late", "reason": "late"}


def test_an_event_says_who_and_how_long() -> None:
    event = enter(claimed(retry_attempt=1), Stage.CLAIMED).last_event
    assert event == JobEvent(
        job_id=make_job().id,
        seq=1,
        type=JobEventType.CLAIMED,
        stage=Stage.CLAIMED,
        at=LATER,
        job_type="TextToImageV2",
        trace_id=make_job().trace_id,
        context={"stage": Stage.CLAIMED},
        job_duration=timedelta(seconds=10),
        retry_attempt=1,
        claim_duration=timedelta(seconds=6),
        provider="local",
        worker_id="local-1",
    )


def test_the_event_that_ends_a_claim_still_says_whose_it_was() -> None:
    for job in (end(job_in(Stage.CLAIMED), Outcome.FAILED), job_in(Stage.CLAIMED).released(at=LATER, reason="stop")):
        assert (job.last_event.provider, job.last_event.worker_id) == ("local", "local-1")
        assert job.last_event.claim_duration == timedelta(seconds=6)
    assert end(make_job(), Outcome.DELETED).last_event.worker_id is None


@table("event", JobEventType)
def test_what_ends_a_job_ends_its_claim(event: JobEventType) -> None:
    job_event = replace(make_job().last_event, type=event)
    assert job_event.job_has_completed == (event in {"Succeeded", "Failed", "Expired", "Deleted"})
    assert job_event.claim_has_completed == (
        job_event.job_has_completed or event in {"Rejected", "LateRejected", "ClaimExpired"}
    )
    assert ENDS_JOB < ENDS_CLAIM


STEPS: list[Callable[[Job], Job]] = [
    *CHANGES.values(),
    lambda job: enter(job, NEXT_STAGE[job.stage]),
    lambda job: enter(job, NEXT_STAGE[job.stage]),
    lambda job: job if job.claim or job.outcome else replace(job, claim=make_claim(at=CLAIMED_AT)),
]


@given(st.lists(st.sampled_from(STEPS), max_size=30))
def test_events_are_counted_without_gaps_and_nothing_follows_the_last(steps: list[Callable[[Job], Job]]) -> None:
    job = make_job()
    events = [job.last_event]
    for step in steps:
        try:
            job = step(job)
        except (ValueError, KeyError):
            continue
        if job.last_event is not events[-1]:
            events.append(job.last_event)
    assert [event.seq for event in events] == list(range(len(events)))
    assert [event.job_has_completed for event in events[:-1]] == [False] * (len(events) - 1)
    assert events[-1].job_has_completed == (job.outcome is not None)
    assert job.retry_attempt <= sum(event.type is JobEventType.CLAIM_EXPIRED for event in events)
