"""Signed URLs of blobs, and the URLs that callers name as the source of an image."""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

from civitai_mock.domain.blob import Blob
from civitai_mock.domain.errors import ForbiddenError, InvalidRequestError, NotFoundError
from civitai_mock.ports import BlobStore, Clock
from civitai_mock.services.host_policy import NO_URL, HostPolicy

BLOBS_PATH = "/blobs"
EXPIRES, SIGNATURE, DATE = "X-Amz-Expires", "X-Amz-Signature", "X-Amz-Date"  # capture v1-job-succeeded
DATE_FORMAT = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobUrls:
    """Signs with a key that all processes on one store share."""

    key: bytes
    lifetime: timedelta
    clock: Clock

    def sign(self, blob_key: str, *, base_url: str) -> tuple[str, datetime]:
        """A URL and the time at which it stops working."""
        now = self.clock.now()
        date, seconds = now.strftime(DATE_FORMAT), str(int(self.lifetime.total_seconds()))
        query = urlencode({DATE: date, EXPIRES: seconds, SIGNATURE: self._signature(blob_key, date, seconds)})
        return f"{base_url}{BLOBS_PATH}/{blob_key}?{query}", now + self.lifetime

    def check(self, blob_key: str, *, date: str, expires: str, signature: str, at: datetime | None = None) -> None:
        """Raise `ForbiddenError` for a URL that we did not sign, or whose time is over (or was, `at` another time)."""
        expected = self._signature(blob_key, date, expires)
        if not hmac.compare_digest(expected.encode(), signature.encode()):
            raise ForbiddenError("The signature of this URL is wrong.")
        signed_at = datetime.strptime(date, DATE_FORMAT).replace(tzinfo=UTC)
        if (at or self.clock.now()) >= signed_at + timedelta(seconds=int(expires)):
            raise ForbiddenError("This URL has expired; ask for the job again to get a new one.")

    def key_in(self, url: str, *, at: datetime | None = None) -> str | None:
        """The blob that a URL of ours gives out, at whatever host; None for any other URL.

        Raise `ForbiddenError` as `check` does, and `ValueError` for what is no URL. Others sign with members of these
        names too, but never with just these.
        """
        parts = urlsplit(url)
        folder, _, key = parts.path.rpartition("/")
        given = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        if not folder.endswith(BLOBS_PATH) or given.keys() != {DATE, EXPIRES, SIGNATURE}:
            return None
        self.check(key, date=given[DATE], expires=given[EXPIRES], signature=given[SIGNATURE], at=at)
        return key

    def _signature(self, blob_key: str, date: str, expires: str) -> str:
        text = f"{blob_key}\n{date}\n{expires}"
        return hmac.new(self.key, text.encode(), hashlib.sha256).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnBlobs:
    """Blobs by key, as one consumer sees them: those of others are not there. `owner` is None for everybody's.

    Every key that a caller names goes through here. A signed URL is a right of its own, to read and nothing else.
    """

    blobs: BlobStore

    async def get(self, blob_key: str, *, owner: str | None) -> Blob:
        """Raise `NotFoundError` for a blob that is not there (any more)."""
        blob = await self.find(blob_key, owner=owner)
        if blob is None:
            raise NotFoundError(f"The blob '{blob_key}' does not exist.")
        return blob

    async def find(self, blob_key: str, *, owner: str | None) -> Blob | None:
        blob = await self.blobs.stat(blob_key)
        return blob if blob is not None and owner in {None, blob.owner} else None

    async def keep(self, blob: Blob, until: datetime) -> None:
        """Write a changed time with the bytes, as one blob."""
        if until != blob.keep_until:
            content = self.blobs.read(blob.key, start=0, stop=blob.size)
            await self.blobs.put(blob.key, content, content_type=blob.content_type, keep_until=until, owner=blob.owner)

    async def delete(self, blob_key: str, *, owner: str | None) -> bool:
        """False if there was none."""
        blob = await self.find(blob_key, owner=owner)
        return blob is not None and await self.blobs.delete(blob_key)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageUrls:
    """One of our own leads to the store, so its host does not matter; without `hosts`, nothing is fetched at all."""

    blob_urls: BlobUrls
    hosts: HostPolicy | None

    def check(self, url: str, *, path: str) -> None:
        """Raise `InvalidRequestError` for one that can never be used."""
        try:
            key = self.blob_urls.key_in(url)
        except ForbiddenError as error:
            raise _unusable(path, error.message) from error
        except ValueError as error:
            raise _unusable(path, NO_URL) from error
        if key is None and self.hosts is not None:
            self.hosts.check(url, path=path)


def _unusable(path: str, fault: str) -> InvalidRequestError:
    return InvalidRequestError(f"The {path} cannot be used.", errors={path: [fault]})
