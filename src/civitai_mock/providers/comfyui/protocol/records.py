"""What /queue and /history say, as plain values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from civitai_mock.domain.json_types import Json, JsonObject
from civitai_mock.providers.comfyui.protocol.codec import failure_of, files_of
from civitai_mock.providers.comfyui.protocol.messages import Failure, SavedFile
from civitai_mock.providers.comfyui.protocol.shapes import as_list, as_number, as_object, as_text


class Place(StrEnum):
    """Where in a server's queue a prompt is."""

    PENDING = "pending"
    RUNNING = "running"


@dataclass(frozen=True, slots=True, kw_only=True)
class Queued:
    """A prompt that is in the queue, with the graph that the server was given."""

    place: Place
    graph: JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A prompt that has left the queue; `failure` and `stopped_at` are unset for one that succeeded."""

    files: Mapping[str, tuple[SavedFile, ...]]
    node_order: tuple[str, ...]
    graph: JsonObject = field(default_factory=dict)
    failure: Failure | None = None
    stopped_at: str | None = None
    elapsed_ms: int | None = None


def read_queue(body: JsonObject) -> Mapping[str, Place]:
    """By prompt id; an id that is listed twice counts as running if either is."""
    pending = dict.fromkeys(_ids(body.get("queue_pending")), Place.PENDING)
    return pending | dict.fromkeys(_ids(body.get("queue_running")), Place.RUNNING)


def read_marks(body: JsonObject, name: str) -> Mapping[str, str]:
    """What the prompts in the queue have in their `extra_data` under `name`, by prompt id; without those that have no
    such text there.
    """
    items = [item for queue in ("queue_running", "queue_pending") for item in map(as_list, as_list(body.get(queue)))]
    marks = {as_text(item[1]): as_text(as_object(item[3]).get(name)) for item in items if len(item) > 3}
    return {prompt_id: mark for prompt_id, mark in marks.items() if mark}


def read_queued(body: JsonObject, prompt_id: str) -> Queued | None:
    """None for a prompt that is in no queue; of an id that is listed twice, the running one."""
    for place, name in ((Place.RUNNING, "queue_running"), (Place.PENDING, "queue_pending")):
        for item in map(as_list, as_list(body.get(name))):
            if len(item) > 1 and as_text(item[1]) == prompt_id:
                return Queued(place=place, graph=_graph(item))
    return None


def read_history(body: JsonObject, prompt_id: str) -> Entry | None:
    """None while a prompt is in the queue, and for one that the server does not know."""
    record = body.get(prompt_id)
    if not isinstance(record, dict):
        return None
    graph = _graph(as_list(record.get("prompt")))
    status = as_object(record.get("status"))
    told = {as_text(pair[0]): as_object(pair[1]) for item in as_list(status.get("messages")) if (pair := _pair(item))}
    failed = status.get("status_str") == "error"
    return Entry(
        files={node_id: files_of(output) for node_id, output in as_object(record.get("outputs")).items()},
        node_order=tuple(graph),
        graph=graph,
        failure=_failure(told) if failed and "execution_interrupted" not in told else None,
        stopped_at=as_text(told["execution_interrupted"].get("node_id")) if "execution_interrupted" in told else None,
        elapsed_ms=_elapsed(told),
    )


def _ids(items: Json) -> list[str]:
    return [as_text(item[1]) for item in map(as_list, as_list(items)) if len(item) > 1]


def _graph(item: list[Json]) -> JsonObject:
    """An item is `[number, prompt_id, graph, …]` in both."""
    return as_object(item[2]) if len(item) > 2 else {}


def _pair(item: Json) -> list[Json]:
    pair = as_list(item)
    return pair if len(pair) == 2 else []


def _failure(told: Mapping[str, JsonObject]) -> Failure:
    """An entry may say that it failed, and not why."""
    return failure_of(told.get("execution_error", {}))


def _elapsed(told: Mapping[str, JsonObject]) -> int | None:
    start = as_number(told.get("execution_start", {}).get("timestamp"))
    end = as_number(told.get("execution_success", {}).get("timestamp"))
    return None if start is None or end is None else max(round(end - start), 0)
