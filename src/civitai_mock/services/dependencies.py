"""Find the jobs of a request that others of it depend on, by their names."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from civitai_mock.domain.errors import InvalidRequestError
from civitai_mock.generation.job_types.request import JobRequest
from civitai_mock.generation.wire import fault, invalid


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
