"""The users of a server, and their files in memory: settings, workflows and whatever else a client stores."""

import posixpath
from collections.abc import Iterator
from datetime import datetime
from urllib.parse import unquote

from civitai_mock.comfyui_standin.state.files import MAX_NAME_BYTES
from civitai_mock.domain.dataclass import dataclass

DEFAULT_USER = "default"


class UnusablePathError(Exception):
    """The path is a folder, leads through a file, or has a name that no disk takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UserFile:
    """Is a file of a user, with its dates."""

    content: bytes
    modified: datetime
    created: datetime


class UserFiles:
    """Holds the files and folders of one user.

    Paths have no slash at either end; the user's own folder is the empty path.
    """

    def __init__(self, *, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._files: dict[str, UserFile] = {}
        self._folders = {""}

    @staticmethod
    def locate(name: str) -> str | None:
        """Return the path of a name that may be percent-encoded, or None if it leads out of the user's folder."""
        home = "/user"
        path = posixpath.normpath(posixpath.join(home, unquote(name) if "%" in name else name))
        if path != home and not path.startswith(f"{home}/"):
            return None
        return path.removeprefix(home).lstrip("/")

    def get(self, path: str) -> UserFile | None:
        return self._files.get(path)

    def is_folder(self, path: str) -> bool:
        return path in self._folders

    def exists(self, path: str) -> bool:
        return path in self._files or path in self._folders

    def make_parent(self, path: str) -> None:
        """Create the folders above a path; raise `UnusablePathError` if one of them is a file."""
        for folder in _parents(path):
            if folder in self._files:
                raise UnusablePathError(f"{folder} is a file")
            self._folders.add(folder)

    def put(self, path: str, content: bytes, *, now: datetime) -> None:
        """Store a file; raise `UnusablePathError` for a folder, a name that is too long, and if there is no room."""
        before = self._files.get(path)
        room = self._max_bytes - sum(len(file.content) for file in self._files.values())
        if self.is_folder(path) or len(posixpath.basename(path).encode()) > MAX_NAME_BYTES:
            raise UnusablePathError(f"{path} cannot be a file")
        if len(content) > room + (len(before.content) if before else 0):
            raise UnusablePathError(f"there is no room for {len(content)} bytes")
        self._files[path] = UserFile(content=content, modified=now, created=before.created if before else now)

    def delete(self, path: str) -> None:
        """Delete a file; raise `UnusablePathError` for a folder."""
        if path not in self._files:
            raise UnusablePathError(f"{path} is not a file")
        del self._files[path]

    def move(self, source: str, target: str) -> str:
        """Move a file and return its new path: a target that is a folder gets it in there.

        Raise `UnusablePathError` if the source is a folder.
        """
        if source not in self._files:
            raise UnusablePathError(f"{source} is not a file")
        if self.is_folder(target):
            target = posixpath.join(target, posixpath.basename(source))
        self._files[target] = self._files.pop(source)
        return target

    def visible_files(self, folder: str, *, recurse: bool) -> Iterator[tuple[str, UserFile]]:
        """Yield files with their paths from the folder on, sorted; hidden ones are left out."""
        for path, file in sorted(self._files.items()):
            below = _below(folder, path)
            if below is None or (not recurse and "/" in below):
                continue
            if not any(part.startswith(".") for part in below.split("/")):
                yield below, file

    def folders_below(self, folder: str) -> Iterator[str]:
        """Return the whole paths of all folders below a folder."""
        return (path for path in sorted(self._folders) if _below(folder, path))

    def files_below(self, folder: str) -> Iterator[tuple[str, UserFile]]:
        """Return all files below a folder with their whole paths."""
        return ((path, file) for path, file in sorted(self._files.items()) if _below(folder, path))


class UserData:
    """Knows the users and their files; without `multi_user` all are one user."""

    def __init__(self, *, max_bytes: int, multi_user: bool) -> None:
        self.multi_user = multi_user
        self.users: dict[str, str] = {} if multi_user else {DEFAULT_USER: DEFAULT_USER}
        self._max_bytes = max_bytes
        self._folders: dict[str, UserFiles] = {}

    def files_of(self, user: str | None) -> UserFiles:
        """Return the files of the user that a request names; raise `KeyError` for an unknown user."""
        name = user if self.multi_user and user is not None else DEFAULT_USER
        if name not in self.users:
            raise KeyError(name)
        return self._folders.setdefault(name, UserFiles(max_bytes=self._max_bytes))


def _parents(path: str) -> Iterator[str]:
    while path:
        path = posixpath.dirname(path)
        yield path


def _below(folder: str, path: str) -> str | None:
    """Return the rest of a path behind a folder, or None if it is not below it."""
    start = f"{folder}/" if folder else ""
    return path.removeprefix(start) if path.startswith(start) and path != folder else None
