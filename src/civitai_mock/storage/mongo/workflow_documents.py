"""Workflows as MongoDB documents: what is asked for as members, all of it as JSON, as BSON has trouble with names."""

from collections.abc import Iterable
from functools import partial

from civitai_mock.domain.workflow import Workflow
from civitai_mock.domain.workflow_json import workflow_from_json, workflow_to_json
from civitai_mock.domain.workflow_search import WorkflowPosition, metadata_text, workflow_position
from civitai_mock.services.threads import in_thread_if_large
from civitai_mock.storage.mongo.collections import Document
from civitai_mock.storage.mongo.encoding import json_text, key_in, moment_text, parse_json_object


def workflow_document(workflow: Workflow, epoch: int) -> Document:
    external_id = {} if workflow.external_id is None else {"externalId": workflow.external_id}
    return {
        "_id": key_in(epoch, workflow.id),
        "epoch": epoch,
        "owner": workflow.owner,
        "position": position_text(workflow_position(workflow)),
        "listed": not workflow.is_ephemeral,
        **external_id,
        **changing_fields(workflow),
        **({"runningIn": epoch} if workflow.memo is None else {}),
        **({"tags": list(workflow.tags)} if workflow.tags else {}),
    }


def changing_fields(workflow: Workflow) -> Document:
    """Return the members that every workflow has and every change writes."""
    return {
        "version": workflow.version,
        "keepUntil": moment_text(workflow.keep_until),
        "failed": workflow.memo is not None and workflow.memo.status.is_failed,
        "spent": {str(account): amount for account, amount in workflow.spent.items()},
        "search": metadata_text(workflow.metadata),
        "body": json_text(workflow_to_json(workflow)),
    }


def change_of(workflow: Workflow, epoch: int) -> Document:
    """Return the update that writes a change; members that an index has only for some are unset for others."""
    some = {"runningIn": epoch if workflow.memo is None else None, "tags": list(workflow.tags)}
    is_set = {name: value for name, value in some.items() if value}
    unset = {name: "" for name, value in some.items() if not value}
    return {"$set": {**changing_fields(workflow), **is_set}, **({"$unset": unset} if unset else {})}


def workflow_of(document: Document) -> Workflow:
    return workflow_from_json(parse_json_object(document["body"]), version=document["version"])


async def workflows_of(documents: Iterable[Document]) -> list[Workflow]:
    """Read workflows from documents; large ones are read in a thread, so that nobody waits for them."""
    return [
        await in_thread_if_large(partial(workflow_of, document), size=len(document["body"])) for document in documents
    ]


def position_text(position: WorkflowPosition) -> str:
    """Return a position as one text, so that one index field orders workflows."""
    return f"{moment_text(position.created_at)} {position.workflow_id}"
