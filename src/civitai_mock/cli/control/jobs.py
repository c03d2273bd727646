"""The commands `jobs` and `graph`: look at jobs, at one with all that happened to it, and at its graph."""

from collections.abc import Mapping
from urllib.parse import quote

from civitai_mock.cli.control.session import Session
from civitai_mock.cli.control.tables import Row
from civitai_mock.domain.json_types import Json, as_list, as_object

HEAD = ("job", "status", "type", "created", "cost", "prompt")
SHOWN = (
    "jobId", "status", "stage", "outcome", "type", "consumer", "createdAt", "changedAt", "expireAt", "cost", "priority",
    "retryAttempt", "traceId", "model", "prompt", "workerId", "workflowId", "step", "properties",
)  # fmt: skip
EVENT_HEAD = ("event", "at", "provider", "says")
CALLBACK_HEAD = ("callback", "of", "attempts", "delivery", "to")
FAULT_HEAD = ("fault", "attempt", "what")


def list_jobs(session: Session) -> None:
    if session.arguments.id is not None:
        _show_job(session)
        return
    session.list("jobs", HEAD, _row)


def show_graph(session: Session) -> None:
    """Print the graph of a job as ComfyUI loads it."""
    session.output.json(session.server.get(f"jobs/{quote(session.arguments.id, safe='')}/graph"))


def _row(job: Mapping[str, Json]) -> Row:
    model = job.get("prompt") or job.get("model")
    return [job.get("jobId"), job.get("status"), job.get("type"), job.get("createdAt"), job.get("cost"), model]


def _show_job(session: Session) -> None:
    answer = session.server.get(f"jobs/{quote(session.arguments.id, safe='')}")
    job = as_object(answer)
    session.show(answer, {name: job.get(name) for name in SHOWN if job.get(name) != {}})
    if session.as_json:
        return
    for head, rows in (
        (EVENT_HEAD, [_event_row(as_object(event)) for event in as_list(job.get("events"))]),
        (CALLBACK_HEAD, [_callback_row(as_object(callback)) for callback in as_list(job.get("callbacks"))]),
        (FAULT_HEAD, [_fault_row(as_object(fault)) for fault in as_list(job.get("faults"))]),
    ):
        if rows:
            session.output.line()
            session.table(head, [rows])


def _event_row(event: Mapping[str, Json]) -> Row:
    context = as_object(event.get("context"))
    says = context.get("message") or context.get("error") or context.get("reason")
    return [event.get("type"), event.get("dateTime"), event.get("provider"), says]


def _callback_row(callback: Mapping[str, Json]) -> Row:
    attempts = len(as_list(callback.get("attempts")))
    return [callback.get("seq"), callback.get("status"), attempts, callback.get("delivery"), callback.get("url")]


def _fault_row(fault: Mapping[str, Json]) -> Row:
    return [fault.get("rule"), fault.get("attempt"), fault.get("preset") or fault.get("action")]
