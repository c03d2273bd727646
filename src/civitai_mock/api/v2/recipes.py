"""Serve recipes: single steps, which are answered when they are done, and the description of each."""

from datetime import timedelta
from functools import partial
from typing import Self

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from civitai_mock.api.context import base_url, caller, exchange, owner, use_cases, while_connected
from civitai_mock.api.errors import RecipeTimeoutError
from civitai_mock.api.json_body import read_any
from civitai_mock.api.query_params import flag, optional
from civitai_mock.api.responses import JsonResponse
from civitai_mock.api.v2.blob_documents import BlobRenderer
from civitai_mock.api.v2.description.document import recipe_schemas
from civitai_mock.api.v2.description.echo import echo_input, input_reader
from civitai_mock.api.v2.description.recipe_document import MEDIA_TYPES, DocumentFormat, written_recipe_document
from civitai_mock.api.v2.render import renderer_for
from civitai_mock.api.v2.steps.stand_ins import BLOB, BLOB_TYPES, answer_schema
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import InvalidRequestError
from civitai_mock.domain.json_types import Json, JsonObject, as_object
from civitai_mock.domain.media import extension_of
from civitai_mock.domain.references import default_name
from civitai_mock.domain.workflow import WorkflowSnapshot, WorkflowStatus
from civitai_mock.domain.workflow_progress import reason_of, workflow_progress
from civitai_mock.domain.workflow_template import StepTemplate, WorkflowTemplate
from civitai_mock.generation.schema_values import Shapes, build_value, filled
from civitai_mock.services.threads import LARGE_BYTES, in_thread_if_large
from civitai_mock.services.workflows.change import WorkflowUpdate
from civitai_mock.services.workflows.query import is_over
from civitai_mock.services.workflows.step_jobs import input_path

AS_LONG_AS_ALLOWED = timedelta(days=1)  # the service has a limit of its own
USUAL_TYPE = "image/jpeg"  # of a blob whose type the description leaves open


async def invoke_recipe(request: Request) -> Response:
    """Answer with the output of one step: the answer is held until then (v2 contract, section 5)."""
    name: str = request.path_params["name"]
    options = RecipeOptions.of(request)
    input_reader(name)
    template = await read_any(request, partial(options.template, name))
    submit, who = use_cases(request).workflows.submit, caller(request)
    base, size = base_url(request), exchange(request).body_size
    try:
        if options.what_if:
            planned = await submit.what_if(template, who, base_url=base, size=size)
            return JsonResponse(await _output(request, planned.snapshot) or _planned(request, name))
        snapshot = await submit(template, who, base_url=base, waits=True, size=size)
    except InvalidRequestError as error:
        raise _of_input(error) from error
    done = await _until_done(request, snapshot)
    _check(done)
    return JsonResponse(await _output(request, done))


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipeOptions:
    """Holds what the query of a call may say of the workflow that is made for it."""

    what_if: bool
    experimental: bool | None
    allow_mature_content: bool | None
    is_ephemeral: bool

    @classmethod
    def of(cls, request: Request) -> Self:
        return cls(
            what_if=flag(request, "whatif"),
            experimental=_optional_flag(request, "experimental"),
            allow_mature_content=_optional_flag(request, "allowMatureContent"),
            is_ephemeral=flag(request, "ephemeral"),
        )

    def template(self, name: str, body: Json) -> WorkflowTemplate:
        """Read the bare input of a recipe; raise `InvalidRequestError` with each fault by its path in it."""
        step = StepTemplate(type=name, name=default_name(0), input=echo_input(name, body, ""))
        return WorkflowTemplate(
            steps=[step],
            experimental=self.experimental,
            allow_mature_content=self.allow_mature_content,
            is_ephemeral=self.is_ephemeral,
        )


def _optional_flag(request: Request, name: str) -> bool | None:
    return None if optional(request, name) is None else flag(request, name)


def _of_input(error: InvalidRequestError) -> InvalidRequestError:
    """Return the same fault with paths in the input, as that is the whole body."""
    begin = f"{input_path(0)}."
    errors = {path.removeprefix(begin): messages for path, messages in error.errors.items()}
    return InvalidRequestError(error.message, errors=errors, **error.evidence)


async def _until_done(request: Request, snapshot: WorkflowSnapshot) -> WorkflowSnapshot:
    """Wait for the end; cancel what nobody waits for any more, as the gateway of the real service does."""
    if is_over(snapshot):
        return snapshot
    workflow_id, whose = snapshot.workflow.id, owner(request)
    cases = use_cases(request).workflows
    try:
        wait = partial(cases.wait, workflow_id, owner=whose, wait=AS_LONG_AS_ALLOWED)
        done = await while_connected(request, wait)
        if is_over(done):
            return done
    except ClientDisconnect:
        await cases.change.update(workflow_id, WorkflowUpdate(cancels=True), owner=whose)
        raise
    await cases.change.update(workflow_id, WorkflowUpdate(cancels=True), owner=whose)
    raise RecipeTimeoutError("The step was not done in time, and was canceled; submit it as a workflow.")


def _check(snapshot: WorkflowSnapshot) -> None:
    """Raise `InvalidRequestError` with the reason if the step did not succeed."""
    progress = workflow_progress(snapshot)
    if progress.status is WorkflowStatus.SUCCEEDED:
        return
    failure = snapshot.workflow.steps[0].failure
    reasons = [failure.reason] if failure else [reason for job in snapshot.jobs if (reason := reason_of(job))]
    raise InvalidRequestError(reasons[0] if reasons else f"The step ended as {progress.status}.")


async def _output(request: Request, snapshot: WorkflowSnapshot) -> Json:
    renderer = await renderer_for(request, [snapshot], hides_mature_content=False)
    return renderer.step(snapshot, 0).get("output")


def _planned(request: Request, name: str) -> Json:
    """Return the form of an output that only the step can find out."""
    urls = use_cases(request).workflow_blob_urls
    return _planned_output(name, BlobRenderer(urls=urls, base_url=base_url(request)))


async def get_json_document(request: Request) -> Response:
    return await _document(request, DocumentFormat.JSON)


async def get_yaml_document(request: Request) -> Response:
    return await _document(request, DocumentFormat.YAML)


async def _document(request: Request, document_format: DocumentFormat) -> Response:
    """Answer with a description; to write one takes up to a tenth of a second, the first time."""
    name: str = request.path_params["name"]
    write = partial(written_recipe_document, name, document_format)
    return Response(await in_thread_if_large(write, size=LARGE_BYTES), media_type=MEDIA_TYPES[document_format])


def _planned_output(recipe: str, renderer: BlobRenderer) -> JsonObject:
    """Return a value of the form that the output will have, the same each time, with blobs that are not available."""
    shapes = Shapes(resolve=answer_schema, blob_types={**BLOB_TYPES, BLOB: USUAL_TYPE})
    built = build_value(recipe_schemas()[recipe].output, seed=recipe, shapes=shapes)

    def blob(place: int) -> Json:
        file = built.files[place]
        blob_id = f"planned-{place}{extension_of(file.content_type)}"
        return renderer.render(blob_id, content_type=file.content_type, facts=file.facts, is_available=False)

    return as_object(filled(built.value, blob))
