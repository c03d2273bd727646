"""Look up and change single steps of workflows over HTTP."""

from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from civitai_mock.api.context import count_look, owner, use_cases
from civitai_mock.api.json_body import read_any, read_as
from civitai_mock.api.responses import JsonResponse
from civitai_mock.api.v2.render import WorkflowRenderer, plain_document, renderer_for
from civitai_mock.api.v2.requests import read_metadata
from civitai_mock.api.v2.workflows import no_content
from civitai_mock.domain.json_patch import parse_patch
from civitai_mock.domain.json_types import JsonObject
from civitai_mock.domain.workflow import WorkflowSnapshot
from civitai_mock.services.workflows.change import step_place


async def get_step(request: Request) -> Response:
    workflow_id, name = _place(request)
    snapshot = await use_cases(request).workflows.query.by_id(workflow_id, owner=owner(request))
    renderer = await renderer_for(request, [snapshot], hides_mature_content=False)
    place = step_place(snapshot.workflow, name)
    response = JsonResponse(renderer.step(snapshot, place))
    await count_look(request, [job for job in snapshot.jobs if job.workflow and job.workflow.step == place])
    return response


async def update_step(request: Request) -> Response:
    metadata = await read_as(request, read_metadata)
    await use_cases(request).workflows.change.update_step(*_place(request), metadata, owner=owner(request))
    return no_content()


async def patch_step(request: Request) -> Response:
    operations = await read_any(request, parse_patch)
    renderer = await renderer_for(request, [], hides_mature_content=False)
    await use_cases(request).workflows.change.patch_step(
        *_place(request), operations, partial(_plain_step, renderer), owner=owner(request)
    )
    return no_content()


def _plain_step(renderer: WorkflowRenderer, snapshot: WorkflowSnapshot, index: int) -> JsonObject:
    return plain_document(renderer.step(snapshot, index))


def _place(request: Request) -> tuple[str, str]:
    return request.path_params["workflowId"], request.path_params["stepName"]
