"""Follow the prompts of one server to their ends: listen to its socket, and poll its queue and history."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

import structlog

from civitai_mock.domain.errors import TransientError
from civitai_mock.providers.comfyui.options import WorkerDependencies
from civitai_mock.providers.comfyui.protocol.messages import Message
from civitai_mock.providers.comfyui.protocol.records import HistoryEntry, QueuePlace
from civitai_mock.providers.comfyui.protocol.tracker import PromptLost
from civitai_mock.providers.comfyui.transport.http import ComfyHttp
from civitai_mock.providers.comfyui.wake_up import WakeUp, backoff_seconds
from civitai_mock.providers.comfyui.workers.queue_watch import QueueWatch
from civitai_mock.providers.comfyui.workers.runs import Run, Runs

logger = structlog.stdlib.get_logger()

FIRST_HISTORY_POLL_SECONDS = 0.005  # history follows the last message within a few milliseconds
STOP_POLLS = 6
STOP_PAUSE_SECONDS = 0.1
MOST_TO_STOP = 1000


class PollSchedule:
    """Says when to poll a server: rarely beside a socket that is heard, often without one, at once when a prompt ends.

    A server that has no prompts of ours is polled now and then: somebody else's prompt may hold its queue.
    """

    def __init__(self, dependencies: WorkerDependencies) -> None:
        self._clock = dependencies.clock
        self._ids = dependencies.ids
        self._options = dependencies.options
        self._polled_at: datetime | None = None
        self._unsettled_polls = 0
        self._failures = 0

    def poll_now(self) -> None:
        self._polled_at = None
        self._failures = 0

    def mark_polled(self) -> None:
        self._polled_at = self._clock.now()

    def mark_settled(self, *, all_settled: bool) -> None:
        """Note whether history has all prompts that were said to have ended."""
        self._unsettled_polls = 0 if all_settled else self._unsettled_polls + 1

    def mark_answered(self, *, is_answered: bool) -> None:
        self._failures = 0 if is_answered else self._failures + 1

    def is_due(self, runs: Sequence[Run], client_id: str | None) -> bool:
        return self._time_left(runs, client_id) <= timedelta()

    def pause_seconds(self, runs: Sequence[Run], client_id: str | None) -> float:
        """Return how long to wait until the next poll."""
        if self._failures:
            longest = self._options.longest_backoff.total_seconds()
            return backoff_seconds(self._failures, longest=longest, ids=self._ids)
        if any(run.tracker.is_ending for run in runs):
            longest = self._options.socketless_poll_interval.total_seconds()
            return min(FIRST_HISTORY_POLL_SECONDS * 2.0**self._unsettled_polls, longest)
        return max(self._time_left(runs, client_id).total_seconds(), 0.0)

    def _time_left(self, runs: Sequence[Run], client_id: str | None) -> timedelta:
        """Return how long the poll may wait; prompts that were sent under a dropped connection's id are not heard."""
        if self._polled_at is None:
            return timedelta()
        are_heard = all(run.is_heard_on(client_id) for run in runs)
        interval = self._options.poll_interval if are_heard else self._options.socketless_poll_interval
        if not runs:
            interval = self._options.health_interval
        return self._polled_at + interval - self._clock.now()


