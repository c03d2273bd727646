"""What /queue, /history and the answer to POST /prompt say, as plain values, and whether the queue moves."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from civitai_mock.domain.errors import JobError
from civitai_mock.domain.json_types import Json, JsonObject, as_list, as_number, as_object, as_text
from civitai_mock.providers.comfyui.protocol.messages import Failure, SavedFile, failure_of, files_of


class QueuePlace(StrEnum):
    """Where in a server's queue a prompt is."""

    PENDING = "pending"
    RUNNING = "running"


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedPrompt:
    """A prompt that is in the queue, with the graph that the server was given."""

    place: QueuePlace
    graph: JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEntry:
    """A prompt that has left the queue; `failure` and `stopped_at` are unset for one that succeeded."""

    files: Mapping[str, tuple[SavedFile, ...]]
    node_order: tuple[str, ...]
    graph: JsonObject = field(default_factory=dict)
    failure: Failure | None = None
    stopped_at: str | None = None
    elapsed_ms: int | None = None


def read_queue(body: JsonObject) -> Mapping[str, QueuePlace]:
    """By prompt id; an id that is listed twice counts as running if either is."""
    pending = dict.fromkeys(_ids(body.get("queue_pending")), QueuePlace.PENDING)
    return pending | dict.fromkeys(_ids(body.get("queue_running")), QueuePlace.RUNNING)


def read_marks(body: JsonObject, name: str) -> Mapping[str, str]:
    """Return by prompt id what the prompts in the queue have in their `extra_data` under `name`.

    Prompts that have no such text there are left out.
    """
    items = [item for queue in ("queue_running", "queue_pending") for item in map(as_list, as_list(body.get(queue)))]
    marks = {as_text(item[1]): as_text(as_object(item[3]).get(name)) for item in items if len(item) > 3}
    return {prompt_id: mark for prompt_id, mark in marks.items() if mark}


def read_queued(body: JsonObject, prompt_id: str) -> QueuedPrompt | None:
    """None for a prompt that is in no queue; of an id that is listed twice, the running one."""
    for place, name in ((QueuePlace.RUNNING, "queue_running"), (QueuePlace.PENDING, "queue_pending")):
        for item in map(as_list, as_list(body.get(name))):
            if len(item) > 1 and as_text(item[1]) == prompt_id:
                return QueuedPrompt(place=place, graph=_graph(item))
    return None


def read_history(body: JsonObject, prompt_id: str) -> HistoryEntry | None:
    """None while a prompt is in the queue, and for one that the server does not know."""
    record = body.get(prompt_id)
    if not isinstance(record, dict):
        return None
    graph = _graph(as_list(record.get("prompt")))
    status = as_object(record.get("status"))
    told = {as_text(pair[0]): as_object(pair[1]) for item in as_list(status.get("messages")) if (pair := _pair(item))}
    failed = status.get("status_str") == "error"
    return HistoryEntry(
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


MOST_COMPLAINTS = 3
NOT_IN_LIST = "value_not_in_list"


def refusal_of(body: Json, *, accepted: bool) -> JobError | None:
    """None for an answer that takes the graph as a whole; one that was `accepted` may lack some of its outputs."""
    answer = as_object(body)
    complaints = list(_complaints(as_object(answer.get("node_errors"))))
    error = as_object(answer.get("error"))
    if accepted and not complaints and not error:
        return None
    reasons = [_told(complaint) for complaint in complaints] or [_general(error)]
    more = f" (and {len(reasons) - MOST_COMPLAINTS} more)" if len(reasons) > MOST_COMPLAINTS else ""
    message = "ComfyUI refused the graph: " + "; ".join(reasons[:MOST_COMPLAINTS]) + more
    return JobError(message, error_type=as_text(error.get("type")) or "node_errors", node_errors=complaints)


def complaints_of(refusal: JobError) -> Sequence[JsonObject]:
    """What a server had against single nodes."""
    complaints = refusal.evidence.get("node_errors")
    return [as_object(complaint) for complaint in complaints] if isinstance(complaints, list) else []


def unlisted(refusal: JobError) -> Sequence[tuple[str, str]]:
    """The nodes and inputs that name something that is in no list of the server's, any more."""
    found = [complaint for complaint in complaints_of(refusal) if complaint.get("type") == NOT_IN_LIST]
    return [(as_text(complaint.get("node_id")), as_text(complaint.get("input_name"))) for complaint in found]


def _complaints(node_errors: JsonObject) -> Iterator[JsonObject]:
    for node_id, node in node_errors.items():
        for fault in map(as_object, as_list(as_object(node).get("errors"))):
            told = {name: as_text(fault.get(name)) for name in ("type", "message", "details")}
            told["input_name"] = as_text(as_object(fault.get("extra_info")).get("input_name"))
            yield {"node_id": node_id, "node_type": as_text(as_object(node).get("class_type")), **told}


def _told(complaint: JsonObject) -> str:
    return f"node {complaint['node_id']} ({complaint['node_type']}): {_said(complaint)}"


def _general(error: JsonObject) -> str:
    """Some refusals name no node: a cycle, an unknown class, a graph without outputs."""
    return _said(error) or "it gave no reason"


def _said(fault: JsonObject) -> str:
    message, details = as_text(fault.get("message")), as_text(fault.get("details"))
    return ": ".join(part for part in (message.rstrip("."), details if details != message else "") if part)


class QueueWatch:
    """A server is alive if its queue moves, not if its HTTP answers: the thread that works on prompts may be dead.

    What is running says it all: one prompt after the other, or none. Time counts while somebody looks: a process that
    was stopped for an hour has not watched a queue stand still for an hour.
    """

    def __init__(self, *, longest_gap: timedelta) -> None:
        self.running: frozenset[str] = frozenset()
        self.is_empty = True
        self.quiet = timedelta()
        self._longest_gap = longest_gap
        self._looked_at: datetime | None = None
        self._was_heard = False

    def hear(self) -> None:
        """A message about a prompt at work came since the last look."""
        self._was_heard = True

    def see(self, queue: Mapping[str, QueuePlace], now: datetime) -> None:
        """The queue was read."""
        running = frozenset(prompt_id for prompt_id, place in queue.items() if place is QueuePlace.RUNNING)
        gap = now - (self._looked_at or now)
        if self._was_heard or self.is_empty or not queue or running != self.running:
            self.quiet = timedelta()
        else:
            self.quiet += min(max(gap, timedelta()), self._longest_gap)
        self.running, self.is_empty = running, not queue
        self._looked_at, self._was_heard = now, False
