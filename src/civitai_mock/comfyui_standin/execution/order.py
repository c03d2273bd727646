"""Which node runs next: ComfyUI's order, so that transcripts can be compared."""

from collections.abc import Callable, Iterable

from civitai_mock.comfyui_standin.execution.failures import NodeFailedError
from civitai_mock.comfyui_standin.execution.graph_links import AnyGraph, sources


class RunOrder:
    """Nodes to run for some outputs; what is cached is not gone behind. A KeyError is about a node that is missing."""

    def __init__(
        self,
        graph: AnyGraph,
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

    def _add(self, graph: AnyGraph, output: str, is_cached: Callable[[str], bool]) -> None:
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
        """The next node, or None when all have been taken; call `done` before the next.

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

    def done(self, node_id: str) -> None:
        for blocked in self._blocked.pop(node_id, ()):
            self._blockers[blocked].discard(node_id)

    def _nearest_to_output(self, ready: list[str]) -> str:
        """Outputs first, then what leads to one in a single step, then in two; people like to see images early."""
        for steps in range(3):
            for node_id in ready:
                if self._leads_to_output(node_id, steps):
                    return node_id
        return ready[0]

    def _leads_to_output(self, node_id: str, steps: int) -> bool:
        if not steps:
            return self._is_output(node_id)
        return any(self._leads_to_output(after, steps - 1) for after in self._blocked.get(node_id, ()))
