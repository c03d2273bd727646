"""Tell which resources the workers that are ready can use."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from civitai_mock.domain.air import Air, Reference, parse_reference
from civitai_mock.domain.errors import InvalidRequestError
from civitai_mock.domain.resource import Resource
from civitai_mock.generation.ecosystems import find_ecosystem, is_model
from civitai_mock.generation.networks.request import job_resource
from civitai_mock.ports import Provider, ResourceStore


class Availability(StrEnum):
    """v1 description.

    Unknown is an AIR that does not tell its ecosystem and is not among the resources, Unsupported one of an ecosystem
    whose models nobody here can run, Unavailable one that is not among the resources or that no worker has.
    """

    UNKNOWN = "Unknown"
    UNSUPPORTED = "Unsupported"
    UNAVAILABLE = "Unavailable"
    AVAILABLE = "Available"


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """`workers` is how many are ready and have the resource."""

    availability: Availability
    workers: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TellCoverage:
    resources: ResourceStore
    provider: Provider

    async def __call__(self, texts: Sequence[str]) -> Mapping[str, Coverage]:
        """By the texts as they were sent; raise `InvalidRequestError` for one that is no AIR."""
        references = {text: _parse(text) for text in texts}
        found = await self.resources.find(list(references.values()))
        return {text: self._of(reference, found.get(str(reference))) for text, reference in references.items()}

    def _of(self, reference: Reference, known: Resource | None) -> Coverage:
        if known is None:
            return Coverage(availability=_of_unknown(reference))
        if is_model(known.air) and find_ecosystem(known.air) is None:
            return Coverage(availability=Availability.UNSUPPORTED)
        workers = self.provider.workers_with([job_resource(known)])
        return Coverage(availability=Availability.AVAILABLE if workers else Availability.UNAVAILABLE, workers=workers)


def _of_unknown(reference: Reference) -> Availability:
    if not isinstance(reference, Air) or reference.ecosystem is None:
        return Availability.UNKNOWN
    return Availability.UNSUPPORTED if find_ecosystem(reference) is None else Availability.UNAVAILABLE


def _parse(text: str) -> Reference:
    try:
        return parse_reference(text)
    except InvalidRequestError as error:
        raise InvalidRequestError(error.message, errors={"model": [error.message]}) from error
