"""Balance the load of ComfyUI servers: move prompts that wait on one server to another that has nothing to do."""

from collections.abc import Callable, Sequence

import structlog

from civitai_mock.domain.errors import TransientError
from civitai_mock.providers.comfyui.options import WorkerDependencies
from civitai_mock.providers.comfyui.workers.attempts import Attempts
from civitai_mock.providers.comfyui.workers.runs import Run
from civitai_mock.providers.comfyui.workers.worker import Worker

logger = structlog.stdlib.get_logger()


class Balancer:
    """Moves prompts: a place in a queue is not for ever, and work that has not begun can move at no cost to its job."""

    def __init__(
        self,
        workers: Sequence[Worker],
        attempts: Attempts,
        *,
        dependencies: WorkerDependencies,
        is_awaited: Callable[[Worker], bool],
    ) -> None:
        """`is_awaited` says whether a waiting prompt could use a worker."""
        self._workers = workers
        self._attempts = attempts
        self._clock = dependencies.clock
        self._options = dependencies.options
        self._is_awaited = is_awaited

    async def run(self) -> None:
        while True:
            await self._clock.sleep(self._options.poll_interval.total_seconds())
            try:
                await self.balance()
            except Exception:
                logger.exception("moving prompts broke off")

    async def balance(self) -> None:
        for idle in self._workers:
            if idle.is_ready and idle.in_flight == 0 and not self._is_awaited(idle):
                await self._move_to(idle)

    async def _move_to(self, idle: Worker) -> None:
        """Move half of what waits on the busiest worker, if there is room: the rest may be begun with meanwhile."""
        movable = {worker: self._movable(worker, idle) for worker in self._workers if worker is not idle}
        busiest = max(movable, key=lambda worker: len(movable[worker]), default=None)
        if busiest is None or not movable[busiest] or not await self._has_empty_queue(idle):
            return
        half = (len(movable[busiest]) + 1) // 2
        await self._move(movable[busiest][-min(half, idle.max_in_flight) :], busiest, idle)

    def _movable(self, worker: Worker, idle: Worker) -> Sequence[Run]:
        """Return runs in the order in which they were sent: what was sent last has longest to wait."""
        if not worker.health.is_up:
            return []
        return [run for run in worker.runs.followed if run.is_waiting and self._may_move(run, idle)]

    def _may_move(self, run: Run, idle: Worker) -> bool:
        placement = self._attempts.placement(run.prompt_id)
        has_waited = self._clock.now() - run.tracker.last_activity_at
        may_move = placement is not None and placement.may_move_to(idle)
        return may_move and has_waited >= self._options.move_after

    async def _has_empty_queue(self, idle: Worker) -> bool:
        """Tell whether nobody else's prompts are in its queue, either."""
        try:
            return not await idle.http.queue()
        except TransientError as error:
            idle.health.mark_down(error)
            return False

    async def _move(self, runs: Sequence[Run], busiest: Worker, idle: Worker) -> None:
        logger.info("prompts moved", worker_id=busiest.id, to=idle.id, prompt_ids=[run.prompt_id for run in runs])
        for run in runs:
            self._attempts.avoid(run.prompt_id, busiest.id)
        try:
            await busiest.follower.withdraw(runs, f"{idle.id} has nothing to do")
        except TransientError as error:
            busiest.health.mark_down(error)
