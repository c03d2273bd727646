"""Encode and decode opaque texts for clients: tokens of job collections, and pagination cursors."""

import base64
import binascii
import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from civitai_mock.domain.dotnet import format_date
from civitai_mock.domain.errors import InvalidRequestError
from civitai_mock.domain.job import Job
from civitai_mock.domain.search import Position

NOT_OURS = "The token is not one that this server gave out."
NOT_YOURS = "The cursor is not one that you were given."
TAG_LENGTH = 8
COMPACT = json.JSONEncoder(separators=(",", ":"))


class JobToken(NamedTuple):
    """Is what a token of a job collection says: the ids, each once, and the namespace, unless that is the default one.

    Tokens that clients put together themselves, as they have the form of real ones, name no namespace either.
    """

    job_ids: Sequence[str]
    namespace: str | None


def encode_token(job_ids: Sequence[str], *, namespace: str | None = None) -> str:
    """Return `{"Jobs":[…]}` in standard base64 with padding; the namespace is in it unless it is the default one."""
    place = f',"Namespace":"{namespace}"' if namespace else ""
    return base64.b64encode(f'{{"Jobs":[{",".join(map(COMPACT.encode, job_ids))}]{place}}}'.encode()).decode()


def decode_token(token: str) -> JobToken:
    """Read a token; raise `InvalidRequestError` for what `encode_token` would not have made."""
    try:
        # A '+' that was not percent-encoded arrives as a space.
        decoded = json.loads(base64.b64decode(token.replace(" ", "+"), validate=True)) if token else None
    except (binascii.Error, ValueError, RecursionError) as error:
        raise _invalid("token", NOT_OURS) from error
    members = decoded if isinstance(decoded, dict) else {}
    job_ids, namespace = members.get("Jobs"), members.get("Namespace")
    if not isinstance(job_ids, list) or not all(isinstance(job_id, str) and job_id.isprintable() for job_id in job_ids):
        raise _invalid("token", NOT_OURS)
    return JobToken(
        job_ids=list(dict.fromkeys(job_id.lower() for job_id in job_ids)),
        namespace=namespace if isinstance(namespace, str) else None,
    )


def position_of(job: Job) -> Position:
    return Position(job.created_at, job.submission_id, job.id)


def encode_cursor(position: Position, *, owner: str | None) -> str:
    """Return a cursor that is valid for `owner` only, the consumer whose jobs are listed; None lists everybody's."""
    place = [format_date(position.created_at), position.submission_id, position.job_id]
    text = COMPACT.encode([*place, _tag(place, owner)])
    return base64.urlsafe_b64encode(text.encode()).decode()


def decode_cursor(cursor: str, *, owner: str | None) -> Position:
    """Return the place in the list; raise `InvalidRequestError` for a cursor that this owner was not given."""
    try:
        decoded = json.loads(base64.b64decode(cursor.encode(), altchars=b"-_", validate=True))
        created_at, submission_id, job_id = place = [str(part) for part in decoded[:3]]
        if decoded[3:] != [_tag(place, owner)]:
            raise _invalid("cursor", NOT_YOURS)
        return Position(datetime.fromisoformat(created_at).astimezone(UTC), submission_id, job_id)
    except (binascii.Error, ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
        raise _invalid("cursor", NOT_YOURS) from error


def _tag(place: list[str], owner: str | None) -> str:
    """Return a check of place and owner, which is not a secret: a cursor gives no access to anything."""
    return hashlib.sha256(json.dumps([*place, owner]).encode()).hexdigest()[:TAG_LENGTH]


def _invalid(name: str, message: str) -> InvalidRequestError:
    return InvalidRequestError(message, errors={name: [message]})
