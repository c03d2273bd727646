"""What a database of this process alone need not be asked for again: when jobs and workflows were settled.

On a busy server a statement costs 20 µs, a tenth of that in a loop of nothing else. Where other processes write to the
database, too, only it can tell.
"""

from datetime import datetime
from typing import TypeAlias

Key: TypeAlias = tuple[int, str]  # epoch and id

MOST_JOBS = 4096
MOST_WORKFLOWS = 10_000


class Settled:
    """Remembers, for all epochs, when jobs were settled, and the versions of workflows with a memo.

    There are at most `MOST_JOBS` and `MOST_WORKFLOWS`. What changes one forgets it within its write: nobody can ask
    before that is committed.
    """

    def __init__(self) -> None:
        self.jobs: dict[Key, datetime] = {}
        self.workflows: dict[Key, int] = {}

    def add_job(self, key: Key, settled_at: datetime) -> None:
        if len(self.jobs) >= MOST_JOBS:
            self.jobs.clear()
        self.jobs[key] = settled_at

    def add_workflow(self, key: Key, version: int) -> None:
        if len(self.workflows) >= MOST_WORKFLOWS:
            self.workflows.clear()
        self.workflows[key] = version
