"""Consumers: who calls, by which token, and what they have spent."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from civitai_mock.domain.errors import InvalidRequestError, UnauthorizedError
from civitai_mock.domain.search import Spending
from civitai_mock.ports import JobSearch

SCHEME = "bearer"
EVERYBODY = "civitai-1"
ID_DIGITS = 12  # enough that two tokens never share a consumer; the recorded id has seven


class Auth(StrEnum):
    """Who may call: everybody as one consumer, whoever has a token, or whoever has a known one."""

    OFF = "off"
    ANY = "any"
    TOKENS = "tokens"


@dataclass(frozen=True, slots=True, kw_only=True)
class Authentication:
    """`tokens` are the digests of the known ones, so that looking one up takes no longer for a better guess."""

    auth: Auth
    tokens: frozenset[bytes] = frozenset()

    def consumer(self, authorization: str | None) -> str:
        """The id of whose an Authorization header is; raise `UnauthorizedError` for one that does not do."""
        if self.auth is Auth.OFF:
            return EVERYBODY
        token = bearer_token(authorization)
        if token is None:
            raise UnauthorizedError("A token is required: send 'Authorization: Bearer <token>'.")
        if self.auth is Auth.TOKENS and token_digest(token) not in self.tokens:
            raise UnauthorizedError("This token is not known here.")
        return consumer_id(token)


def owner_of(consumer: str) -> str | None:
    """Whose jobs and blobs a consumer reaches: its own; None, for everybody's, if it is what all are without AUTH."""
    return None if consumer == EVERYBODY else consumer


def bearer_token(authorization: str | None) -> str | None:
    """None where the header is missing, of another scheme or empty."""
    scheme, _, token = (authorization or "").strip().partition(" ")
    return token.strip() or None if scheme.lower() == SCHEME else None


def consumer_id(token: str) -> str:
    """`civitai-` and a number (capture v1-job-claimed-detailed): always the same for a token, which it hides."""
    number = int.from_bytes(token_digest(token)) % 10**ID_DIGITS
    return f"civitai-{number:0{ID_DIGITS}d}"


def token_digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """`trace_id` has the form `00-<32 hex>-<16 hex>-00`; `consumer` is printed as `issuedBy`.

    `client_compat` is the kind of client that the request says it comes from.
    """

    trace_id: str
    consumer: str
    client_compat: str | None = None

    @property
    def owner(self) -> str | None:
        """Whose jobs the caller sees; None for everybody's."""
        return owner_of(self.consumer)


@dataclass(frozen=True, slots=True, kw_only=True)
class GetConsumption:
    search: JobSearch

    async def __call__(self, *, owner: str | None, since: datetime | None, until: datetime | None) -> Spending:
        """Of the jobs that are still kept; raise `InvalidRequestError` for an end before the start."""
        if since and until and since > until:
            message = "The endDate is before the startDate."
            raise InvalidRequestError(message, errors={"endDate": [message]})
        return await self.search.spending(owner, since=since, until=until)
