"""How far a job's work is, as its last event tells it."""

from dataclasses import dataclass

from civitai_mock.domain.job import Job
from civitai_mock.domain.json_types import Json, JsonObject
from civitai_mock.domain.stages import JobEventType


@dataclass(frozen=True, slots=True, kw_only=True)
class JobProgress:
    """`step` of the `steps` of one node; `share` (0 to 1) is of the whole graph where that can be said, else of it."""

    step: int
    steps: int
    share: float
    node_id: str
    node_type: str | None = None
    preview_key: str | None = None

    @property
    def context(self) -> JsonObject:
        """What an event tells of it."""
        told: JsonObject = {
            "step": self.step,
            "steps": self.steps,
            "progress": self.share,
            "node_id": self.node_id,
            "class_type": self.node_type,
            "previewBlobKey": self.preview_key,
        }
        return {name: value for name, value in told.items() if value is not None}


def progress_of(job: Job) -> JobProgress | None:
    """None for a job that has ended, or whose last event tells of something else."""
    event = job.last_event
    if job.outcome is not None or event.type is not JobEventType.UPDATED:
        return None
    match dict(event.context):
        case {
            "step": int(step),
            "steps": int(steps),
            "progress": float(share) | int(share),
            "node_id": str(node_id),
            **others,
        }:
            return JobProgress(
                step=step,
                steps=steps,
                share=share,
                node_id=node_id,
                node_type=_text(others.get("class_type")),
                preview_key=_text(others.get("previewBlobKey")),
            )
    return None


def _text(value: Json) -> str | None:
    return value if isinstance(value, str) else None
