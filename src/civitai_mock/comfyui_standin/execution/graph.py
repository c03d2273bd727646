"""The links of an accepted graph, and the order in which its nodes run."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeAlias, TypeGuard

from civitai_mock.comfyui_standin.execution.failures import NodeFailedError

# Nodes that no output needs were not validated and may still have any shape.
AcceptedGraph: TypeAlias = Mapping[str, Any]


def is_link(value: Any) -> TypeGuard[list[Any]]:
    return isinstance(value, list) and len(value) == 2 and isinstance(value[0], str) and type(value[1]) in {int, float}


def sources(graph: AcceptedGraph, node_id: str) -> Iterator[str]:
    """Return the nodes that a node's inputs come from, in the order of its inputs."""
    return (value[0] for value in graph[node_id]["inputs"].values() if is_link(value))


class RunOrder:
    """Puts the nodes that some outputs need into ComfyUI's order, so that transcripts can be compared.

    Nothing above a cached node is run. A link to a node that does not exist raises KeyError.
    """

    def __init__(
        self,
        graph: AcceptedGraph,
        outputs: Iterable[str],
        *,
        is_cached: Callable[[str], bool],
        is_output: Callable[[str], bool],
    ) -> None:
        self._is_output = is_output
        self._blockers: dict[str, set[str]] = {}
        self._blocked: dict[str, list[str]] = {}
        for output in outputs:
            self._add(graph, output, is_cached)

    def _add(self, graph: AcceptedGraph, output: str, is_cached: Callable[[str], bool]) -> None:
        waiting = [output]
        while waiting:
            node_id = waiting.pop()
            if node_id in self._blockers:
                continue
            needed = [source for source in sources(graph, node_id) if not is_cached(source)]
            self._blockers[node_id] = set(needed)
            waiting += needed
            for source in needed:
                self._blocked.setdefault(source, []).append(node_id)

    def take(self) -> str | None:
        """Return the next node, or None when all have been taken; call `mark_done` before taking another.

        Raise `NodeFailedError` if all that are left wait for each other, over links that validation does not see.
        """
        ready = [node_id for node_id, blockers in self._blockers.items() if not blockers]
        if not ready and self._blockers:
            raise NodeFailedError("graph.DependencyCycleError", "Dependency cycle detected")
        if not ready:
            return None
        chosen = self._nearest_to_output(ready)
        del self._blockers[chosen]
        return chosen

    def mark_done(self, node_id: str) -> None:
        for blocked in self._blocked.pop(node_id, ()):
            self._blockers[blocked].discard(node_id)

    def _nearest_to_output(self, ready: list[str]) -> str:
        """Prefer outputs, then nodes one step before one, then two steps: people like to see images early."""
        for steps in range(3):
            for node_id in ready:
                if self._leads_to_output(node_id, steps):
                    return node_id
        return ready[0]

    def _leads_to_output(self, node_id: str, steps: int) -> bool:
        if not steps:
            return self._is_output(node_id)
        return any(self._leads_to_output(after, steps - 1) for after in self._blocked.get(node_id, ()))
