"""Tokens that v2's redirects lead to: each names what is given out without any other proof, for a while."""

import base64
import binascii
import hmac
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TypeAlias, TypeVar

from civitai_mock.domain.blob import Shown
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import GoneError, InvalidRequestError, NotFoundError
from civitai_mock.domain.json_types import Json
from civitai_mock.domain.maturity import NsfwLevel
from civitai_mock.domain.namespaces import DEFAULT
from civitai_mock.ports import Clock
from civitai_mock.services.signatures import derived_key

T = TypeVar("T", "ContentToken", "BlockedToken", "ArchiveToken", "UploadToken")

NOT_OURS = "The token is not one that this server gave out."
EXPIRED = "The token has expired; ask for the blob again to get a new one."
# Tokens of one hour end together, so that the same file has the same address in it, and clients can keep what they got.
PERIOD = timedelta(hours=1)
DIGEST_BYTES = 16
SEPARATOR = "@"  # between the name of a kind and a namespace
COMPACT = json.JSONEncoder(separators=(",", ":"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentToken:
    """Names a blob, what is shown of it, and under which name; `is_download` asks a browser to save it."""

    key: str
    shown: Shown = Shown.FILE
    filename: str | None = None
    is_download: bool = False

    def members(self) -> Sequence[Json]:
        return [self.key, self.shown.value, self.filename, self.is_download]

    @classmethod
    def of(cls, key: str, shown: str, filename: str | None, is_download: bool) -> "ContentToken":
        return cls(key=key, shown=Shown(shown), filename=filename, is_download=is_download)


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockedToken:
    """Says of a blob that is withheld how large it is, how mature, and why it is withheld.

    Tokens of earlier versions do not say which one it is.
    """

    width: int
    height: int
    level: NsfwLevel
    reason: str
    key: str | None

    def members(self) -> Sequence[Json]:
        return [self.width, self.height, self.level.value, self.reason, self.key]

    @classmethod
    def of(cls, width: int, height: int, level: str, reason: str, key: str | None = None) -> "BlockedToken":
        return cls(width=width, height=height, level=NsfwLevel(level), reason=reason, key=key)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveToken:
    """Names the list of what is in an archive, which is a blob itself."""

    key: str

    def members(self) -> Sequence[Json]:
        return [self.key]

    @classmethod
    def of(cls, key: str) -> "ArchiveToken":
        return cls(key=key)


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadToken:
    """Names the consumer for whom whoever has the token may send files."""

    owner: str

    def members(self) -> Sequence[Json]:
        return [self.owner]

    @classmethod
    def of(cls, owner: str) -> "UploadToken":
        return cls(owner=owner)


Token: TypeAlias = ContentToken | BlockedToken | ArchiveToken | UploadToken


@dataclass(frozen=True, kw_only=True)
class BlobTokens:
    """Signs tokens of a namespace and reads them again, with a key that all processes on one store share."""

    key: bytes
    clock: Clock
    namespace: str = DEFAULT

    def sign(self, token: Token, *, until: datetime | None = None) -> str:
        """Return letters that need no quoting; they are good for an hour or two, but never after `until`."""
        period_ends = self.clock.now().replace(minute=0, second=0, microsecond=0) + 2 * PERIOD
        expires_at = period_ends if until is None else min(period_ends, until)
        return self.sign_until(token, expires_at)

    def sign_until(self, token: Token, expires_at: datetime) -> str:
        name = type(token).__name__ + self._suffix
        content = COMPACT.encode([name, expires_at.timestamp(), *token.members()]).encode()
        return base64.urlsafe_b64encode(self._digest(content) + content).decode().rstrip("=")

    def read(self, text: str, kind: type[T]) -> T:
        """Return the token.

        Raise `InvalidRequestError` for what we did not sign, `NotFoundError` for what another namespace did, and
        `GoneError` for one that expired.
        """
        try:
            padded = text.encode() + b"=" * (-len(text) % 4)
            signed = base64.b64decode(padded, altchars=b"-_", validate=True)
        except (binascii.Error, ValueError) as error:
            raise InvalidRequestError(NOT_OURS) from error
        digest, content = signed[:DIGEST_BYTES], signed[DIGEST_BYTES:]
        if not hmac.compare_digest(digest, self._digest(content)):
            raise InvalidRequestError(NOT_OURS)
        name, expires_at, *members = json.loads(content)
        token_name, separator, namespace = name.partition(SEPARATOR)
        if separator + namespace != self._suffix:
            raise NotFoundError("The token is one of another namespace.")
        if token_name != kind.__name__:
            raise InvalidRequestError(NOT_OURS)
        if self.clock.now() >= datetime.fromtimestamp(expires_at, UTC):
            raise GoneError(EXPIRED)
        return kind.of(*members)

    @property
    def _suffix(self) -> str:
        """Return what the name of a kind has behind it outside the default namespace."""
        return "" if self.namespace == DEFAULT else SEPARATOR + self.namespace

    def _digest(self, content: bytes) -> bytes:
        return hmac.digest(self._key, content, "sha256")[:DIGEST_BYTES]

    @cached_property
    def _key(self) -> bytes:
        return derived_key(self.key, "v2 blob tokens")
