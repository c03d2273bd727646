"""Decide which workers can run one prompt: they have its files and nodes, and have not failed it yet."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import field

import structlog

from civitai_mock.domain.dataclass import dataclass
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
    """Logs once that a prompt waits for a server, and once that it goes on."""

    def __init__(self) -> None:
        self._is_waiting = False

    def log_waiting(self, reason: str) -> None:
        if not self._is_waiting:
            self._is_waiting = True
            logger.info("job waits for a server", reason=reason)

    def log_going_on(self, worker_id: str) -> None:
        if self._is_waiting:
            self._is_waiting = False
            logger.info("job goes on", worker_id=worker_id)


@dataclass(slots=True, kw_only=True, eq=False)
class Placement:
    """Is one prompt on its way to a worker, with its graph and the alternatives to it.

    A higher `priority` goes first. Only the worker with the id `only_on` may run it, if that is said; those that it is
    `rather_not_on` come last, and it is not moved to them. `errors` are those of the workers that have been tried, by
    their ids. The history of the `recorded` workers still has a failure of the prompt, `avoided` ones come late: it
    waited there in vain. `has_waited` says that time has passed. The `dropped` ones of the `optional` nodes have failed
    everywhere, each for its reason.
    """

    graph: JsonObject
    resources: Resources
    priority: int = NORMAL
    only_on: str | None = None
    rather_not_on: Collection[str] = ()
    alternatives: Sequence[ReadOnlyJson] = ()
    roles: Roles = field(default_factory=lambda: NO_ROLES)
    words_name_embeddings: bool = False
    optional: Collection[str] = ()
    has_waited: bool = False
    errors: dict[str, MockError] = field(default_factory=dict)
    recorded: Collection[str] = ()
    avoided: Collection[str] = ()
    log: WaitLog = field(default_factory=WaitLog)
    dropped: Mapping[str, str] = field(default_factory=dict)
    _localized: dict[str, tuple[Catalogue, LocalizedGraph]] = field(default_factory=dict)

    def allowed(self, workers: Sequence[Worker]) -> Sequence[Worker]:
        """Return the workers that are meant for it."""
        return workers if self.only_on is None else [worker for worker in workers if worker.id == self.only_on]

    def may_move_to(self, worker: Worker) -> bool:
        """Tell whether it may leave the server on which it waits for this one."""
        localized = self.localized_for(worker)
        is_meant = self.only_on is None and worker.id not in self.rather_not_on and worker.id not in self.errors
        return is_meant and localized is not None and localized.is_runnable

    def localized_for(self, worker: Worker) -> LocalizedGraph | None:
        """Return the graph in the worker's names; None while its files are unknown."""
        catalogue = worker.health.catalogue
        if catalogue is None:
            return None
        known = self._localized.get(worker.id)
        if known is None or known[0] is not catalogue:
            localized = localize_best(
                [self.graph, *self.alternatives],
                catalogue,
                self.resources,
                self.roles,
                words_name_embeddings=self.words_name_embeddings,
                optional=self.optional,
                dropped=self.dropped,
            )
            known = self._localized[worker.id] = (catalogue, localized)
        return known[1]

    def can_run_on(self, worker: Worker) -> bool:
        """Tell whether the worker has what the graph needs; one that was never reached may have anything."""
        localized = self.localized_for(worker)
        return worker in self.allowed([worker]) and (localized is None or localized.is_runnable)

    def may_use(self, worker: Worker) -> bool:
        """Tell whether the worker can run the graph, and has not been tried yet."""
        return worker.id not in self.errors and self.can_run_on(worker)

    async def was_outdated(self, worker: Worker) -> bool:
        """Read the worker's lists again; tell whether it lacks something that it had by the lists from before."""
        before = self.localized_for(worker)
        await worker.health.refresh()
        after = self.localized_for(worker)
        return after is not None and (
            not after.is_runnable or self._count_left_out(after) > self._count_left_out(before)
        )

    def most_complete(self, workers: Sequence[Worker]) -> Sequence[Worker]:
        """Return the workers that leave out the fewest of the optional nodes."""
        left_out = {worker: self._count_left_out(self.localized_for(worker)) for worker in workers}
        least = min(left_out.values(), default=0)
        return [worker for worker, count in left_out.items() if count == least]

    def is_complete_on(self, workers: Sequence[Worker]) -> bool:
        """Tell whether no optional node is left out on any of the workers; otherwise their lists may be old."""
        return not any(self._count_left_out(self.localized_for(worker)) for worker in workers)

    def explain_refusal(self, worker: Worker, graph: ReadOnlyJson, refusal: JobError) -> JobError:
        """Describe the files that a refusal is about like any missing file, whatever the worker's lists say."""
        sent = self._sent_graph(worker, graph)
        missing = [found for node_id, name in unlisted_inputs(refusal) if (found := sent.find_missing(node_id, name))]
        return unrunnable_error([*map(str, missing)], missing) if missing else refusal

    def explain_failure(self, worker: Worker, graph: ReadOnlyJson, error: JobError) -> JobError:
        """Describe a file that a node did not find like any missing file."""
        text, node_id = str(error.evidence.get("exception_message")), str(error.evidence.get("node_id"))
        sent = self._sent_graph(worker, graph)
        missing = sent.find_mentioned(node_id, text) if NOT_FOUND.search(text) else None
        return unrunnable_error([str(missing)], [missing]) if missing else error

    def _count_left_out(self, localized: LocalizedGraph | None) -> int:
        return len(localized.left_out if localized else self.optional)

    def _sent_graph(self, worker: Worker, graph: ReadOnlyJson) -> SentGraph:
        return SentGraph(graph=graph, catalogue=worker.health.catalogue or Catalogue(), resources=self.resources)
