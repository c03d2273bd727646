"""Whether one server answers, what it can run, and which ecosystems it can serve."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

import structlog

from civitai_mock.domain.errors import TransientError
from civitai_mock.domain.json_types import JsonObject, as_object, as_text
from civitai_mock.generation.work import GraphWork
from civitai_mock.ports import Clock, Ids
from civitai_mock.providers.comfyui.graphs.catalogue import Catalogue, InstalledModels, read_catalogue
from civitai_mock.providers.comfyui.graphs.localize import localize_best, roles_by_file
from civitai_mock.providers.comfyui.options import ComfyOptions
from civitai_mock.providers.comfyui.transport.http import ComfyHttp
from civitai_mock.providers.comfyui.wake_up import WakeUp, backoff_seconds

logger = structlog.stdlib.get_logger()


class ServerHealth:
    """A server that does not answer is put aside at once, and asked again after pauses that grow."""

    def __init__(
        self,
        *,
        worker_id: str,
        http: ComfyHttp,
        clock: Clock,
        ids: Ids,
        options: ComfyOptions,
        changed: Callable[[], None],
    ) -> None:
        """`changed` is called when the server goes away or comes back, or can run something else than before."""
        self.is_up = False
        self.reason = "not asked yet"
        self.version = ""
        self.catalogue: Catalogue | None = None
        self._worker_id = worker_id
        self._http = http
        self._clock = clock
        self._ids = ids
        self._options = options
        self._changed = changed
        self._stock = InstalledModels(Catalogue())
        self._read_at: datetime | None = None
        self._readings = 0
        self._failures = 0
        self._bell = WakeUp(clock)
        self._checking = asyncio.Lock()

    @property
    def was_asked(self) -> bool:
        """Whether it has answered, or failed to."""
        return self.is_up or self._failures > 0

    @property
    def stock(self) -> InstalledModels:
        """The model files of the lists that were read last; nothing while none were."""
        if self.catalogue is not None and self._stock.catalogue is not self.catalogue:
            self._stock = InstalledModels(self.catalogue)
        return self._stock

    async def run(self) -> None:
        while True:
            await self._bell.wait(self._pause())
            try:
                await self.check()
            except Exception:
                logger.exception("health check broke off", worker_id=self._worker_id)

    def suspect(self) -> None:
        """Something is wrong: see now whether the server is there."""
        self._bell.notify()

    def distrust(self, error: TransientError) -> None:
        """It has not answered: put it aside until it does."""
        self._is_away(error)
        self._bell.notify()

    async def check(self) -> None:
        async with self._checking:
            try:
                stats = await self._http.system_stats()
                if not self.is_up or self._is_older_than(self._options.catalogue_age):
                    await self._read()
            except TransientError as error:
                self._is_away(error)
            else:
                self._is_there(stats)

    async def refresh(self) -> None:
        """Read the lists again: a file may have come a moment ago. One reading will do for all who ask meanwhile."""
        begun = self._readings
        async with self._checking:
            if self.is_up and self._readings == begun:
                try:
                    await self._read()
                except TransientError as error:
                    self._is_away(error)

    async def _read(self) -> None:
        """Lists that say the same again are the same ones: what was found out from them holds."""
        self._readings += 1
        found = read_catalogue(await self._http.object_info(), await self._http.embeddings())
        self._read_at = self._clock.now()
        if found != self.catalogue:
            self.catalogue = found
            if self.is_up:
                self._changed()

    def _is_older_than(self, age: timedelta) -> bool:
        return self._read_at is None or self._clock.now() - self._read_at >= age

    def _is_there(self, stats: JsonObject) -> None:
        self._failures = 0
        if not self.is_up:
            self.is_up, self.reason = True, ""
            self.version = as_text(as_object(stats.get("system")).get("comfyui_version"))
            logger.info("server there", worker_id=self._worker_id, version=self.version)
            self._changed()

    def _is_away(self, error: TransientError) -> None:
        self._failures += 1
        self.reason = error.message
        if self.is_up or self._failures == 1:
            logger.warning("server away", worker_id=self._worker_id, reason=error.message)
        if self.is_up:
            self.is_up = False
            self._changed()

    def _pause(self) -> float:
        if self._failures:
            return backoff_seconds(self._failures, longest=self._options.longest_backoff.total_seconds(), ids=self._ids)
        return self._options.health_interval.total_seconds()


class EcosystemSupport:
    """Of one server; it is found out once for each of its catalogues."""

    def __init__(self, needs: Mapping[str, GraphWork]) -> None:
        """`needs` has work of each ecosystem, in which the model is a role."""
        self._needs = needs
        self._catalogue: Catalogue | None = None
        self._names: tuple[str, ...] = ()

    def ecosystems(self, catalogue: Catalogue | None) -> Sequence[str]:
        """None of them while nothing is known of the server."""
        if catalogue is not self._catalogue:
            self._catalogue = catalogue
            self._names = tuple(name for name, work in self._needs.items() if _runs(work, catalogue))
        return self._names


def _runs(work: GraphWork, catalogue: Catalogue | None) -> bool:
    graphs = [work.graph, *work.alternatives]
    return catalogue is not None and localize_best(graphs, catalogue, {}, roles_by_file(work.roles)).is_runnable
