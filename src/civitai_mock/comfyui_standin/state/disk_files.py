"""The files of the input, output and temp folders on disk, where other programs read and write as well."""

import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from civitai_mock.comfyui_standin.state.files import FilePlace, FileStore, StoredFile, check_names, digest_of


class DiskFileStore(FileStore):
    """Reads the folders of `directories` from disk anew at each use; the others are in memory."""

    def __init__(self, *, max_bytes: int, directories: Mapping[str, Path]) -> None:
        super().__init__(max_bytes=max_bytes)
        self._roots = {folder: path.resolve() for folder, path in directories.items()}
        for root in self._roots.values():
            root.mkdir(parents=True, exist_ok=True)

    def get(self, place: FilePlace) -> StoredFile | None:
        """Return None for a missing file, and for a place that leads out of its folder."""
        if place.folder not in self._roots:
            return super().get(place)
        path = self._path(place)
        if path is None or not os.path.isfile(path):  # noqa: PTH113 - Path.is_file raises for names that are too long
            return None
        content, modified = path.read_bytes(), datetime.fromtimestamp(path.stat().st_mtime, UTC)
        return StoredFile(content=content, digest=digest_of(content), modified=modified)

    def put(self, place: FilePlace, content: bytes, *, now: datetime) -> None:
        """Raise `OSError` or `ValueError` where the file cannot be written, and leave no part of it behind."""
        if place.folder not in self._roots:
            super().put(place, content, now=now)
            return
        check_names(place)
        path = self._path(place)
        if path is None:
            raise PermissionError(f"{place.path} is not in the folder {place.folder}")
        path.parent.mkdir(parents=True, exist_ok=True)
        is_new = not path.exists()
        try:
            path.write_bytes(content)
        except OSError:
            if is_new:
                path.unlink(missing_ok=True)
            raise

    def delete(self, place: FilePlace) -> None:
        super().delete(place)
        if place.folder in self._roots and (path := self._path(place)) is not None:
            path.unlink(missing_ok=True)

    def clear(self, folder: str) -> None:
        """Delete every file, also those of other programs."""
        super().clear(folder)
        for path in self._files_below(folder):
            path.unlink(missing_ok=True)

    def names(self, folder: str, subfolder: str = "") -> Sequence[str]:
        found = sorted(path.name for path in self._files_in(folder, subfolder))
        return found if folder in self._roots else super().names(folder, subfolder)

    def newest(self, folder: str) -> Sequence[str]:
        found = sorted(self._files_in(folder, ""), key=lambda path: path.stat().st_mtime, reverse=True)
        return [path.name for path in found] if folder in self._roots else super().newest(folder)

    def subfolders(self, folder: str) -> Sequence[str]:
        root = self._roots.get(folder)
        if root is None:
            return super().subfolders(folder)
        return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_dir())

    def _files_in(self, folder: str, subfolder: str) -> Iterator[Path]:
        root = self._roots.get(folder)
        if root is not None and (root / subfolder).is_dir():
            yield from (path for path in (root / subfolder).iterdir() if path.is_file())

    def _files_below(self, folder: str) -> list[Path]:
        root = self._roots.get(folder)
        return [path for path in root.rglob("*") if path.is_file() or path.is_symlink()] if root else []

    def _path(self, place: FilePlace) -> Path | None:
        root = self._roots[place.folder]
        if "\0" in place.path:
            return None
        path = (root / place.subfolder / place.name).resolve()
        return path if path.is_relative_to(root) else None
