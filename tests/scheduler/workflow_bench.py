"""Submit workflows on a bench, and see how far they are."""

from collections.abc import Sequence
from dataclasses import replace

from civitai_mock.api.v2.description.template import read_template
from civitai_mock.bootstrap.namespace_factory import make_namespace
from civitai_mock.domain.job import Job
from civitai_mock.domain.json_types import Json, JsonObject
from civitai_mock.domain.stages import Outcome
from civitai_mock.domain.workflow import WorkflowSnapshot, WorkflowStatus
from civitai_mock.domain.workflow_progress import workflow_progress
from civitai_mock.services.consumers import Caller
from civitai_mock.services.workflows.change import WorkflowUpdate
from civitai_mock.services.workflows.late_inputs import jobs_of_step, output_view
from civitai_mock.services.workflows.use_cases import WorkflowUseCases
from tests.scheduler.conftest import Bench
from tests.support.event_loop import until_found
from tests.support.jobs import CHECKPOINT, TRACE_ID

OWNER = "civitai-1000001"
CALLER = Caller(trace_id=TRACE_ID, consumer=OWNER)
BASE_URL = "http://mock.example"
IMAGE: JsonObject = {"model": CHECKPOINT, "prompt": "a fox", "steps": 20, "width": 1024, "height": 1024}

CANCEL = WorkflowUpdate(cancels=True)


def image_step(**members: Json) -> JsonObject:
    """Return a step that costs 8 Buzz."""
    return {"$type": "textToImage", "input": dict(IMAGE), **members}


def echo_step(message: Json, **members: Json) -> JsonObject:
    return {"$type": "echo", "input": {"message": message}, **members}


def repeat_step(source: str, path: str, template: JsonObject) -> JsonObject:
    """Return a step that repeats the template for each element of an array, its `item`."""
    clause: JsonObject = {"$ref": source, "path": path, "as": "item"}
    return {"$type": "repeat", "input": {"for": clause, "template": template}}


def reference(source: str, path: str) -> JsonObject:
    return {"$ref": source, "path": path}


def with_settings(bench: Bench, **changes: object) -> Bench:
    """Return the bench as a process with other settings has it."""
    runtime = replace(bench.runtime, settings=bench.runtime.settings.model_copy(update=changes))
    namespace = make_namespace(runtime, clock=bench.clock, ids=bench.ids)
    return replace(bench, runtime=runtime, namespace=namespace)


def cases(bench: Bench) -> WorkflowUseCases:
    return bench.namespace.workflows


async def submit(bench: Bench, steps: Sequence[JsonObject], **members: Json) -> WorkflowSnapshot:
    template = read_template({"steps": list(steps), **members})
    return await cases(bench).submit(template, CALLER, base_url=BASE_URL)


async def look(bench: Bench, submitted: WorkflowSnapshot) -> WorkflowSnapshot:
    return await cases(bench).query.find(submitted.workflow.id, owner=OWNER)


async def until_over(bench: Bench, submitted: WorkflowSnapshot) -> WorkflowSnapshot:
    """Return the workflow once it is over, and that is noted."""

    async def is_over() -> bool:
        return (await look(bench, submitted)).workflow.memo is not None

    await until_found(is_over)
    return await look(bench, submitted)


def status(snapshot: WorkflowSnapshot) -> WorkflowStatus:
    return workflow_progress(snapshot).status


def step_statuses(snapshot: WorkflowSnapshot) -> Sequence[WorkflowStatus]:
    return [step.status for step in workflow_progress(snapshot).steps]


def output(bench: Bench, snapshot: WorkflowSnapshot, step: int) -> JsonObject | None:
    made = snapshot.workflow.steps[step]
    view = output_view(snapshot.workflow)
    return cases(bench).step_types.output(made.type, made.input, jobs_of_step(snapshot, step), view=view)


def debits(snapshot: WorkflowSnapshot) -> Sequence[tuple[str, int, str]]:
    """Return all transactions as type, amount and account."""
    return [(found.type, found.amount, found.account) for found in snapshot.workflow.all_transactions]


async def fail(bench: Bench, job: Job, *, reason: str = "no luck") -> None:
    """Let a job that nobody runs fail, as a worker would."""
    current = await bench.job(job.id)
    failed = current.ended(
        Outcome.FAILED, at=bench.clock.now(), context={"error": "x", "message": reason, "reason": reason}
    )
    assert await bench.stores.jobs.replace(current, failed)
    bench.event_bus.publish_changes([failed])
    bench.event_bus.publish_ends([failed])
