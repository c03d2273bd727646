"""Keep the prompts that one server was given: those that are followed, and the latest that ended."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import field

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.json_types import JsonObject, ReadOnlyJson
from civitai_mock.providers.comfyui.protocol.messages import SocketImage
from civitai_mock.providers.comfyui.protocol.tracker import (
    PromptDone,
    PromptEnd,
    PromptFailed,
    PromptLost,
    PromptStopped,
    PromptTracker,
)

MOST_ENDED = 64
MOST_IMAGE_BYTES = 128 * 1024 * 1024  # of images that came over the socket, in runs that ended


@dataclass(slots=True, kw_only=True, eq=False)
class Run:
    """Is one prompt on one server.

    `graph` is what the server was given, `response` its answer to POST /prompt, `client_id` that of the connection
    that hears of the prompt, if any. `is_known` is false while nobody can say whether the server has the prompt,
    `has_left_queue` once its queue has it no more, and `is_unwanted` if the prompt is to be stopped.
    """

    tracker: PromptTracker
    graph: ReadOnlyJson
    response: JsonObject
    client_id: str | None = None
    is_sending: bool = False
    is_known: bool = False
    has_left_queue: bool = False
    is_unwanted: bool = False
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def prompt_id(self) -> str:
        return self.tracker.prompt_id

    @property
    def is_live(self) -> bool:
        """It must not be sent again: it is on its way, or its end is worth having."""
        if not self.is_known or self.is_unwanted:
            return False
        end = self.tracker.end
        return end is None or isinstance(end, PromptDone | PromptFailed | PromptStopped)

    @property
    def is_waiting(self) -> bool:
        """The server's queue has it, and has not begun with it."""
        return self.tracker.is_pending and not self.is_sending and not self.is_unwanted

    @property
    def image_bytes(self) -> int:
        """Return the bytes of memory that its images take: those that its server does not keep."""
        end = self.tracker.end
        images = end.results if isinstance(end, PromptDone) else ()
        return sum(len(image.content) for image in images if isinstance(image, SocketImage))

    def is_heard_on(self, client_id: str | None) -> bool:
        """Tell whether the open connection, if any, reports it."""
        return client_id is not None and self.client_id == client_id

    async def wait_for_end(self) -> PromptEnd:
        await self.ended.wait()
        end = self.tracker.end
        if end is None:
            raise RuntimeError("a run was marked as ended before its tracker had an end")
        return end


class Runs:
    """Follows each run until its server's queue has let go of it, and keeps the latest ended ones."""

    def __init__(self, *, on_end: Callable[[Run], None], on_capacity: Callable[[], None]) -> None:
        """`on_end` is called with each run that ends, and then `on_capacity`: there is room for one more."""
        self._on_end = on_end
        self._on_capacity = on_capacity
        self._followed: dict[str, Run] = {}
        self._ended: dict[str, Run] = {}

    @property
    def followed(self) -> Sequence[Run]:
        return tuple(self._followed.values())

    @property
    def in_flight(self) -> int:
        return sum(not run.ended.is_set() for run in self._followed.values())

    def get(self, prompt_id: str) -> Run | None:
        return self._followed.get(prompt_id) or self._ended.get(prompt_id)

    def is_followed(self, run: Run) -> bool:
        return self._followed.get(run.prompt_id) is run

    def is_stopping(self, prompt_id: str) -> bool:
        run = self._followed.get(prompt_id)
        return run is not None and run.is_unwanted

    def add(self, run: Run) -> None:
        """Follow a run, in the place of an earlier one of the same prompt."""
        self._ended.pop(run.prompt_id, None)
        self._followed[run.prompt_id] = run

    def delete(self, run: Run) -> None:
        """Forget a run that the server is known not to have, or whose outcome is of no use."""
        for runs in (self._followed, self._ended):
            if runs.get(run.prompt_id) is run:
                del runs[run.prompt_id]
        self._on_capacity()

    def update(self, run: Run) -> None:
        """Act on the run's end, once it is known; a lost one is followed on, as its server may come back with it."""
        end = run.tracker.end
        if end is None:
            return
        if self.is_followed(run) and (run.has_left_queue or not isinstance(end, PromptLost)):
            self._move_to_ended(run)
        if not run.ended.is_set():
            run.ended.set()
            self._on_end(run)
            self._on_capacity()

    def _move_to_ended(self, run: Run) -> None:
        del self._followed[run.prompt_id]
        self._ended[run.prompt_id] = run
        while self._has_too_many_ended:
            del self._ended[next(iter(self._ended))]

    @property
    def _has_too_many_ended(self) -> bool:
        image_bytes = sum(run.image_bytes for run in self._ended.values())
        return len(self._ended) > MOST_ENDED or (len(self._ended) > 1 and image_bytes > MOST_IMAGE_BYTES)
