"""How the two APIs are asked for the same work: a job of v1, and a workflow of one step of v2."""

from dataclasses import dataclass
from typing import Any, Protocol

from tests.bench.load import message
from tests.bench.servers import UnmeasuredError


class WireApi(Protocol):
    """Says where work is submitted, and how to read what is answered; `id` is that of a job or a workflow."""

    @property
    def path(self) -> str: ...

    @property
    def waiting(self) -> str: ...

    def id_in(self, submitted: Any) -> str: ...

    def has_succeeded(self, document: Any) -> bool:
        """Raise `UnmeasuredError` if it has ended otherwise."""
        ...


@dataclass(frozen=True, slots=True)
class JobsApi:
    """Is v1."""

    path: str = "/v1/consumer/jobs"
    waiting: str = "wait=true"

    def id_in(self, submitted: Any) -> str:
        return str(submitted["jobs"][0]["jobId"])

    def has_succeeded(self, document: Any) -> bool:
        event = document["lastEvent"]
        if event["jobHasCompleted"] and event["type"] != "Succeeded":
            raise UnmeasuredError(f"a job ended as {event['type']}: {event}")
        return bool(event["jobHasCompleted"])


@dataclass(frozen=True, slots=True)
class WorkflowsApi:
    """Is v2."""

    path: str = "/v2/consumer/workflows"
    waiting: str = "wait=90"

    def id_in(self, submitted: Any) -> str:
        return str(submitted["id"])

    def has_succeeded(self, document: Any) -> bool:
        if document["status"] in {"failed", "expired", "canceled"}:
            raise UnmeasuredError(f"a workflow ended as {document['status']}: {document}")
        return bool(document["status"] == "succeeded")


V1, V2 = JobsApi(), WorkflowsApi()


def status_request(api: WireApi, work_id: str) -> bytes:
    return message("GET", f"{api.path}/{work_id}")


def check_request(api: WireApi, work_id: str) -> bytes:
    """Ask in other words than `status_request`, whose answers a server may keep for a moment: those are measured."""
    return message("GET", f"{api.path}/{work_id}?detailed=false")
