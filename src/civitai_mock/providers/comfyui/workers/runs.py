"""The prompts that a server was given, each followed to its end."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from civitai_mock.domain.json_types import JsonObject, ReadOnlyJson
from civitai_mock.providers.comfyui.protocol.messages import SocketImage
from civitai_mock.providers.comfyui.protocol.tracker import (
    PromptDone,
    PromptEnd,
    PromptFailed,
    PromptInterrupted,
    PromptLost,
    PromptTracker,
)


@dataclass(slots=True, kw_only=True, eq=False)
class Run:
    """`client_id` is that of the connection that hears of it, if any.

    `graph` is what the server was given, `answer` its answer to POST /prompt. `known` is false while nobody can say
    whether the server has the prompt. `left` is true once the server's queue has it no more; `unwanted` is one to be
    stopped.
    """

    tracker: PromptTracker
    graph: ReadOnlyJson
    answer: JsonObject
    client_id: str | None = None
    sending: bool = False
    known: bool = False
    left: bool = False
    unwanted: bool = False
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def prompt_id(self) -> str:
        return self.tracker.prompt_id

    @property
    def counts(self) -> bool:
        """A prompt that must not be sent again: it is on its way, or its end is worth having."""
        end = self.tracker.end
        return (
            self.known
            and not self.unwanted
            and (end is None or isinstance(end, PromptDone | PromptFailed | PromptInterrupted))
        )

    @property
    def waits(self) -> bool:
        """The server's queue has it, and has not begun with it."""
        return self.tracker.is_pending and not self.sending and not self.unwanted

    @property
    def image_bytes(self) -> int:
        """What its images take in memory: those that its server does not keep."""
        end = self.tracker.end
        images = end.results if isinstance(end, PromptDone) else ()
        return sum(len(image.content) for image in images if isinstance(image, SocketImage))

    def is_heard_on(self, client_id: str | None) -> bool:
        """Whether the open connection, if any, tells of it."""
        return client_id is not None and self.client_id == client_id

    async def end(self) -> PromptEnd:
        await self.ended.wait()
        end = self.tracker.end
        if end is None:
            raise RuntimeError("a run that has not ended was said to have")
        return end


MOST_ENDED = 64
MOST_IMAGE_BYTES = 128 * 1024 * 1024  # of images that came over the socket, in runs that ended


class Runs:
    """A run is followed until its server's queue has let go of it; the latest ended ones are kept, to be asked for."""

    def __init__(self, *, freed: Callable[[], None], ended: Callable[[Run], None]) -> None:
        """`ended` is called with each run that ends, and then `freed`: there is room for one more."""
        self._freed = freed
        self._ended_with = ended
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

    def follows(self, run: Run) -> bool:
        return self._followed.get(run.prompt_id) is run

    def is_stopping(self, prompt_id: str) -> bool:
        run = self._followed.get(prompt_id)
        return run is not None and run.unwanted

    def add(self, run: Run) -> None:
        """In the place of an earlier run of the same prompt."""
        self._ended.pop(run.prompt_id, None)
        self._followed[run.prompt_id] = run

    def drop(self, run: Run) -> None:
        """The server is known not to have it, or what it has is of no use."""
        for runs in (self._followed, self._ended):
            if runs.get(run.prompt_id) is run:
                del runs[run.prompt_id]
        self._freed()

    def note(self, run: Run) -> None:
        """Act on its end, if that is known by now; a server that was given up may come back with its prompts."""
        end = run.tracker.end
        if end is None:
            return
        if self.follows(run) and (run.left or not isinstance(end, PromptLost)):
            self._keep(run)
        if not run.ended.is_set():
            run.ended.set()
            self._ended_with(run)
            self._freed()

    def _keep(self, run: Run) -> None:
        del self._followed[run.prompt_id]
        self._ended[run.prompt_id] = run
        while self._are_too_many:
            del self._ended[next(iter(self._ended))]

    @property
    def _are_too_many(self) -> bool:
        image_bytes = sum(run.image_bytes for run in self._ended.values())
        return len(self._ended) > MOST_ENDED or (len(self._ended) > 1 and image_bytes > MOST_IMAGE_BYTES)
