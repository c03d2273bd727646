"""Errors that say who must act. `api/errors.py` alone turns them into HTTP."""

from collections.abc import Mapping, Sequence
from itertools import islice

MOST_FAULTS = 100


class MockError(Exception):
    """Base of everything this project raises on purpose."""

    code = "internal_error"

    def __init__(self, message: str, **evidence: object) -> None:
        super().__init__(message)
        self.message = message
        self.evidence = evidence


class InvalidRequestError(MockError):
    """The caller must change the request (400)."""

    code = "invalid_request"

    def __init__(self, message: str, *, errors: Mapping[str, Sequence[str]] | None = None, **evidence: object):
        """`errors` maps a path in the request's own spelling (`params.steps`) to its messages.

        Of very many only the first are told.
        """
        faults = errors or {}
        if len(faults) > MOST_FAULTS:
            message = f"{message} There are {len(faults)} faults; these are the first {MOST_FAULTS}."
        super().__init__(message, **evidence)
        self.errors = {path: list(messages)[:MOST_FAULTS] for path, messages in islice(faults.items(), MOST_FAULTS)}

    def under(self, path: str) -> "InvalidRequestError":
        """The same fault, of a part of a bigger request."""
        errors = {f"{path}.{name}" if path else name: messages for name, messages in self.errors.items()}
        return InvalidRequestError(self.message, errors=errors, **self.evidence)


class ForbiddenError(MockError):
    """The caller may not do this, or no longer (403)."""

    code = "forbidden"


class UnauthorizedError(MockError):
    """The caller must say who it is (401)."""

    code = "unauthorized"


class InsufficientBuzzError(MockError):
    """The consumer's balance does not cover the cost (403, in a form of its own)."""

    code = "insufficient_buzz"


class NotFoundError(MockError):
    """There is no such thing, or not for this caller (404)."""

    code = "not_found"


class ConflictError(MockError):
    """The thing is already there, or no longer in the state the caller saw (409)."""

    code = "conflict"


class JobError(MockError):
    """The job ends: its graph was rejected or its execution failed."""

    code = "job_failed"


class StageError(JobError):
    """The job ends because of a bug of ours."""

    code = "internal_error"


class TransientError(MockError):
    """Try again after a pause: a provider or store is away, or too slow."""

    code = "unavailable"


class NotStartedError(TransientError):
    """Nobody has begun with it: try again, and use up no retry."""


class NoWorkerError(NotStartedError):
    """No worker is there, or has room. That it waits for one has been logged, once."""


class RunFailedError(TransientError):
    """It was run and failed, perhaps by no fault of its own: try again, and at last end the job with these words."""


class TryElsewhereError(NotStartedError):
    """One server failed with it by what may be its own fault, and another one has yet to try."""


class ClaimLost(MockError):  # noqa: N818 - not a fault: someone else has the job now
    """Another worker, a cancel or an expiry has the job; let go quietly."""

    code = "claim_lost"
