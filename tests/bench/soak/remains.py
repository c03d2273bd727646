"""What is left when all processes have ended: files in the data folder, and the lines of their logs."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

TEMPORARY_FOLDERS = ("uploads", "workers")
MUTEX = ".door"
HELD_LOCK = "open.lock"
WORDS_OF_BUGS = ("Traceback", "exception", "never retrieved", "was destroyed but it is pending", "never awaited")
FOREIGN = "not JSON"
# Whether it had to end, or could not give its jobs back, is judged by the exit status.
JUDGED_BY_STATUS = ("ended", "jobs not given back; their leases will run out", "not stopped in time")
BAD_LEVELS = frozenset({"error", "critical"})
SHOWN = 300


def file_faults(data: Path) -> Sequence[str]:
    """Every file must be the database, a blob, or a lock that is kept for the next start."""
    faults = list[str]()
    for path in sorted(data.rglob("*")):
        top = path.relative_to(data).parts[0]
        if path.is_file() and path.name != MUTEX and (top in TEMPORARY_FOLDERS or _is_temporary(path)):
            faults.append(f"a file was left: {path.relative_to(data)}")
        if path.is_dir() and path.parent.name in TEMPORARY_FOLDERS:
            faults.append(f"a folder was left: {path.relative_to(data)}")
    return faults


def _is_temporary(path: Path) -> bool:
    return path.name.endswith((".lock", "-journal")) and path.name != HELD_LOCK


def log_faults(log: Path, counts: Counter[str]) -> Iterator[str]:
    """Report each line that tells of a bug; count the others by what they say."""
    for number, line in enumerate(log.read_text("utf-8", "replace").splitlines(), start=1):
        try:
            entry = json.loads(line)
        except ValueError:
            entry = {"event": line, "level": FOREIGN}
        counts[f"{entry.get('level')}: {str(entry.get('event'))[:80]}"] += 1
        is_bad = entry.get("level") in BAD_LEVELS and entry.get("event") not in JUDGED_BY_STATUS
        is_bug = (
            is_bad
            or entry.get("level") == FOREIGN
            or "exception" in entry
            or any(word in line for word in WORDS_OF_BUGS)
        )
        if is_bug:
            yield f"{log.parent.name}, line {number}: {line[:SHOWN]}"
