"""Errors, by who must act; `api/errors.py` alone turns them into HTTP answers."""

from collections.abc import Callable, Mapping, Sequence
from itertools import islice

from civitai_mock.domain.json_types import JsonObject

MOST_FAULTS = 100
ROOT = "$"  # is the path of a body as a whole
INVALID = "One or more validation errors occurred."


class MockError(Exception):
    """Is the base of everything that this project raises on purpose.

    The event of a job that ends by it has its `evidence`.
    """

    code = "internal_error"

    def __init__(self, message: str, **evidence: object) -> None:
        super().__init__(message)
        self.message = message
        self.evidence = evidence


class InvalidRequestError(MockError):
    """The caller must change the request (400)."""

    code = "invalid_request"

    def __init__(self, message: str, *, errors: Mapping[str, Sequence[str]] | None = None, **evidence: object):
        """Take `errors`, which map paths in the request's own spelling (`params.steps`) to messages.

        Only the first `MOST_FAULTS` of them are kept.
        """
        faults = errors or {}
        if len(faults) > MOST_FAULTS:
            message = f"{message} There are {len(faults)} faults; these are the first {MOST_FAULTS}."
        super().__init__(message, **evidence)
        self.errors = {path: list(messages)[:MOST_FAULTS] for path, messages in islice(faults.items(), MOST_FAULTS)}

    def under(self, path: str) -> "InvalidRequestError":
        """Return the same fault as one of a part, at `path`, of a larger request."""
        errors = {".".join(filter(None, (path, name))): messages for name, messages in self.errors.items()}
        return InvalidRequestError(self.message, errors=errors, **self.evidence)


class MissingResourcesError(InvalidRequestError):
    """The request names resources that do not exist (400)."""

    def __init__(self, paths: Mapping[str, str]) -> None:
        """Take where each of them stands, by its text."""
        errors = {path: [f"The resource '{text}' does not exist."] for text, path in paths.items()}
        super().__init__("One or more resources do not exist.", errors=errors)
        self.texts = tuple(paths)


class FieldError(InvalidRequestError):
    """A field of a draft cannot be as it is (400); each API says where in its requests the field is.

    Fields have the names of drafts (`refiner.model`). The message has a `{}` for each of the fields that it `names`, if
    there are any.
    """

    def __init__(self, field: str, message: str, *, names: Sequence[str] = ()) -> None:
        super().__init__(INVALID, errors={field: [_naming(message, names)]})
        self._field, self._message, self._names = field, message, names

    def spelled(self, spell: Callable[[str], str]) -> InvalidRequestError:
        """Return the same fault with each field as `spell` spells it."""
        message = _naming(self._message, [spell(name) for name in self._names])
        return InvalidRequestError(INVALID, errors={spell(self._field): [message]})


def _naming(message: str, names: Sequence[str]) -> str:
    return message.format(*names) if names else message


def invalid(errors: Mapping[str, Sequence[str]]) -> InvalidRequestError:
    """Return an error with the faults of a request by their paths."""
    return InvalidRequestError(INVALID, errors=errors)


def fault(path: str, message: str) -> InvalidRequestError:
    """Return an error with one fault at one place."""
    return invalid({path: [message]})


def refused(*messages: str) -> InvalidRequestError:
    """Return an error for what breaks a rule that is not one of a member: clients of v2 read it under `messages`."""
    return InvalidRequestError(messages[0], errors={"messages": messages})


class ForbiddenError(MockError):
    """The caller may not do this, or may no longer do it (403)."""

    code = "forbidden"


class UnauthorizedError(MockError):
    """The caller must say who it is (401)."""

    code = "unauthorized"


class InsufficientBuzzError(MockError):
    """The consumer's balance does not cover the cost (403, in a form of its own)."""

    code = "insufficient_buzz"


class NotFoundError(MockError):
    """The thing does not exist, or is hidden from this caller (404)."""

    code = "not_found"


class ConflictError(MockError):
    """The thing is already there, or no longer in the state the caller saw (409)."""

    code = "conflict"


class NamespaceResetError(ConflictError):
    """The namespace was reset, or deleted, while this request was served (409)."""

    code = "namespace_reset"


class NotVerifiedError(MockError):
    """The requests that came are not those that were expected (409); `members` say what was, and what came."""

    code = "not_verified"

    def __init__(self, message: str, *, members: JsonObject) -> None:
        super().__init__(message)
        self.members = members


class GoneError(MockError):
    """The thing was there, and its time is over (410)."""

    code = "gone"


class UnsupportedMediaTypeError(MockError):
    """The body is of a type that is not taken here, by its content type or by its bytes (415)."""

    code = "unsupported_media_type"


class UndecodableFileError(MockError):
    """The file is broken, or is not what it says it is (422)."""

    code = "undecodable_file"


class JobError(MockError):
    """The job ends: its graph was rejected or its execution failed."""

    code = "job_failed"


class OrderedFailureError(JobError):
    """The job ends because it was told to; its event says `context`, and nothing more."""

    def __init__(self, context: JsonObject) -> None:
        super().__init__("The job was told to fail.")
        self.context = context


class StageError(JobError):
    """The job ends because of a bug of ours."""

    code = "internal_error"


class HostRefusedError(JobError):
    """A host that a job names may not be connected to."""


class NotDrawnError(JobError):
    """An image could not be drawn because of a bug of ours (500); a job that needs it ends."""

    code = "internal_error"


class TransientError(MockError):
    """Try again after a pause: a provider or store is away, or too slow."""

    code = "unavailable"


class HostFailedError(TransientError):
    """A host that a job names gave no file, perhaps for a while only."""


class UnreachableError(HostFailedError):
    """A host that a job names is not there, or accepts no connection."""


class QueueFullError(TransientError):
    """So many jobs wait already that no more are accepted (503)."""

    code = "queue_full"


class NotStartedError(TransientError):
    """Nobody has begun with the job: try again, and use up no retry."""


class NoWorkerError(NotStartedError):
    """No worker is there, or none has room. It has been logged, once, that the job waits for one."""


class RunFailedError(TransientError):
    """The graph ran and failed, perhaps by no fault of its own.

    Try again, and at last end the job with this message.
    """


class TryElsewhereError(NotStartedError):
    """One server failed, perhaps by its own fault, and another one has yet to try."""


class ClaimLost(MockError):  # noqa: N818 - not a fault: someone else has the job now
    """Another worker, a cancel or an expiry has taken the job; let go quietly."""

    code = "claim_lost"
