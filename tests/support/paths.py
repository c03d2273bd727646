"""Where the repository, its assets and the data of tests lie."""

import shutil
from pathlib import Path

ROOT = Path(__file__).parents[2]
ASSETS = ROOT / "assets"
DATA = ROOT / "tests" / "data"
# Every acknowledged write waits for the disk, so a fast one is half the time. Containers often have a tiny one.
RAM_DISK = Path("/dev/shm")  # noqa: S108 - mkdtemp makes a folder that is ours alone
RAM_DISK_BYTES = 2**30


def fast_folder() -> Path | None:
    """Return where to make temporary folders; None is the platform's own place."""
    roomy = RAM_DISK.is_dir() and shutil.disk_usage(RAM_DISK).free > RAM_DISK_BYTES
    return RAM_DISK if roomy else None
