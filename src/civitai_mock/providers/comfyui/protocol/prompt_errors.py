"""What a prompt's bad end means for its job."""

from collections.abc import Mapping

from civitai_mock.domain.errors import JobError, MockError, NotStartedError, TransientError
from civitai_mock.providers.comfyui.protocol.messages import Failure
from civitai_mock.providers.comfyui.protocol.tracker import Failed, Interrupted, Lost

MOST_TRACEBACK_LINES = 20


def error_of(end: Failed | Interrupted | Lost, *, worker_id: str) -> MockError:
    """A failure ends the job with ComfyUI's own words; what was lost is tried again, at no cost if it had not begun."""
    match end:
        case Failed(failure=failure):
            return failed(failure, worker_id)
        case Interrupted(node_id=node_id):
            return JobError("The prompt was stopped in ComfyUI.", node_id=node_id, worker=worker_id)
        case Lost(reason=reason, unstarted=unstarted):
            kind = NotStartedError if unstarted else TransientError
            return kind(f"{worker_id}: {reason}", worker=worker_id)


def failed(failure: Failure, worker_id: str) -> JobError:
    """ComfyUI's own words."""
    reason = failure.message or failure.exception_type or "it gave no reason"
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


def summed_up(said: Mapping[str, MockError]) -> MockError:
    """What each server said, as one error: it ends the job if each of them does."""
    errors = list(said.values())
    if len(errors) == 1:
        return errors[0]
    kind = JobError if all(isinstance(error, JobError) for error in errors) else TransientError
    told = "; ".join(f"{worker_id}: {error.message.rstrip('.')}" for worker_id, error in said.items())
    failures = [{"worker": worker_id, "message": error.message} for worker_id, error in said.items()]
    evidence = {**errors[-1].evidence, "failures": failures}
    return kind(f"No ComfyUI server could run this graph. {told}.", **evidence)
