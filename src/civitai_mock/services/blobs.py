"""Blobs: signed URLs that give them out, and which of them a consumer may read and delete."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from civitai_mock.domain.blob import Blob, BlobLink, Shown, UndrawnBlob
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import ForbiddenError, NotFoundError
from civitai_mock.domain.micros import UNIX_EPOCH
from civitai_mock.domain.namespaces import DEFAULT
from civitai_mock.ports import BlobStore, Clock
from civitai_mock.services.blob_drawing import BlobDrawing, OpenBlob
from civitai_mock.services.blob_previews import BlobPreviews, preview_key
from civitai_mock.services.blob_reading import BlobReading, is_lost
from civitai_mock.services.faults.firing import Faults
from civitai_mock.services.signatures import UrlSigner

if TYPE_CHECKING:
    from civitai_mock.services.faults.blobs import BlobFaults

BLOBS_PATH = "/blobs"
EXPIRES, SIGNATURE, DATE = "X-Amz-Expires", "X-Amz-Signature", "X-Amz-Date"  # capture v1-job-succeeded
DATE_FORMAT = "%Y%m%dT%H%M%SZ"
SECOND = timedelta(seconds=1)
EXPIRED = "This URL has expired; ask for the job again to get a new one."


@dataclass(frozen=True, kw_only=True)
class BlobUrls:
    """Signs blob URLs of a namespace, and checks them, with a key that all processes on one store share."""

    key: bytes
    lifetime: timedelta
    clock: Clock
    namespace: str = DEFAULT

    def sign(self, blob_key: str, *, base_url: str, after: datetime | None = None) -> tuple[str, datetime]:
        """Return a URL, and the time at which it stops working: both are in whole seconds.

        It is none of those that were signed until `after`.
        """
        second = (self.clock.now() - UNIX_EPOCH) // SECOND
        if after is not None:
            second = max(second, (after - UNIX_EPOCH) // SECOND + 1)
        date, seconds, expires_at = _validity(second, self.lifetime)
        signature = self._signer.sign(f"{blob_key}\n{date}\n{seconds}")
        # No value has a character to be quoted; to look for one took three quarters of the time of a URL.
        query = f"{DATE}={date}&{EXPIRES}={seconds}&{SIGNATURE}={signature}"
        return f"{base_url}{BLOBS_PATH}/{blob_key}?{query}", expires_at

    def check(self, blob_key: str, *, date: str, expires: str, signature: str, at: datetime | None = None) -> BlobLink:
        """Return what a URL leads to.

        Raise `ForbiddenError` for one that we did not sign, or that has expired by now (or `at` another time), and
        `NotFoundError` for one of another namespace.
        """
        text = f"{blob_key}\n{date}\n{expires}"
        if not self._signer.has_signed(text, signature):
            self._signer.check_is_here(text, signature)
            raise ForbiddenError("The signature of this URL is wrong.")
        signed_at = datetime.strptime(date, DATE_FORMAT).replace(tzinfo=UTC)
        if (at or self.clock.now()) >= signed_at + timedelta(seconds=int(expires)):
            raise ForbiddenError(EXPIRED)
        return BlobLink(blob_key, signed_at=signed_at)

    def link_in(self, url: str, *, at: datetime | None = None) -> BlobLink | None:
        """Return what a URL of ours leads to, at whatever host; None for any other URL.

        Raise what `check` does, and `ValueError` for a text that is not a URL. Other services sign with
        query parameters of these names too, but never with exactly these.
        """
        found = _parts_of(url)
        if found is None:
            return None
        key, given = found
        return self.check(key, date=given[DATE], expires=given[EXPIRES], signature=given[SIGNATURE], at=at)

    def signed_again(self, url: str) -> str | None:
        """Return a URL of ours with the signature that it has here, whoever signed it; None for any other URL.

        Raise `ValueError` for a text that is not a URL.
        """
        found = _parts_of(url)
        if found is None:
            return None
        key, given = found
        signature = self._signer.sign(f"{key}\n{given[DATE]}\n{given[EXPIRES]}")
        return url.replace(f"{SIGNATURE}={given[SIGNATURE]}", f"{SIGNATURE}={signature}")

    @cached_property
    def _signer(self) -> UrlSigner:
        return UrlSigner(key=self.key, encode=bytes.hex, namespace=self.namespace)


def _parts_of(url: str) -> tuple[str, Mapping[str, str]] | None:
    """Return the key and the query of a URL that has the form of ours."""
    parts = urlsplit(url)
    folder, _, key = parts.path.rpartition("/")
    given = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    if not folder.endswith(BLOBS_PATH) or given.keys() != {DATE, EXPIRES, SIGNATURE}:
        return None
    return key, given


@lru_cache(maxsize=2)
def _validity(second: int, lifetime: timedelta) -> tuple[str, str, datetime]:
    """Return when URLs are signed and for how many seconds, as they say it, and when they expire.

    All that are signed in one second, counted from 1970, share this; it takes 3 µs to make.
    """
    signed_at = UNIX_EPOCH + second * SECOND
    return signed_at.strftime(DATE_FORMAT), str(int(lifetime.total_seconds())), signed_at + lifetime


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobAccess:
    """Gives a consumer access to its own blobs; those of others do not exist for it. Owner None may reach all blobs.

    Every blob key that a caller names is looked up here. A signed URL is another right, to read and nothing else.
    """

    blobs: BlobStore
    drawing: BlobDrawing
    previews: BlobPreviews
    chooser: Faults
    get_faults: "Callable[[], BlobFaults]"

    async def open(self, blob_key: str, *, owner: str | None, reading: BlobReading | None = None) -> OpenBlob:
        """Return a blob with its bytes; raise `NotFoundError` if it does not exist (any more).

        A `reading` may have what a fault of the blob has, as with all that follow.
        """
        return await self.drawing.open(await self.get(blob_key, owner=owner, reading=reading))

    async def open_link(self, link: BlobLink, *, owner: str | None, reading: BlobReading | None = None) -> OpenBlob:
        """Open what a link shows of a blob; one that is not signed opens only what `owner` may read."""
        blob = await self.get(link.key, owner=None if link.is_signed else owner, reading=reading)
        return await (self.previews if link.shown is Shown.PREVIEW else self.drawing).open(blob)

    async def get(self, blob_key: str, *, owner: str | None, reading: BlobReading | None = None) -> Blob | UndrawnBlob:
        """Return what is known of a blob without drawing it; raise `NotFoundError` if it does not exist."""
        blob = await self._known(blob_key, owner)
        if blob is not None and reading is not None and self._may_go_wrong(blob, reading):
            return await self.get_faults().met(blob, reading)
        if blob is None or is_lost(blob):
            raise NotFoundError(f"The blob '{blob_key}' does not exist.")
        return blob

    async def meet(self, blob_key: str, reading: BlobReading) -> None:
        """Let happen what a fault of a blob has for who reads it; nothing does without one, nor if there is no blob."""
        blob = await self.blobs.stat(blob_key)
        if blob is not None and self._may_go_wrong(blob, reading):
            await self.get_faults().met(blob, reading)

    async def find(self, blob_key: str, *, owner: str | None) -> Blob | UndrawnBlob | None:
        """Return what is known of a blob without drawing it; None if it does not exist."""
        blob = await self._known(blob_key, owner)
        return None if blob is None or is_lost(blob) else blob

    async def _known(self, blob_key: str, owner: str | None) -> Blob | UndrawnBlob | None:
        blob = await self.blobs.stat(blob_key)
        return blob if blob is not None and owner in {None, blob.owner} else None

    def _may_go_wrong(self, blob: Blob | UndrawnBlob, reading: BlobReading) -> bool:
        if blob.fault is not None or reading.asked is not None:
            return True
        if not self.chooser.is_any_set:
            return False
        from civitai_mock.domain.fault_presets import Hook  # noqa: PLC0415 - nobody needs it before there is a rule

        return self.chooser.hits(Hook.BLOB)

    async def keep(self, blob: Blob | UndrawnBlob, until: datetime) -> None:
        """Change how long a blob is kept; its bytes and the new time are written as one blob.

        So an undrawn blob is never kept longer than its job, without whose graph it could not be drawn.
        """
        if until != blob.keep_until:
            content = (await self.drawing.open(blob)).content()
            await self.blobs.put(
                blob.key,
                content,
                content_type=blob.content_type,
                keep_until=until,
                owner=blob.owner,
                facts=blob.facts,
                fault=blob.fault,
            )

    async def delete(self, blob_key: str, *, owner: str | None) -> bool:
        """Delete a blob, and its preview; False if there is none."""
        blob = await self.find(blob_key, owner=owner)
        if isinstance(blob, Blob):
            await self.blobs.delete(preview_key(blob))
        return blob is not None and await self.blobs.delete(blob_key)
