"""`additionalNetworks`: as a request writes them, and complete."""

from typing import Annotated

from pydantic import AfterValidator, Field, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from civitai_mock.domain.air import parse_reference
from civitai_mock.domain.errors import InvalidRequestError
from civitai_mock.generation.network import KIND_NAMES, find_kind
from civitai_mock.generation.wire import Name, Number, PromptText, Reference, Text, WireModel, at_most

MAX_STRENGTH = 100
MAX_NETWORKS = 100  # ComfyUI follows a chain of nodes by calls within calls, which have an end


def _type(text: str) -> str:
    if find_kind(text) is None:
        raise ValueError(f"'{text}' is not a type of network; known: {', '.join(KIND_NAMES)}.")
    return text


class CompleteNetwork(WireModel):
    """`type` is the name of a kind."""

    type: str
    strength: Number
    trigger_word: str | None = None


class ImageJobNetworkParams(WireModel):
    """`id` is the AIR, where the key is only a name."""

    id: Reference | None = None
    type: Annotated[Name, AfterValidator(_type)] | None = None
    strength: Annotated[Number, Field(ge=-MAX_STRENGTH, le=MAX_STRENGTH)] | None = None
    """1 if there is none."""
    trigger_word: PromptText | None = None

    def complete(self, kind_name: str) -> CompleteNetwork:
        strength = 1 if self.strength is None else self.strength
        word = self.trigger_word if self.trigger_word and self.trigger_word.strip() else None
        return CompleteNetwork(type=kind_name, strength=strength, trigger_word=word)


def _named(networks: dict[str, ImageJobNetworkParams]) -> dict[str, ImageJobNetworkParams]:
    """Every network has an AIR: in its `id`, or as its key."""
    faults = [
        InitErrorDetails(type=PydanticCustomError("air", "{message}", {"message": message}), loc=(key,), input=key)
        for key, network in networks.items()
        if network.id is None and (message := _key_fault(key))
    ]
    if faults:
        raise ValidationError.from_exception_data("additionalNetworks", faults)
    return networks


def _key_fault(key: str) -> str | None:
    try:
        parse_reference(key)
    except InvalidRequestError as error:
        return f"{error.message}; a network that is keyed by a name of yours has its AIR in 'id'."
    return None


NetworkMap = Annotated[
    dict[Text, ImageJobNetworkParams],
    Field(max_length=MAX_NETWORKS),
    at_most(MAX_NETWORKS, "networks"),
    AfterValidator(_named),
]
