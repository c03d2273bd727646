"""Archives of blobs: a list of what is in one is kept, and the files are put together while somebody downloads it."""

import io
import re
import tarfile
import zipfile
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import PurePosixPath

import orjson
from typing_extensions import Buffer

from civitai_mock.domain.blob import BlobLink, Slot, blob_id_of
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import GoneError, NotFoundError
from civitai_mock.ports import BlobStore, Clock, Ids
from civitai_mock.services.blob_drawing import OpenBlob
from civitai_mock.services.blob_reading import BlobReading, SilentBlobError
from civitai_mock.services.blob_tokens import EXPIRED, ArchiveToken, BlobTokens
from civitai_mock.services.blob_urls import SignedUrl
from civitai_mock.services.blob_views import ARCHIVE_PATH, ViewBlobs
from civitai_mock.services.streams import chained, one_chunk

LIFETIME = timedelta(days=1)
LIST_TYPE = "application/json"
LONGEST_NAME, LONGEST_SUFFIX = 200, 20  # bytes
NOT_IN_A_NAME = re.compile(r'[\x00-\x1f\x7f"*:<>?|\\/]')
TAR_BLOCK, TAR_END = 512, bytes(1024)
LARGE_FILE = 2**31  # bytes, from which on a zip file needs the fields of Zip64


