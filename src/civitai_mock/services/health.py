"""Tell whether jobs can be taken, and who is there to run them."""

from collections.abc import Sequence
from dataclasses import dataclass

from civitai_mock.ports import Provider, StoreHealth, WorkerReport
from civitai_mock.services.standstill import Standstill


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    store: str
    provider: str
    workers: Sequence[WorkerReport]
    reason: str | None

    @property
    def is_whole(self) -> bool:
        """Jobs are kept without a worker, and run as soon as there is one."""
        return self.reason is None and any(worker.ready for worker in self.workers)


@dataclass(frozen=True, slots=True, kw_only=True)
class TellHealth:
    """Only the store is asked: what is known of workers and of jobs that stand still is looked after beside."""

    store: StoreHealth
    provider: Provider
    standstill: Standstill | None

    @property
    def runs_jobs(self) -> bool:
        """Whoever runs jobs itself has no standstill to look for."""
        return self.standstill is None

    async def __call__(self) -> Health:
        """Raise `TransientError` if the store is away."""
        await self.store.ping()
        return Health(
            store=self.store.description,
            provider=self.provider.name,
            workers=self.provider.workers,
            reason=self.standstill.reason if self.standstill else None,
        )
