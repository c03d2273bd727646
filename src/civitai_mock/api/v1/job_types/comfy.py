"""`comfy` runs the user's own graph."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from civitai_mock.api.v1.job_types.request import JobRequest
from civitai_mock.api.v1.wire import JsonValue, RequestModel, Text
from civitai_mock.api.validation import at_most
from civitai_mock.domain.job import Job
from civitai_mock.domain.json_types import Json, JsonObject
from civitai_mock.generation.graph import Graph
from civitai_mock.generation.job_types.comfy import ComfyDraft, ComfySpec
from civitai_mock.generation.user_graph import MAX_INPUTS, MAX_NODES, air_faults, image_faults


def _in_api_format(value: object) -> object:
    if isinstance(value, dict) and isinstance(value.get("nodes"), list):
        raise ValueError("This is a workflow of ComfyUI's editor; export it with 'Export (API)' and send that.")
    return value


def _with_valid_airs(inputs: dict[str, Json]) -> dict[str, Json]:
    faults = [_fault(message, name) for name, message in air_faults(inputs)]
    if faults:
        raise ValidationError.from_exception_data("inputs", faults)
    return inputs


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
    faults = [_fault(message, "workflow", *way) for way, message in image_faults(params.graph)]
    if faults:
        raise ValidationError.from_exception_data("params", faults)
    return params


def _fault(message: str, *path: str) -> InitErrorDetails:
    kind = PydanticCustomError("input", "{message}", {"message": message})
    return InitErrorDetails(type=kind, loc=path, input=None)


class ComfyJobRequest(JobRequest):
    """The job runs the user's own graph.

    An input that is a full AIR (`urn:air:…`) gets the name of its resource's file, and the `image` of a LoadImage
    node that is a URL or the key of a blob the name of that image; nothing else of the graph is touched. Every file
    of every output node is a result, and an asset.
    """

    wire_name: ClassVar[str] = "comfy"
    template_name: ClassVar[str] = "ComfyJobTemplate"
    job_type: ClassVar[str] = ComfySpec.job_type
    FIELDS: ClassVar[Mapping[str, str]] = {"graph.": "params.workflow."}

    params: Annotated[ComfyParams, AfterValidator(_with_valid_images)]

    def draft(self) -> ComfyDraft:
        return ComfyDraft(graph=self.params.graph)

    @classmethod
    def describe(cls, job: Job) -> JsonObject:
        """Return the graph as it was sent; it may be large, so it is not read again."""
        return {"params": job.spec["params"]}
