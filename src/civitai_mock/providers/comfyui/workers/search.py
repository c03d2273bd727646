"""The way of one graph to a worker that can run it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from civitai_mock.domain.errors import MockError
from civitai_mock.domain.json import JsonObject, ReadOnlyJson
from civitai_mock.domain.priority import NORMAL
from civitai_mock.providers.comfyui.graphs.catalogue import Catalogue
from civitai_mock.providers.comfyui.graphs.files import Resources
from civitai_mock.providers.comfyui.graphs.fitting import NO_ROLES, Fit, Roles, best_fit
from civitai_mock.providers.comfyui.workers.worker import Worker


@dataclass(slots=True, kw_only=True, eq=False)
class Search:
    """The way of one graph, or of an alternative to it, to a worker.

    A higher `priority` goes first. The workers in `failed` have been tried, those in `recorded` in an earlier round.
    Those that were `left` come last. `waited` says that time has passed.
    """

    graph: JsonObject
    resources: Resources
    priority: int = NORMAL
    alternatives: Sequence[ReadOnlyJson] = ()
    roles: Roles = field(default_factory=lambda: NO_ROLES)
    words_name_embeddings: bool = False
    optional: Collection[str] = ()
    waited: bool = False
    failed: dict[str, MockError] = field(default_factory=dict)
    recorded: Collection[str] = ()
    left: Collection[str] = ()
    _fits: dict[str, tuple[Catalogue, Fit]] = field(default_factory=dict)

    def fit_of(self, worker: Worker) -> Fit | None:
        """None while nothing is known of the worker's files."""
        catalogue = worker.health.catalogue
        if catalogue is None:
            return None
        known = self._fits.get(worker.id)
        if known is None or known[0] is not catalogue:
            found = best_fit(
                [self.graph, *self.alternatives],
                catalogue,
                self.resources,
                self.roles,
                words_name_embeddings=self.words_name_embeddings,
                optional=self.optional,
            )
            known = self._fits[worker.id] = (catalogue, found)
        return known[1]

    async def was_outdated(self, worker: Worker) -> bool:
        """Whether the worker lacks, by lists that are read now, what it had by those that it was chosen by."""
        before = self.fit_of(worker)
        await worker.health.refresh()
        found = self.fit_of(worker)
        return found is not None and (not found.runs or self._left_out(found) > self._left_out(before))

    def fullest(self, workers: Sequence[Worker]) -> Sequence[Worker]:
        """Those that leave out the least of what a graph could do without."""
        left_out = {worker: self._left_out(self.fit_of(worker)) for worker in workers}
        least = min(left_out.values(), default=0)
        return [worker for worker, count in left_out.items() if count == least]

    def has_all_on(self, workers: Sequence[Worker]) -> bool:
        """Whether nothing of the graph is left out there: else their lists may be old."""
        return not any(self._left_out(self.fit_of(worker)) for worker in workers)

    def _left_out(self, found: Fit | None) -> int:
        return len(found.left_out if found else self.optional)

    def suits(self, worker: Worker) -> bool:
        """As far as is known: a worker that was never reached may have anything."""
        found = self.fit_of(worker)
        return found is None or found.runs

    def may_use(self, worker: Worker) -> bool:
        return worker.id not in self.failed and self.suits(worker)
