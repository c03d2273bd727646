"""Signed URLs of blobs as v2 has them, and which of our own blobs any URL leads to."""

import re
from datetime import UTC, datetime, timedelta
from functools import cached_property, lru_cache
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

from civitai_mock.domain.blob import KEY_PATTERN, BlobLink, Shown
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.dotnet import format_date
from civitai_mock.domain.errors import ForbiddenError, NotFoundError
from civitai_mock.domain.namespaces import DEFAULT
from civitai_mock.ports import Clock
from civitai_mock.services.blobs import BlobUrls
from civitai_mock.services.signatures import UrlSigner, derived_key, encode_base64

V2_BLOBS_PATH, STREAMING_PATH = "/v2/consumer/blobs", "/v2/consumer/streaming-blobs"
SIGNATURE, EXPIRES = "sig", "exp"  # v2 contract, section 8
IN_NAMESPACE = re.compile(r"/ns/([A-Za-z0-9._-]{1,64})(?:/compat/[^/]*)?\Z", re.ASCII)  # the end of a base path
EXPIRED = "This URL has expired; refresh the blob to get a new one."
WRONG_SIGNATURE = "The signature of this URL is wrong."


class Expiry(NamedTuple):
    """Is the time at which URLs stop working that are signed now, as they say it and as a time."""

    text: str
    at: datetime


class SignedUrl(NamedTuple):
    """Is a URL with the time at which it stops working."""

    url: str
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class WorkflowBlobUrls:
    """Signs v2's blob URLs of a namespace, and checks them, with a key that all processes on one store share.

    The signature covers the id, the time of expiry as it is written, and what is shown.
    """

    key: bytes
    lifetime: timedelta
    clock: Clock
    namespace: str = DEFAULT

    def sign(self, blob_id: str, *, base_url: str, shown: Shown = Shown.FILE) -> SignedUrl:
        """Return a URL that works from now on for the lifetime, in whole seconds; `blob_id` needs no quoting."""
        expiry = self.expiry()
        return SignedUrl(self.url(blob_id, expiry, base_url=base_url, shown=shown), expiry.at)

    def expiry(self, *, after: datetime | None = None) -> Expiry:
        """Return until when URLs work that are signed now; they are none of those that were signed until `after`."""
        second = int(self.clock.now().timestamp())
        if after is not None:
            second = max(second, int(after.timestamp()) + 1)
        return _expiry(second, self.lifetime)

    def url(self, blob_id: str, expiry: Expiry, *, base_url: str, shown: Shown = Shown.FILE) -> str:
        """Return a URL that works until then."""
        signature = self._signer.sign(_signed_text(blob_id, expiry.text, shown))
        return f"{base_url}{path_of(shown)}/{blob_id}?{SIGNATURE}={signature}&{EXPIRES}={expiry.text}"

    def check(
        self, blob_id: str, *, signature: str, expires: str, path: str = V2_BLOBS_PATH, at: datetime | None = None
    ) -> BlobLink:
        """Return what the URL of a blob under `path` shows.

        Raise `ForbiddenError` for one that we did not sign, or that has expired by now (or `at` another time), and
        `NotFoundError` for one of another namespace.
        """
        texts = {shown: _signed_text(blob_id, expires, shown) for shown in Shown if path_of(shown) == path}
        shown = next((shown for shown, text in texts.items() if self._signer.has_signed(text, signature)), None)
        if shown is None:
            for text in texts.values():
                self._signer.check_is_here(text, signature)
            raise ForbiddenError(WRONG_SIGNATURE)
        expires_at = datetime.fromisoformat(expires)
        if (at or self.clock.now()) >= expires_at:
            raise ForbiddenError(EXPIRED)
        return BlobLink(blob_id, shown, signed_at=expires_at - self.lifetime)

    def link_in(self, url: str, *, at: datetime | None = None) -> BlobLink | None:
        """Return the blob of a URL of ours, at whatever host; None for any other URL.

        Raise what `check` does, and `ValueError` for a text that is not a URL. A URL without a signature is a name of
        the blob, not a right to read it.
        """
        parts = urlsplit(url)
        folder, _, key = parts.path.rpartition("/")
        path = next((path for path in (V2_BLOBS_PATH, STREAMING_PATH) if folder.endswith(path)), None)
        if path is None or not KEY_PATTERN.fullmatch(key):
            return None
        given = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        if given.keys().isdisjoint({SIGNATURE, EXPIRES}):
            named = IN_NAMESPACE.search(folder.removesuffix(path))
            if named is not None and named[1] != self.namespace:
                raise NotFoundError(f"The blob '{key}' is in the namespace '{named[1]}'.")
            return BlobLink(key, is_signed=False)
        return self.check(key, signature=given.get(SIGNATURE, ""), expires=given.get(EXPIRES, ""), path=path, at=at)

    def signed_again(self, url: str) -> str | None:
        """Return a URL of ours with the signature that it has here, whoever signed it; None for any other URL.

        It shows the file, or the stream, whatever it showed before. Raise `ValueError` for a text that is not a URL.
        """
        parts = urlsplit(url)
        folder, _, key = parts.path.rpartition("/")
        shown = next((shown for shown in (Shown.FILE, Shown.STREAM) if folder.endswith(path_of(shown))), None)
        given = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        if shown is None or not given.keys() >= {SIGNATURE, EXPIRES} or not KEY_PATTERN.fullmatch(key):
            return None
        signature = self._signer.sign(_signed_text(key, given[EXPIRES], shown))
        return url.replace(f"{SIGNATURE}={given[SIGNATURE]}", f"{SIGNATURE}={signature}")

    @cached_property
    def _signer(self) -> UrlSigner:
        """Sign with a key that differs from those of other signatures that are made with the same key."""
        key = derived_key(self.key, "v2 blob URLs")
        return UrlSigner(key=key, encode=encode_base64, namespace=self.namespace)


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnBlobLinks:
    """Finds the blob that a URL of ours leads to, whether v1 or v2 has signed it."""

    blob_urls: BlobUrls
    workflow_blob_urls: WorkflowBlobUrls

    def find(self, url: str, *, at: datetime | None = None) -> BlobLink | None:
        """Return None for any other URL; raise as the two kinds of URLs do."""
        return self.blob_urls.link_in(url, at=at) or self.workflow_blob_urls.link_in(url, at=at)

    def signed_again(self, url: str) -> str | None:
        """Return a URL of ours with the signature that it has here; None for any other URL, as the two kinds do."""
        return self.blob_urls.signed_again(url) or self.workflow_blob_urls.signed_again(url)


def path_of(shown: Shown) -> str:
    return STREAMING_PATH if shown is Shown.STREAM else V2_BLOBS_PATH


def _signed_text(blob_id: str, expires: str, shown: Shown) -> str:
    return f"{shown}\n{expires}\n{blob_id}"


@lru_cache(maxsize=2)
def _expiry(second: int, lifetime: timedelta) -> Expiry:
    """Return when URLs expire that are signed in one second, counted from 1970."""
    expires_at = datetime.fromtimestamp(second, UTC) + lifetime
    return Expiry(format_date(expires_at), expires_at)
