"""Files and folders that are their owner's alone, whatever the umask and the folder around them."""

import os
import stat
from collections.abc import Iterable
from pathlib import Path

import structlog

FOLDER_MODE, FILE_MODE = 0o700, 0o600
OTHERS = 0o077

logger = structlog.stdlib.get_logger()


def make_folders(folder: Path) -> None:
    """Make a folder and those above it."""
    if not folder.parent.exists():
        make_folders(folder.parent)
    make_folder(folder)


def make_folder(folder: Path) -> None:
    """Make a folder; one that was there keeps its mode. Raise `NotADirectoryError` for something else there."""
    try:
        folder.mkdir(mode=FOLDER_MODE)
    except FileExistsError:
        if not folder.is_dir():
            raise NotADirectoryError(f"{folder} is not a folder") from None
    else:
        folder.chmod(FOLDER_MODE)  # the umask may have taken away what the owner needs


def open_private(path: str, flags: int) -> int:
    """An opener for `open`."""
    descriptor = os.open(path, flags, FILE_MODE)
    if flags & os.O_CREAT and stat.S_IMODE(os.fstat(descriptor).st_mode) != FILE_MODE:
        tighten_open(descriptor, path)
    return descriptor


def make_file(path: Path) -> None:
    """An empty one, if nothing is there."""
    if not path.exists():
        os.close(open_private(str(path), os.O_CREAT | os.O_RDWR))


def is_private(path: Path) -> bool:
    """True for what is not there, too."""
    try:
        return not path.stat().st_mode & OTHERS
    except FileNotFoundError:
        return True


def tighten(paths: Iterable[Path]) -> None:
    """Take away what others may do with files and folders that an earlier version has left."""
    for path in paths:
        if not is_private(path):
            tighten_open(path, str(path))


def tighten_open(target: Path | int, name: str) -> None:
    """`target` is a path or an open file."""
    is_folder = stat.S_ISDIR(os.stat(target).st_mode)  # noqa: PTH116 - takes an open file, too
    try:
        os.chmod(target, FOLDER_MODE if is_folder else FILE_MODE)  # noqa: PTH101
    except OSError as error:  # somebody else's, or a file system without modes
        logger.warning("others may read what is kept", path=name, error=error.strerror)
