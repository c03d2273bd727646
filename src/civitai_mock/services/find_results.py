"""Find the results of an equal request, so that the same is made once (setting `RESULT_CACHE`).

Who makes the results of a key holds a lease on it, with the id of its job, for as long as they are kept. Those who want
them meanwhile wait until that job has ended; if it has failed, or waits for a worker, or its files are gone, one of
them takes its place.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Final, TypeAlias

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.job import Job
from civitai_mock.domain.namespaces import Epoch
from civitai_mock.domain.result_keys import with_any_seed, with_seed
from civitai_mock.domain.search import FeedEntry
from civitai_mock.domain.stages import Outcome, Stage
from civitai_mock.ports import Clock, JobStore, NamespaceStore, Sleep
from civitai_mock.services.blobs import BlobAccess
from civitai_mock.services.event_bus import EventBus

LONG_REST: Final = timedelta(hours=1)

Hold: TypeAlias = Callable[[Callable[[], Awaitable[bool]]], Awaitable[None]]


@dataclass(eq=False, slots=True)
class _Rest:
    """Is a rest until a job has changed, which it may have before the rest begins."""

    sleep: Sleep | None = None
    is_over: bool = False

    def end(self) -> None:
        self.is_over = True
        if self.sleep is not None:
            self.sleep.wake()


class FindResults:
    """Finds results of the jobs of one namespace, whichever process makes them."""

    def __init__(
        self,
        *,
        epoch: Epoch,
        namespaces: NamespaceStore,
        jobs: JobStore,
        blob_access: BlobAccess,
        event_bus: EventBus,
        clock: Clock,
        system_clock: Clock,
    ) -> None:
        self._epoch = epoch
        self._namespaces = namespaces
        self._jobs = jobs
        self._blob_access = blob_access
        self._clock = clock
        self._system_clock = system_clock
        self._resting: dict[str, set[_Rest]] = {}  # by the id of the job that they wait for
        event_bus.subscribe_to_changes(self._on_changes)
        event_bus.subscribe_to_changes_elsewhere(self._on_changes_elsewhere)

    async def __call__(self, job: Job, key: str, hold: Hold) -> Job | None:
        """Return a job that has succeeded with results for a key; None if it is for this one to make them.

        `hold` waits for as long as the call that it gets says that there is something to wait for.
        """
        while not await self._take(key, job):
            name = self._name(key)
            maker_id = (await self._namespaces.posted(name)).get("", "")
            maker = await self._jobs.get(maker_id)
            if maker is not None and _is_at_work(maker):
                await hold(partial(self._rest, maker_id))
            elif maker is not None and await self._is_whole(maker, len(job.slots)):
                return maker
            else:
                await self._namespaces.release(name, maker_id)
        return None

    async def keep(self, job: Job, key: str, *, seed: int | None) -> None:
        """Let what a job has made be found by those, too, who ask for its seed, or for any; others may have more."""
        await self._take(with_any_seed(key), job)
        if seed is not None:
            await self._take(with_seed(key, seed), job)

    async def _take(self, key: str, job: Job) -> bool:
        now = self._system_clock.now()
        until = now + (job.keep_until - job.created_at)
        return await self._namespaces.hold(self._name(key), job.id, now=now, until=until)

    def _name(self, key: str) -> str:
        return f"result/{self._epoch.number}/{key};"  # no other name begins with it

    async def _is_whole(self, maker: Job, slots: int) -> bool:
        """Return whether all results of a job are there still."""
        if maker.outcome is not Outcome.SUCCEEDED or maker.taint is not None or len(maker.slots) != slots:
            return False
        for slot in maker.slots:
            if not slot.available or await self._blob_access.find(slot.blob_key, owner=None) is None:
                return False
        return True

    async def _rest(self, job_id: str) -> bool:
        """Rest until a job has changed; return at once, and False, if nobody works on it."""
        rest = _Rest()
        self._resting.setdefault(job_id, set()).add(rest)
        try:
            job = await self._jobs.get(job_id)
            if job is None or not _is_at_work(job):
                return False
            if not rest.is_over:
                rest.sleep = self._clock.begin_sleep(LONG_REST.total_seconds())
                await rest.sleep
            return True
        finally:
            self._resting[job_id].discard(rest)
            if not self._resting[job_id]:
                del self._resting[job_id]

    def _on_changes(self, jobs: Sequence[Job]) -> None:
        for job in jobs:
            self._wake(job.id)

    def _on_changes_elsewhere(self, entries: Sequence[FeedEntry]) -> None:
        for entry in entries:
            self._wake(entry.job_id)

    def _wake(self, job_id: str) -> None:
        for rest in self._resting.get(job_id, ()):
            rest.end()


def _is_at_work(job: Job) -> bool:
    return job.outcome is None and (job.claim is not None or job.stage is not Stage.QUEUED)
