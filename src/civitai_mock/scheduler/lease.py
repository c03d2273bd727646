"""Renew the leases of a worker, all with one write, and notice which ones are gone."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta

import structlog

from civitai_mock.domain.errors import TransientError
from civitai_mock.ports import Clock, JobStore

logger = structlog.stdlib.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Leases:
    """Renewed at half their length, beside the work."""

    jobs: JobStore
    clock: Clock
    worker_id: str
    lease: timedelta
    in_flight: Callable[[], Iterable[str]]
    lose: Callable[[Iterable[str]], None]

    async def run(self) -> None:
        while True:
            await self.clock.sleep(self.lease.total_seconds() / 2)
            try:
                await self.renew()
            except TransientError as error:
                logger.warning("leases not renewed", error=error.message)
            except Exception:
                logger.exception("leases not renewed")

    async def renew(self) -> None:
        """Jobs that began or ended while the store answered are none that were lost."""
        before = frozenset(self.in_flight())
        if not before:
            return
        held = await self.jobs.renew(self.worker_id, self.clock.now() + self.lease)
        lost = (before & frozenset(self.in_flight())) - held
        if lost:
            logger.warning("claims lost", job_ids=sorted(lost))
            self.lose(lost)
