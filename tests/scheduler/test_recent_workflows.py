"""Workflows whose jobs end in the process that took them in: their end is noted without reading them again."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from civitai_mock.domain.json_types import JsonObject
from civitai_mock.domain.stages import Outcome
from civitai_mock.domain.workflow import WorkflowSnapshot, WorkflowStatus
from civitai_mock.services.workflows.change import WorkflowUpdate
from civitai_mock.services.workflows.recent import LARGEST, MOST_JOBS, RecentWorkflows
from civitai_mock.storage.sqlite.workflows import SqliteWorkflowStore
from tests.scheduler.conftest import Bench
from tests.scheduler.workflow_bench import (
    CANCEL,
    IMAGE,
    OWNER,
    cases,
    debits,
    echo_step,
    fail,
    image_step,
    look,
    reference,
    submit,
)
from tests.support.jobs import make_claim, make_job

CLAIMED = replace(make_job(), claim=make_claim())


async def submit_where_jobs_run(bench: Bench, steps: Sequence[JsonObject]) -> WorkflowSnapshot:
    cases(bench)  # which follow the bus from then on
    bench.event_bus.publish_changes([CLAIMED])
    return await submit(bench, steps)


def count_reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    read: list[str] = []
    get = SqliteWorkflowStore.get

    async def counting(self: SqliteWorkflowStore, workflow_id: str) -> WorkflowSnapshot | None:
        read.append(workflow_id)
        return await get(self, workflow_id)

    monkeypatch.setattr(SqliteWorkflowStore, "get", counting)
    return read


async def test_the_end_of_a_workflow_is_noted_without_reading_it(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    submitted = await submit_where_jobs_run(bench, [image_step(), image_step()])
    first, second = submitted.jobs
    await fail(bench, first)
    await fail(bench, second)
    read = count_reads(monkeypatch)
    over = await cases(bench).advance(submitted.workflow.id)
    assert read == []
    assert over == await look(bench, submitted)  # as one that is read
    assert over is not None
    assert over.workflow.memo is not None
    assert over.workflow.memo.status is WorkflowStatus.FAILED


async def test_a_workflow_is_read_while_one_of_its_jobs_may_have_ended_elsewhere(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    submitted = await submit_where_jobs_run(bench, [image_step(), image_step()])
    first, second = submitted.jobs
    await fail(bench.elsewhere(), first)
    await fail(bench, second)
    read = count_reads(monkeypatch)
    over = await cases(bench).advance(submitted.workflow.id)
    assert read == [submitted.workflow.id]
    assert over is not None
    assert over.workflow.memo is not None


@pytest.mark.parametrize(
    ("update", "status"),
    [(WorkflowUpdate(tags=["later"]), WorkflowStatus.FAILED), (CANCEL, WorkflowStatus.CANCELED)],
    ids=["described", "canceled"],
)
async def test_what_was_changed_meanwhile_stays(bench: Bench, update: WorkflowUpdate, status: WorkflowStatus) -> None:
    submitted = await submit_where_jobs_run(bench, [image_step()])
    await cases(bench).change.update(submitted.workflow.id, update, owner=OWNER)
    if not update.cancels:
        await fail(bench, submitted.jobs[0])
    await cases(bench).advance(submitted.workflow.id)
    found = await look(bench, submitted)
    assert found.workflow.memo is not None
    assert (found.workflow.memo.status, found.workflow.tags) == (status, tuple(update.tags or ()))
    assert debits(found) == [("debit", 8, "blue"), ("credit", 8, "blue")]


async def test_a_failed_job_is_made_again(bench: Bench) -> None:
    submitted = await submit_where_jobs_run(bench, [image_step(retries=1)])
    await fail(bench, submitted.jobs[0])
    await cases(bench).advance(submitted.workflow.id)
    assert [job.outcome is None for job in (await look(bench, submitted)).jobs] == [False, True]


async def test_only_what_is_small_and_waits_for_nothing_but_its_jobs_is_kept(bench: Bench) -> None:
    recent = RecentWorkflows()
    plain = await submit(bench, [image_step()])
    recent.add(plain, size=100)
    assert ended(recent, plain) is None  # as nobody runs jobs here, so far as is known
    recent.on_changes([CLAIMED])
    recent.add(plain, size=LARGEST + 1)
    assert ended(recent, plain) is None
    many = await submit(bench, [image_step(input={**IMAGE, "quantity": MOST_JOBS + 1})])
    recent.add(many, size=100)
    assert ended(recent, many) is None
    chain = await submit(bench, [image_step(name="a"), echo_step(reference("a", "output.images[0].id"))])
    recent.add(chain, size=100)
    assert ended(recent, chain) is None
    recent.add(plain, size=LARGEST)
    found = ended(recent, plain)
    assert found is not None
    assert found.workflow is plain.workflow
    assert recent.take(plain.workflow.id) is None  # as it is returned once


async def test_the_oldest_is_forgotten_beyond_a_bound(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("civitai_mock.services.workflows.recent.MOST_KEPT", 2)
    recent = RecentWorkflows()
    recent.on_changes([CLAIMED])
    submitted = [await submit(bench, [image_step()]) for _ in range(3)]
    for each in submitted:
        recent.add(each, size=100)
    assert [ended(recent, each) is None for each in submitted] == [True, False, False]


def ended(recent: RecentWorkflows, submitted: WorkflowSnapshot) -> WorkflowSnapshot | None:
    """Return what is known once all jobs have ended."""
    over = [replace(job, outcome=Outcome.FAILED) for job in submitted.jobs]
    recent.on_changes(over)
    return recent.take(submitted.workflow.id)
