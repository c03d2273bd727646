"""File permissions of a SQLite store: make files private to their owner, and explain why a directory is refused."""

import os
import stat
from collections.abc import Iterable
from pathlib import Path

import structlog

FOLDER_MODE, FILE_MODE = 0o700, 0o600
OTHERS = 0o077

logger = structlog.stdlib.get_logger()


def make_folders(folder: Path) -> None:
    """Make a folder and the folders above it."""
    if not folder.parent.exists():
        make_folders(folder.parent)
    make_folder(folder)


def make_folder(folder: Path) -> None:
    """Make a private folder, or keep one that exists as it is; raise `NotADirectoryError` if a file is there."""
    try:
        folder.mkdir(mode=FOLDER_MODE)
    except FileExistsError:
        if not folder.is_dir():
            raise NotADirectoryError(f"{folder} is not a folder") from None
    else:
        folder.chmod(FOLDER_MODE)  # the umask may have taken away what the owner needs


def open_private(path: str, flags: int) -> int:
    """Open a file that only its owner may read; this is an opener for `open`."""
    descriptor = os.open(path, flags, FILE_MODE)
    if flags & os.O_CREAT and stat.S_IMODE(os.fstat(descriptor).st_mode) != FILE_MODE:
        tighten_open(descriptor, path)
    return descriptor


def make_file(path: Path) -> None:
    """Make an empty private file, unless there is one."""
    if not path.exists():
        os.close(open_private(str(path), os.O_CREAT | os.O_RDWR))


def is_private(path: Path) -> bool:
    """Return whether nobody but the owner may use a path; True also if nothing is there."""
    try:
        return not path.stat().st_mode & OTHERS
    except FileNotFoundError:
        return True


def tighten(paths: Iterable[Path]) -> None:
    """Take away the rights of others to files and folders that an earlier version has left."""
    for path in paths:
        if not is_private(path):
            tighten_open(path, str(path))


def tighten_open(target: Path | int, name: str) -> None:
    """Make a path or an open file private; log a warning if that is not possible."""
    is_folder = stat.S_ISDIR(os.stat(target).st_mode)  # noqa: PTH116 - takes an open file, too
    try:
        os.chmod(target, FOLDER_MODE if is_folder else FILE_MODE)  # noqa: PTH101
    except OSError as error:  # as it is somebody else's, or the file system has no modes
        logger.warning("others may read what is kept", path=name, error=error.strerror)


def obstacle(directory: Path, paths: Iterable[Path]) -> str | None:
    """Return why this process cannot use a directory or one of the existing paths in it, and what to do about it.

    If there is no directory yet, the nearest folder above it counts, as the directory would be made there.
    """
    nearest = _nearest(directory)
    if nearest != directory:
        return _fault_of(nearest, cure=f"make {directory} for this user, or set DATA_DIR to a folder of its own")
    return next(filter(None, (_fault_of(path, cure=_handing_over(directory)) for path in [directory, *paths])), None)


def foreigner(directory: Path, paths: Iterable[Path]) -> str | None:
    """Return whose a path is that is not this process's: root gets in everywhere, and leaves files of its own."""
    strange = (path for path in paths if os.path.lexists(path) and path.lstat().st_uid != os.geteuid())
    return next((_belongs(path, path.lstat(), cure=_handing_over(directory)) for path in strange), None)


def is_sealed(directory: Path) -> bool:
    """Return whether a directory is on a read-only root (`docker run --read-only`) with nothing mounted there."""
    root = Path("/")
    is_read_only = bool(os.statvfs(root).f_flag & os.ST_RDONLY)
    return is_read_only and _nearest(directory.absolute()).stat().st_dev == root.stat().st_dev


def _nearest(path: Path) -> Path:
    while not os.path.lexists(path) and path != path.parent:
        path = path.parent
    return path


def _fault_of(path: Path, *, cure: str) -> str | None:
    try:
        found = path.stat()
    except OSError:
        return None
    wanted = os.R_OK | os.W_OK | (os.X_OK if stat.S_ISDIR(found.st_mode) else 0)
    if os.access(path, wanted):
        return None
    if os.statvfs(path).f_flag & os.ST_RDONLY:
        return f"{path} is on a read-only file system; mount it writable, or set MONGODB_URI=memory://"
    return _belongs(path, found, cure=f"`chmod u+rwX {path}`" if found.st_uid == os.geteuid() else cure)


def _belongs(path: Path, found: os.stat_result, *, cure: str) -> str:
    owner, us = f"{found.st_uid}:{found.st_gid}", f"{os.geteuid()}:{os.getegid()}"
    mode = f"{stat.S_IMODE(found.st_mode):o}"
    return (
        f"{path} belongs to {owner} (mode {mode}), this process is {us}; {cure}, or run as its owner"
        f" (docker run --user {owner})"
    )


def _handing_over(directory: Path) -> str:
    """Return the command that hands the whole store over to this user."""
    if directory.absolute() == Path("/"):
        return "set DATA_DIR to a folder of its own"
    return f"`chown -R {os.geteuid()} {directory}`"
