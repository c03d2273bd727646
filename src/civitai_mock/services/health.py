"""Tell whether jobs can be taken, and who is there to run them."""

from collections.abc import Sequence
from dataclasses import dataclass

from civitai_mock.ports import Provider, StoreHealth, WorkerReport


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    store: str
    provider: str
    workers: Sequence[WorkerReport]

    @property
    def is_whole(self) -> bool:
        """Jobs are kept without a worker, and run as soon as there is one."""
        return any(worker.ready for worker in self.workers)


@dataclass(frozen=True, slots=True, kw_only=True)
class TellHealth:
    """Only the store is asked: what is known of the workers is looked after beside."""

    store: StoreHealth
    provider: Provider
    runs_jobs: bool

    async def __call__(self) -> Health:
        """Raise `TransientError` if the store is away."""
        await self.store.ping()
        return Health(store=self.store.description, provider=self.provider.name, workers=self.provider.workers)
