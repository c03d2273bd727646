"""A request for images as it is stored, complete, and as its owner sees it."""

from collections.abc import Mapping

from pydantic import Field

from civitai_mock.domain.json_types import JsonObject
from civitai_mock.generation.control_nets.request import CompleteControlNet
from civitai_mock.generation.networks.request import CompleteNetwork
from civitai_mock.generation.text_to_image.params import CompleteParams, named_extras
from civitai_mock.generation.wire import WireModel


class CompleteTextToImage(WireModel):
    """Holds a request for images; AIRs are those of the resources, in the order of the job's resources.

    `model_kind` is one of the model's ecosystem; it is stored, so that a restart builds the same graph.
    """

    base_model: str | None = None
    model: str
    model_kind: str | None = None
    params: CompleteParams
    additional_networks: dict[str, CompleteNetwork]
    control_nets: list[CompleteControlNet] = Field(default_factory=list)
    quantity: int

    @property
    def cost(self) -> float:
        """Return the cost of all images in Buzz."""
        return self.params.cost * self.quantity

    def with_names(self, names: Mapping[str, str]) -> JsonObject:
        """Return the request with a name in the place of each AIR."""
        request = self.model_dump(exclude_none=True, exclude={"quantity", "model_kind"})
        params, control_nets = request["params"], request["controlNets"]
        return {
            **request,
            "model": names[self.model],
            "params": {**params, **named_extras(params, names)},
            "additionalNetworks": {names[air]: network for air, network in request["additionalNetworks"].items()},
            "controlNets": [{**net, "model": names[net["model"]]} if "model" in net else net for net in control_nets],
        }
