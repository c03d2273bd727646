"""Remember which servers have failed a prompt and how, and decide whether its job ends or another server is tried."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import field

import structlog

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import MockError, RunFailedError, TransientError, TryElsewhereError
from civitai_mock.providers.comfyui.protocol.blame import Blame, blame_of, is_about_device
from civitai_mock.providers.comfyui.protocol.messages import NodeFailure
from civitai_mock.providers.comfyui.protocol.prompt_errors import combined_error, error_of_failure
from civitai_mock.providers.comfyui.workers.placement import Placement
from civitai_mock.providers.comfyui.workers.runs import Run
from civitai_mock.providers.comfyui.workers.worker import Worker

logger = structlog.stdlib.get_logger()

MOST_PROMPTS = 10_000  # the oldest are forgotten first, at the price of a try in vain
MOST_LOST_OUTPUTS = 1000


@dataclass(slots=True, kw_only=True)
class Attempt:
    """Is what is known of one prompt.

    `errors` are those of servers since all may try, by worker id; `last_failures` has the last message of each worker,
    and how many prompts had succeeded there by then. The history of the `recorded` workers still has a failure. The
    prompt waited in vain on those that are `avoided`. The `dropped` optional nodes have failed everywhere.
    """

    placement: Placement
    errors: dict[str, MockError] = field(default_factory=dict)
    last_failures: dict[str, tuple[str, int]] = field(default_factory=dict)
    recorded: set[str] = field(default_factory=set)
    avoided: set[str] = field(default_factory=set)
    dropped: dict[str, str] = field(default_factory=dict)


class Attempts:
    """Keeps attempts by prompt id. A process that starts knows of none: then a server is asked once more."""

    def __init__(self, workers: Sequence[Worker]) -> None:
        self._workers = workers
        self._attempts: dict[str, Attempt] = {}
        self._lost_outputs: dict[str, int] = {}

    def begin(self, prompt_id: str, placement: Placement) -> None:
        """Give a placement what is known of earlier ones for the same prompt."""
        attempt = self._attempts.setdefault(prompt_id, Attempt(placement=placement))
        placement.log, attempt.placement = attempt.placement.log, placement
        placement.errors, placement.recorded = dict(attempt.errors), attempt.recorded
        placement.avoided, attempt.avoided = attempt.avoided, set()
        placement.dropped = attempt.dropped
        while len(self._attempts) > MOST_PROMPTS:
            del self._attempts[next(iter(self._attempts))]

    def recorded(self, prompt_id: str) -> set[str]:
        """Return the ids of the workers whose history still has a failure of the prompt."""
        attempt = self._attempts.get(prompt_id)
        return attempt.recorded if attempt else set()

    def placement(self, prompt_id: str) -> Placement | None:
        attempt = self._attempts.get(prompt_id)
        return attempt.placement if attempt else None

    def avoid(self, prompt_id: str, worker_id: str) -> None:
        """Prefer any other server to this one the next time."""
        if prompt_id in self._attempts:
            self._attempts[prompt_id].avoided.add(worker_id)

    def forget(self, prompt_id: str) -> None:
        self._attempts.pop(prompt_id, None)

    def let_all_try_again(self, prompt_id: str) -> None:
        if prompt_id in self._attempts:
            self._attempts[prompt_id].errors.clear()

    def lost_outputs(self, prompt_id: str) -> int:
        """Return how many times a server had run the prompt, and its images could not be had."""
        return self._lost_outputs.get(prompt_id, 0)

    def add_lost_outputs(self, prompt_id: str) -> None:
        self._lost_outputs[prompt_id] = self.lost_outputs(prompt_id) + 1
        while len(self._lost_outputs) > MOST_LOST_OUTPUTS:
            del self._lost_outputs[next(iter(self._lost_outputs))]

    def judge_failure(self, run: Run, worker: Worker, failure: NodeFailure) -> MockError:
        """Return what a failure means: the job ends if it asked for the impossible, or if all servers have failed it.

        If no other server is up, the same one tries again, which costs the job a retry; but not for a file that it
        does not have, and first without a node that the graph can do without.
        """
        error = self._judge_as_required(run, worker, failure)
        attempt = self._attempts.get(run.prompt_id)
        if isinstance(error, TryElsewhereError) or attempt is None or not _is_optional(failure, attempt.placement):
            return error
        attempt.dropped[failure.node_id] = error.message
        attempt.errors.clear()
        attempt.recorded.add(worker.id)
        logger.info("a node is left out", worker_id=worker.id, node_id=failure.node_id, reason=error.message)
        return TryElsewhereError(f"{worker.id}: {error.message}", **error.evidence)

    def judge_lost_outputs(self, run: Run, worker: Worker, error: TransientError) -> MockError:
        """Return what it means that images cannot be had from their server: another one makes them anew.

        If no other server is up, the same one is asked again, which costs the job a retry.
        """
        attempt = self._attempts.get(run.prompt_id)
        if attempt is None:
            return error
        attempt.errors[worker.id] = error
        if self._has_untried_worker(attempt):
            attempt.recorded.add(worker.id)
            logger.info("another server is tried", worker_id=worker.id, reason=error.message)
            return TryElsewhereError(error.message, **error.evidence)
        return combined_error(_take_errors(attempt))

    def _judge_as_required(self, run: Run, worker: Worker, failure: NodeFailure) -> MockError:
        """Judge a failure as if the graph could do without no node."""
        error, blame = error_of_failure(failure, worker.id), blame_of(failure)
        attempt = self._attempts.get(run.prompt_id)
        if attempt is None:
            return error if blame is Blame.REQUEST else RunFailedError(error.message, **error.evidence)
        if blame is Blame.REQUEST or self._is_repeated(attempt, worker, error.message, blame):
            worker.breaker.excuse(run.prompt_id)
            return error
        error = attempt.placement.explain_failure(worker, run.graph, error)
        attempt.errors[worker.id] = error
        attempt.recorded.add(worker.id)
        if self._has_untried_worker(attempt):
            logger.info("another server is tried", worker_id=worker.id, blame=blame, reason=error.message)
            return TryElsewhereError(f"{worker.id}: {error.message}", **error.evidence)
        errors = _take_errors(attempt)
        if blame is Blame.UNKNOWN and _are_alike(errors):
            self._excuse(errors, run.prompt_id)
        is_final = len(errors) > 1 or "missing" in error.evidence
        return combined_error(errors) if is_final else RunFailedError(error.message, **error.evidence)

    def _is_repeated(self, attempt: Attempt, worker: Worker, message: str, blame: Blame) -> bool:
        """Tell whether an unknown fault has come again with this prompt, while others succeeded on the worker."""
        last_message, successes = attempt.last_failures.get(worker.id, ("", 0))
        attempt.last_failures[worker.id] = (message, worker.breaker.successes)
        return blame is Blame.UNKNOWN and message == last_message and successes < worker.breaker.successes

    def _excuse(self, worker_ids: Collection[str], prompt_id: str) -> None:
        for worker in self._workers:
            if worker.id in worker_ids:
                worker.breaker.excuse(prompt_id)

    def _has_untried_worker(self, attempt: Attempt) -> bool:
        """Tell whether a worker that is up and can run the prompt has no error for it yet."""
        return any(
            worker.id not in attempt.errors and worker.health.is_up and attempt.placement.can_run_on(worker)
            for worker in self._workers
        )


def _take_errors(attempt: Attempt) -> Mapping[str, MockError]:
    """Return the errors so far, and let every server try again."""
    errors = dict(attempt.errors)
    attempt.errors.clear()
    return errors


def _are_alike(errors: Mapping[str, MockError]) -> bool:
    """Tell whether several servers failed in one way, which is the request's fault rather than theirs."""
    return len(errors) > 1 and len({str(error.evidence.get("exception_message")) for error in errors.values()}) == 1


def _is_optional(failure: NodeFailure, placement: Placement) -> bool:
    """Tell whether to leave the node out; what a sick device says about it would be said about the next node, too."""
    return failure.node_id in placement.optional and not is_about_device(failure)
