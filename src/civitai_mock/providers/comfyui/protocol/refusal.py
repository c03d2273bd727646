"""Why a server would not take a graph, from its answer to POST /prompt."""

from collections.abc import Iterator, Sequence

from civitai_mock.domain.errors import JobError
from civitai_mock.domain.json_types import Json, JsonObject
from civitai_mock.providers.comfyui.protocol.shapes import as_list, as_object, as_text

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
