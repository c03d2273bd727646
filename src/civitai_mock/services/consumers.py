"""Consumers: who calls, by which token, and what they have spent."""

import hashlib
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import InvalidRequestError, UnauthorizedError
from civitai_mock.domain.search import Spending
from civitai_mock.ports import JobSearch

if TYPE_CHECKING:  # what only those need who name a mode is not loaded at the start
    from civitai_mock.domain.faults.rules import FaultRule
    from civitai_mock.domain.progress_modes import ProgressMode

SCHEME = "bearer"
EVERYBODY = "civitai-1"
ID_DIGITS = 12  # enough that two tokens never share a consumer; the recorded id has seven


class Auth(StrEnum):
    """Says who may call: everybody as one consumer, whoever has any token, or whoever has a known one."""

    OFF = "off"
    ANY = "any"
    TOKENS = "tokens"


@dataclass(frozen=True, slots=True, kw_only=True)
class Authentication:
    """Finds the consumer of a request; it compares digests of tokens, so that its time does not betray a good guess."""

    auth: Auth
    tokens: frozenset[bytes] = frozenset()

    def consumer(self, authorization: str | None) -> str:
        """Return the id of the consumer with this Authorization header; raise `UnauthorizedError` if none may call."""
        if self.auth is Auth.OFF:
            return EVERYBODY
        token = bearer_token(authorization)
        if token is None:
            raise UnauthorizedError("A token is required: send 'Authorization: Bearer <token>'.")
        if self.auth is Auth.TOKENS and token_digest(token) not in self.tokens:
            raise UnauthorizedError("The token is unknown.")
        return consumer_id(token)


def owner_of(consumer: str) -> str | None:
    """Return the consumer whose jobs and blobs this one may reach: itself; None, which means all, where AUTH is off."""
    return None if consumer == EVERYBODY else consumer


def bearer_token(authorization: str | None) -> str | None:
    """Return the token in an Authorization header; None if the header is missing, empty or of another scheme."""
    scheme, _, token = (authorization or "").strip().partition(" ")
    return token.strip() or None if scheme.lower() == SCHEME else None


def consumer_id(token: str) -> str:
    """Return `civitai-` and a number (capture v1-job-claimed-detailed), which follows from the token and hides it."""
    number = int.from_bytes(token_digest(token)) % 10**ID_DIGITS
    return f"civitai-{number:0{ID_DIGITS}d}"


def token_digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Says where a request comes from; APIs show `consumer` as `issuedBy`.

    `trace_id` has the form `00-<32 hex>-<16 hex>-00`. `client_compat` is the kind of client that the request names, and
    `progress` the mode in which its jobs are to move. `asked_fault` is what is to go wrong with them.
    """

    trace_id: str
    consumer: str
    client_compat: str | None = None
    progress: "ProgressMode | None" = None
    asked_fault: "FaultRule | None" = None

    @property
    def owner(self) -> str | None:
        """Return the consumer whose jobs the caller may see; None for all."""
        return owner_of(self.consumer)


@dataclass(frozen=True, slots=True, kw_only=True)
class GetConsumption:
    """Sums up what a consumer, or all of them, spent on jobs that are still kept."""

    search: JobSearch

    async def __call__(self, *, owner: str | None, since: datetime | None, until: datetime | None) -> Spending:
        """Return the spending in a period; raise `InvalidRequestError` for one that ends before it starts."""
        if since and until and since > until:
            message = "endDate must not be before startDate."
            raise InvalidRequestError(message, errors={"endDate": [message]})
        return await self.search.spending(owner, since=since, until=until)
