"""Signed URLs of blobs as v2 has them, and which of our own blobs any URL leads to."""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property, lru_cache
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

from civitai_mock.domain.blob import KEY_PATTERN, BlobLink, Shown
from civitai_mock.domain.dotnet import format_date
from civitai_mock.domain.errors import ForbiddenError
from civitai_mock.ports import Clock
from civitai_mock.services.blobs import BlobUrls

V2_BLOBS_PATH, STREAMING_PATH = "/v2/consumer/blobs", "/v2/consumer/streaming-blobs"
SIGNATURE, EXPIRES = "sig", "exp"  # v2 contract, section 8
WRONG_SIGNATURE = "The signature of this URL is wrong."


class SignedUrl(NamedTuple):
    """Is a URL with the time at which it stops working."""

    url: str
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class WorkflowBlobUrls:
    """Signs v2's blob URLs, and checks them, with a key that all processes on one store share.

    The signature covers the id, the time of expiry as it is written, and what is shown.
    """

    key: bytes
    lifetime: timedelta
    clock: Clock

    def sign(self, blob_id: str, *, base_url: str, shown: Shown = Shown.FILE) -> SignedUrl:
        """Return a URL that works from now on for the lifetime, in whole seconds; `blob_id` needs no quoting."""
        expires, expires_at = _expiry(self.clock.now().replace(microsecond=0), self.lifetime)
        signature = self._signature(blob_id, expires, shown)
        url = f"{base_url}{path_of(shown)}/{blob_id}?{SIGNATURE}={signature}&{EXPIRES}={expires}"
        return SignedUrl(url, expires_at)

    def check(
        self, blob_id: str, *, signature: str, expires: str, path: str = V2_BLOBS_PATH, at: datetime | None = None
    ) -> BlobLink:
        """Return what the URL of a blob under `path` shows.

        Raise `ForbiddenError` for one that we did not sign, or that has expired by now (or `at` another time).
        """
        for shown in Shown:
            expected = self._signature(blob_id, expires, shown)
            if path_of(shown) == path and hmac.compare_digest(expected.encode(), signature.encode()):
                break
        else:
            raise ForbiddenError(WRONG_SIGNATURE)
        if (at or self.clock.now()) >= datetime.fromisoformat(expires):
            raise ForbiddenError("This URL has expired; refresh the blob to get a new one.")
        return BlobLink(blob_id, shown)

    def link_in(self, url: str, *, at: datetime | None = None) -> BlobLink | None:
        """Return the blob of a URL of ours, at whatever host; None for any other URL.

        Raise `ForbiddenError` as `check` does, and `ValueError` for a text that is not a URL. A URL without a signature
        is a name of the blob, not a right to read it.
        """
        parts = urlsplit(url)
        folder, _, key = parts.path.rpartition("/")
        path = next((path for path in (V2_BLOBS_PATH, STREAMING_PATH) if folder.endswith(path)), None)
        if path is None or not KEY_PATTERN.fullmatch(key):
            return None
        given = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        if given.keys().isdisjoint({SIGNATURE, EXPIRES}):
            return BlobLink(key, is_signed=False)
        return self.check(key, signature=given.get(SIGNATURE, ""), expires=given.get(EXPIRES, ""), path=path, at=at)

    def _signature(self, blob_id: str, expires: str, shown: Shown) -> str:
        signer = self._signer.copy()
        signer.update(f"{shown}\n{expires}\n{blob_id}".encode())
        return encode_digest(signer.digest())

    @cached_property
    def _signer(self) -> hmac.HMAC:
        """Prepare the key once; it differs from those of other signatures that are made with the same key."""
        return hmac.new(derived_key(self.key, "v2 blob URLs"), digestmod=hashlib.sha256)


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnBlobLinks:
    """Finds the blob that a URL of ours leads to, whether v1 or v2 has signed it."""

    blob_urls: BlobUrls
    workflow_blob_urls: WorkflowBlobUrls

    def find(self, url: str, *, at: datetime | None = None) -> BlobLink | None:
        """Return None for any other URL; raise as the two kinds of URLs do."""
        key = self.blob_urls.key_in(url, at=at)
        return self.workflow_blob_urls.link_in(url, at=at) if key is None else BlobLink(key)


def path_of(shown: Shown) -> str:
    return STREAMING_PATH if shown is Shown.STREAM else V2_BLOBS_PATH


def derived_key(key: bytes, purpose: str) -> bytes:
    """Return a key for one purpose, so that no signature of another purpose can be taken for one of it."""
    return hmac.digest(key, purpose.encode(), "sha256")


def encode_digest(digest: bytes) -> str:
    """Return letters that need no quoting in a URL."""
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


@lru_cache(maxsize=2)
def _expiry(second: datetime, lifetime: timedelta) -> tuple[str, datetime]:
    """Return when URLs expire that are signed in one second, as they say it and as a time."""
    expires_at = second + lifetime
    return format_date(expires_at), expires_at
