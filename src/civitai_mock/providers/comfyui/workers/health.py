"""Check whether one server answers, read what it can run, and say which ecosystems it can serve."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

import structlog

from civitai_mock.domain.errors import TransientError
from civitai_mock.domain.json_types import JsonObject, as_object, as_text
from civitai_mock.generation.work import GraphWork
from civitai_mock.providers.comfyui.graphs.catalogue import Catalogue, InstalledModels, read_catalogue
from civitai_mock.providers.comfyui.graphs.localize import localize_best, roles_by_file
from civitai_mock.providers.comfyui.options import WorkerDependencies
from civitai_mock.providers.comfyui.transport.http import ComfyHttp
from civitai_mock.providers.comfyui.wake_up import WakeUp, backoff_seconds

logger = structlog.stdlib.get_logger()


class ServerHealth:
    """Checks a server now and then; one that does not answer is down at once, and checked after pauses that grow."""

    def __init__(self, *, http: ComfyHttp, dependencies: WorkerDependencies, on_change: Callable[[], None]) -> None:
        """`on_change` is called when the server goes down or comes up, or can run something else than before."""
        self.is_up = False
        self.reason = "not asked yet"  # why it is down; empty while it is up
        self.version = ""
        self.catalogue: Catalogue | None = None
        self._http = http
        self._clock = dependencies.clock
        self._ids = dependencies.ids
        self._options = dependencies.options
        self._on_change = on_change
        self._installed_models = InstalledModels(Catalogue())
        self._catalogue_read_at: datetime | None = None
        self._catalogue_reads = 0
        self._failures = 0
        self._wake_up = WakeUp(self._clock)
        self._check_lock = asyncio.Lock()

    @property
    def was_asked(self) -> bool:
        """It has answered, or failed to."""
        return self.is_up or self._failures > 0

    @property
    def installed_models(self) -> InstalledModels:
        """Return the model files of the lists that were read last; none while nothing was read."""
        if self.catalogue is not None and self._installed_models.catalogue is not self.catalogue:
            self._installed_models = InstalledModels(self.catalogue)
        return self._installed_models

    async def run(self) -> None:
        while True:
            await self._wake_up.wait(self._pause_seconds())
            try:
                await self.check()
            except Exception:
                logger.exception("health check broke off", worker_id=self._http.server_id)

    def recheck(self) -> None:
        """Check soon whether the server is up: something is wrong."""
        self._wake_up.notify()

    def mark_down(self, error: TransientError) -> None:
        """Take the server for down until it answers again."""
        self._set_down(error)
        self._wake_up.notify()

    async def check(self) -> None:
        async with self._check_lock:
            try:
                stats = await self._http.system_stats()
                if not self.is_up or self._is_catalogue_older_than(self._options.catalogue_age):
                    await self._read_catalogue()
            except TransientError as error:
                self._set_down(error)
            else:
                self._set_up(stats)

    async def refresh(self) -> None:
        """Read the lists again: a file may have come a moment ago. One reading will do for all who ask meanwhile."""
        reads = self._catalogue_reads
        async with self._check_lock:
            if self.is_up and self._catalogue_reads == reads:
                try:
                    await self._read_catalogue()
                except TransientError as error:
                    self._set_down(error)

    async def _read_catalogue(self) -> None:
        """Keep the former catalogue if the lists say the same again: what was found out from it holds."""
        self._catalogue_reads += 1
        catalogue = read_catalogue(await self._http.object_info(), await self._http.embeddings())
        self._catalogue_read_at = self._clock.now()
        if catalogue != self.catalogue:
            self.catalogue = catalogue
            if self.is_up:
                self._on_change()

    def _is_catalogue_older_than(self, age: timedelta) -> bool:
        return self._catalogue_read_at is None or self._clock.now() - self._catalogue_read_at >= age

    def _set_up(self, stats: JsonObject) -> None:
        self._failures = 0
        if not self.is_up:
            self.is_up, self.reason = True, ""
            self.version = as_text(as_object(stats.get("system")).get("comfyui_version"))
            logger.info("server there", worker_id=self._http.server_id, version=self.version)
            self._on_change()

    def _set_down(self, error: TransientError) -> None:
        self._failures += 1
        self.reason = error.message
        if self.is_up or self._failures == 1:
            logger.warning("server away", worker_id=self._http.server_id, reason=error.message)
        if self.is_up:
            self.is_up = False
            self._on_change()

    def _pause_seconds(self) -> float:
        if self._failures:
            longest = self._options.longest_backoff.total_seconds()
            return backoff_seconds(self._failures, longest=longest, ids=self._ids)
        return self._options.health_interval.total_seconds()


class EcosystemSupport:
    """Says which ecosystems one server can serve, and finds that out once for each of its catalogues."""

    def __init__(self, needs: Mapping[str, GraphWork]) -> None:
        """`needs` has work of each ecosystem, in which the model is a role."""
        self._needs = needs
        self._catalogue: Catalogue | None = None
        self._ecosystems: tuple[str, ...] = ()

    def ecosystems(self, catalogue: Catalogue | None) -> Sequence[str]:
        """Return those that the server can serve; none while its catalogue is unknown."""
        if catalogue is not self._catalogue:
            self._catalogue = catalogue
            self._ecosystems = tuple(name for name, work in self._needs.items() if _can_run(work, catalogue))
        return self._ecosystems


def _can_run(work: GraphWork, catalogue: Catalogue | None) -> bool:
    graphs = [work.graph, *work.alternatives]
    return catalogue is not None and localize_best(graphs, catalogue, {}, roles_by_file(work.roles)).is_runnable
