"""Write the zip of a snapshot, file by file; every method blocks, and is called in a thread."""

import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import IO

import orjson

from civitai_mock.domain.errors import ConflictError
from civitai_mock.domain.json_types import ReadOnlyJson
from civitai_mock.domain.typed_json import write_value
from civitai_mock.services.snapshots.format import DOCUMENT, LONGEST_LINE, MANIFEST, MOST_FILES, Manifest

FIRST_DATE = (1980, 1, 1, 0, 0, 0)  # that a zip can say; when it was made is in the manifest


@contextmanager
def aborting(writer: "SnapshotWriter") -> Iterator[None]:
    """Close a writer if the block fails, which may be as the disk is full: then nothing can be written any more."""
    try:
        yield
    except BaseException:
        with suppress(OSError):
            writer.close()
        raise


class SnapshotWriter:
    """Writes one file after the other, and raises `ConflictError` once all of them are larger than `most_bytes`."""

    def __init__(self, file: IO[bytes], *, most_bytes: int) -> None:
        self._file = file
        self._zip = zipfile.ZipFile(file, "w")
        self._most_bytes = most_bytes
        self._entry: IO[bytes] | None = None
        self._size = 0
        self._counts: dict[str, int] = {}

    def begin(self, name: str, *, is_packed: bool = True) -> None:
        """Begin a file; images and videos hardly shrink, so the bytes of blobs are not packed."""
        self._end()
        info = zipfile.ZipInfo(name, FIRST_DATE)
        info.compress_type = zipfile.ZIP_DEFLATED if is_packed else zipfile.ZIP_STORED
        self._entry = self._zip.open(info, "w", force_zip64=True)
        if is_packed:
            self._counts[name] = 0
        if len(self._zip.filelist) > MOST_FILES:
            raise ConflictError(f"The namespace has more than {MOST_FILES} files, too many for a snapshot.")

    def write_records(self, name: str, records: Iterable[object]) -> None:
        """Add a line to the file of that name, which was begun last, for each record."""
        lines = [orjson.dumps(write_value(record)) for record in records]
        for line in lines:
            if len(line) > LONGEST_LINE:
                raise ConflictError(f"A record of {name} is longer than {LONGEST_LINE} bytes.")
            self.write(line + b"\n")
        self._counts[name] += len(lines)

    def write(self, content: bytes) -> None:
        if self._entry is None:
            raise ValueError("no file was begun")
        self._entry.write(content)
        self._size += len(content)
        if max(self._size, self._file.tell()) > self._most_bytes:
            raise ConflictError(f"The snapshot would be larger than {self._most_bytes} bytes; see SNAPSHOT_MAX_BYTES.")

    def finish(self, manifest: Manifest, document: ReadOnlyJson) -> None:
        """Write what there is but once, and the directory of the zip."""
        counted = replace(manifest, counts=dict(self._counts))
        for name, value in ((DOCUMENT, dict(document)), (MANIFEST, write_value(counted))):
            self.begin(name)
            self.write(orjson.dumps(value))
        self.close()
        if self._file.tell() > self._most_bytes:
            raise ConflictError(f"The snapshot is larger than {self._most_bytes} bytes; see SNAPSHOT_MAX_BYTES.")

    def close(self) -> None:
        """End the zip; this may write to the file."""
        self._end()
        self._zip.close()

    def _end(self) -> None:
        if self._entry is not None:
            self._entry.close()
            self._entry = None
