"""What a claimed job carries with it from step to step."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from civitai_mock.domain.blob import Slot
from civitai_mock.domain.job import Job
from civitai_mock.domain.json import JsonObject
from civitai_mock.generation.skeleton import Skeleton
from civitai_mock.ports import BlobStore, Clock, Ids, Provider


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What the steps work with; the same for all jobs of a worker."""

    provider: Provider
    blobs: BlobStore
    skeletons: Mapping[str, Skeleton]
    clock: Clock
    ids: Ids


@dataclass(slots=True, kw_only=True)
class Work:
    """`context` gathers what the job's last event will tell (v1 description: `JobEvent.context`)."""

    job: Job
    tools: Tools
    graph: Mapping[str, JsonObject] = field(default_factory=dict)
    context: JsonObject = field(default_factory=dict)
    slots: tuple[Slot, ...] = ()
    prompt_id: str | None = None
