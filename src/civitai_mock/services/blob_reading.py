"""How somebody reads a blob, which rules of faults may match, and a blob that says nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from civitai_mock.domain.blob import Blob, UndrawnBlob
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import JobError, MockError
from civitai_mock.domain.json_types import as_text

if TYPE_CHECKING:
    from civitai_mock.domain.faults.choice import Look
    from civitai_mock.domain.faults.rules import FaultRule


LOST, EXPIRED_AT = "lost", "expiredAt"  # of what is kept of a blob


class SpoiledInputError(JobError):
    """Ends a job that reads a blob with a fault, also where it could do without."""


class SilentBlobError(MockError):
    """Says that nobody gets an answer about a blob: its reader waits for so long, or for ever."""

    code = "silent_blob"

    def __init__(self, lasts: timedelta | None) -> None:
        super().__init__("There is no answer.")
        self.lasts = lasts


class BlobReading(Protocol):
    """Is one reading of a blob: by a request or, without a method, by a job.

    `route` is as in the OpenAPI. A reading `by_url` may find it expired, which `expired` says: one that was `signed_at`
    a time, or if that is None, only the first one. `asked` is the rule that the request asks for.
    """

    @property
    def method(self) -> str | None: ...

    @property
    def route(self) -> str | None: ...

    @property
    def headers(self) -> Mapping[str, str]: ...

    @property
    def by_url(self) -> bool: ...

    @property
    def signed_at(self) -> datetime | None: ...

    @property
    def expired(self) -> str: ...

    @property
    def asked(self) -> "FaultRule | None": ...

    def note(self, rule_id: str) -> None:
        """Take note of the rule that hit."""
        ...

    def note_looks(self, looks: "Sequence[Look]") -> None:
        """Take note of all rules that were looked at."""
        ...


@dataclass(slots=True, kw_only=True)
class JobReading:
    """Is the reading of a job, which knows afterwards the rule that `hit`."""

    signed_at: datetime | None = None
    hit: str | None = None
    method: None = None
    route: None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    by_url: bool = True
    expired: str = "The blob is not accessible or has expired."
    asked: None = None

    def note(self, rule_id: str) -> None:
        self.hit = rule_id

    def note_looks(self, _: "Sequence[Look]") -> None:
        """Leave it at that: no request is to be told of them."""


def is_lost(blob: Blob | UndrawnBlob) -> bool:
    """Return whether nobody gets a blob any more, though it is still there."""
    return blob.fault is not None and LOST in blob.fault


def expired_at(blob: Blob | UndrawnBlob) -> datetime | None:
    """Return until when URLs of a blob were signed that do not work; None for all others."""
    text = as_text((blob.fault or {}).get(EXPIRED_AT))
    return datetime.fromisoformat(text) if text else None
