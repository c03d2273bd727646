"""Lists of workflows: what they ask for, the places in them, and the events of workflows that are to be delivered."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import field
from datetime import datetime

from civitai_mock.domain.callbacks import CallbackFaults
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.json_types import Json, ReadOnlyJson
from civitai_mock.domain.search import Position
from civitai_mock.domain.tokens import decode_cursor, encode_cursor
from civitai_mock.domain.workflow import Workflow

MOST_SEARCHED = 16 * 1024  # characters of the metadata of a workflow, in which a query is looked for
MOST_LOOKED_AT = 10_000  # workflows for one page of a query: then it ends, however few it has, and the next goes on


@dataclass(frozen=True, slots=True, order=True)
class WorkflowPosition:
    """Is a place in the list of workflows by age; those of one instant stand in order of id."""

    created_at: datetime
    workflow_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowCriteria:
    """Says which workflows of `owner` are listed: those with all of `tags`, created within the dates, both included.

    `query` is looked for in their metadata (`metadata_text`). Without `failed` those are left out that are known to
    have failed, expired or been canceled; a workflow without a memo may have done so, too. `after` is the place after
    which the list begins, in its direction.
    """

    owner: str
    tags: frozenset[str] = frozenset()
    query: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    failed: bool = True
    ascending: bool = False
    after: WorkflowPosition | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundWorkflows:
    """Holds workflows of a list in its order; the search for more begins after `reached`, which is None at the end."""

    workflows: Sequence[Workflow]
    reached: WorkflowPosition | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """Says that a workflow, a step or a job of one is in a status now; it is to be delivered to one of the callbacks.

    `seq` counts the announcements of a workflow from 0. `subject` is the name of a step, the id of a job, or empty for
    the workflow itself; `callback` is the place of the callback.
    """

    seq: int
    callback: int
    scope: str
    subject: str
    status: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DueAnnouncement:
    """Is the next announcement of a workflow that is to be delivered, after so many failed attempts.

    `faults` are those of the callbacks of the workflow so far.
    """

    workflow_id: str
    announcement: Announcement
    failures: int
    faults: CallbackFaults = field(default_factory=dict)


def workflow_position(workflow: Workflow) -> WorkflowPosition:
    return WorkflowPosition(workflow.created_at, workflow.id)


def encode_workflow_cursor(position: WorkflowPosition, *, owner: str) -> str:
    """Return a cursor that is valid for this owner only."""
    return encode_cursor(Position(position.created_at, position.workflow_id, ""), owner=owner)


def decode_workflow_cursor(cursor: str, *, owner: str) -> WorkflowPosition:
    """Return the place in the list; raise `InvalidRequestError` for a cursor that this owner was not given."""
    position = decode_cursor(cursor, owner=owner)
    return WorkflowPosition(position.created_at, position.submission_id)


def metadata_text(metadata: ReadOnlyJson) -> str:
    """Return all keys and values of metadata, in the form in which a `query_text` is looked for, up to `MOST_SEARCHED`.

    A line break stands between two of them.
    """
    parts: list[str] = []
    length = 0
    for part in _parts(dict(metadata)):
        parts.append(part)
        length += len(part) + 1
        if length >= MOST_SEARCHED:
            break
    return query_text("\n".join(parts))[:MOST_SEARCHED]


def query_text(query: str) -> str:
    """Return a text so that it is found in any case."""
    return query.casefold()


def _parts(value: Json) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from _parts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _parts(item)
    elif value is not None:
        yield value if isinstance(value, str) else json.dumps(value)
