"""`comfy` runs the user's own graph."""

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from civitai_mock.domain.air import Air
from civitai_mock.domain.errors import InvalidRequestError
from civitai_mock.domain.job import Job
from civitai_mock.domain.json_types import Json, JsonObject
from civitai_mock.domain.resource import Resource
from civitai_mock.generation.graph import Graph, Skeleton
from civitai_mock.generation.job_types.request import JobRequest, Plan
from civitai_mock.generation.user_graph import (
    IMAGE_INPUT,
    file_references,
    graph_cost,
    image_sources,
    node_files,
    with_files,
    with_images,
)
from civitai_mock.generation.wire import JsonValue, RequestModel, Text, WireModel, at_most, image_url
from civitai_mock.generation.work import GraphWork, is_url

LEAST_COST = 1.0
MAX_IMAGES = 100
MAX_NODES, MAX_INPUTS = 5000, 1000


def _in_api_format(value: object) -> object:
    if isinstance(value, dict) and isinstance(value.get("nodes"), list):
        raise ValueError("This is a workflow of ComfyUI's editor; export it with 'Export (API)' and send that.")
    return value


def _with_valid_airs(inputs: dict[str, Json]) -> dict[str, Json]:
    faults = [_fault(message, name) for name, text in node_files(inputs) if (message := _air_fault(text))]
    if faults:
        raise ValidationError.from_exception_data("inputs", faults)
    return inputs


def _air_fault(text: str) -> str | None:
    try:
        Air.parse(text)
    except InvalidRequestError as error:
        return error.message
    return None


class ComfyNode(BaseModel):
    """A node in API format; `_meta` and other members are kept."""

    model_config = ConfigDict(extra="allow", frozen=True)

    class_type: Annotated[Text, Field(min_length=1)]
    inputs: Annotated[dict[str, JsonValue], at_most(MAX_INPUTS, "inputs of a node"), AfterValidator(_with_valid_airs)]


class ComfyParams(RequestModel):
    """`workflow` is a graph in API format: its nodes by their ids."""

    workflow: Annotated[
        dict[str, ComfyNode], Field(min_length=1), at_most(MAX_NODES, "nodes"), BeforeValidator(_in_api_format)
    ]

    @property
    def graph(self) -> Graph:
        return {node_id: node.model_dump() for node_id, node in self.workflow.items()}


def _with_valid_images(params: ComfyParams) -> ComfyParams:
    """Check the images, each of which is fetched, and sent to a server."""
    faults = list(_image_faults(image_sources(params.graph)))
    if faults:
        raise ValidationError.from_exception_data("params", faults)
    return params


def _image_faults(sources: Mapping[str, str]) -> Iterator[InitErrorDetails]:
    count = len(set(sources.values()))
    if count > MAX_IMAGES:
        yield _fault(f"A graph can load at most {MAX_IMAGES} different images; found {count}.", "workflow")
    for node_id, source in sources.items():
        try:
            if is_url(source):
                image_url(source)
        except ValueError as error:
            yield _fault(str(error), "workflow", node_id, "inputs", IMAGE_INPUT)


def _fault(message: str, *path: str) -> InitErrorDetails:
    kind = PydanticCustomError("input", "{message}", {"message": message})
    return InitErrorDetails(type=kind, loc=path, input=None)


class CompleteComfy(WireModel):
    """Is a request as it is stored; `files` has the name of each file by the AIR in the graph."""

    params: ComfyParams
    files: dict[str, str]


class ComfyJobRequest(JobRequest):
    """The job runs the user's own graph.

    An input that is a full AIR (`urn:air:…`) gets the name of its resource's file, and the `image` of a LoadImage
    node that is a URL or the key of a blob the name of that image; nothing else of the graph is touched. Every file
    of every output node is a result, and an asset.
    """

    wire_name: ClassVar[str] = "comfy"
    template_name: ClassVar[str] = "ComfyJobTemplate"
    job_type: ClassVar[str] = "Comfy"
    runs_graphs: ClassVar[bool] = True

    params: Annotated[ComfyParams, AfterValidator(_with_valid_images)]

    def references(self) -> Mapping[str, str]:
        return {f"params.workflow.{path}": text for path, text in file_references(self.params.graph).items()}

    def image_urls(self) -> Mapping[str, str]:
        sources = image_sources(self.params.graph)
        return {
            f"params.workflow.{node_id}.inputs.{IMAGE_INPUT}": source
            for node_id, source in sources.items()
            if is_url(source)
        }

    def plan(self, *, resources: Mapping[str, Resource], seed: int) -> Plan:  # noqa: ARG002 - the graph has its own
        named = {text: resources[text].for_job for text in self.references().values()}
        files = {text: resource.file_name for text, resource in named.items()}
        return Plan(
            request=CompleteComfy(params=self.params, files=files).model_dump(),
            resources=tuple({resource.air.key: resource for resource in named.values()}.values()),
            cost=max(graph_cost(self.params.graph), LEAST_COST),
        )

    @classmethod
    def work(cls, job: Job, skeletons: Mapping[str, Skeleton]) -> GraphWork:  # noqa: ARG003 - the graph is there
        request = CompleteComfy.model_validate(job.request)
        loading = with_images(with_files(request.params.graph, request.files), prefix=f"{job.id}_image_")
        return GraphWork(graph=loading.graph, images=loading.images)

    @classmethod
    def describe(cls, job: Job) -> JsonObject:
        """Return the graph as it was sent; it may be large, so it is not read again."""
        return {"params": job.request["params"]}
