"""The control plane: what is set for namespaces, by whom it has to be obeyed, and who has not confirmed it yet."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import structlog

from civitai_mock.domain.json_types import ReadOnlyJson
from civitai_mock.domain.namespaces import DEFAULT, SERVER, NamespaceRecord
from civitai_mock.ports import Clock, NamespaceStore
from civitai_mock.services.controls import NOTHING
from civitai_mock.services.error_boundary import ErrorBoundary

POLL = timedelta(milliseconds=250)
BEAT = timedelta(seconds=1)
DEAD_AFTER = timedelta(seconds=5)  # a process that was not heard of for so long obeys nothing, and is not waited for
CONFIRM_WITHIN = timedelta(seconds=2)
CONFIRM_POLL_SECONDS = 0.02

T = TypeVar("T")
Obey = Callable[[NamespaceRecord], Awaitable[None]]

logger = structlog.stdlib.get_logger()


class ControlPlane:
    """Mirrors the records of all namespaces in this process, and has every change obeyed in all processes of a store.

    `records` has those that are not deleted, by name. Each process looks for changes several times a second, has its
    `obey` carry them out one after the other, and confirms the revision that it has come to. Where no other process can
    see the store, nothing of this happens beside the changes.
    """

    def __init__(self, *, store: NamespaceStore, clock: Clock, process_id: str) -> None:
        """`clock` is the real one."""
        self.records: dict[str, NamespaceRecord] = {}
        self.names_by_token: Mapping[str, str] = {}
        self.process_id = process_id
        self._store = store
        self._clock = clock
        self._obey: Obey = _ignore
        self._look: Callable[[], Awaitable[None]] = _do_nothing
        self._tell: Callable[[], Awaitable[None]] = _do_nothing
        self._revision = self._confirmed = -1  # so that all that is set comes first
        self._refreshing = asyncio.Lock()
        self._last_beat = datetime.min.replace(tzinfo=UTC)
        self._names_by_epoch: dict[int, str] = {}
        self._is_stopping = False

    @property
    def server_document(self) -> ReadOnlyJson:
        """Return what is set for all namespaces."""
        record = self.records.get(SERVER)
        return NOTHING if record is None else record.document

    def count_namespaces(self) -> int:
        return len(self.records.keys() - {SERVER})

    def name_of(self, epoch: int) -> str | None:
        """Return the namespace whose life an epoch is at present."""
        return self._names_by_epoch.get(epoch)

    def tokens_of(self, name: str) -> Sequence[str]:
        """Return the tokens that lead into a namespace."""
        return _tokens(self.records.get(name))

    async def start(
        self,
        obey: Obey,
        *,
        look: Callable[[], Awaitable[None]] | None = None,
        tell: Callable[[], Awaitable[None]] | None = None,
    ) -> NamespaceRecord:
        """Read what is set, have everything that changes from then on obeyed, and return the default namespace's.

        After changes, `look` is called, as there may be questions of other processes, unless there are none; before
        each heartbeat `tell` is, with which others hear more of this process.

        The process is known before it reads, as a store forgets deleted names once all that it knows have heard.
        """
        if not self._store.is_private:
            self._tell = tell or self._tell
            await self._beat()
        await self.refresh()
        self._obey = obey
        if look is not None and not self._store.is_private:
            self._look = look
        return self.records[DEFAULT]

    async def run(self) -> None:
        """Obey what other processes change."""
        while not self._store.is_private:
            await self._clock.sleep(POLL.total_seconds())
            with ErrorBoundary("changes of namespaces not read"):
                await self.refresh()
                if self._revision != self._confirmed or self._clock.now() - self._last_beat >= BEAT:
                    await self._beat()

    def stop_waiting(self) -> None:
        """Wait for no other process any more: whoever makes a change is told at once who does not obey it yet."""
        self._is_stopping = True

    async def stop(self) -> None:
        """Take leave, so that nobody waits for this process any more."""
        if not self._store.is_private:
            await self._store.farewell(self.process_id)

    async def change(self, write: Callable[[], Awaitable[T]]) -> tuple[T, Sequence[str]]:
        """Make a change, and return its result when all processes obey it, with the ids of those that do not yet.

        Those that have not confirmed it within `CONFIRM_WITHIN`, or by the time that this process stops, are named;
        they obey soon, or count as dead.
        """
        result = await write()
        revision = await self._store.revision()
        await self.refresh()
        return result, await self._wait_for_others(revision)

    async def refresh(self) -> None:
        """Obey all changes so far, in their order."""
        async with self._refreshing:
            revision = await self._store.revision()
            if revision == self._revision:
                return
            for record in await self._store.changed_since(self._revision):
                self._note(record)
                await self._obey(record)
            await self._look()
            self._revision = revision

    def _note(self, record: NamespaceRecord) -> None:
        before = self.records.get(record.name)
        if before is not None:
            self._names_by_epoch.pop(before.epoch, None)
        if record.is_deleted:
            self.records.pop(record.name, None)
        else:
            self.records[record.name] = record
            self._names_by_epoch[record.epoch] = record.name
        if _tokens(before) != _tokens(self.records.get(record.name)):
            self._note_tokens()

    def _note_tokens(self) -> None:
        """Make the map anew: a token that two namespaces have registered is that of the last one by name."""
        self.names_by_token = {
            token: name for name, record in sorted(self.records.items()) for token in _tokens(record)
        }

    async def _beat(self) -> None:
        """Tell the others; who makes a change need not wait until it has told them that it obeys it."""
        now, revision = self._clock.now(), self._revision
        await self._tell()
        await self._store.heartbeat(self.process_id, revision=revision, now=now)
        self._last_beat, self._confirmed = now, revision

    async def _wait_for_others(self, revision: int) -> Sequence[str]:
        if self._store.is_private:
            return ()
        loop = asyncio.get_running_loop()
        ends = loop.time() + CONFIRM_WITHIN.total_seconds()
        while True:
            alive = await self._store.live_processes(self._clock.now() - DEAD_AFTER)
            behind = sorted(each.id for each in alive if each.revision < revision and each.id != self.process_id)
            if not behind or self._is_stopping or loop.time() >= ends:
                return behind
            await asyncio.sleep(CONFIRM_POLL_SECONDS)


def _tokens(record: NamespaceRecord | None) -> Sequence[str]:
    tokens = None if record is None else record.document.get("tokens")
    return [token for token in tokens if isinstance(token, str)] if isinstance(tokens, list) else ()


async def _do_nothing() -> None:
    pass


async def _ignore(_: NamespaceRecord) -> None:
    pass
