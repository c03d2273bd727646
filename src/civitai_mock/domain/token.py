"""The token of a job collection: stateless, decoded without a look-up."""

import base64
import binascii
import json
from collections.abc import Sequence

from civitai_mock.domain.errors import InvalidRequestError


def encode_token(job_ids: Sequence[str]) -> str:
    """Standard base64 with padding of `{"Jobs":[…]}`."""
    return base64.b64encode(json.dumps({"Jobs": list(job_ids)}, separators=(",", ":")).encode()).decode()


def decode_token(token: str) -> list[str]:
    """The job ids, each once; raise `InvalidRequestError` for anything that `encode_token` would not have made."""
    try:
        # A '+' that was not percent-encoded arrives as a space.
        decoded = json.loads(base64.b64decode(token.replace(" ", "+"), validate=True)) if token else None
    except (binascii.Error, ValueError, RecursionError) as error:
        raise _invalid() from error
    job_ids = decoded.get("Jobs") if isinstance(decoded, dict) else None
    if not isinstance(job_ids, list) or not all(isinstance(job_id, str) and job_id.isprintable() for job_id in job_ids):
        raise _invalid()
    return list(dict.fromkeys(job_id.lower() for job_id in job_ids))


def _invalid() -> InvalidRequestError:
    message = "The token is not one that this server gave out."
    return InvalidRequestError(message, errors={"token": [message]})