class ArchiveFormat(StrEnum):
    """Names the formats of archives (v2 description: `ArchiveFormat`)."""

    ZIP = "zip"
    TAR = "tar"

    @property
    def content_type(self) -> str:
        return "application/zip" if self is ArchiveFormat.ZIP else "application/x-tar"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveEntry:
    """Names a blob, and its file in the archive."""

    blob_id: str
    file_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenArchive:
    """Is an archive that is put together as its `content` is read."""

    file_name: str
    content_type: str
    content: Callable[[], AsyncIterator[bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobArchives:
    """Makes archives, and opens them for whoever has the URL; what is not there, or withheld, by then is left out."""

    blobs: BlobStore
    views: ViewBlobs
    tokens: BlobTokens
    clock: Clock
    ids: Ids

    async def make(
        self,
        entries: Sequence[ArchiveEntry],
        *,
        archive_format: ArchiveFormat,
        name: str | None,
        owner: str | None,
        issued_by: str,
        base_url: str,
    ) -> SignedUrl:
        """Return the URL of an archive, and when it expires; raise `NotFoundError` for a blob that `owner` has not."""
        for entry in entries:
            await self.views.access.get(entry.blob_id, owner=owner)
        now = self.clock.now().replace(microsecond=0)
        listed = {
            "format": archive_format,
            "name": safe_name(name or "archive"),
            "madeAt": now.timestamp(),
            "entries": [(entry.blob_id, entry.file_name) for entry in _with_names_of_their_own(entries)],
        }
        content = orjson.dumps(listed)
        ids = await self.ids.of_request(lambda: issued_by.encode() + content)
        key, expires_at = blob_id_of(ids.uuid(), ".json"), now + LIFETIME
        await self.blobs.put(key, one_chunk(content), content_type=LIST_TYPE, keep_until=expires_at, owner=issued_by)
        token = self.tokens.sign_until(ArchiveToken(key=key), expires_at)
        return SignedUrl(f"{base_url}{ARCHIVE_PATH}/{token}", expires_at)

    async def open(self, token: str, *, reading: BlobReading) -> OpenArchive:
        """Raise `InvalidRequestError` for a token that is not ours, and `GoneError` for an archive that expired."""
        key = self.tokens.read(token, ArchiveToken).key
        try:
            opened = await self.views.access.open(key, owner=None)
            listed = orjson.loads(b"".join([chunk async for chunk in opened.content()]))
        except NotFoundError as error:
            raise GoneError(EXPIRED) from error
        entries = [ArchiveEntry(blob_id=blob_id, file_name=name) for blob_id, name in listed["entries"]]
        made_at = datetime.fromtimestamp(listed["madeAt"], UTC)
        return self._opened(
            entries, ArchiveFormat(listed["format"]), name=listed["name"], made_at=made_at, reading=reading
        )

    def of_slots(self, slots: Iterable[Slot], *, hides_mature_content: bool, reading: BlobReading) -> OpenArchive:
        """Return a zip of the files that jobs have made so far, without mature ones if these are hidden."""
        entries = [
            ArchiveEntry(blob_id=slot.blob_key, file_name=slot.name or slot.blob_key)
            for slot in slots
            if slot.available and not (hides_mature_content and _is_mature(slot))
        ]
        named = _with_names_of_their_own(entries)
        return self._opened(named, ArchiveFormat.ZIP, name="workflows", made_at=self.clock.now(), reading=reading)

    def _opened(
        self,
        entries: Sequence[ArchiveEntry],
        archive_format: ArchiveFormat,
        *,
        name: str,
        made_at: datetime,
        reading: BlobReading,
    ) -> OpenArchive:
        write = _zip if archive_format is ArchiveFormat.ZIP else _tar
        return OpenArchive(
            file_name=f"{name}.{archive_format}",
            content_type=archive_format.content_type,
            content=lambda: write(self._files(entries, reading), made_at),
        )

    async def _files(
        self, entries: Sequence[ArchiveEntry], reading: BlobReading
    ) -> AsyncIterator[tuple[str, int, AsyncIterator[bytes]]]:
        """Yield name, size and bytes of what can be had."""
        for entry in entries:
            opened = await self._open_file(entry, reading)
            if opened is not None:
                chunks = opened.content()
                try:
                    first = await anext(chunks, b"")
                except NotFoundError:  # as it was deleted in this moment
                    continue
                yield entry.file_name, opened.blob.size, chained(first, chunks)

    async def _open_file(self, entry: ArchiveEntry, reading: BlobReading) -> OpenBlob | None:
        try:
            return (await self.views.open(BlobLink(entry.blob_id), owner=None, reading=reading))[1]
        except (NotFoundError, SilentBlobError):
            return None


def _is_mature(slot: Slot) -> bool:
    level = None if slot.facts is None else slot.facts.nsfw_level
    return level is not None and level.is_mature


def safe_name(name: str) -> str:
    """Return a name that is a file in one folder wherever an archive is unpacked."""
    plain = NOT_IN_A_NAME.sub("_", name.strip()).strip(". ") or "_"
    suffix = PurePosixPath(plain).suffix
    if len(suffix.encode()) > LONGEST_SUFFIX:
        suffix = ""
    stem = plain.removesuffix(suffix).encode()[: LONGEST_NAME - len(suffix.encode())]
    return stem.decode("utf-8", "ignore") + suffix


def _with_names_of_their_own(entries: Sequence[ArchiveEntry]) -> Sequence[ArchiveEntry]:
    """Return the entries with numbers where files would overwrite each other, also where case does not count."""
    named: dict[str, ArchiveEntry] = {}
    for entry in entries:
        wanted = name = safe_name(entry.file_name)
        number = 1
        while name.lower() in named:
            number += 1
            path = PurePosixPath(wanted)
            name = f"{path.stem} ({number}){path.suffix}"
        named[name.lower()] = ArchiveEntry(blob_id=entry.blob_id, file_name=name)
    return list(named.values())


class _Sink(io.RawIOBase):
    """Takes what `zipfile` writes until it is given out; it has no position."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, part: Buffer) -> int:
        self._parts.append(bytes(part))
        return len(self._parts[-1])

    def take(self) -> bytes:
        taken = b"".join(self._parts)
        self._parts.clear()
        return taken


async def _zip(files: AsyncIterator[tuple[str, int, AsyncIterator[bytes]]], made_at: datetime) -> AsyncIterator[bytes]:
    """Store files as they are: images and videos hardly shrink."""
    sink = _Sink()
    with zipfile.ZipFile(sink, "w") as archive:
        async for name, size, chunks in files:
            entry = zipfile.ZipInfo(name, made_at.timetuple()[:6])
            with archive.open(entry, "w", force_zip64=size >= LARGE_FILE) as file:
                async for chunk in chunks:
                    file.write(chunk)
                    yield sink.take()
    yield sink.take()


async def _tar(files: AsyncIterator[tuple[str, int, AsyncIterator[bytes]]], made_at: datetime) -> AsyncIterator[bytes]:
    async for name, size, chunks in files:
        entry = tarfile.TarInfo(name)
        entry.size, entry.mtime = size, int(made_at.timestamp())
        yield entry.tobuf(tarfile.PAX_FORMAT)
        async for chunk in chunks:
            yield chunk
        yield bytes(-size % TAR_BLOCK)
    yield TAR_END
