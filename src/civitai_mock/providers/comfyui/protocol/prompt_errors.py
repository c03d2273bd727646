"""Turn what ComfyUI says against a prompt (a refusal, a failed node, a bad end) into errors of its job."""

from collections.abc import Iterator, Mapping, Sequence

from civitai_mock.domain.errors import JobError, MockError, NotStartedError, TransientError
from civitai_mock.domain.json_types import Json, JsonObject, as_list, as_object, as_text
from civitai_mock.providers.comfyui.protocol.messages import NodeFailure
from civitai_mock.providers.comfyui.protocol.tracker import PromptFailed, PromptLost, PromptStopped

NOT_IN_LIST = "value_not_in_list"
MOST_COMPLAINTS = 3
MOST_TRACEBACK_LINES = 20
NO_REASON = "it gave no reason"


def read_refusal(body: Json, *, accepted: bool) -> JobError | None:
    """Return None for an answer to POST /prompt that takes the whole graph.

    An answer that was `accepted` may still refuse some of the graph's outputs.
    """
    answer = as_object(body)
    complaints = list(_complaints(as_object(answer.get("node_errors"))))
    error = as_object(answer.get("error"))
    if accepted and not complaints and not error:
        return None
    # Some refusals name no node: a cycle, an unknown class, a graph without outputs.
    reasons = [*map(_describe_complaint, complaints)] or [_describe(error) or NO_REASON]
    more = f" (and {len(reasons) - MOST_COMPLAINTS} more)" if len(reasons) > MOST_COMPLAINTS else ""
    message = "ComfyUI refused the graph: " + "; ".join(reasons[:MOST_COMPLAINTS]) + more
    return JobError(message, error_type=as_text(error.get("type")) or "node_errors", node_errors=complaints)


def complaints_of(refusal: JobError) -> Sequence[JsonObject]:
    """Return what a server had against single nodes."""
    complaints = refusal.evidence.get("node_errors")
    return [as_object(complaint) for complaint in complaints] if isinstance(complaints, list) else []


def unlisted_inputs(refusal: JobError) -> Sequence[tuple[str, str]]:
    """Return the node ids and names of the inputs whose values are in no list of the server's any more."""
    found = [complaint for complaint in complaints_of(refusal) if complaint.get("type") == NOT_IN_LIST]
    return [(as_text(complaint.get("node_id")), as_text(complaint.get("input_name"))) for complaint in found]


def error_of_end(end: PromptFailed | PromptStopped | PromptLost, *, worker_id: str) -> MockError:
    """Return the job's error: a failure ends the job in ComfyUI's own words, a lost prompt is sent again.

    That costs no retry if the prompt had not begun.
    """
    match end:
        case PromptFailed(failure=failure):
            return error_of_failure(failure, worker_id)
        case PromptStopped(node_id=node_id):
            return JobError("The prompt was stopped in ComfyUI.", node_id=node_id, worker=worker_id)
        case PromptLost(reason=reason, is_unstarted=is_unstarted):
            kind = NotStartedError if is_unstarted else TransientError
            return kind(f"{worker_id}: {reason}", worker=worker_id)


def error_of_failure(failure: NodeFailure, worker_id: str) -> JobError:
    reason = failure.message or failure.exception_type or NO_REASON
    where = f" in node {failure.node_id} ({failure.node_type})" if failure.node_id else ""
    return JobError(
        f"ComfyUI failed{where}: {reason}",
        node_id=failure.node_id,
        node_type=failure.node_type,
        exception_type=failure.exception_type,
        exception_message=failure.message,
        traceback=list(failure.traceback[-MOST_TRACEBACK_LINES:]),
        worker=worker_id,
    )


def combined_error(errors_by_worker: Mapping[str, MockError]) -> MockError:
    """Return the errors of several servers as one, which ends the job if each of them does."""
    errors = list(errors_by_worker.values())
    if len(errors) == 1:
        return errors[0]
    kind = JobError if all(isinstance(error, JobError) for error in errors) else TransientError
    reasons = "; ".join(f"{worker_id}: {error.message.rstrip('.')}" for worker_id, error in errors_by_worker.items())
    failures = [{"worker": worker_id, "message": error.message} for worker_id, error in errors_by_worker.items()]
    evidence = {**errors[-1].evidence, "failures": failures}
    return kind(f"No ComfyUI server could run this graph. {reasons}.", **evidence)


def _complaints(node_errors: JsonObject) -> Iterator[JsonObject]:
    for node_id, node in node_errors.items():
        for fault in map(as_object, as_list(as_object(node).get("errors"))):
            texts = {name: as_text(fault.get(name)) for name in ("type", "message", "details")}
            texts["input_name"] = as_text(as_object(fault.get("extra_info")).get("input_name"))
            yield {"node_id": node_id, "node_type": as_text(as_object(node).get("class_type")), **texts}


def _describe_complaint(complaint: JsonObject) -> str:
    return f"node {complaint['node_id']} ({complaint['node_type']}): {_describe(complaint)}"


def _describe(fault: JsonObject) -> str:
    message, details = as_text(fault.get("message")), as_text(fault.get("details"))
    return ": ".join(part for part in (message.rstrip("."), details if details != message else "") if part)
