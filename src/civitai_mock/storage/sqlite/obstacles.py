"""Why a directory cannot be a store, in words that say what to do."""

import os
import stat
from collections.abc import Iterable
from pathlib import Path


def obstacle(paths: Iterable[Path]) -> str | None:
    """What keeps this process from the first of the paths that it cannot use; those that are not there are no trouble.

    The nearest folder above the first path counts as well, as that is where it would be made.
    """
    first, *rest = paths
    return next(filter(None, map(_obstacle_at, [_nearest(first), *rest])), None)


def is_sealed(directory: Path) -> bool:
    """True for one that is on a read-only root, as in `docker run --read-only`, with nothing mounted there."""
    root = Path("/")
    is_read_only = bool(os.statvfs(root).f_flag & os.ST_RDONLY)
    return is_read_only and _nearest(directory.absolute()).stat().st_dev == root.stat().st_dev


def _nearest(path: Path) -> Path:
    while not os.path.lexists(path) and path != path.parent:
        path = path.parent
    return path


def _obstacle_at(path: Path) -> str | None:
    try:
        found = path.stat()
    except OSError:
        return None
    wanted = os.R_OK | os.W_OK | (os.X_OK if stat.S_ISDIR(found.st_mode) else 0)
    if os.access(path, wanted):
        return None
    if os.statvfs(path).f_flag & os.ST_RDONLY:
        return f"{path} is on a read-only file system; mount it writable, or set MONGODB_URI=memory://"
    owner, us = f"{found.st_uid}:{found.st_gid}", f"{os.geteuid()}:{os.getegid()}"
    return (
        f"{path} belongs to {owner} (mode {stat.S_IMODE(found.st_mode):o}), this process is {us};"
        f" `chown -R {os.geteuid()} {path}`, or run as its owner (docker run --user {owner})"
    )
