"""Track one prompt on one server, from socket messages, queue and history, until its end and its results are known."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from datetime import datetime, timedelta
from typing import TypeAlias

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.generation.graph_reader.outputs import output_rank
from civitai_mock.providers.comfyui.protocol.messages import (
    Errored,
    Executed,
    Executing,
    Message,
    NodeActivity,
    NodeFailure,
    NodeStep,
    SavedFile,
    SocketImage,
    Started,
    Stopped,
    Succeeded,
)
from civitai_mock.providers.comfyui.protocol.records import HistoryEntry, QueuePlace

OUTPUT_FOLDER = "output"


@dataclass(frozen=True, slots=True, kw_only=True)
class LossLimits:
    """Says how long a prompt may be absent from queue and history, or its server unreachable, before it is lost."""

    absent: timedelta = timedelta(seconds=1)
    unreachable: timedelta = timedelta(seconds=30)


USUAL_LIMITS = LossLimits()


@dataclass(frozen=True, slots=True)
class SavedResult:
    """Is a result that the server keeps as a file."""

    node_id: str
    file: SavedFile


PromptResult: TypeAlias = SavedResult | SocketImage


@dataclass(frozen=True, slots=True)
class PromptWaiting:
    """The prompt is in the queue, or on its way there."""


@dataclass(frozen=True, slots=True)
class PromptRunning:
    """The server has begun with the prompt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptDone:
    """The prompt has succeeded; `elapsed_ms` is by the server's own clock, from start to end."""

    results: tuple[PromptResult, ...]
    elapsed_ms: int | None
    previews: tuple[SavedResult, ...] = ()


@dataclass(frozen=True, slots=True)
class PromptFailed:
    """A node raised."""

    failure: NodeFailure


@dataclass(frozen=True, slots=True)
class PromptStopped:
    """Somebody stopped the prompt; `node_id` is empty if it had not begun."""

    node_id: str


@dataclass(frozen=True, slots=True)
class PromptLost:
    """The prompt must be sent again: nothing more will be heard of it.

    `outputs_lost` says that for the server it is done, but that its images cannot be had. `is_unstarted` says that it
    was seen to wait, or that an open socket would have reported its start, and that nothing said that it ever ran.
    """

    reason: str
    outputs_lost: bool = False
    is_unstarted: bool = False


PromptEnd: TypeAlias = PromptDone | PromptFailed | PromptStopped | PromptLost
PromptState: TypeAlias = PromptWaiting | PromptRunning | PromptEnd


def sort_results(
    *, files: Mapping[str, Sequence[SavedFile]], images: Iterable[SocketImage], node_order: Sequence[str]
) -> tuple[PromptResult, ...]:
    """Sort by node, then by place in the batch; preview files count only where nothing else was made."""
    saved: list[PromptResult] = [SavedResult(node_id, file) for node_id, made in files.items() for file in made]
    results = [*saved, *images]
    kept = [result for result in results if isinstance(result, SocketImage) or result.file.folder == OUTPUT_FOLDER]
    return tuple(sorted(kept or results, key=lambda result: output_rank(result.node_id, node_order)))


def sort_previews(
    *, files: Mapping[str, Sequence[SavedFile]], results: Sequence[PromptResult], node_order: Sequence[str]
) -> tuple[SavedResult, ...]:
    """Sort the files that are not among the results."""
    saved = (SavedResult(node_id, file) for node_id, made in files.items() for file in made)
    others = [result for result in saved if result not in results]
    return tuple(sorted(others, key=lambda result: output_rank(result.node_id, node_order)))


@dataclass(slots=True, kw_only=True)
class StreamedImages:
    """Collects the images of a node that sends them over the socket, by their index in the batch."""

    index: int = 0
    total: int | None = None
    images: dict[int, SocketImage] = field(default_factory=dict)

    @property
    def is_complete(self) -> bool:
        return self.total is not None and len(self.images) >= self.total


