"""Read the bodies of ComfyUI's /queue and /history as plain values; malformed parts read as absent."""

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.json_types import Json, JsonObject, as_list, as_number, as_object, as_text
from civitai_mock.providers.comfyui.protocol.messages import NodeFailure, SavedFile, read_failure, read_files


class QueuePlace(StrEnum):
    """Says where in a server's queue a prompt is."""

    PENDING = "pending"
    RUNNING = "running"


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedPrompt:
    """Is a prompt in the queue, with the graph that the server was given."""

    place: QueuePlace
    graph: JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEntry:
    """Is a prompt that has left the queue; `failure` and `interrupted_node` are unset for one that succeeded."""

    files: Mapping[str, tuple[SavedFile, ...]]
    node_order: tuple[str, ...]
    graph: JsonObject = field(default_factory=dict)
    failure: NodeFailure | None = None
    interrupted_node: str | None = None
    elapsed_ms: int | None = None


def read_queue(body: JsonObject) -> Mapping[str, QueuePlace]:
    """Return the places of prompts by their ids; an id that is listed twice counts as running if either is."""
    pending = dict.fromkeys(_prompt_ids(body.get("queue_pending")), QueuePlace.PENDING)
    return pending | dict.fromkeys(_prompt_ids(body.get("queue_running")), QueuePlace.RUNNING)


def read_extra_data(body: JsonObject, name: str) -> Mapping[str, str]:
    """Return by prompt id the texts that the prompts in the queue have in their `extra_data` under `name`."""
    items = [item for queue in ("queue_running", "queue_pending") for item in map(as_list, as_list(body.get(queue)))]
    texts = {as_text(item[1]): as_text(as_object(item[3]).get(name)) for item in items if len(item) > 3}
    return {prompt_id: text for prompt_id, text in texts.items() if text}


def read_queued_prompt(body: JsonObject, prompt_id: str) -> QueuedPrompt | None:
    """Return None for a prompt that is in no queue; if an id is listed twice, the running one counts."""
    for place, name in ((QueuePlace.RUNNING, "queue_running"), (QueuePlace.PENDING, "queue_pending")):
        for item in map(as_list, as_list(body.get(name))):
            if len(item) > 1 and as_text(item[1]) == prompt_id:
                return QueuedPrompt(place=place, graph=_graph(item))
    return None


def read_history(body: JsonObject, prompt_id: str) -> HistoryEntry | None:
    """Return None while a prompt is in the queue, and for one that the server does not know."""
    record = body.get(prompt_id)
    if not isinstance(record, dict):
        return None
    graph = _graph(as_list(record.get("prompt")))
    status = as_object(record.get("status"))
    messages = _messages(status)
    interruption = messages.get("execution_interrupted")
    failed = status.get("status_str") == "error" and interruption is None
    return HistoryEntry(
        files={node_id: read_files(output) for node_id, output in as_object(record.get("outputs")).items()},
        node_order=tuple(graph),
        graph=graph,
        failure=read_failure(messages.get("execution_error", {})) if failed else None,  # it may say no reason
        interrupted_node=None if interruption is None else as_text(interruption.get("node_id")),
        elapsed_ms=_elapsed_ms(messages),
    )


def _prompt_ids(items: Json) -> list[str]:
    return [as_text(item[1]) for item in map(as_list, as_list(items)) if len(item) > 1]


def _graph(item: list[Json]) -> JsonObject:
    """Return the graph of an item, which is `[number, prompt_id, graph, …]` in queue and history."""
    return as_object(item[2]) if len(item) > 2 else {}


def _messages(status: JsonObject) -> Mapping[str, JsonObject]:
    """Return the data of the messages that a status lists as `[type, data]`, by type."""
    pairs = [pair for pair in map(as_list, as_list(status.get("messages"))) if len(pair) == 2]
    return {as_text(kind): as_object(data) for kind, data in pairs}


def _elapsed_ms(messages: Mapping[str, JsonObject]) -> int | None:
    start = as_number(messages.get("execution_start", {}).get("timestamp"))
    end = as_number(messages.get("execution_success", {}).get("timestamp"))
    return None if start is None or end is None else max(round(end - start), 0)
