"""Jobs that this process added and nobody has claimed yet: a claim need not read them again.

To read a job takes 40 µs, half of it to make the spec and the rest of its JSON anew.
"""

from collections import OrderedDict
from collections.abc import Iterable, Sequence

from civitai_mock.domain.changed import changed
from civitai_mock.domain.claims import Claim
from civitai_mock.domain.job import Job
from civitai_mock.domain.micros import to_micros
from civitai_mock.storage.sqlite.encoding import Row, Value

MOST_JOBS = 4096


class FreshJobs:
    """Keeps the jobs of one epoch, at most `MOST_JOBS`, of which the newest stay; none before somebody claims here."""

    def __init__(self) -> None:
        self._jobs = OrderedDict[str, Job]()  # whose first leaves at once; that of a dict is looked for
        self._is_claimed_here = False

    def add(self, jobs: Sequence[Job]) -> None:
        """Keep small jobs that were just inserted; those whose write is undone then are found by no claim."""
        if self._is_claimed_here:
            for job in jobs:
                self._jobs[job.id] = job
            while len(self._jobs) > MOST_JOBS:
                self._jobs.popitem(last=False)

    def claimed(self, rows: Iterable[Row], claim: Claim) -> tuple[list[Job], list[int]]:
        """Return the claimed jobs of rows (number, id and `_changeable`), and the numbers of the others.

        Others are those that are not kept here, or have been changed since they were added.
        """
        self._is_claimed_here = True
        jobs, others = [], []
        for number, job_id, *found in rows:
            job = self._jobs.pop(job_id, None)
            if job is None or found != _changeable(job):
                others.append(number)
            else:
                jobs.append(changed(job, claim=claim))
        return jobs, others


def _changeable(job: Job) -> list[Value]:
    """Return the columns in which a job can change before its first claim, as they are of a new one."""
    return [job.seq, job.priority, to_micros(job.keep_until), None, None]  # the last two are taint and faults
