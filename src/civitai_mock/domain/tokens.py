"""Opaque tokens: of a job collection, and pagination cursors, valid only for the consumer they were issued to."""

import base64
import binascii
import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime

from civitai_mock.domain.dotnet import format_date
from civitai_mock.domain.errors import InvalidRequestError
from civitai_mock.domain.job import Job
from civitai_mock.domain.search import Position


def encode_token(job_ids: Sequence[str]) -> str:
    """Standard base64 with padding of `{"Jobs":[…]}`."""
    return base64.b64encode(json.dumps({"Jobs": list(job_ids)}, separators=(",", ":")).encode()).decode()


def decode_token(token: str) -> list[str]:
    """The job ids, each once; raise `InvalidRequestError` for anything that `encode_token` would not have made."""
    try:
        # A '+' that was not percent-encoded arrives as a space.
        decoded = json.loads(base64.b64decode(token.replace(" ", "+"), validate=True)) if token else None
    except (binascii.Error, ValueError, RecursionError) as error:
        raise _invalid_token() from error
    job_ids = decoded.get("Jobs") if isinstance(decoded, dict) else None
    if not isinstance(job_ids, list) or not all(isinstance(job_id, str) and job_id.isprintable() for job_id in job_ids):
        raise _invalid_token()
    return list(dict.fromkeys(job_id.lower() for job_id in job_ids))


def _invalid_token() -> InvalidRequestError:
    message = "The token is not one that this server gave out."
    return InvalidRequestError(message, errors={"token": [message]})


TAG_LENGTH = 8


def position_of(job: Job) -> Position:
    return Position(job.created_at, job.submission_id, job.id)


def encode_cursor(position: Position, *, owner: str | None) -> str:
    """`owner` is whose jobs the list is of, None for everybody's."""
    place = [format_date(position.created_at), position.submission_id, position.job_id]
    text = json.dumps([*place, _tag(place, owner)], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode()


def decode_cursor(cursor: str, *, owner: str | None) -> Position:
    """Raise `InvalidRequestError` for a cursor that this owner was not given."""
    try:
        decoded = json.loads(base64.b64decode(cursor.encode(), altchars=b"-_", validate=True))
        created_at, submission_id, job_id = place = [str(part) for part in decoded[:3]]
        if decoded[3:] != [_tag(place, owner)]:
            raise _invalid_cursor()
        return Position(datetime.fromisoformat(created_at).astimezone(UTC), submission_id, job_id)
    except (binascii.Error, ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
        raise _invalid_cursor() from error


def _tag(place: list[str], owner: str | None) -> str:
    """No secret: a cursor gives no access, it only says where to go on."""
    return hashlib.sha256(json.dumps([*place, owner]).encode()).hexdigest()[:TAG_LENGTH]


def _invalid_cursor() -> InvalidRequestError:
    message = "The cursor is not one that you were given."
    return InvalidRequestError(message, errors={"cursor": [message]})
