"""Drain the servers that run jobs, resume them, and have them asked now whether they are there, in all processes.

All namespaces share them, so this is set for all.
"""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from secrets import token_hex
from typing import Final

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import ConflictError, NotFoundError
from civitai_mock.domain.json_types import ReadOnlyJson, as_texts
from civitai_mock.domain.namespaces import SERVER
from civitai_mock.domain.nearest import did_you_mean
from civitai_mock.ports import NamespaceStore, Servers
from civitai_mock.services.namespaces import ManageNamespaces

DRAINING: Final = "draining"  # the member of the server's document, with the ids of workers
RETRIES: Final = "worker-retry/"  # what the names of notes begin with that say which server is to be asked now
NOTE_LASTS = timedelta(seconds=10)
ANSWER_WITHIN = timedelta(seconds=5)  # whoever waits for the answer may give up after ten


class ObeyedServers:
    """Has the servers, as this process sees them, do what is set for all processes, and what others ask for."""

    def __init__(self, servers: Servers, *, store: NamespaceStore, process_id: str) -> None:
        self._servers = servers
        self._store = store
        self._own = f"{process_id}/"
        self._seen: set[str] = set()

    def obey(self, document: ReadOnlyJson) -> None:
        """Carry out what is set for the server."""
        self._servers.drain(draining_in(document))

    async def look(self) -> None:
        """Ask the servers that other processes want to be asked; this one asks by itself what it is told."""
        posted = await self._store.posted(RETRIES)
        for name in posted.keys() - self._seen:
            if not name.startswith(self._own):
                self._servers.recheck(posted[name])
        self._seen = set(posted)


@dataclass(frozen=True, slots=True, kw_only=True)
class ManageWorkers:
    """Changes what the servers of all processes do; each method returns the processes that do not obey yet.

    `others` are the ids of workers that are no servers. Raise `ConflictError` for one of these, and `NotFoundError` for
    a worker that is unknown.
    """

    servers: Servers | None
    manage: ManageNamespaces

    async def drain(self, worker_id: str, *, others: Sequence[str]) -> Sequence[str]:
        """Let a server have no new jobs; those that it has go on."""
        return await self._set(worker_id, others, is_draining=True)

    async def resume(self, worker_id: str, *, others: Sequence[str]) -> Sequence[str]:
        """Let a server have jobs again."""
        return await self._set(worker_id, others, is_draining=False)

    async def retry(self, worker_id: str, *, others: Sequence[str]) -> Sequence[str]:
        """Have a server asked at once by all processes, and return when it has answered this one, or 5 s later."""
        servers = self._servers_with(worker_id, others)
        _, not_yet = await asyncio.gather(
            servers.check(worker_id, within=ANSWER_WITHIN), self._have_others_retry(worker_id)
        )
        return not_yet

    async def _set(self, worker_id: str, others: Sequence[str], *, is_draining: bool) -> Sequence[str]:
        self._servers_with(worker_id, others)

        def change(document: ReadOnlyJson) -> ReadOnlyJson:
            ids = [each for each in draining_in(document) if each != worker_id]
            left = {name: value for name, value in document.items() if name != DRAINING}
            ids = [*ids, worker_id] if is_draining else ids
            return {**left, DRAINING: [*ids]} if ids else left

        return (await self.manage.edit(SERVER, change)).not_yet

    async def _have_others_retry(self, worker_id: str) -> Sequence[str]:
        store, control = self.manage.store, self.manage.control
        if store.is_private:
            return ()
        name, until = f"{RETRIES}{control.process_id}/{token_hex(8)}", self.manage.clock.now() + NOTE_LASTS
        _, not_yet = await control.change(partial(store.post, name, worker_id, until=until, is_news=True))
        return not_yet

    def _servers_with(self, worker_id: str, others: Sequence[str]) -> Servers:
        if self.servers is not None and worker_id in self.servers.ids:
            return self.servers
        if worker_id in others:
            raise ConflictError(
                f"The worker '{worker_id}' is simulated: only ComfyUI servers can be drained, resumed and asked again."
                " PUT /_mock/queue/claiming pauses the claiming of jobs, POST /_mock/fleet/pods/{podId}/shutdown shuts"
                " down a pod."
            )
        known = [*others, *(() if self.servers is None else self.servers.ids)]
        raise NotFoundError(f"There is no worker '{worker_id[:100]}' here.{did_you_mean(worker_id, known)}")


def draining_in(document: ReadOnlyJson) -> Sequence[str]:
    """Return the ids of the workers that get no new jobs, by what is set for the server."""
    return as_texts(document.get(DRAINING))
