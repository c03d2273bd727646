"""What becomes of one prompt on one server, from all that is heard and seen of it, and what it made."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeAlias

from civitai_mock.generation.graph_reader.outputs import output_rank
from civitai_mock.providers.comfyui.protocol.messages import (
    AtWork,
    Errored,
    Executed,
    Executing,
    Failure,
    Message,
    SavedFile,
    SocketImage,
    Started,
    Stepped,
    Stopped,
    Succeeded,
)
from civitai_mock.providers.comfyui.protocol.records import HistoryEntry, QueuePlace

SAVED = "output"


@dataclass(frozen=True, slots=True)
class Saved:
    """An image that the server keeps as a file."""

    node_id: str
    file: SavedFile


Result: TypeAlias = Saved | SocketImage


def in_order(
    *, files: Mapping[str, Sequence[SavedFile]], images: Iterable[SocketImage], node_order: Sequence[str]
) -> tuple[Result, ...]:
    """By node, then by place in its batch; previews on disk count only where nothing else was made."""
    saved: list[Result] = [Saved(node_id, file) for node_id, made in files.items() for file in made]
    results = [*saved, *images]
    kept = [result for result in results if isinstance(result, SocketImage) or result.file.folder == SAVED]
    return tuple(sorted(kept or results, key=lambda result: output_rank(result.node_id, node_order)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long a prompt may be absent from queue and history, and its server out of reach, before it is lost."""

    absent: timedelta = timedelta(seconds=1)
    unreachable: timedelta = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Waiting:
    """In the queue, or on its way there."""


@dataclass(frozen=True, slots=True)
class Running:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    results: tuple[Result, ...]
    elapsed_ms: int | None


@dataclass(frozen=True, slots=True)
class Failed:
    failure: Failure


@dataclass(frozen=True, slots=True)
class Interrupted:
    node_id: str


@dataclass(frozen=True, slots=True)
class Lost:
    """To be sent again; `spoiled` if the server thinks that it is done, and its images cannot be had.

    `unstarted` if it was seen to wait, or a socket would have told of its start, and nothing told that it ever ran.
    """

    reason: str
    spoiled: bool = False
    unstarted: bool = False


End: TypeAlias = Done | Failed | Interrupted | Lost
State: TypeAlias = Waiting | Running | End


@dataclass(slots=True, kw_only=True)
class Streamed:
    """The images of a node that sends them over the socket, by their place in the batch."""

    place: int = 0
    total: int | None = None
    images: dict[int, SocketImage] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        return self.total is not None and len(self.images) >= self.total


