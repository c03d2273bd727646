"""Names of the tables, which users may choose, and the columns that make a job."""

import re
from dataclasses import astuple, dataclass

# What a MongoDB collection can be called too, and no character that could end the quotes around it in SQL.
NAME_PATTERN = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}", re.ASCII)
RESERVED = frozenset({"blobs", "secrets"})
# What `job_rows.job_from` reads.
JOB = """
    id, type, issued_by, submission_id, cost, charged, priority, created_at, expire_at, keep_until, body,
    slots, stage, retry_attempt, outcome, provider, worker_id, claimed_at, lease_until, prompt_id,
    waits, result, taint, seq,
    (SELECT last.body FROM "{job_events}" AS last WHERE last.job_id = "{jobs}".id AND last.seq = "{jobs}".seq)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableNames:
    """Raise ValueError for a name that is odd, taken by another table, or SQLite's own."""

    resources: str = "resources"
    jobs: str = "jobs"
    job_events: str = "jobEvent"

    def __post_init__(self) -> None:
        names: tuple[str, ...] = astuple(self)
        for name in names:
            if not NAME_PATTERN.fullmatch(name) or name.lower().startswith("sqlite_") or name.lower() in RESERVED:
                raise ValueError(
                    f"'{name}' cannot be the name of a table; expected letters, digits, '_', '-' and '.',"
                    f" a letter or '_' first, at most 64 in all, and none of {', '.join(sorted(RESERVED))}, sqlite_*",
                )
        if len({name.lower() for name in names}) < len(names):
            raise ValueError(f"the names of the tables must differ, found {', '.join(names)}")

    def fill(self, sql: str) -> str:
        """Put the names in for `{jobs}`, `{job_events}` and `{resources}`, and the columns of a job for `{job}`."""
        filled = sql.replace("{job}", JOB)
        return filled.format(resources=self.resources, jobs=self.jobs, job_events=self.job_events)
