"""Find the resources that requests name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeGuard

from civitai_mock.domain.air import Air, Reference, parse_reference
from civitai_mock.domain.errors import InvalidRequestError
from civitai_mock.domain.resource import Resource, named
from civitai_mock.generation.job_types.request import JobRequest
from civitai_mock.ports import ResourceStore


class MissingResources(StrEnum):
    """What to do with an AIR that is not in the resources."""

    STRICT = "strict"
    LENIENT = "lenient"


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """Resources by their texts in the requests; those of `new` are made up and not stored yet."""

    resources: Mapping[str, Resource]
    new: Sequence[Resource]


async def find_named(
    requests: Mapping[str, JobRequest], resources: ResourceStore, missing_resources: MissingResources
) -> Named:
    """Raise `InvalidRequestError` with the path of each AIR that is missing, and may not be or cannot be made up."""
    paths = {
        text: f"{place}.{path}" if place else path
        for place, request in requests.items()
        for path, text in request.references().items()
    }
    references = {text: parse_reference(text) for text in paths}
    found = await resources.find(list(references.values()))
    known = {text: found[str(reference)] for text, reference in references.items() if str(reference) in found}
    missing = {text: path for text, path in paths.items() if text not in known}
    if missing and missing_resources is MissingResources.STRICT:
        raise InvalidRequestError(
            "One or more resources do not exist.",
            errors={path: [f"The resource '{text}' does not exist."] for text, path in missing.items()},
        )
    new: dict[str, Resource] = {}
    whole_first = sorted(missing, key=lambda text: not _is_whole(references[text]))
    made_up = {text: _made_up(missing[text], text, references[text], new) for text in whole_first}
    return Named(resources=known | made_up, new=list(new.values()))


def _made_up(path: str, text: str, reference: Reference, new: dict[str, Resource]) -> Resource:
    """One for all spellings of it, kept in `new` by its identity."""
    found = named(reference, new.values())
    if found is not None:
        return found
    if not _is_whole(reference):
        message = f"The resource '{text}' does not exist, and cannot be made up without its ecosystem and type."
        raise InvalidRequestError(message, errors={path: [message]})
    air = reference.without_file
    return new.setdefault(air.identity, Resource(air=air, fields={}))


def _is_whole(reference: Reference) -> TypeGuard[Air]:
    return isinstance(reference, Air) and bool(reference.ecosystem and reference.type)
