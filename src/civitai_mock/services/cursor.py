"""Where a list of jobs goes on: opaque to its reader, and good for that reader only."""

import base64
import binascii
import hashlib
import json
from datetime import UTC, datetime

from civitai_mock.domain.errors import InvalidRequestError
from civitai_mock.domain.job import Job
from civitai_mock.domain.search import Position
from civitai_mock.domain.timespan import format_date

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
            raise _invalid()
        return Position(datetime.fromisoformat(created_at).astimezone(UTC), submission_id, job_id)
    except (binascii.Error, ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
        raise _invalid() from error


def _tag(place: list[str], owner: str | None) -> str:
    """No secret: a cursor gives no access, it only says where to go on."""
    return hashlib.sha256(json.dumps([*place, owner]).encode()).hexdigest()[:TAG_LENGTH]


def _invalid() -> InvalidRequestError:
    message = "The cursor is not one that you were given."
    return InvalidRequestError(message, errors={"cursor": [message]})
