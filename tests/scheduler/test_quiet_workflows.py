"""Workflows without callbacks cost nothing when their jobs begin, as nobody has to hear of it."""

from dataclasses import replace

import pytest

from civitai_mock.bootstrap.scheduler import make_scheduler
from civitai_mock.domain.json_types import Json
from civitai_mock.domain.workflow import WorkflowSnapshot
from civitai_mock.services.workflows.advance import AdvanceWorkflows
from civitai_mock.services.workflows.announce import QuietWorkflows
from tests.scheduler.conftest import Bench, running
from tests.scheduler.workflow_bench import image_step, look, step_statuses, submit, until_over
from tests.support.event_loop import settle, until_found


@pytest.mark.parametrize(("callbacks", "looks"), [([], 1), ([{"url": "http://127.0.0.1:9/", "type": ["job:*"]}], 2)])
async def test_a_workflow_that_nobody_hears_of_is_only_looked_at_when_its_job_has_ended(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, callbacks: list[Json], looks: int
) -> None:
    looked_at: list[str] = []
    advance = AdvanceWorkflows.__call__

    async def counting(self: AdvanceWorkflows, workflow_id: str) -> WorkflowSnapshot | None:
        looked_at.append(workflow_id)
        return await advance(self, workflow_id)

    monkeypatch.setattr(AdvanceWorkflows, "__call__", counting)
    bench.provider.hold()
    namespace = replace(bench.namespace, stores=bench.stores, provider=bench.provider)
    bench = replace(bench, namespace=namespace)  # which has one process that submits and runs
    async with running(make_scheduler(namespace)):
        await settle()
        submitted = await submit(bench, [image_step()], callbacks=callbacks)

        async def is_processing() -> bool:
            return step_statuses(await look(bench, submitted)) == ["processing"]

        await until_found(is_processing)
        await settle()
        bench.provider.go_on()
        done = await until_over(bench, submitted)
    assert looked_at == [done.workflow.id] * looks


def test_workflows_without_callbacks_are_forgotten_beyond_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("civitai_mock.services.workflows.announce.MOST_QUIET", 2)
    quiet = QuietWorkflows()
    for workflow_id in ("1", "2", "3"):
        quiet.add(workflow_id)
    assert [workflow_id in quiet for workflow_id in ("1", "2", "3")] == [False, True, True]