class PromptTracker:
    """Messages may be missing, doubled, late or out of order; only history, or a message that says why, ends it."""

    def __init__(
        self, prompt_id: str, *, now: datetime, streaming: frozenset[str] = frozenset(), limits: Limits = Limits()
    ) -> None:
        """`streaming` are the nodes whose images come over the socket, and are in no history."""
        self.prompt_id = prompt_id
        self.state: State = Waiting()
        self.progress: Stepped | None = None
        self.preview: SocketImage | None = None
        self.last_sign = now
        self.is_listened_for = False  # a socket was open for it when the server took it
        self.began_at: datetime | None = None
        self._limits = limits
        self._streamed = {node_id: Streamed() for node_id in streaming}
        self._files: dict[str, tuple[SavedFile, ...]] = {}
        self._heard: set[type[Message]] = set()
        self._let_go = False
        self._was_pending = False
        self._missing_since: datetime | None = None
        self._unreachable_since: datetime | None = None

    @property
    def end(self) -> End | None:
        return None if isinstance(self.state, Waiting | Running) else self.state

    @property
    def is_pending(self) -> bool:
        """It was seen to wait in the queue, and nothing told that it ever ran."""
        return self._was_pending and isinstance(self.state, Waiting)

    @property
    def is_ending(self) -> bool:
        """The server has let go of it; history will tell how it ended."""
        return self.end is None and (self._let_go or Succeeded in self._heard)

    def waited_until(self, now: datetime) -> datetime:
        """When its turn came; one that ended unseen may have begun at any time since it was sent."""
        return now if isinstance(self.state, Waiting) else self.began_at or self.last_sign

    def hear(self, message: Message, now: datetime) -> None:
        """Take a message in; one about another prompt, or after the end, changes nothing."""
        if message.prompt_id != self.prompt_id or self.end is not None:
            return
        self.last_sign = now
        self.began_at = self.began_at or now
        self.state = Running()
        self._heard.add(type(message))
        match message:
            case Executing(node_id=None):
                self._let_go = True
            case AtWork():
                self._step(message)
            case SocketImage():
                self._see(message)
            case Executed(node_id=node_id, files=files):
                self._files[node_id] = files
            case Errored(failure=failure):
                self.state = Failed(failure)
            case Stopped(node_id=node_id):
                self.state = Interrupted(node_id)

    def in_queue(self, place: QueuePlace, now: datetime) -> None:
        """The queue was read, and has it."""
        self._missing_since = self._unreachable_since = None
        self._was_pending = self._was_pending or place is QueuePlace.PENDING
        if place is QueuePlace.RUNNING and isinstance(self.state, Waiting):
            self.state = Running()
            self.last_sign = self.began_at = now

    def out_of_queue(self, entry: HistoryEntry | None, now: datetime) -> None:
        """The queue was read and had it not; then history was, and had `entry`."""
        self._unreachable_since = None
        if self.end is not None:
            return
        if entry is None:
            self._miss(now)
        elif entry.failure is not None:
            self.state = Failed(entry.failure)
        elif entry.stopped_at is not None:
            self.state = Interrupted(entry.stopped_at)
        else:
            self._finish(entry, now)

    def out_of_reach(self, reason: str, now: datetime) -> None:
        """The server did not answer, which says nothing about the prompt until it has lasted."""
        self._unreachable_since = self._unreachable_since or now
        if self.end is None and now - self._unreachable_since >= self._limits.unreachable:
            self.lose(f"The server is out of reach: {reason}")

    def stop(self) -> None:
        """It was taken out of the queue before it ran."""
        if self.end is None:
            self.state = Interrupted("")

    def lose(self, reason: str, *, spoiled: bool = False) -> None:
        if self.end is None:
            is_unstarted = isinstance(self.state, Waiting) and (self._was_pending or self.is_listened_for)
            self.state = Lost(reason, spoiled, unstarted=is_unstarted)

    def _step(self, message: AtWork) -> None:
        if isinstance(message, Stepped):
            self.progress = message
        if message.node_id in self._streamed:
            streamed = self._streamed[message.node_id]
            streamed.place, streamed.total = int(message.value), int(message.maximum)

    def _see(self, message: SocketImage) -> None:
        if message.node_id in self._streamed:
            streamed = self._streamed[message.node_id]
            streamed.images[streamed.place] = message
        else:
            self.preview = message

    def _miss(self, now: datetime) -> None:
        """History follows the queue at once, so one look is nearly enough; the second one forgives a slow POST."""
        self._missing_since = self._missing_since or now
        if now - self._missing_since < self._limits.absent:
            return
        if {Started, Succeeded} <= self._heard:
            self._finish(HistoryEntry(files=self._files, node_order=()), now)
        else:
            self.lose("The server has lost the prompt.")

    def _finish(self, entry: HistoryEntry, now: datetime) -> None:
        """ImageContent still on their way over the socket are waited for as long as a prompt may be absent."""
        if all(streamed.complete for streamed in self._streamed.values()):
            images = [image for streamed in self._streamed.values() for _, image in sorted(streamed.images.items())]
            results = in_order(files=entry.files, images=images, node_order=entry.node_order)
            self.state = Done(results=results, elapsed_ms=entry.elapsed_ms)
            return
        self._missing_since = self._missing_since or now
        if now - self._missing_since >= self._limits.absent:
            self.lose("ImageContent that were sent over the socket have not arrived.", spoiled=True)
