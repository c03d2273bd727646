"""Read what requests about workflows have besides the workflow: how long they wait, and what they change."""

from datetime import timedelta

from starlette.requests import Request

from civitai_mock.api.query_params import FLAGS, optional
from civitai_mock.api.v2.description.compiler import requests
from civitai_mock.api.v2.description.faults import ROOT, Faults
from civitai_mock.domain.errors import fault
from civitai_mock.domain.json_types import Json, JsonObject, as_object, as_texts
from civitai_mock.domain.workflow import LONGEST_TAG
from civitai_mock.services.workflows.change import WorkflowUpdate

WAIT = "wait"
LONGEST_WAIT = timedelta(days=1)  # that is told apart: the service holds no answer for so long


def wait_of(request: Request) -> timedelta:
    """Return how long the answer may be held: whole seconds, or `true` for as long as it may be (clients of 2025).

    Raise `InvalidRequestError` for anything else: a client finds out by it whether seconds are taken.
    """
    text = optional(request, WAIT)
    if text is None:
        return timedelta()
    if text.isascii() and text.isdecimal():
        return min(timedelta(seconds=int(text[:9])), LONGEST_WAIT) if len(text) < 10 else LONGEST_WAIT
    if text.lower() in {"true", "false"}:
        return LONGEST_WAIT if FLAGS[text.lower()] else timedelta()
    raise fault(WAIT, f"The value '{text[:100]}' is not valid; expected whole seconds.")


def read_update(body: JsonObject) -> WorkflowUpdate:
    """Read what is to be changed of a workflow; raise `InvalidRequestError` that has all faults by their paths."""
    update = _read("UpdateWorkflowRequest", body)
    tags, metadata, is_allowed = update.get("tags"), update.get("metadata"), update.get("allowMatureContent")
    return WorkflowUpdate(
        cancels=update.get("status") == "canceled",
        tags=as_texts(tags) if isinstance(tags, list) else None,
        metadata=metadata if isinstance(metadata, dict) else None,
        allow_mature_content=is_allowed if isinstance(is_allowed, bool) else None,
    )


def read_metadata(body: JsonObject) -> JsonObject:
    """Read the metadata that a step is to have."""
    metadata = _read("UpdateWorkflowStepRequest", body).get("metadata")
    if not isinstance(metadata, dict):
        raise fault("metadata", "The metadata field is required.")
    return metadata


def read_tag(body: Json) -> str:
    """Read a tag, which is a JSON string."""
    if not isinstance(body, str):
        raise fault(ROOT, 'The body must be a JSON string, like "favorite".')
    if not 1 <= len(body) <= LONGEST_TAG:
        raise fault(ROOT, f"A tag must have 1 to {LONGEST_TAG} characters; found {len(body)}.")
    return body


def _read(schema: str, body: JsonObject) -> JsonObject:
    faults = Faults()
    read = as_object(requests().reader(schema)(body, None, faults))
    faults.check()
    return read
