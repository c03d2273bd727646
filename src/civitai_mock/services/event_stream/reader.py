"""What all readers of a stream have in common: they are woken, they show that they live, and they end."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import NamedTuple

import structlog

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import NamespaceResetError, TransientError
from civitai_mock.ports import Clock
from civitai_mock.services.event_stream.messages import StreamMessage

logger = structlog.stdlib.get_logger()

HEARTBEAT_SECONDS = 15.0
PAUSE_SECONDS = 1.0  # for a store that is away
MOST_MESSAGES = 1000  # that wait for somebody who does not read
MOST_BYTES = 2**20  # of them


class End(StrEnum):
    """Says why a stream ends: all is told, the server or the namespace stops, or its reader did not read."""

    TOLD = "told"
    STOPPED = "stopped"
    OVERRUN = "overrun"


class Batch(NamedTuple):
    """Is what there is to tell now; nothing at all only says that the stream is still there."""

    messages: Sequence[StreamMessage] = ()
    end: End | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderHost:
    """Is what readers of one process, or namespace, share.

    They look at nothing before it `has_begun` to be heard what other processes do; then they are rung.
    """

    system_clock: Clock
    has_begun: Callable[[], bool]
    forget: Callable[["EventReader"], None]


class EventReader(ABC):
    """Reads one stream for whoever listens, who calls `next` until the end, and `close` whatever happens.

    Nothing runs for it while nobody calls `next`.
    """

    def __init__(self, host: ReaderHost) -> None:
        self._host = host
        self._rung = asyncio.Event()
        self._is_stopped = self._is_silent = False

    @abstractmethod
    async def begin(self) -> None:
        """Tell all that happens from now on; raise `TransientError` while the store is away."""

    async def next(self) -> Batch:
        """Return what there is to tell as soon as there is something, or nothing after `HEARTBEAT_SECONDS`."""
        heartbeat = self._host.system_clock.call_later(HEARTBEAT_SECONDS, self._on_silence)
        try:
            while not self._is_stopped:
                self._rung.clear()
                found = await self._look()
                if found is not None:
                    return found
                if self._is_silent:
                    return Batch()
                await self._rung.wait()
        finally:
            heartbeat.cancel()
            self._is_silent = False
        return Batch(end=End.STOPPED)

    def ring(self) -> None:
        """Have it look whether there is something to tell."""
        self._rung.set()

    def stop(self) -> None:
        """End the stream now."""
        self._is_stopped = True
        self.ring()

    def close(self) -> None:
        """Forget the reader."""
        self._host.forget(self)

    @abstractmethod
    async def _ready(self) -> Batch | None:
        """Return what there is to tell; None for nothing."""

    async def _look(self) -> Batch | None:
        """Return what there is to tell; look again soon if the store does not answer."""
        try:
            return await self._ready() if self._host.has_begun() else None
        except NamespaceResetError:
            return Batch(end=End.STOPPED)
        except TransientError as error:
            logger.warning("store away", error=error.message)
            self._host.system_clock.call_later(PAUSE_SECONDS, self.ring)
            return None

    def _on_silence(self) -> None:
        self._is_silent = True
        self.ring()
