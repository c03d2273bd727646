"""`Comfy` runs a user's own graph."""

from collections.abc import Mapping
from dataclasses import field
from typing import Any, ClassVar, Self

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.job import Job
from civitai_mock.domain.json_types import JsonObject, ReadOnlyJson
from civitai_mock.domain.resource import Resource
from civitai_mock.generation import spec_json
from civitai_mock.generation.graph import Graph, Skeleton
from civitai_mock.generation.job_types.draft import JobDraft, JobSpec, Plan
from civitai_mock.generation.media import ImageFile
from civitai_mock.generation.user_graph import (
    IMAGE_INPUT,
    file_references,
    graph_cost,
    image_sources,
    with_files,
    with_images,
)
from civitai_mock.generation.work import GraphWork, is_url

LEAST_COST = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ComfySpec(JobSpec):
    """Holds the graph as it was sent; `files` has the name of each file by the AIR in the graph.

    A graph that `is_custom`, of v2, names its files; see `GraphWork` for `has_trace`. With a `file` its images are
    given out as that says.
    """

    job_type: ClassVar[str] = "Comfy"
    runs_graphs: ClassVar[bool] = True

    graph: Graph
    files: Mapping[str, str]
    is_custom: bool = False
    has_trace: bool = False
    file: ImageFile | None = None

    def work(self, job: Job, skeletons: Mapping[str, Skeleton]) -> GraphWork:  # noqa: ARG002 - the graph is there
        loading = with_images(with_files(self.graph, self.files), prefix=f"{job.id}_image_")
        return GraphWork(
            graph=loading.graph,
            images=loading.images,
            asset_prefix=f"customcomfy-{job.id}-asset-" if self.is_custom else None,
            has_previews=self.is_custom,
            has_trace=self.has_trace,
            image_file=self.file,
        )

    def to_json(self) -> JsonObject:
        flags = {"isCustom": self.is_custom, "hasTrace": self.has_trace}
        is_set: JsonObject = {name: value for name, value in flags.items() if value}
        if self.file is not None:
            is_set["file"] = spec_json.to_json(self.file)
        return {"params": {"workflow": {**self.graph}}, "files": {**self.files}, **is_set}

    @classmethod
    def from_json(cls, stored: ReadOnlyJson) -> Self:
        """Read a graph that was checked before it was stored."""
        members: Any = stored
        return cls(
            graph=members["params"]["workflow"],
            files=members["files"],
            is_custom=members.get("isCustom", False),
            has_trace=members.get("hasTrace", False),
            file=spec_json.from_json(ImageFile, members["file"]) if "file" in members else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ComfyDraft(JobDraft):
    """Asks for a graph in API format to be run; what may be in it, `user_graph` says.

    An input that is a full AIR (`urn:air:…`) gets the name of its resource's file, and the `image` of a LoadImage
    node that is a URL or the key of a blob the name of that image; nothing else of the graph is touched. Every file
    of every output node is a result, and an asset. The field of an input is `graph.<node>.inputs.<name>`. `resources`
    are AIRs that have to be there, too, by their fields; for the rest see `ComfySpec`.
    """

    graph: Graph
    resources: Mapping[str, str] = field(default_factory=dict)
    is_custom: bool = False
    has_trace: bool = False
    file: ImageFile | None = None

    def references(self) -> Mapping[str, str]:
        return {**self._file_references(), **self.resources}

    def _file_references(self) -> Mapping[str, str]:
        return {f"graph.{place}": text for place, text in file_references(self.graph).items()}

    def image_urls(self) -> Mapping[str, str]:
        sources = image_sources(self.graph)
        return {
            f"graph.{node_id}.inputs.{IMAGE_INPUT}": source for node_id, source in sources.items() if is_url(source)
        }

    def resolve(self, *, resources: Mapping[str, Resource], seed: int) -> Plan:  # noqa: ARG002 - the graph has its own
        named = {text: resources[text].for_job for text in self.references().values()}
        files = {text: named[text].file_name for text in self._file_references().values()}
        return Plan(
            spec=ComfySpec(
                graph=self.graph,
                files=files,
                is_custom=self.is_custom,
                has_trace=self.has_trace,
                file=self.file,
            ),
            resources=tuple({resource.air.key: resource for resource in named.values()}.values()),
            cost=max(graph_cost(self.graph), LEAST_COST),
        )
