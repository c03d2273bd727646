"""Submit, look up, list and change workflows over HTTP."""

from functools import lru_cache, partial
from http import HTTPStatus

import structlog
from starlette.requests import Request
from starlette.responses import Response

from civitai_mock.api.answer_cache import Settled, answers_of
from civitai_mock.api.blob_reading import RequestReading
from civitai_mock.api.context import base_url, caller, count_look, exchange, owner, use_cases, while_connected
from civitai_mock.api.json_body import as_body, decode, read_any, read_as
from civitai_mock.api.query_params import count, flag, moment, optional, repeated
from civitai_mock.api.responses import JsonResponse, StreamedResponse
from civitai_mock.api.v2.blobs import content_disposition
from civitai_mock.api.v2.description.faults import with_template
from civitai_mock.api.v2.description.template import read_template
from civitai_mock.api.v2.render import HIDE, WorkflowRenderer, plain_document, renderer_for
from civitai_mock.api.v2.requests import read_tag, read_update, wait_of
from civitai_mock.domain.errors import ForbiddenError, InvalidRequestError, TransientError, fault
from civitai_mock.domain.json_patch import parse_patch
from civitai_mock.domain.json_types import JsonObject
from civitai_mock.domain.workflow import OVER, WorkflowSnapshot
from civitai_mock.domain.workflow_search import WorkflowCriteria
from civitai_mock.domain.workflow_template import WorkflowTemplate
from civitai_mock.services.workflows.query import is_over

logger = structlog.stdlib.get_logger()

ZIP = "application/zip"
TEMPLATES_REMEMBERED = 64
USUAL_PAGE, MOST = 100, 1000
LONGEST_QUERY = 1000  # characters


async def submit_workflow(request: Request) -> Response:
    """Answer 200 for a workflow that is over, or was not stored, and 202 for any other."""
    wait, what_if, hides = wait_of(request), flag(request, "whatif"), flag(request, HIDE)
    template = await _read_template(request)
    submit, who = use_cases(request).workflows.submit, caller(request)
    base, size = base_url(request), exchange(request).body_size
    try:
        if what_if:
            planned = await submit.what_if(template, who, base_url=base, size=size)
            renderer = await renderer_for(request, [planned.snapshot], hides_mature_content=hides)
            return JsonResponse(renderer.planned(planned.snapshot, is_short=planned.is_short))
        snapshot = await submit(template, who, base_url=base, waits=bool(wait), size=size)
    except ForbiddenError as error:
        return JsonResponse(error.message, status_code=HTTPStatus.FORBIDDEN)  # a bare string (v2 description)
    if wait:
        snapshot = await _wait_for_accepted(request, snapshot)
    renderer = await renderer_for(request, [snapshot], hides_mature_content=hides)
    return _answer(renderer.workflow(snapshot))


async def _read_template(request: Request) -> WorkflowTemplate:
    try:
        return await read_as(request, read_template, parse_small=_repeated_template)
    except InvalidRequestError as error:
        raise with_template(error) from error


@lru_cache(TEMPLATES_REMEMBERED)
def _repeated_template(body: bytes) -> WorkflowTemplate:
    """Read a small template; those who send the same one again and again get the same object."""
    return read_template(as_body(decode(body)), is_repeated=True)


async def _wait_for_accepted(request: Request, snapshot: WorkflowSnapshot) -> WorkflowSnapshot:
    """Wait, but return what was accepted if the store goes away: a 503 would have it submitted again."""
    try:
        return await _wait(request, snapshot)
    except TransientError as error:
        logger.warning("store away", error=error.message)
        return snapshot


async def _wait(request: Request, snapshot: WorkflowSnapshot) -> WorkflowSnapshot:
    if is_over(snapshot):
        return snapshot
    cases, workflow = use_cases(request), snapshot.workflow
    wait = partial(cases.workflows.wait, workflow.id, owner=owner(request), wait=wait_of(request))
    if cases.polls.concerns_jobs_of(workflow):
        find = partial(cases.workflows.query.jobs_of, workflow.id)
        return await while_connected(request, partial(cases.polls.run_while, wait, find=find, ids=[workflow.id]))
    return await while_connected(request, wait)


