"""Checks of a submission: the resources that it names, the image URLs in it, and what its jobs depend on."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from graphlib import CycleError, TopologicalSorter
from typing import TypeGuard

from civitai_mock.domain.air import Air, Reference, parse_reference
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import (
    ForbiddenError,
    InvalidRequestError,
    MissingResourcesError,
    NotFoundError,
    fault,
    invalid,
)
from civitai_mock.domain.resource import Resource, find_named
from civitai_mock.ports import ResourceStore
from civitai_mock.services.blob_urls import OwnBlobLinks
from civitai_mock.services.host_policy import HostPolicy, invalid_url, unusable_url
from civitai_mock.services.job_template import JobTemplate


class MissingResources(StrEnum):
    """Says whether an AIR that is not among the resources is refused (strict) or a resource made up (lenient)."""

    STRICT = "strict"
    LENIENT = "lenient"


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedResources:
    """Holds all resources by their texts in the drafts; those in `made_up` are not stored yet."""

    resources: Mapping[str, Resource]
    made_up: Sequence[Resource]


async def find_named_resources(
    templates: Sequence[JobTemplate], resources: ResourceStore, missing_resources: MissingResources
) -> NamedResources:
    """Find the resources that the templates name, or make them up.

    Raise `InvalidRequestError`, with the paths, for missing ones that may not be made up or cannot be, and for texts
    that are not AIRs.
    """
    references = _references(templates)
    found = await resources.find(list(references.values()))
    known = {text: found[name] for text, reference in references.items() if (name := str(reference)) in found}
    if len(known) == len(references):
        return NamedResources(resources=known, made_up=())
    missing = {text: path for text, path in _paths(templates).items() if text not in known}
    if missing_resources is MissingResources.STRICT:
        raise MissingResourcesError(missing)
    by_identity: dict[str, Resource] = {}
    complete_first = sorted(missing, key=lambda text: not _is_complete(references[text]))
    made_up = {text: _make_up(missing[text], text, references[text], by_identity) for text in complete_first}
    return NamedResources(resources=known | made_up, made_up=list(by_identity.values()))


def _references(templates: Sequence[JobTemplate]) -> Mapping[str, Reference]:
    """Read the references by their texts."""
    try:
        return {text: parse_reference(text) for template in templates for text in template.draft.references().values()}
    except InvalidRequestError as error:
        raise invalid(dict(_bad_references(templates))) from error


def _bad_references(templates: Sequence[JobTemplate]) -> Iterator[tuple[str, list[str]]]:
    for text, path in _paths(templates).items():
        try:
            parse_reference(text)
        except InvalidRequestError as error:
            yield path, [error.message]


def _paths(templates: Sequence[JobTemplate]) -> Mapping[str, str]:
    """Return where each reference stands in the body, by its text."""
    return {
        text: template.path_of(field) for template in templates for field, text in template.draft.references().items()
    }


def _make_up(path: str, text: str, reference: Reference, made_up: dict[str, Resource]) -> Resource:
    """Return one resource for all spellings of an AIR; a new one is added to `made_up` by its identity."""
    found = find_named(reference, made_up.values())
    if found is not None:
        return found
    if not _is_complete(reference):
        message = f"The resource '{text}' does not exist, and cannot be made up without its ecosystem and type."
        raise InvalidRequestError(message, errors={path: [message]})
    air = reference.without_file
    return made_up.setdefault(air.identity, Resource(air=air, fields={}))


def _is_complete(reference: Reference) -> TypeGuard[Air]:
    return isinstance(reference, Air) and bool(reference.ecosystem and reference.type)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageUrls:
    """Checks the URLs of images that requests name.

    A URL of one of our blobs leads to the store, so its host does not matter. Without `hosts` other URLs are not
    checked, because nothing is fetched.
    """

    own_links: OwnBlobLinks
    hosts: HostPolicy | None

    def check(self, url: str, *, path: str) -> None:
        """Raise `InvalidRequestError` for a URL that can never be used."""
        try:
            link = self.own_links.find(url)
        except (ForbiddenError, NotFoundError) as error:
            raise unusable_url(path, error.message) from error
        except ValueError as error:
            raise unusable_url(path, invalid_url(path)) from error
        if link is None and self.hosts is not None:
            self.hosts.check(url, path=path)


@dataclass(frozen=True, slots=True, kw_only=True)
class DependencyEdge:
    """Says that `job` depends on `on`, both by their places among the templates; `path` is where that is said."""

    path: str
    job: int
    on: int


def resolve_dependencies(templates: Sequence[JobTemplate]) -> Sequence[Sequence[int]]:
    """Return for each template the places of those that it depends on.

    Raise `InvalidRequestError` for a name that no template has, or several have, and for a cycle.
    """
    if not any(template.dependencies for template in templates):
        return [()] * len(templates)
    edges = _edges(templates)
    _check_cycles(edges)
    found: list[dict[int, None]] = [{} for _ in templates]  # each once, in their order
    for edge in edges:
        found[edge.job][edge.on] = None
    return [list(others) for others in found]


def _edges(templates: Sequence[JobTemplate]) -> Sequence[DependencyEdge]:
    places = {template.name: place for place, template in enumerate(templates) if template.name is not None}
    times = Counter(template.name for template in templates)
    edges: list[DependencyEdge] = []
    errors: dict[str, list[str]] = {}
    for job, template in enumerate(templates):
        for index, name in enumerate(template.dependencies):
            path = template.path_of(f"dependencies[{index}]")
            if times[name] == 1:
                edges.append(DependencyEdge(path=path, job=job, on=places[name]))
            else:
                found = f"has {times[name]} templates" if times[name] else "has no template"
                errors[path] = [f"The request {found} with the name '{name}'."]
    if errors:
        raise invalid(errors)
    return edges


def _check_cycles(edges: Sequence[DependencyEdge]) -> None:
    sorter: TopologicalSorter[int] = TopologicalSorter()
    for edge in edges:
        sorter.add(edge.job, edge.on)
    try:
        sorter.prepare()
    except CycleError as error:
        on, job = error.args[1][:2]
        path = next(edge.path for edge in edges if (edge.job, edge.on) == (job, on))
        raise fault(path, "This job would wait for itself.") from error
