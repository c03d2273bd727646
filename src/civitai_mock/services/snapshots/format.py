"""The format of a snapshot: which files its zip has, what they hold, and what they may not exceed.

Records are JSON lines, each as `domain.typed_json` spells it. What an older program would read wrongly, or cannot read,
raises `FORMAT`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import datetime

from civitai_mock.domain.blob import Blob, UndrawnBlob
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.ports.snapshots import CounterRecord, JobRecord, ResourceRecord, WorkflowRecord
from civitai_mock.services.journal.presence import COUNTER as JOURNALS

FORMAT = 1
MANIFEST, DOCUMENT = "manifest.json", "namespace.json"
CONTENT = re.compile(r"blobs/(0|[1-9][0-9]{0,5})", re.ASCII)  # the bytes of a blob, by the number in its record
LONGEST_LINE = 64 * 1024 * 1024
MOST_FILES = 100_000  # of blobs
LARGEST_DIRECTORY = 16 * 1024 * 1024  # of the zip itself, which is read at once
MOST_DEPTH = 100
BATCH = 100  # records that are written, or read, at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """Says what a snapshot is: of which namespace, when and by what it was made, and how many records each file has."""

    format: int
    program: str
    made_at: datetime
    namespace: str
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobRecord:
    """Is a blob whose bytes are `blobs/<file>`, or one that is `undrawn`."""

    file: int | None = None
    blob: Blob | None = None
    undrawn: UndrawnBlob | None = None

    @property
    def key(self) -> str:
        found = self.blob or self.undrawn
        return "" if found is None else found.key


WORKFLOWS, JOBS, RESOURCES = "workflows.jsonl", "jobs.jsonl", "resources.jsonl"
BLOBS, COUNTERS = "blobs.jsonl", "counters.jsonl"
# In the order in which they are written into a store: a job follows its workflow.
RECORDS: Mapping[str, type[object]] = {
    WORKFLOWS: WorkflowRecord,
    JOBS: JobRecord,
    RESOURCES: ResourceRecord,
    BLOBS: BlobRecord,
    COUNTERS: CounterRecord,
}


def without_journals(counters: Sequence[CounterRecord]) -> Sequence[CounterRecord]:
    """Return counters but for that of journals, which are no part of a snapshot."""
    return [record for record in counters if record.key != JOURNALS]
