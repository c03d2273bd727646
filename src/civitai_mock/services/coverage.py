"""Tell which resources the simulated workers can use."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from civitai_mock.domain.air import Air, CompressedAir, parse_reference
from civitai_mock.domain.errors import InvalidRequestError
from civitai_mock.generation.ecosystems import find_ecosystem
from civitai_mock.ports import ResourceStore

WORKERS = 1  # all schedulers together are one simulated worker, which can load any resource


class Availability(StrEnum):
    """v1 description.

    Unknown is an AIR that does not tell its ecosystem and is not among the resources, Unsupported one of an ecosystem
    that cannot be simulated, Unavailable one of a known ecosystem that is not among the resources.
    """

    UNKNOWN = "Unknown"
    UNSUPPORTED = "Unsupported"
    UNAVAILABLE = "Unavailable"
    AVAILABLE = "Available"

    @property
    def workers(self) -> int:
        """How many can use it."""
        return WORKERS if self is Availability.AVAILABLE else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TellCoverage:
    resources: ResourceStore

    async def __call__(self, texts: Sequence[str]) -> Mapping[str, Availability]:
        """By the texts as they were sent; raise `InvalidRequestError` for one that is no AIR."""
        references = {text: _parse(text) for text in texts}
        found = await self.resources.find(list(references.values()))
        told: dict[str, Availability] = {}
        for text, reference in references.items():
            known = found.get(str(reference))
            told[text] = _of(known.air if known else reference, exists=known is not None)
        return told


def _of(reference: Air | CompressedAir, *, exists: bool) -> Availability:
    if not isinstance(reference, Air) or reference.ecosystem is None:
        return Availability.UNKNOWN
    if find_ecosystem(reference) is None:
        return Availability.UNSUPPORTED
    return Availability.AVAILABLE if exists else Availability.UNAVAILABLE


def _parse(text: str) -> Air | CompressedAir:
    try:
        return parse_reference(text)
    except InvalidRequestError as error:
        raise InvalidRequestError(error.message, errors={"model": [error.message]}) from error
