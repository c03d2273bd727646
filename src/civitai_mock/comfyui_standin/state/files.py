"""The files of the input, output and temp folders in memory, within a bound, and the names of saved files."""

import errno
import hashlib
import os
import posixpath
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from civitai_mock.domain.dataclass import dataclass

ROOT = "/srv/comfyui"  # where an installation pretends to be
FOLDERS = ("output", "input", "temp")
DEFAULT_FOLDER = "input"
MAX_NAME_BYTES = 255


class FilePlace(NamedTuple):
    """Says where a file is; `subfolder` has no slash at either end."""

    folder: str
    subfolder: str
    name: str

    @property
    def path(self) -> str:
        return f"{self.subfolder}/{self.name}" if self.subfolder else self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """Is a file's content, with its SHA-256 digest in hexadecimal digits."""

    content: bytes
    digest: str
    modified: datetime


class FileStore:
    """Holds files in memory; when it is full, the oldest files that graphs have made are deleted."""

    def __init__(self, *, max_bytes: int) -> None:
        self._files: dict[FilePlace, StoredFile] = {}
        self._max_bytes = max_bytes
        self._bytes = 0

    def get(self, place: FilePlace) -> StoredFile | None:
        return self._files.get(place)

    def put(self, place: FilePlace, content: bytes, *, now: datetime) -> None:
        """Store a file or replace it; raise `OSError` or `ValueError` for names that no disk takes."""
        check_names(place)
        self.delete(place)
        self._files[place] = StoredFile(content=content, digest=digest_of(content), modified=now)
        self._bytes += len(content)
        self._make_room(place)

    def delete(self, place: FilePlace) -> None:
        file = self._files.pop(place, None)
        self._bytes -= len(file.content) if file else 0

    def clear(self, folder: str) -> None:
        for place in [place for place in self._files if place.folder == folder]:
            self.delete(place)

    def names(self, folder: str, subfolder: str = "") -> Sequence[str]:
        """Return the names of the files right in a folder, sorted."""
        return sorted(place.name for place in self._files if place[:2] == (folder, subfolder))

    def newest(self, folder: str) -> Sequence[str]:
        """Return the names of the files right in a folder, the latest first."""
        files = [(place.name, file) for place, file in self._files.items() if place[:2] == (folder, "")]
        return [name for name, file in sorted(files, key=lambda each: each[1].modified, reverse=True)]

    def subfolders(self, folder: str) -> Sequence[str]:
        return sorted({place.subfolder for place in self._files if place.folder == folder and place.subfolder})

    def find(self, annotated: str) -> tuple[FilePlace, StoredFile] | None:
        """Return the file that LoadImage means by `subfolder/name`, with ` [output]` behind it for another folder."""
        path, folder = split_annotation(annotated)
        subfolder, _, name = path.rpartition("/")
        place = FilePlace(folder or DEFAULT_FOLDER, subfolder, name)
        file = self.get(place)
        return (place, file) if file else None

    def _make_room(self, newest: FilePlace) -> None:
        while self._bytes > self._max_bytes:
            oldest = next(self._files_of_graphs(newest), None)
            if oldest is None:
                return
            self.delete(oldest)

    def _files_of_graphs(self, newest: FilePlace) -> Iterator[FilePlace]:
        return (place for place in self._files if place.folder != "input" and place != newest)


def check_names(place: FilePlace) -> None:
    """Raise `ValueError` or `OSError`, as a disk does, if a part of the path is not a valid file name."""
    if "\0" in place.path:
        raise ValueError("embedded null byte")
    if any(len(os.fsencode(part)) > MAX_NAME_BYTES for part in place.path.split("/")):
        raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG), place.path)


def digest_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def split_annotation(name: str) -> tuple[str, str | None]:
    """Split `x.png [temp]` into x.png and temp; the folder is None if there is none."""
    for folder in FOLDERS:
        if name.endswith(f" [{folder}]"):
            return name.removesuffix(f" [{folder}]"), folder
    return name, None


class OutsideFolderError(Exception):
    """The prefix leads out of the folder that files are saved in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveName:
    """Names the files of one output node: a subfolder, and the start of each name."""

    subfolder: str
    stem: str

    @classmethod
    def parse(cls, prefix: str, *, folder: str) -> "SaveName":
        """Raise `OutsideFolderError`, in ComfyUI's words."""
        path = posixpath.normpath(prefix)
        subfolder, stem = posixpath.split(path)
        home = f"{ROOT}/{folder}"
        wanted = posixpath.join(home, subfolder)
        target = posixpath.normpath(wanted)
        if target != home and not target.startswith(f"{home}/"):
            raise OutsideFolderError(
                "**** ERROR: Saving image outside the output folder is not allowed."
                f"\n full_output_folder: {wanted}\n         output_dir: {home}"
                f"\n         commonpath: {posixpath.commonpath((home, target))}"
            )
        return cls(subfolder=subfolder, stem=stem)

    def next_counter(self, names: Iterable[str]) -> int:
        """Return one more than the highest counter among existing files, which also counts after a restart."""
        pattern = re.compile(re.escape(self.stem) + r"_(\d+)(?:_.*)?", re.DOTALL)
        counters = [int(match[1]) for name in names if (match := pattern.fullmatch(name))]
        return max(counters, default=0) + 1

    def file_name(self, counter: int, *, batch_index: int, suffix: str = "png") -> str:
        return f"{self.stem.replace('%batch_num%', str(batch_index))}_{counter:05}_.{suffix}"


def expand_prefix(prefix: str, *, width: int, height: int, now: datetime) -> str:
    """Fill in size and time; `%date:…%` and `%Node.widget%` are left to the web page, as in ComfyUI."""
    values = {
        "width": str(width),
        "height": str(height),
        "year": str(now.year),
        "month": f"{now.month:02}",
        "day": f"{now.day:02}",
        "hour": f"{now.hour:02}",
        "minute": f"{now.minute:02}",
        "second": f"{now.second:02}",
    }
    for name, value in values.items():
        prefix = prefix.replace(f"%{name}%", value)
    return prefix
