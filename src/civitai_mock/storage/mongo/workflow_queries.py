"""Lists of workflows in MongoDB, which an index has in order."""

import re
from collections.abc import Sequence
from typing import Any

from civitai_mock.domain.search import MOST_BYTES_FOUND
from civitai_mock.domain.workflow_search import (
    MOST_LOOKED_AT,
    FoundWorkflows,
    WorkflowCriteria,
    WorkflowPosition,
    query_text,
    workflow_position,
)
from civitai_mock.storage.mongo.collections import DOWN, UP, Collection, Document, Pipeline
from civitai_mock.storage.mongo.encoding import is_storable, moment_text, parse_moment
from civitai_mock.storage.mongo.workflow_documents import position_text, workflows_of

PROBE = 100  # workflows of a tag: that of several tags is the rarest where so many go furthest
AFTER_ALL = "!"  # sorts after the space that follows the moment in each position of it
FOUND = {"version": 1, "body": 1}


async def find_workflows(
    workflows: Collection, epoch: int, criteria: WorkflowCriteria, *, limit: int
) -> FoundWorkflows:
    """Ask for one more than is returned, to know whether there is one."""
    if limit < 1 or not _can_be_found(criteria):
        return FoundWorkflows(workflows=(), reached=criteria.after if limit < 1 else None)
    matching = _filter(epoch, criteria, await _rarest_first(workflows, epoch, criteria))
    direction = UP if criteria.ascending else DOWN
    if not criteria.query:
        found, is_cut = await _first(workflows.find(matching, FOUND).sort("position", direction).limit(limit + 1))
        return await _page(found, limit, is_cut=is_cut, end=None)
    looked_at: Pipeline = [{"$match": matching}, {"$sort": {"position": direction}}, {"$limit": MOST_LOOKED_AT}]
    text = re.escape(query_text(criteria.query))
    matched: Pipeline = [{"$match": {"search": {"$regex": text}}}, {"$limit": limit + 1}, {"$project": FOUND}]
    found, is_cut = await _first(workflows.aggregate([*looked_at, *matched]))
    if len(found) > limit:
        return await _page(found, limit, is_cut=is_cut, end=None)
    last = workflows.find(matching, {"position": 1}).sort("position", direction).skip(MOST_LOOKED_AT - 1).limit(1)
    ends = [_position_of(document["position"]) async for document in last]
    return await _page(found, limit, is_cut=is_cut, end=ends[0] if ends else None)


async def _first(found: Any) -> tuple[list[Document], bool]:  # a cursor of a search or of a pipeline
    """Return the documents up to the one that reaches `MOST_BYTES_FOUND`, and whether there may be more."""
    documents: list[Document] = []
    size = 0
    async for document in found:
        documents.append(document)
        size += len(document["body"])
        if size >= MOST_BYTES_FOUND:
            await found.close()
            return documents, True
    return documents, False


async def _page(found: Sequence[Document], limit: int, *, is_cut: bool, end: WorkflowPosition | None) -> FoundWorkflows:
    """Return a page; with one document more than `limit`, or `is_cut`, it goes on after its last, or else at `end`."""
    workflows = await workflows_of(found[:limit])
    has_more = is_cut or len(found) > limit
    return FoundWorkflows(workflows=workflows, reached=workflow_position(workflows[-1]) if has_more else end)


async def _rarest_first(workflows: Collection, epoch: int, criteria: WorkflowCriteria) -> Sequence[str]:
    """Return the tags with the one first that the fewest workflows have from the beginning of the page on.

    An index is asked for the first of them.
    """
    if len(criteria.tags) < 2:
        return sorted(criteria.tags)
    direction = UP if criteria.ascending else DOWN
    probes: dict[str, str] = {}
    for tag in criteria.tags:
        found = workflows.find(_filter(epoch, criteria, [tag]), {"position": 1}).sort("position", direction)
        async for document in found.skip(PROBE).limit(1):
            probes[tag] = document["position"]
    common = sorted(probes, key=lambda tag: (probes[tag], tag), reverse=criteria.ascending)
    return [*sorted(criteria.tags - probes.keys()), *common]


def _can_be_found(criteria: WorkflowCriteria) -> bool:
    return all(map(is_storable, (criteria.owner, criteria.query or "", *criteria.tags)))


def _filter(epoch: int, criteria: WorkflowCriteria, tags: Sequence[str]) -> Document:
    """Return what matches all but the query."""
    lower = moment_text(criteria.since) if criteria.since else ""
    upper = moment_text(criteria.until) + AFTER_ALL if criteria.until else None
    if criteria.after is not None:
        place = position_text(criteria.after)
        lower, upper = (max(lower, place), upper) if criteria.ascending else (lower, min(upper or place, place))
    return {
        "epoch": epoch,
        "owner": criteria.owner,
        "listed": True,
        **({} if criteria.failed else {"failed": False}),
        **({"tags": {"$all": list(tags)} if len(tags) > 1 else tags[0]} if tags else {}),
        "position": {"$gt": lower, **({} if upper is None else {"$lt": upper})},
    }


def _position_of(text: str) -> WorkflowPosition:
    moment, _, workflow_id = text.partition(" ")
    return WorkflowPosition(parse_moment(moment), workflow_id)
