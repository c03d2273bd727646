"""Cursors of streams: where a reader was, so that it goes on from there when it comes back.

They are opaque to clients, and no secret: they give access to nothing.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from zlib import crc32

import orjson

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import InvalidRequestError, fault

JOBS, FEED = "j", "f"
LONGEST = 16_384
CHECK_LENGTH = 8
NOT_OURS = "The cursor is not one that this stream gave out."


@dataclass(frozen=True, slots=True, kw_only=True)
class JobsCursor:
    """Says up to which `seq` a reader knows each of the jobs that it follows, in an epoch; -1 is nothing.

    `logged` is the position of the last event of the namespace that it knows.
    """

    epoch: int
    job_ids: Sequence[str]
    seqs: Sequence[int]
    logged: int

    def encoded(self) -> str:
        return _encoded([JOBS, self.epoch, digest_of(self.job_ids), self.logged, *self.seqs])


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedCursor:
    """Says up to which `position` of the feed a reader has read, in an epoch, or in all of them (None).

    `logged` is the position of the last event of the namespaces themselves that it knows. `at` is when, in seconds
    since 1970 by the clock of its namespace. `told` has the last `seq` that it knows of some
    jobs that had not ended.
    """

    epoch: int | None
    at: int
    position: str
    logged: int
    told: Mapping[str, int]

    def encoded(self) -> str:
        return _encoded([FEED, self.epoch, self.at, self.position, self.logged, self.told])


def digest_of(job_ids: Sequence[str]) -> int:
    return crc32(",".join(job_ids).encode())


def decode_jobs_cursor(text: str, *, name: str, job_ids: Sequence[str]) -> JobsCursor:
    """Read the cursor of a stream of these jobs; raise `InvalidRequestError` at `name` for any other text."""
    match _decoded(text, name):
        case [kind, int(epoch), int(digest), int(logged), *seqs] if (
            kind == JOBS
            and digest == digest_of(job_ids)
            and len(known := [seq for seq in seqs if isinstance(seq, int)]) == len(job_ids)
            and min(known, default=0) >= -1
        ):
            return JobsCursor(epoch=epoch, job_ids=job_ids, seqs=known, logged=logged)
    raise _not_ours(name)


def decode_feed_cursor(text: str, *, name: str, is_of_all: bool) -> FeedCursor:
    """Read the cursor of a stream of one namespace, or of all; raise `InvalidRequestError` at `name` for others."""
    match _decoded(text, name):
        case [kind, int() | None as epoch, int(at), str(position), int(logged), dict(told)] if (
            kind == FEED and (epoch is None) is is_of_all and all(type(seq) is int for seq in told.values())
        ):
            return FeedCursor(epoch=epoch, at=at, position=position, logged=logged, told=told)
    raise _not_ours(name)


def _encoded(parts: Sequence[object]) -> str:
    text = orjson.dumps(parts)
    return base64.urlsafe_b64encode(b"%08x" % crc32(text) + text).decode().rstrip("=")


def _decoded(text: str, name: str) -> object:
    try:
        if len(text) > LONGEST:
            raise _not_ours(name)
        padded = text + "=" * (-len(text) % 4)
        decoded = base64.b64decode(padded.encode(), altchars=b"-_", validate=True)
        if decoded[:CHECK_LENGTH] != b"%08x" % crc32(decoded[CHECK_LENGTH:]):
            raise _not_ours(name)
        return orjson.loads(decoded[CHECK_LENGTH:])
    except (binascii.Error, ValueError) as error:
        raise _not_ours(name) from error


def _not_ours(name: str) -> InvalidRequestError:
    return fault(name, NOT_OURS)