def _answer(document: JsonObject) -> JsonResponse:
    is_done = document["status"] in OVER
    return JsonResponse(document, status_code=HTTPStatus.OK if is_done else HTTPStatus.ACCEPTED)


async def get_workflow(request: Request) -> Response:
    wait, hides = wait_of(request), flag(request, HIDE)
    cases = use_cases(request)
    query, begun = cases.workflows.query, cases.clock.now()
    snapshot = await query.by_id(request.path_params["workflowId"], owner=owner(request))
    if wait:
        snapshot = await _wait(request, snapshot)
    renderer = await renderer_for(request, [snapshot], hides_mature_content=hides)
    response = _answer(renderer.workflow(snapshot))
    if not wait:
        await count_look(request, snapshot.jobs)
    workflow = snapshot.workflow
    if workflow.memo is not None:
        settled = Settled(workflow.id, workflow.version, query.settled_version)
        answers_of(request.scope).keep(exchange(request), response, settled=settled, begun=begun)
    return response


async def query_workflows(request: Request) -> Response:
    """Answer with a page of the caller's workflows, or with the files that they made."""
    hides = flag(request, HIDE, default=True)
    cases = use_cases(request)
    take = count(request, "take", default=USUAL_PAGE, most=MOST)
    page = await cases.workflows.list(_criteria(request), take=take, cursor=optional(request, "cursor"))
    if ZIP in (exchange(request).header(b"accept") or "").lower():
        slots = [slot for snapshot in page.snapshots for job in snapshot.jobs for slot in job.slots]
        reading = RequestReading(request, request.scope["path"], by_url=False)
        archive = cases.archives.of_slots(slots, hides_mature_content=hides, reading=reading)
        headers = {"content-disposition": content_disposition(archive.file_name, is_download=True)}
        return StreamedResponse(archive.content(), headers=headers, media_type=archive.content_type)
    renderer = await renderer_for(request, page.snapshots, hides_mature_content=hides)
    next_page = {} if page.cursor is None else {"next": page.cursor}
    return JsonResponse({**next_page, "items": [renderer.workflow(snapshot) for snapshot in page.snapshots]})


def _criteria(request: Request) -> WorkflowCriteria:
    query = optional(request, "query") or None
    if query is not None and len(query) > LONGEST_QUERY:
        raise fault("query", f"query must have at most {LONGEST_QUERY} characters; found {len(query)}.")
    return WorkflowCriteria(
        owner=caller(request).consumer,
        tags=frozenset(tag for tag in repeated(request, "tags") if tag),
        query=query,
        since=moment(request, "fromDate"),
        until=moment(request, "toDate"),
        failed=not flag(request, "excludeFailed"),
        ascending=flag(request, "ascending"),
    )


async def update_workflow(request: Request) -> Response:
    update = await read_as(request, read_update)
    await use_cases(request).workflows.change.update(_id(request), update, owner=owner(request))
    return no_content()


async def patch_workflow(request: Request) -> Response:
    operations = await read_any(request, parse_patch)
    renderer = await renderer_for(request, [], hides_mature_content=False)
    await use_cases(request).workflows.change.patch(
        _id(request), operations, partial(_plain_workflow, renderer), owner=owner(request)
    )
    return no_content()


def _plain_workflow(renderer: WorkflowRenderer, snapshot: WorkflowSnapshot) -> JsonObject:
    return plain_document(renderer.workflow(snapshot))


async def delete_workflow(request: Request) -> Response:
    await use_cases(request).workflows.change.delete(_id(request), owner=owner(request))
    return no_content()


async def add_tag(request: Request) -> Response:
    tag = await read_any(request, read_tag)
    await use_cases(request).workflows.change.add_tag(_id(request), tag, owner=owner(request))
    return no_content()


async def remove_tag(request: Request) -> Response:
    tag: str = request.path_params["tag"]
    await use_cases(request).workflows.change.remove_tag(_id(request), tag, owner=owner(request))
    return no_content()


async def remove_all_tags(request: Request) -> Response:
    await use_cases(request).workflows.change.remove_all_tags(_id(request), owner=owner(request))
    return no_content()


def no_content() -> Response:
    """Return an answer without a body, and so without a content type."""
    return Response(status_code=HTTPStatus.NO_CONTENT)


def _id(request: Request) -> str:
    workflow_id: str = request.path_params["workflowId"]
    return workflow_id
