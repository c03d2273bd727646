"""How far the graph of a job is, as the job's last event says."""

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.job import JobSummary
from civitai_mock.domain.json_types import Json, JsonObject
from civitai_mock.domain.stages import JobEventType


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplingProgress:
    """Says at which `step` of its `steps` a node is.

    `fraction` (0 to 1) is that of the sampling of the whole graph where it can be told, else that of the node's steps.
    """

    step: int
    steps: int
    fraction: float
    node_id: str
    node_type: str | None = None
    preview_key: str | None = None

    @property
    def context(self) -> JsonObject:
        """Return the context of an event that reports the progress."""
        members: JsonObject = {
            "step": self.step,
            "steps": self.steps,
            "progress": self.fraction,
            "node_id": self.node_id,
            "class_type": self.node_type,
            "previewBlobKey": self.preview_key,
        }
        return {name: value for name, value in members.items() if value is not None}


def progress_of(job: JobSummary) -> SamplingProgress | None:
    """Return the progress that the last event of a job reports, if it does and the job has not ended."""
    event = job.last_event
    if job.outcome is not None or event.type is not JobEventType.UPDATED:
        return None
    match dict(event.context):
        case {
            "step": int(step),
            "steps": int(steps),
            "progress": float(fraction) | int(fraction),
            "node_id": str(node_id),
            **others,
        }:
            return SamplingProgress(
                step=step,
                steps=steps,
                fraction=fraction,
                node_id=node_id,
                node_type=_text(others.get("class_type")),
                preview_key=_text(others.get("previewBlobKey")),
            )
    return None


def _text(value: Json) -> str | None:
    return value if isinstance(value, str) else None
