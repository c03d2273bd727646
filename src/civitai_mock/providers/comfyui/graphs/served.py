"""Which ecosystems a server can serve, as far as its lists tell."""

from collections.abc import Mapping, Sequence

from civitai_mock.generation.work import GraphWork
from civitai_mock.providers.comfyui.graphs.catalogue import Catalogue
from civitai_mock.providers.comfyui.graphs.fitting import best_fit, roles_by_file


class Served:
    """Of one server; it is found out once for each of its catalogues."""

    def __init__(self, needs: Mapping[str, GraphWork]) -> None:
        """`needs` has work of each ecosystem, in which the model is a role."""
        self._needs = needs
        self._catalogue: Catalogue | None = None
        self._names: tuple[str, ...] = ()

    def ecosystems(self, catalogue: Catalogue | None) -> Sequence[str]:
        """None of them while nothing is known of the server."""
        if catalogue is not self._catalogue:
            self._catalogue = catalogue
            self._names = tuple(name for name, work in self._needs.items() if _runs(work, catalogue))
        return self._names


def _runs(work: GraphWork, catalogue: Catalogue | None) -> bool:
    graphs = [work.graph, *work.alternatives]
    return catalogue is not None and best_fit(graphs, catalogue, {}, roles_by_file(work.roles)).runs