class PromptTracker:
    """Keeps the state of one prompt. Messages may be missing, doubled, late or out of order.

    Only history, or a message that says why, ends a prompt.
    """

    def __init__(
        self,
        prompt_id: str,
        *,
        now: datetime,
        streaming: frozenset[str] = frozenset(),
        limits: LossLimits = USUAL_LIMITS,
    ) -> None:
        """`streaming` are the nodes whose images come over the socket, and are in no history."""
        self.prompt_id = prompt_id
        self.state: PromptState = PromptWaiting()
        self.progress: NodeStep | None = None
        self.preview: SocketImage | None = None
        self.last_activity_at = now
        self.has_socket = False  # a socket was open for it when the server took it
        self.started_at: datetime | None = None
        self._limits = limits
        self._streamed = {node_id: StreamedImages() for node_id in streaming}
        self._files: dict[str, tuple[SavedFile, ...]] = {}
        self._message_types: set[type[Message]] = set()
        self._is_released = False
        self._was_pending = False
        self._missing_since: datetime | None = None
        self._unreachable_since: datetime | None = None

    @property
    def end(self) -> PromptEnd | None:
        return None if isinstance(self.state, PromptWaiting | PromptRunning) else self.state

    @property
    def is_pending(self) -> bool:
        """It was seen to wait in the queue, and nothing said that it ever ran."""
        return self._was_pending and isinstance(self.state, PromptWaiting)

    @property
    def is_ending(self) -> bool:
        """The server has let go of it; history will say how it ended."""
        return self.end is None and (self._is_released or Succeeded in self._message_types)

    def waited_until(self, now: datetime) -> datetime:
        """Return when its turn came; if it ended unseen, it may have begun at any time since it was sent."""
        return now if isinstance(self.state, PromptWaiting) else self.started_at or self.last_activity_at

    def on_message(self, message: Message, now: datetime) -> None:
        """Take in a message; one about another prompt, or after the end, changes nothing."""
        if message.prompt_id != self.prompt_id or self.end is not None:
            return
        self.last_activity_at = now
        self.started_at = self.started_at or now
        self.state = PromptRunning()
        self._message_types.add(type(message))
        match message:
            case Executing(node_id=None):
                self._is_released = True
            case NodeActivity():
                self._on_activity(message)
            case SocketImage():
                self._on_image(message)
            case Executed(node_id=node_id, files=files):
                self._files[node_id] = files
            case Errored(failure=failure):
                self.state = PromptFailed(failure)
            case Stopped(node_id=node_id):
                self.state = PromptStopped(node_id)

    def on_queued(self, place: QueuePlace, now: datetime) -> None:
        """Note that the queue was read and has the prompt."""
        self._missing_since = self._unreachable_since = None
        self._was_pending = self._was_pending or place is QueuePlace.PENDING
        if place is QueuePlace.RUNNING and isinstance(self.state, PromptWaiting):
            self.state = PromptRunning()
            self.last_activity_at = self.started_at = now

    def on_left_queue(self, entry: HistoryEntry | None, now: datetime) -> None:
        """Note that the queue was read without finding the prompt, and that history, read after it, has `entry`."""
        self._unreachable_since = None
        if self.end is not None:
            return
        if entry is None:
            self._on_absent(now)
        elif entry.failure is not None:
            self.state = PromptFailed(entry.failure)
        elif entry.interrupted_node is not None:
            self.state = PromptStopped(entry.interrupted_node)
        else:
            self._finish(entry, now)

    def on_unreachable(self, reason: str, now: datetime) -> None:
        """Note that the server did not answer, which says nothing about the prompt until it has lasted."""
        self._unreachable_since = self._unreachable_since or now
        if self.end is None and now - self._unreachable_since >= self._limits.unreachable:
            self.mark_lost(f"The server is out of reach: {reason}")

    def mark_stopped(self) -> None:
        """Note that it was taken out of the queue before it ran."""
        if self.end is None:
            self.state = PromptStopped("")

    def mark_lost(self, reason: str, *, outputs_lost: bool = False) -> None:
        if self.end is None:
            is_unstarted = isinstance(self.state, PromptWaiting) and (self._was_pending or self.has_socket)
            self.state = PromptLost(reason, outputs_lost, is_unstarted=is_unstarted)

    def _on_activity(self, message: NodeActivity) -> None:
        if isinstance(message, NodeStep):
            self.progress = message
        if message.node_id in self._streamed:
            streamed = self._streamed[message.node_id]
            streamed.index, streamed.total = int(message.value), int(message.maximum)

    def _on_image(self, message: SocketImage) -> None:
        if message.node_id in self._streamed:
            streamed = self._streamed[message.node_id]
            streamed.images[streamed.index] = message
        else:
            self.preview = message

    def _on_absent(self, now: datetime) -> None:
        """Lose it at its second absence: history follows the queue at once, but a slow POST may need longer."""
        self._missing_since = self._missing_since or now
        if now - self._missing_since < self._limits.absent:
            return
        if {Started, Succeeded} <= self._message_types:
            self._finish(HistoryEntry(files=self._files, node_order=()), now)
        else:
            self.mark_lost("The server has lost the prompt.")

    def _finish(self, entry: HistoryEntry, now: datetime) -> None:
        """End it, unless images are still on their way over the socket: they may be late by `LossLimits.absent`."""
        if all(streamed.is_complete for streamed in self._streamed.values()):
            images = [image for streamed in self._streamed.values() for _, image in sorted(streamed.images.items())]
            results = sort_results(files=entry.files, images=images, node_order=entry.node_order)
            previews = sort_previews(files=entry.files, results=results, node_order=entry.node_order)
            self.state = PromptDone(results=results, elapsed_ms=entry.elapsed_ms, previews=previews)
            return
        self._missing_since = self._missing_since or now
        if now - self._missing_since >= self._limits.absent:
            self.mark_lost("Images that were sent over the socket have not arrived.", outputs_lost=True)
