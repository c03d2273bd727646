"""Templates of jobs: what is asked for, and how it is to be run, as any API has read it."""

from collections.abc import Callable
from dataclasses import field
from datetime import datetime, timedelta

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.job import MAX_RETRY_ATTEMPT, NORMAL
from civitai_mock.domain.json_types import ReadOnlyJson
from civitai_mock.generation.job_types.draft import JobDraft

BATCH_ID = "batchId"  # the property that the jobs of a batch share


@dataclass(frozen=True, slots=True, kw_only=True)
class JobTemplate:
    """Asks for one job.

    `path` is where the template stands in the body of its request (`jobs[0]`; empty for the body itself), and `spell`
    gives the path of a field below it: of the draft (`refiner.model`), or one of `callback_url` and `dependencies[0]`.
    `name` is what `dependencies` of other templates call it. Without a `timeout` or an `expire_at` it gets the usual.
    All jobs of a submission that share their seed, or the id of their batch, get the same one, which is drawn for them.
    `draws_seed` says that the request leaves the seed open.
    """

    draft: JobDraft
    draws_seed: bool = False
    path: str = ""
    spell: Callable[[str], str] = str
    name: str | None = None
    priority: int = NORMAL
    max_retry_attempt: int = MAX_RETRY_ATTEMPT
    timeout: timedelta | None = None
    expire_at: datetime | None = None
    callback_url: str | None = None
    properties: ReadOnlyJson = field(default_factory=dict)
    providers: tuple[str, ...] = ()
    dependencies: tuple[str, ...] = ()
    shares_seed: bool = False
    shares_batch_id: bool = False

    def path_of(self, field: str) -> str:
        """Return the path of a field in the body; one that is spelled with nothing is the template itself."""
        return ".".join(part for part in (self.path, self.spell(field)) if part)
