"""File names of saved pictures: what ComfyUI makes of a filename_prefix."""

import posixpath
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

ROOT = "/srv/comfyui"


class OutsideError(Exception):
    """The prefix leads out of the folder that it belongs to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveName:
    subfolder: str
    stem: str

    @classmethod
    def parse(cls, prefix: str, *, folder: str) -> "SaveName":
        """Raise `OutsideError`, in ComfyUI's words."""
        path = posixpath.normpath(prefix)
        subfolder, stem = posixpath.split(path)
        home = f"{ROOT}/{folder}"
        wanted = posixpath.join(home, subfolder)
        target = posixpath.normpath(wanted)
        if target != home and not target.startswith(f"{home}/"):
            raise OutsideError(
                "**** ERROR: Saving image outside the output folder is not allowed."
                f"\n full_output_folder: {wanted}\n         output_dir: {home}"
                f"\n         commonpath: {posixpath.commonpath((home, target))}"
            )
        return cls(subfolder=subfolder, stem=stem)

    def next_counter(self, names: Iterable[str]) -> int:
        """One more than the highest that is there; what is there counts, also after a restart."""
        pattern = re.compile(re.escape(self.stem) + r"_(\d+)(?:_.*)?", re.DOTALL)
        counters = [int(match[1]) for name in names if (match := pattern.fullmatch(name))]
        return max(counters, default=0) + 1

    def file_name(self, counter: int, *, batch_index: int, suffix: str = "png") -> str:
        return f"{self.stem.replace('%batch_num%', str(batch_index))}_{counter:05}_.{suffix}"


def expand(prefix: str, *, width: int, height: int, now: datetime) -> str:
    """`%date:…%` and `%Node.widget%` are filled in by the web page, not by the server."""
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
