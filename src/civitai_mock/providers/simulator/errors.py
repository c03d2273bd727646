"""Why the simulator ends a job."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Self

from civitai_mock.domain.errors import JobError


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What is wrong with one node, in ComfyUI's words."""

    node_id: str
    node_type: str
    type: str
    message: str
    details: str


class GraphRefusedError(JobError):
    """A graph that ComfyUI would not take either."""

    code = "graph_refused"

    def __init__(self, message: str, *, error_type: str, faults: Sequence[Fault] = ()) -> None:
        super().__init__(message, error_type=error_type, node_errors=[asdict(fault) for fault in faults])

    @classmethod
    def because_of(cls, faults: Sequence[Fault]) -> Self:
        reasons = "; ".join(f"node {one.node_id} ({one.node_type}): {one.message}: {one.details}" for one in faults)
        return cls(f"The graph was refused: {reasons}", error_type="prompt_outputs_failed_validation", faults=faults)


class GraphFailedError(JobError):
    """A file could not be made, as the graph asks for what cannot be."""

    code = "graph_failed"


class PromptCancelledError(JobError):
    code = "cancelled"
