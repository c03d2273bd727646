"""Renew the leases of what is in flight, all with one write, and notice which ones are gone."""

from dataclasses import dataclass
from datetime import timedelta

import structlog

from civitai_mock.domain.errors import TransientError
from civitai_mock.ports import Clock, JobQueue
from civitai_mock.scheduler.in_flight import InFlight

logger = structlog.stdlib.get_logger()

PAUSE_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Leases:
    """Renewed at half their length, beside the work; sooner after a failure, as others begin to count."""

    queue: JobQueue
    clock: Clock
    worker_id: str
    lease: timedelta
    in_flight: InFlight

    async def run(self) -> None:
        pause = self.lease.total_seconds() / 2
        while True:
            await self.clock.sleep(pause)
            is_renewed = await self._try_to_renew()
            pause = self.lease.total_seconds() / 2 if is_renewed else min(PAUSE_SECONDS, self.lease.total_seconds() / 4)

    async def _try_to_renew(self) -> bool:
        try:
            await self.renew()
        except TransientError as error:
            logger.warning("leases not renewed", error=error.message)
        except Exception:
            logger.exception("leases not renewed")
        else:
            return True
        return False

    async def renew(self) -> None:
        """A lease that is over is renewed as well, as long as nobody took the job."""
        walks = self.in_flight.walks
        if walks:
            held = await self.queue.renew(self.worker_id, walks.keys(), self.clock.now() + self.lease)
            self.in_flight.renewed(walks, held)
