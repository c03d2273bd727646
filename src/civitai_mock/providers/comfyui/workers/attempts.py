"""Which servers have failed a prompt, what each said of it, and what becomes of its job."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import structlog

from civitai_mock.domain.errors import MockError, RunFailedError, TransientError, TryElsewhereError
from civitai_mock.providers.comfyui.protocol.blame import Blame, blame_of, is_about_device
from civitai_mock.providers.comfyui.protocol.messages import NodeFailure
from civitai_mock.providers.comfyui.protocol.prompt_errors import combined_error, error_of_failure
from civitai_mock.providers.comfyui.workers.runs import Run
from civitai_mock.providers.comfyui.workers.search import Search
from civitai_mock.providers.comfyui.workers.worker import Worker

logger = structlog.stdlib.get_logger()

MOST_KNOWN = 10_000  # prompts; the oldest are forgotten first, at the price of a try in vain


@dataclass(slots=True, kw_only=True)
class Attempt:
    """One prompt: `said` is what servers said since it was started over, `before` what each said last.

    With `before` goes how many prompts had succeeded there by then. The history of the `recorded` ones still tells of
    the failure. It waited in vain on those that it has `left`. The optional nodes on which it failed everywhere are
    `dropped`.
    """

    search: Search
    said: dict[str, MockError] = field(default_factory=dict)
    before: dict[str, tuple[str, int]] = field(default_factory=dict)
    recorded: set[str] = field(default_factory=set)
    left: set[str] = field(default_factory=set)
    dropped: dict[str, str] = field(default_factory=dict)


class Attempts:
    """Keeps attempts by prompt id. A process that starts knows of none: then a server is asked once more."""

    def __init__(self, workers: Sequence[Worker]) -> None:
        self._workers = workers
        self._known: dict[str, Attempt] = {}

    def begin(self, prompt_id: str, search: Search) -> Search:
        """The search for a server, with what is known of earlier ones for the same prompt."""
        attempt = self._known.setdefault(prompt_id, Attempt(search=search))
        search.log, attempt.search = attempt.search.log, search
        search.failed, search.recorded = dict(attempt.said), attempt.recorded
        search.left, attempt.left = attempt.left, set()
        search.dropped = attempt.dropped
        while len(self._known) > MOST_KNOWN:
            del self._known[next(iter(self._known))]
        return search

    def recorded(self, prompt_id: str) -> set[str]:
        attempt = self._known.get(prompt_id)
        return attempt.recorded if attempt else set()

    def search(self, prompt_id: str) -> Search | None:
        attempt = self._known.get(prompt_id)
        return attempt.search if attempt else None

    def move_away(self, prompt_id: str, worker_id: str) -> None:
        """The next time, rather any other server than this one."""
        if prompt_id in self._known:
            self._known[prompt_id].left.add(worker_id)

    def forget(self, prompt_id: str) -> None:
        self._known.pop(prompt_id, None)

    def start_over(self, prompt_id: str) -> None:
        """Every server may try again."""
        if prompt_id in self._known:
            self._known[prompt_id].said.clear()

    def judge(self, run: Run, worker: Worker, failure: NodeFailure) -> MockError:
        """What a failure means: the job ends if it asked for what cannot be, or if all servers have failed it.

        With no other server that is there, the same one tries again, which costs the job a retry; but not for a file
        that it has not, and first without a node that the graph can do without.
        """
        error = self._judged(run, worker, failure)
        attempt = self._known.get(run.prompt_id)
        if isinstance(error, TryElsewhereError) or attempt is None or not _is_optional(failure, attempt.search):
            return error
        attempt.dropped[failure.node_id] = error.message
        attempt.said.clear()
        attempt.recorded.add(worker.id)
        logger.info("a node is left out", worker_id=worker.id, node_id=failure.node_id, reason=error.message)
        return TryElsewhereError(f"{worker.id}: {error.message}", **error.evidence)

    def judge_images(self, run: Run, worker: Worker, error: TransientError) -> MockError:
        """What it means that images cannot be had from the server that made them: another one makes them anew.

        With no other server that is there, the same one is asked again, which costs the job a retry.
        """
        attempt = self._known.get(run.prompt_id)
        if attempt is None:
            return error
        attempt.said[worker.id] = error
        if self._is_left_to_try(attempt):
            attempt.recorded.add(worker.id)
            logger.info("another server is tried", worker_id=worker.id, reason=error.message)
            return TryElsewhereError(error.message, **error.evidence)
        said = dict(attempt.said)
        attempt.said.clear()
        return combined_error(said)

    def _judged(self, run: Run, worker: Worker, failure: NodeFailure) -> MockError:
        """Judge as if the graph could do without nothing."""
        error, blame = error_of_failure(failure, worker.id), blame_of(failure)
        attempt = self._known.get(run.prompt_id)
        if attempt is None:
            return error if blame is Blame.REQUEST else RunFailedError(error.message, **error.evidence)
        if blame is Blame.REQUEST or self._is_said_again(attempt, worker, error.message, blame):
            worker.breaker.excuse(run.prompt_id)
            return error
        error = attempt.search.failed_by(worker, run.graph, error)
        attempt.said[worker.id] = error
        attempt.recorded.add(worker.id)
        if self._is_left_to_try(attempt):
            logger.info("another server is tried", worker_id=worker.id, blame=blame, reason=error.message)
            return TryElsewhereError(f"{worker.id}: {error.message}", **error.evidence)
        said = dict(attempt.said)
        attempt.said.clear()
        if blame is Blame.UNKNOWN and _say_the_same(said):
            self._excuse(said, run.prompt_id)
        is_final = len(said) > 1 or "missing" in error.evidence
        return combined_error(said) if is_final else RunFailedError(error.message, **error.evidence)

    def _is_said_again(self, attempt: Attempt, worker: Worker, message: str, blame: Blame) -> bool:
        """Whether nobody knows whose fault it is, but this prompt failed in the same way before, and others did not."""
        message_before, successes_before = attempt.before.get(worker.id, ("", 0))
        attempt.before[worker.id] = (message, worker.breaker.successes)
        return blame is Blame.UNKNOWN and message == message_before and successes_before < worker.breaker.successes

    def _excuse(self, worker_ids: Collection[str], prompt_id: str) -> None:
        for worker in self._workers:
            if worker.id in worker_ids:
                worker.breaker.excuse(prompt_id)

    def _is_left_to_try(self, attempt: Attempt) -> bool:
        """Whether a server that is there has said nothing of the prompt yet."""
        return any(
            worker.id not in attempt.said and worker.health.is_up and attempt.search.suits(worker)
            for worker in self._workers
        )


def _say_the_same(said: Mapping[str, MockError]) -> bool:
    """Whether several servers failed in one way, which tells of the request rather than of them."""
    return len(said) > 1 and len({str(error.evidence.get("exception_message")) for error in said.values()}) == 1


def _is_optional(failure: NodeFailure, search: Search) -> bool:
    """What a sick device says of a node would be said of the next one as well."""
    return failure.node_id in search.optional and not is_about_device(failure)
