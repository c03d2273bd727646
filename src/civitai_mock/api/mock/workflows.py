"""Look at workflows: of one consumer page by page, and one as version 2 shows it, without that being a look at it."""

from starlette.requests import Request
from starlette.responses import Response

from civitai_mock.api.context import use_cases
from civitai_mock.api.mock import CONTROL_TAG, READ_PROBLEMS
from civitai_mock.api.mock.lists import LIST_PARAMETERS, listing, requested_page
from civitai_mock.api.mock.routes import ControlRoute
from civitai_mock.api.mock.schemas import ShownWorkflow, WorkflowItem, WorkflowItemList
from civitai_mock.api.openapi import Operation, path_parameter, text_parameter
from civitai_mock.api.query_params import optional
from civitai_mock.api.responses import JsonResponse
from civitai_mock.api.v2.render import renderer_for
from civitai_mock.domain.dotnet import format_date
from civitai_mock.domain.workflow import WorkflowSnapshot
from civitai_mock.domain.workflow_progress import workflow_progress
from civitai_mock.domain.workflow_search import WorkflowCriteria
from civitai_mock.services.consumers import EVERYBODY


async def list_workflows(request: Request) -> Response:
    page, consumer = requested_page(request), optional(request, "consumer") or EVERYBODY
    found = await use_cases(request).workflows.list(WorkflowCriteria(owner=consumer), take=page.take, cursor=page.after)
    return listing([_render(snapshot) for snapshot in found.snapshots], last=found.cursor)


async def get_workflow(request: Request) -> Response:
    snapshot = await use_cases(request).workflows.query.find(request.path_params["workflowId"], owner=None)
    renderer = await renderer_for(request, [snapshot], hides_mature_content=False)
    return JsonResponse(renderer.workflow(snapshot))


def _render(snapshot: WorkflowSnapshot) -> WorkflowItem:
    workflow, progress = snapshot.workflow, workflow_progress(snapshot)
    return {
        "workflowId": workflow.id,
        "status": progress.status,
        "consumer": workflow.owner,
        "createdAt": format_date(workflow.created_at),
        "steps": [step.type for step in workflow.steps],
        "jobIds": [job.id for job in snapshot.jobs],
        "tags": list(workflow.tags),
        "traceId": workflow.trace_id,
    }


ROUTES = [
    ControlRoute(
        "/workflows",
        list_workflows,
        method="GET",
        operation=Operation(
            id="listMockWorkflows",
            summary="List the workflows of a consumer, the youngest first",
            description="Without `consumer` they are those of callers that are not told apart.",
            tag=CONTROL_TAG,
            parameters=[text_parameter("consumer", required=False), *LIST_PARAMETERS],
            responses={200: WorkflowItemList},
            problems=READ_PROBLEMS,
        ),
    ),
    ControlRoute(
        "/workflows/{workflowId}",
        get_workflow,
        method="GET",
        operation=Operation(
            id="getMockWorkflow",
            summary="Get a workflow as version 2 shows it, whosever it is",
            description="It is no look at its jobs, as a request of their consumer would be.",
            tag=CONTROL_TAG,
            parameters=[path_parameter("workflowId")],
            responses={200: ShownWorkflow},
            problems=[*READ_PROBLEMS, 404],
        ),
    ),
]
