"""The journal: what was asked of a server and what it answered, as it came, until somebody wants to see it."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from civitai_mock.domain.dataclass import dataclass

if TYPE_CHECKING:
    from civitai_mock.domain.faults.choice import Look
    from civitai_mock.domain.faults.submissions import SubmittedWork

LARGEST_BODY = 64 * 1024  # in bytes; of a larger one only length and digest are kept
BYTES_BESIDE = 1000  # what an entry takes beside its texts and bodies
BYTES_OF_LOOK = 100
NANOSECONDS = 1_000_000_000
HIDDEN_VALUE = b"***"
SECRET_HEADERS = frozenset({b"authorization", b"proxy-authorization", b"cookie", b"set-cookie", b"x-mock-token"})
TRACE_HEADER = b"x-trace-id"  # of answers
SEPARATOR = b"\0"  # no header can have it in it

# The members of a `JournalEntry`, the size last: a plain tuple of them is soon left alone by the garbage collector.
PlainEntry: TypeAlias = tuple[Any, ...]
HeaderPairs: TypeAlias = Iterable[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class LargeBody:
    """Stands for a body of more than `LARGEST_BODY` bytes; the digest is its SHA-256, in hex.

    What rules match in it is kept as its `work`, if it was read, and so are the ids of jobs that it tells of.
    """

    length: int
    digest: str
    work: "SubmittedWork | None" = None
    job_ids: Sequence[str] = ()

    @property
    def kept(self) -> int:
        """Return about how many bytes of it are kept."""
        texts = self.work.texts if self.work else ()
        return sum(map(len, (*texts, *self.job_ids)))


Body: TypeAlias = bytes | LargeBody


class BodyCopy:
    """Copies a body while it passes."""

    __slots__ = ("_digest", "_length", "_parts")

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._length = 0
        self._digest: hashlib._Hash | None = None

    def add(self, part: bytes) -> None:
        self._length += len(part)
        if self._digest is not None:
            self._digest.update(part)
        elif self._length <= LARGEST_BODY:
            self._parts.append(part)
        else:
            self._digest = hashlib.sha256(b"".join(self._parts))
            self._digest.update(part)
            self._parts.clear()

    @property
    def body(self) -> Body:
        if self._digest is not None:
            return LargeBody(length=self._length, digest=self._digest.hexdigest())
        return self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)


def large_body(content: bytes) -> LargeBody:
    """Return what stands for a large body that is there as a whole."""
    return LargeBody(length=len(content), digest=hashlib.sha256(content).hexdigest())


def without_secrets(headers: HeaderPairs) -> HeaderPairs:
    """Return headers without the values of secret ones, which nobody needs."""
    return [(name, HIDDEN_VALUE if name in SECRET_HEADERS else value) for name, value in headers]


def shown_headers(headers: HeaderPairs) -> Mapping[str, str]:
    """Return headers by their names in lower case; those of one name stand in one text."""
    found: dict[str, str] = {}
    for sent_name, sent_value in headers:
        name, value = sent_name.decode("latin-1").lower(), sent_value.decode("latin-1")
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def packed_message(headers: HeaderPairs, body: bytes) -> bytes:
    """Return headers and a body as one text of bytes.

    It takes a third of the memory that they take each by itself, as each of them leaves a gap where it was made.
    """
    return SEPARATOR.join(chain(chain.from_iterable(headers), (body,)))


def _unpacked(packed: bytes, headers: int) -> tuple[Sequence[tuple[bytes, bytes]], bytes]:
    """Return so many headers and the body, which may have any byte in it."""
    *texts, body = packed.split(SEPARATOR, 2 * headers)
    parts = iter(texts)
    return list(zip(parts, parts, strict=True)), body


class JournalEntry(NamedTuple):
    """Is one request that is over, with what was there then: nothing was looked into, as others waited.

    `ended_ns` is in ns of real time since 1970. `moved_at` is the time of a namespace whose clock does not show the
    real one. `path` is as it was sent, `own_path` is without a base path, and `route` is that of the description that
    was reached, if one was. What was sent and answered is packed, but for bodies that are large; with the request go
    headers that all answers have, but for the trace id, which is there already: an answer that had it `is_traced`. The
    size is about what all of it takes, in bytes.
    """

    ended_ns: int
    seconds: float
    moved_at: datetime | None
    consumer: str | None
    method: str
    path: str
    own_path: str
    query: bytes
    route: str | None
    status: int
    trace_id: str
    fault: str | None
    looks: "Sequence[Look]"
    request: bytes
    request_header_count: int
    common_header_count: int
    is_traced: bool
    answer: bytes
    answer_header_count: int
    large_request: LargeBody | None
    large_answer: LargeBody | None
    size: int

    @property
    def id(self) -> str:
        """Return what no other request has, in any process; ids are in the order in which requests came."""
        return f"{self.started_ns:016x}-{self.trace_id.split('-')[2]}"

    @property
    def started_ns(self) -> int:
        return self.ended_ns - int(self.seconds * NANOSECONDS)

    @property
    def at(self) -> datetime:
        """Return when the request came, as its namespace tells the time."""
        return self.moved_at or datetime.fromtimestamp(self.started_ns / NANOSECONDS, UTC)

    @property
    def request_headers(self) -> Sequence[tuple[bytes, bytes]]:
        return self._request[0][: self.request_header_count]

    @property
    def request_body(self) -> Body:
        return self._request[1] if self.large_request is None else self.large_request

    @property
    def answer_headers(self) -> Sequence[tuple[bytes, bytes]]:
        traced = [(TRACE_HEADER, self.trace_id.encode())] if self.is_traced else []
        return [*self._answer[0], *self._request[0][self.request_header_count :], *traced]

    @property
    def answer_body(self) -> Body:
        return self._answer[1] if self.large_answer is None else self.large_answer

    @property
    def _request(self) -> tuple[Sequence[tuple[bytes, bytes]], bytes]:
        return _unpacked(self.request, self.request_header_count + self.common_header_count)

    @property
    def _answer(self) -> tuple[Sequence[tuple[bytes, bytes]], bytes]:
        return _unpacked(self.answer, self.answer_header_count)
