"""Check a submission before it is stored: find the resources that it names, and the jobs that its jobs depend on."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from graphlib import CycleError, TopologicalSorter
from typing import TypeGuard

from civitai_mock.domain.air import Air, Reference, parse_reference
from civitai_mock.domain.errors import InvalidRequestError
from civitai_mock.domain.resource import Resource, named
from civitai_mock.generation.job_types.request import JobRequest
from civitai_mock.generation.wire import fault, invalid
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """`path` is where the request says that `job` depends on `on`; both are paths of templates."""

    path: str
    job: str
    on: str


def resolve_dependencies(requests: Mapping[str, JobRequest]) -> Mapping[str, Sequence[str]]:
    """The paths of the templates that each template depends on, by its own path.

    Raise `InvalidRequestError` for a name that no template has, or several have, and for a circle.
    """
    edges = _edges(requests)
    _check_circles(edges)
    found: dict[str, dict[str, None]] = {path: {} for path in requests}  # each once, in their order
    for edge in edges:
        found[edge.job][edge.on] = None
    return {path: list(others) for path, others in found.items()}


def _edges(requests: Mapping[str, JobRequest]) -> Sequence[Edge]:
    paths = {request.name: path for path, request in requests.items() if request.name is not None}
    times = Counter(request.name for request in requests.values())
    edges: list[Edge] = []
    errors: dict[str, list[str]] = {}
    for job, request in requests.items():
        for index, name in enumerate(request.dependencies or ()):
            path = f"{job}.dependencies[{index}]" if job else f"dependencies[{index}]"
            if times[name] == 1:
                edges.append(Edge(path=path, job=job, on=paths[name]))
            else:
                errors[path] = [_complaint(name, times[name])]
    if errors:
        raise invalid(errors)
    return edges


def _complaint(name: str, times: int) -> str:
    found = "has no template" if not times else f"has {times} templates"
    return f"The request {found} with the name '{name}'."


def _check_circles(edges: Sequence[Edge]) -> None:
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for edge in edges:
        sorter.add(edge.job, edge.on)
    try:
        sorter.prepare()
    except CycleError as error:
        on, job = error.args[1][:2]
        raise _circle(edges, job=job, on=on) from error


def _circle(edges: Sequence[Edge], *, job: str, on: str) -> InvalidRequestError:
    path = next(edge.path for edge in edges if (edge.job, edge.on) == (job, on))
    return fault(path, "This job would wait for itself.")
