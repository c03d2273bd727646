"""Workflows from their submission to their end, on a scheduler."""

from collections.abc import Sequence

from civitai_mock.api.v2.description.template import read_template
from civitai_mock.domain.json_types import Json, JsonObject
from civitai_mock.domain.workflow import WorkflowSnapshot, WorkflowStatus
from civitai_mock.domain.workflow_progress import workflow_progress
from civitai_mock.services.consumers import Caller
from civitai_mock.services.workflows.late_inputs import jobs_of_step, output_view
from tests.scheduler.conftest import Bench, running
from tests.support.event_loop import until_found
from tests.support.jobs import CHECKPOINT, TRACE_ID

OWNER = "civitai-1000001"
BASE_URL = "http://mock.example"
IMAGE: JsonObject = {"$type": "textToImage", "input": {"model": CHECKPOINT, "prompt": "a fox", "steps": 20}}


def echo_step(message: Json, **members: Json) -> JsonObject:
    return {"$type": "echo", "input": {"message": message}, **members}


def reference(source: str, path: str) -> JsonObject:
    return {"$ref": source, "path": path}


async def submit(bench: Bench, steps: Sequence[JsonObject], **members: Json) -> WorkflowSnapshot:
    template = read_template({"steps": list(steps), **members})
    caller = Caller(trace_id=TRACE_ID, consumer=OWNER)
    return await bench.namespace.workflows.submit(template, caller, base_url=BASE_URL)


async def look(bench: Bench, workflow_id: str) -> WorkflowSnapshot:
    return await bench.namespace.workflows.query.find(workflow_id, owner=OWNER)


async def is_over(bench: Bench, workflow_id: str) -> bool:
    return (await look(bench, workflow_id)).workflow.memo is not None


def output(bench: Bench, snapshot: WorkflowSnapshot, step: int) -> JsonObject | None:
    made = snapshot.workflow.steps[step]
    jobs = jobs_of_step(snapshot, step)
    return bench.namespace.workflows.step_types.output(made.type, made.input, jobs, view=output_view(snapshot.workflow))


async def test_a_workflow_succeeds_with_its_only_job(bench: Bench) -> None:
    async with running(bench.scheduler()):
        submitted = await submit(bench, [IMAGE])
        await until_found(lambda: is_over(bench, submitted.workflow.id))
    done = await look(bench, submitted.workflow.id)
    assert workflow_progress(done).status is WorkflowStatus.SUCCEEDED
    (job,) = done.jobs
    assert job.workflow is not None
    assert job.slots[0].available
    assert job.slots[0].facts is not None
    assert job.slots[0].facts.workflow_id == submitted.workflow.id


async def test_a_step_gets_what_its_source_answered(bench: Bench) -> None:
    steps = [echo_step("hello", name="first"), echo_step(reference("first", "output.message"))]
    async with running(bench.scheduler()):
        submitted = await submit(bench, steps)
        assert workflow_progress(submitted).steps[1].status is WorkflowStatus.UNASSIGNED
        await until_found(lambda: is_over(bench, submitted.workflow.id))
    done = await look(bench, submitted.workflow.id)
    assert done.workflow.steps[1].input == {"message": "hello"}
    assert output(bench, done, 1) == {"message": "hello"}