class Follower:
    """Follows prompts. It goes on polling whatever the socket says: sockets drop, go deaf and miss messages."""

    def __init__(
        self,
        runs: Runs,
        *,
        http: ComfyHttp,
        dependencies: WorkerDependencies,
        client_id: Callable[[], str | None],
        on_change: Callable[[], None],
    ) -> None:
        """`client_id` is that of the open socket; `on_change` is called when the queue sticks, or moves again."""
        self.runs = runs
        self._http = http
        self._clock = dependencies.clock
        self._schedule = PollSchedule(dependencies)
        self._read_client_id = client_id
        self._queue_watch = QueueWatch(
            runs, worker_id=http.server_id, dependencies=dependencies, client_id=client_id, on_change=on_change
        )
        self._wake_up = WakeUp(self._clock)
        self._poll_lock = asyncio.Lock()
        self._to_stop: dict[str, None] = {}

    @property
    def client_id(self) -> str | None:
        """Return the id of the connection whose messages are heard; None while the socket is closed."""
        return self._read_client_id()

    @property
    def stuck_reason(self) -> str:
        """Return why the queue counts as stuck; empty while it moves."""
        return self._queue_watch.stuck_reason

    def follow(self, run: Run) -> None:
        self.runs.add(run)
        self._wake_up.notify()

    def on_message(self, message: Message) -> None:
        run = self.runs.get(message.prompt_id)
        if run is None or not self.runs.is_followed(run):
            return
        run.is_known = True
        run.tracker.on_message(message, self._clock.now())
        self._queue_watch.on_message()
        if run.tracker.is_ending:
            self._wake_up.notify()
        self.runs.update(run)

    def on_left_queue(self, run: Run, entry: HistoryEntry | None) -> None:
        """Note that the queue does not have a prompt, and that history has `entry`."""
        run.has_left_queue = True
        run.tracker.on_left_queue(entry, self._clock.now())
        if entry is None and run.is_unwanted and run.is_known:
            run.tracker.mark_stopped()
        run.is_known = run.is_known or entry is not None
        self.runs.update(run)

    def poll_now(self) -> None:
        """Poll everything at once: something has changed."""
        self._schedule.poll_now()
        self._wake_up.notify()

    async def run(self) -> None:
        while True:
            await self._wake_up.wait(self._schedule.pause_seconds(self.runs.followed, self.client_id))
            try:
                await self.poll()
            except Exception:
                logger.exception("following broke off", worker_id=self._http.server_id)

    async def poll(self) -> None:
        """Read what is due from history and queue; a server that does not answer is asked again later."""
        async with self._poll_lock:
            try:
                await self._poll_ending()
                if self._schedule.is_due(self.runs.followed, self.client_id):
                    await self._poll_all()
            except TransientError as error:
                self._schedule.mark_answered(is_answered=False)
                self._on_unreachable(error)
            else:
                self._schedule.mark_answered(is_answered=True)

    async def stop(self, run: Run) -> None:
        """Take a prompt out of the queue, or interrupt it; if it outlasts a few polls, later ones stop it."""
        if not self.runs.is_followed(run):
            return
        run.is_unwanted = True
        for attempt in range(STOP_POLLS):
            self._schedule.poll_now()
            await self.poll()
            if not self.runs.is_followed(run):
                return
            await self._clock.sleep(STOP_PAUSE_SECONDS * 2**attempt)

    def stop_later(self, prompt_id: str) -> None:
        """Stop a prompt that the server may come back with: nobody waits for it any more."""
        self._to_stop[prompt_id] = None
        while len(self._to_stop) > MOST_TO_STOP:
            del self._to_stop[next(iter(self._to_stop))]

    async def withdraw(self, runs: Sequence[Run], reason: str) -> None:
        """Take prompts that wait out of the queue; those that are seen to be gone are lost to this server."""
        async with self._poll_lock:
            await self._withdraw(runs, reason)

    async def _poll_ending(self) -> None:
        ending = [run for run in self.runs.followed if run.tracker.is_ending]
        for run in ending:
            entry = await self._http.history(run.prompt_id)
            if entry is not None:
                self.on_left_queue(run, entry)
        self._schedule.mark_settled(all_settled=not any(run.tracker.is_ending for run in ending))

    async def _poll_all(self) -> None:
        """Read the queue before history: what has left the queue is in history at once, if it ran at all."""
        self._schedule.mark_polled()
        runs = [run for run in self.runs.followed if not run.is_sending]
        queue = await self._http.queue()
        self._queue_watch.on_queue(queue, self._clock.now())
        await self._stop_late(queue)
        for run in runs:
            place = queue.get(run.prompt_id)
            if place is not None:
                await self._on_queued(run, place)
            else:
                await self._read_history(run)
        if self.stuck_reason:
            await self._withdraw([run for run in runs if run.is_waiting], self.stuck_reason)

    async def _on_queued(self, run: Run, place: QueuePlace) -> None:
        run.is_known, run.has_left_queue = True, False
        run.tracker.on_queued(place, self._clock.now())
        if place is QueuePlace.RUNNING and self.stuck_reason and run.tracker.end is None:
            logger.warning("prompt stalled", worker_id=self._http.server_id, prompt_id=run.prompt_id)
            run.is_unwanted = True
            run.tracker.mark_lost("The prompt has shown no sign of life.")
        if run.is_unwanted:
            await self._stop_in_queue(run.prompt_id, place)
        self.runs.update(run)

    async def _read_history(self, run: Run) -> None:
        """Delete an interruption of our own: the prompt may be sent again, and would seem to have ended by it."""
        entry = await self._http.history(run.prompt_id)
        was_given_up = run.is_unwanted and isinstance(run.tracker.end, PromptLost)
        if was_given_up and entry is not None and entry.interrupted_node is not None:
            await self._http.delete_history(run.prompt_id)
        self.on_left_queue(run, entry)

    async def _stop_late(self, queue: Mapping[str, QueuePlace]) -> None:
        for prompt_id in tuple(self._to_stop):
            if prompt_id in queue:
                await self._stop_in_queue(prompt_id, queue[prompt_id])
            else:
                self._to_stop.pop(prompt_id, None)

    async def _stop_in_queue(self, prompt_id: str, place: QueuePlace) -> None:
        await (self._http.delete if place is QueuePlace.PENDING else self._http.interrupt)(prompt_id)

    async def _withdraw(self, runs: Sequence[Run], reason: str) -> None:
        if not runs:
            return
        for run in runs:
            await self._http.delete(run.prompt_id)
        queue = await self._http.queue()
        for run in runs:
            if run.prompt_id not in queue:
                entry = await self._http.history(run.prompt_id)
                if entry is None:
                    run.tracker.mark_lost(f"Its turn did not come: {reason}.")
                self.on_left_queue(run, entry)

    def _on_unreachable(self, error: TransientError) -> None:
        for run in self.runs.followed:
            if not run.is_sending:
                run.tracker.on_unreachable(error.message, self._clock.now())
                self.runs.update(run)
