"""Read `additionalNetworks`."""

from typing import Annotated

from pydantic import AfterValidator, Field, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from civitai_mock.api.v1.wire import Name, Number, PromptText, Reference, RequestModel, Text
from civitai_mock.api.validation import at_most
from civitai_mock.domain.air import parse_reference
from civitai_mock.domain.errors import InvalidRequestError
from civitai_mock.generation.networks.kinds import KIND_NAMES, MAX_STRENGTH, find_kind
from civitai_mock.generation.networks.resources import MAX_NETWORKS, NetworkDraft


def _type(text: str) -> str:
    if find_kind(text) is None:
        raise ValueError(f"'{text}' is not a type of network; use one of {', '.join(KIND_NAMES)}.")
    return text


class ImageJobNetworkParams(RequestModel):
    """`id` is the AIR, where the key is only a name."""

    id: Reference | None = None
    type: Annotated[Name, AfterValidator(_type)] | None = None
    strength: Annotated[Number, Field(ge=-MAX_STRENGTH, le=MAX_STRENGTH)] | None = None
    """1 if there is none."""
    trigger_word: PromptText | None = None

    def draft(self, key: str) -> NetworkDraft:
        """Return the network under `key`, which is its AIR or a name."""
        return NetworkDraft(
            air=self.id or key,
            name=f"{key}.id" if self.id else None,
            type=self.type,
            strength=self.strength,
            trigger_word=self.trigger_word,
        )


def _with_airs(networks: dict[str, ImageJobNetworkParams]) -> dict[str, ImageJobNetworkParams]:
    """Check that every network has an AIR: in its `id`, or as its key."""
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
        return f"{error.message}; give the AIR in 'id' where the key is a name of yours."
    return None


NetworkMap = Annotated[
    dict[Text, ImageJobNetworkParams],
    Field(max_length=MAX_NETWORKS),
    at_most(MAX_NETWORKS, "networks"),
    AfterValidator(_with_airs),
]
