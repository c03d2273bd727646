"""The way of one graph to a worker that can run it."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import structlog

from civitai_mock.domain.errors import JobError, MockError
from civitai_mock.domain.job import NORMAL
from civitai_mock.domain.json_types import JsonObject, ReadOnlyJson
from civitai_mock.providers.comfyui.graphs.catalogue import Catalogue
from civitai_mock.providers.comfyui.graphs.file_names import Resources
from civitai_mock.providers.comfyui.graphs.localize import NO_ROLES, LocalizedGraph, Roles, localize_best
from civitai_mock.providers.comfyui.graphs.missing import SentGraph, unrunnable_error
from civitai_mock.providers.comfyui.protocol.prompt_errors import unlisted_inputs
from civitai_mock.providers.comfyui.workers.worker import Worker

logger = structlog.stdlib.get_logger()

NOT_FOUND = re.compile(r"not found|no such file", re.IGNORECASE)


class WaitLog:
    """Says of one prompt once that it waits for a server, and once that it goes on."""

    def __init__(self) -> None:
        self._waits = False

    def waits(self, reason: str) -> None:
        if not self._waits:
            self._waits = True
            logger.info("job waits for a server", reason=reason)

    def goes_on(self, worker_id: str) -> None:
        if self._waits:
            self._waits = False
            logger.info("job goes on", worker_id=worker_id)


@dataclass(slots=True, kw_only=True, eq=False)
class Search:
    """The way of one graph, or of an alternative to it, to a worker.

    A higher `priority` goes first. The workers in `failed` have been tried, those in `recorded` in an earlier round.
    Those that were `left` come last. `waited` says that time has passed. The `dropped` ones of the
    `optional` nodes have failed everywhere, and said why.
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
    log: WaitLog = field(default_factory=WaitLog)
    dropped: Mapping[str, str] = field(default_factory=dict)
    _fits: dict[str, tuple[Catalogue, LocalizedGraph]] = field(default_factory=dict)

    def fit_of(self, worker: Worker) -> LocalizedGraph | None:
        """None while nothing is known of the worker's files."""
        catalogue = worker.health.catalogue
        if catalogue is None:
            return None
        known = self._fits.get(worker.id)
        if known is None or known[0] is not catalogue:
            found = localize_best(
                [self.graph, *self.alternatives],
                catalogue,
                self.resources,
                self.roles,
                words_name_embeddings=self.words_name_embeddings,
                optional=self.optional,
                dropped=self.dropped,
            )
            known = self._fits[worker.id] = (catalogue, found)
        return known[1]

    async def was_outdated(self, worker: Worker) -> bool:
        """Whether the worker lacks, by lists that are read now, what it had by those that it was chosen by."""
        before = self.fit_of(worker)
        await worker.health.refresh()
        found = self.fit_of(worker)
        return found is not None and (not found.is_runnable or self._left_out(found) > self._left_out(before))

    def fullest(self, workers: Sequence[Worker]) -> Sequence[Worker]:
        """Return the workers that leave out the least of what a graph could do without."""
        left_out = {worker: self._left_out(self.fit_of(worker)) for worker in workers}
        least = min(left_out.values(), default=0)
        return [worker for worker, count in left_out.items() if count == least]

    def has_all_on(self, workers: Sequence[Worker]) -> bool:
        """Whether nothing of the graph is left out there: else their lists may be old."""
        return not any(self._left_out(self.fit_of(worker)) for worker in workers)

    def _left_out(self, found: LocalizedGraph | None) -> int:
        return len(found.left_out if found else self.optional)

    def refused_by(self, worker: Worker, graph: ReadOnlyJson, refusal: JobError) -> JobError:
        """What a server refused a graph for that is in its own names; files are told of as if they were in no list."""
        sent = self._sent(worker, graph)
        missing = [found for node_id, name in unlisted_inputs(refusal) if (found := sent.find_missing(node_id, name))]
        return unrunnable_error([*map(str, missing)], missing) if missing else refusal

    def failed_by(self, worker: Worker, graph: ReadOnlyJson, error: JobError) -> JobError:
        """What a node failed by; a file that it did not find is told of like any other."""
        text, node_id = str(error.evidence.get("exception_message")), str(error.evidence.get("node_id"))
        missing = self._sent(worker, graph).find_mentioned(node_id, text) if NOT_FOUND.search(text) else None
        return unrunnable_error([str(missing)], [missing]) if missing else error

    def _sent(self, worker: Worker, graph: ReadOnlyJson) -> SentGraph:
        return SentGraph(graph=graph, catalogue=worker.health.catalogue or Catalogue(), resources=self.resources)

    def suits(self, worker: Worker) -> bool:
        """As far as is known: a worker that was never reached may have anything."""
        found = self.fit_of(worker)
        return found is None or found.is_runnable

    def may_use(self, worker: Worker) -> bool:
        return worker.id not in self.failed and self.suits(worker)
