"""Read the zip of a snapshot, and trust nothing in it; everything here blocks, and is called in a thread.

Every fault is an `InvalidRequestError` that names the file, and the line and the member where there are such.
"""

import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import IO, Any

import orjson

from civitai_mock.domain.errors import InvalidRequestError, fault
from civitai_mock.domain.json_types import Json, JsonObject
from civitai_mock.domain.nearest import unknown_name
from civitai_mock.domain.typed_json import TypedJsonError, read_value
from civitai_mock.services.snapshots.format import (
    CONTENT,
    DOCUMENT,
    FORMAT,
    LARGEST_DIRECTORY,
    LONGEST_LINE,
    MANIFEST,
    MOST_DEPTH,
    MOST_FILES,
    RECORDS,
    Manifest,
)

ROOT = "$"
CHUNK_BYTES = 1024 * 1024
ENCRYPTED = 1  # a flag of the zip format
NAMED = (MANIFEST, DOCUMENT, *RECORDS)
BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OverflowError)


class SnapshotReader:
    """Reads one snapshot whose files together are at most `most_bytes`, as what `RECORDS` says."""

    def __init__(self, file: IO[bytes], *, most_bytes: int) -> None:
        with _faults(ROOT):
            self._zip = zipfile.ZipFile(_Bounded(file), "r")
        self._entries = _checked_entries(self._zip, most_bytes)
        self.manifest = self._read_manifest()
        self.document = self._object(DOCUMENT)

    @property
    def files(self) -> frozenset[int]:
        """Return the numbers of the files that have the bytes of blobs."""
        return frozenset(int(found[1]) for name in self._entries if (found := CONTENT.fullmatch(name)))

    def records(self, name: str) -> Iterator[tuple[str, Any]]:
        """Yield the records of a file, each with the place where it stands, for faults."""
        for number, line in enumerate(self._lines(name), 1):
            place = f"{name}[{number}]"
            try:
                yield place, read_value(RECORDS[name], _json(line, place))
            except TypedJsonError as error:
                raise fault(f"{place}.{error.path}".rstrip("."), error.message) from error

    def content(self, number: int) -> Iterator[bytes]:
        """Yield the bytes of a blob; their checksum is compared at the end."""
        yield from self._chunks(f"blobs/{number}")

    def _read_manifest(self) -> Manifest:
        value = self._object(MANIFEST)
        found = value.get("format")
        if not isinstance(found, int) or isinstance(found, bool) or found < 1:
            raise fault(f"{MANIFEST}.format", "Expected the number of the format.")
        if found > FORMAT:
            raise fault(
                f"{MANIFEST}.format", f"This is format {found}, of a newer program; this one reads up to {FORMAT}."
            )
        try:
            return read_value(Manifest, value)
        except TypedJsonError as error:
            raise fault(f"{MANIFEST}.{error.path}".rstrip("."), error.message) from error

    def _object(self, name: str) -> JsonObject:
        line = b"".join(self._lines(name))
        value = _json(line, name)
        if not isinstance(value, dict):
            raise fault(name, "Expected a JSON object.")
        return value

    def _lines(self, name: str) -> Iterator[bytes]:
        left = b""
        for chunk in self._chunks(name):
            *lines, left = (left + chunk).split(b"\n")
            yield from lines
            if len(left) > LONGEST_LINE:
                raise fault(name, f"A line is longer than {LONGEST_LINE} bytes.")
        if left:
            yield left

    def _chunks(self, name: str) -> Iterator[bytes]:
        with _faults(name), self._zip.open(self._entries[name]) as entry:
            while chunk := entry.read(CHUNK_BYTES):
                yield chunk


class _Bounded:
    """Is a file that refuses to be read at once where only a directory that is too large would be."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.seek, self.tell, self.seekable, self.close = file.seek, file.tell, file.seekable, file.close

    def read(self, size: int = -1) -> bytes:
        if size > LARGEST_DIRECTORY:
            raise zipfile.BadZipFile(f"its directory is larger than {LARGEST_DIRECTORY} bytes")
        return self._file.read(size)


@contextmanager
def _faults(name: str) -> Iterator[None]:
    """Say of which file it was that the zip cannot be read."""
    try:
        yield
    except InvalidRequestError:
        raise
    except BROKEN as error:
        raise fault(name, f"The zip cannot be read here: {error}.") from error


def _checked_entries(archive: zipfile.ZipFile, most_bytes: int) -> Mapping[str, zipfile.ZipInfo]:
    """Return the files by name, once all names are known, none comes twice, and together they are not too large."""
    entries: dict[str, zipfile.ZipInfo] = {}
    size = 0
    for entry in archive.infolist():
        name = entry.orig_filename  # as `filename` ends at a NUL
        if name not in NAMED and not CONTENT.fullmatch(name):
            raise fault(name[:100] or ROOT, unknown_name("file", name, [*NAMED, "blobs/<number>"]))
        if name in entries:
            raise fault(name, "The file is there twice.")
        if entry.flag_bits & ENCRYPTED or entry.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
            raise fault(name, "The file is encrypted, or packed in a way that is not known.")
        entries[name] = entry
        size += entry.file_size
    for name in NAMED:
        if name not in entries:
            raise fault(name, "The file is missing.")
    if size > most_bytes:
        raise fault(ROOT, f"The snapshot unpacks to {size} bytes, more than {most_bytes}; see SNAPSHOT_MAX_BYTES.")
    if len(entries) > MOST_FILES + len(NAMED):
        raise fault(ROOT, f"The snapshot has {len(entries)} files, more than {MOST_FILES}.")
    return entries


def _json(line: bytes, place: str) -> Json:
    try:
        value: Json = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise fault(place, f"This is not JSON: {error}.") from error
    if line.count(b"[") + line.count(b"{") > MOST_DEPTH and not _is_flat(value, MOST_DEPTH):
        raise fault(place, f"This is nested deeper than {MOST_DEPTH} levels.")
    return value


def _is_flat(value: Json, left: int) -> bool:
    if not isinstance(value, dict | list):
        return True
    items = value.values() if isinstance(value, dict) else value
    return left > 0 and all(_is_flat(item, left - 1) for item in items)
