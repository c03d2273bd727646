"""Move what only waits on one server to another that has nothing to do."""

from collections.abc import Callable, Sequence

import structlog

from civitai_mock.domain.errors import TransientError
from civitai_mock.ports import Clock
from civitai_mock.providers.comfyui.options import ComfyOptions
from civitai_mock.providers.comfyui.workers.attempts import Attempts
from civitai_mock.providers.comfyui.workers.runs import Run
from civitai_mock.providers.comfyui.workers.worker import Worker

logger = structlog.stdlib.get_logger()


class Balance:
    """A place in a queue is not for ever: work that has not begun can be moved, at no cost to its job."""

    def __init__(
        self,
        workers: Sequence[Worker],
        attempts: Attempts,
        *,
        clock: Clock,
        options: ComfyOptions,
        is_wanted: Callable[[Worker], bool],
    ) -> None:
        """`is_wanted` says of a worker whether somebody waits who could use it."""
        self._workers = workers
        self._attempts = attempts
        self._clock = clock
        self._options = options
        self._is_wanted = is_wanted

    async def run(self) -> None:
        while True:
            await self._clock.sleep(self._options.poll_interval.total_seconds())
            try:
                await self.look()
            except Exception:
                logger.exception("moving prompts broke off")

    async def look(self) -> None:
        for idle in self._workers:
            if idle.is_ready and idle.in_flight == 0 and not self._is_wanted(idle):
                await self._relieve(idle)

    async def _relieve(self, idle: Worker) -> None:
        """Half of what waits, if there is room for it: the rest may be begun with meanwhile."""
        waiting = {worker: self._movable(worker, idle) for worker in self._workers if worker is not idle}
        busy = max(waiting, key=lambda worker: len(waiting[worker]), default=None)
        if busy is None or not waiting[busy] or not await self._has_nothing_to_do(idle):
            return
        half = (len(waiting[busy]) + 1) // 2
        await self._move(waiting[busy][-min(half, idle.max_in_flight) :], busy, idle)

    def _movable(self, worker: Worker, idle: Worker) -> Sequence[Run]:
        """Return runs in the order in which they were sent: what was sent last has longest to wait."""
        if not worker.health.is_up:
            return []
        return [run for run in worker.runs.followed if run.waits and self._may_move(run, idle)]

    def _may_move(self, run: Run, idle: Worker) -> bool:
        search, has_waited = self._attempts.search(run.prompt_id), self._clock.now() - run.tracker.last_activity_at
        found = search.fit_of(idle) if search and idle.id not in search.failed else None
        return found is not None and found.is_runnable and has_waited >= self._options.move_after

    async def _has_nothing_to_do(self, idle: Worker) -> bool:
        """See that nobody else's prompts are in its queue, either."""
        try:
            return not await idle.http.queue()
        except TransientError as error:
            idle.health.distrust(error)
            return False

    async def _move(self, runs: Sequence[Run], busy: Worker, idle: Worker) -> None:
        logger.info("prompts moved", worker_id=busy.id, to=idle.id, prompt_ids=[run.prompt_id for run in runs])
        for run in runs:
            self._attempts.move_away(run.prompt_id, busy.id)
        try:
            await busy.follower.withdraw(runs, f"{idle.id} has nothing to do")
        except TransientError as error:
            busy.health.distrust(error)
