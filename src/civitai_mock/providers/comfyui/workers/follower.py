"""When a server is to be asked about its prompts."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

import structlog

from civitai_mock.domain.errors import TransientError
from civitai_mock.ports import Clock, Ids
from civitai_mock.providers.comfyui.options import ComfyOptions
from civitai_mock.providers.comfyui.protocol.messages import Message
from civitai_mock.providers.comfyui.protocol.records import HistoryEntry, QueuePlace
from civitai_mock.providers.comfyui.protocol.tracker import PromptLost
from civitai_mock.providers.comfyui.transport.http import ComfyHttp
from civitai_mock.providers.comfyui.wake_up import WakeUp, backoff_seconds
from civitai_mock.providers.comfyui.workers.queue_watch import QueueWatch
from civitai_mock.providers.comfyui.workers.runs import Run, Runs

FIRST_SETTLE_SECONDS = 0.005  # history follows the last message within a few milliseconds


class PollSchedule:
    """Rarely beside a socket that is heard, often without one, and at once when a prompt is said to have ended.

    A server that has none of ours is looked at now and then: somebody else's prompt may hold its queue.
    """

    def __init__(self, *, clock: Clock, ids: Ids, options: ComfyOptions) -> None:
        self._clock = clock
        self._ids = ids
        self._options = options
        self._looked_at: datetime | None = None
        self._unsettled = 0
        self._failures = 0

    def hurry(self) -> None:
        self._looked_at = None
        self._failures = 0

    def looked(self) -> None:
        self._looked_at = self._clock.now()

    def settled(self, *, all_settled: bool) -> None:
        self._unsettled = 0 if all_settled else self._unsettled + 1

    def answered(self, *, answered: bool) -> None:
        self._failures = 0 if answered else self._failures + 1

    def is_due(self, runs: Sequence[Run], client_id: str | None) -> bool:
        return self._wait(runs, client_id) <= timedelta()

    def pause(self, runs: Sequence[Run], client_id: str | None) -> float:
        """Seconds until the next look."""
        if self._failures:
            return backoff_seconds(self._failures, longest=self._options.longest_backoff.total_seconds(), ids=self._ids)
        if any(run.tracker.is_ending for run in runs):
            return min(
                FIRST_SETTLE_SECONDS * 2.0**self._unsettled, self._options.socketless_poll_interval.total_seconds()
            )
        return max(self._wait(runs, client_id).total_seconds(), 0.0)

    def _wait(self, runs: Sequence[Run], client_id: str | None) -> timedelta:
        """Prompts that were sent under the id of a dropped connection are not heard of any more."""
        if self._looked_at is None:
            return timedelta()
        are_heard = all(run.is_heard_on(client_id) for run in runs)
        interval = self._options.poll_interval if are_heard else self._options.socketless_poll_interval
        if not runs:
            interval = self._options.health_interval
        return self._looked_at + interval - self._clock.now()


logger = structlog.stdlib.get_logger()

BLIND_FACTOR = 4  # a prompt whose socket is gone shows no steps, so its silence means less
STOP_LOOKS = 6
MOST_TO_STOP = 1000
STOP_PAUSE_SECONDS = 0.1


class Follower:
    """The timer goes on whatever the socket says: sockets drop, go deaf and miss messages."""

    def __init__(
        self,
        runs: Runs,
        *,
        worker_id: str,
        http: ComfyHttp,
        clock: Clock,
        options: ComfyOptions,
        timetable: PollSchedule,
        client_id: Callable[[], str | None],
        changed: Callable[[], None],
    ) -> None:
        """`client_id` is that of the open socket; `changed` is called when the queue sticks, or moves again."""
        self.stuck = ""
        self._runs = runs
        self._worker_id = worker_id
        self._http = http
        self._clock = clock
        self._stall = options.stall_timeout
        self._timetable = timetable
        self._client_id = client_id
        self._changed = changed
        self._watch = QueueWatch(longest_gap=2 * options.health_interval)
        self._bell = WakeUp(clock)
        self._looking = asyncio.Lock()
        self._to_stop: dict[str, None] = {}

    def follow(self, run: Run) -> None:
        self._runs.add(run)
        self._bell.notify()

    def hear(self, message: Message) -> None:
        run = self._runs.get(message.prompt_id)
        if run is None or not self._runs.follows(run):
            return
        run.known = True
        run.tracker.on_message(message, self._clock.now())
        self._watch.hear()
        if run.tracker.is_ending:
            self._bell.notify()
        self._runs.note(run)

    def stop_later(self, prompt_id: str) -> None:
        """Stop a prompt that the server may come back with: nobody waits for it any more."""
        self._to_stop[prompt_id] = None
        while len(self._to_stop) > MOST_TO_STOP:
            del self._to_stop[next(iter(self._to_stop))]

    def hurry(self) -> None:
        """Something has changed: look at everything now."""
        self._timetable.hurry()
        self._bell.notify()

    async def run(self) -> None:
        while True:
            await self._bell.wait(self._timetable.pause(self._runs.followed, self._client_id()))
            try:
                await self.look()
            except Exception:
                logger.exception("following broke off", worker_id=self._worker_id)

    async def look(self) -> None:
        """Ask history and queue what is due; a server that does not answer is asked again later."""
        async with self._looking:
            try:
                await self._look_at_ending()
                if self._timetable.is_due(self._runs.followed, self._client_id()):
                    await self._look_at_all()
            except TransientError as error:
                self._timetable.answered(answered=False)
                self._out_of_reach(error)
            else:
                self._timetable.answered(answered=True)

    async def stop(self, run: Run) -> None:
        """Take it out of the queue, or interrupt it; what outlasts a few looks is stopped by the later ones."""
        if not self._runs.follows(run):
            return
        run.unwanted = True
        for turn in range(STOP_LOOKS):
            self._timetable.hurry()
            await self.look()
            if not self._runs.follows(run):
                return
            await self._clock.sleep(STOP_PAUSE_SECONDS * 2**turn)

    def left_queue(self, run: Run, entry: HistoryEntry | None) -> None:
        """The queue has it not; history has `entry`."""
        run.left = True
        run.tracker.on_left_queue(entry, self._clock.now())
        if entry is None and run.unwanted and run.known:
            run.tracker.mark_stopped()
        run.known = run.known or entry is not None
        self._runs.note(run)

    async def _look_at_ending(self) -> None:
        ending = [run for run in self._runs.followed if run.tracker.is_ending]
        for run in ending:
            entry = await self._http.history(run.prompt_id)
            if entry is not None:
                self.left_queue(run, entry)
        self._timetable.settled(all_settled=not any(run.tracker.is_ending for run in ending))

    async def _look_at_all(self) -> None:
        """The queue before history: what has left the queue is in history at once, if it ran at all."""
        self._timetable.looked()
        runs = [run for run in self._runs.followed if not run.sending]
        queue = await self._http.queue()
        self._watch.see(queue, self._clock.now())
        self._note_whether_stuck()
        await self._stop_late(queue)
        for run in runs:
            place = queue.get(run.prompt_id)
            if place is not None:
                await self._in_queue(run, place)
            else:
                await self._look_in_history(run)
        if self.stuck:
            await self._withdraw([run for run in runs if run.waits], self.stuck)

    async def _stop_late(self, queue: Mapping[str, QueuePlace]) -> None:
        for prompt_id in tuple(self._to_stop):
            if prompt_id in queue:
                await self._take_out(prompt_id, queue[prompt_id])
            else:
                self._to_stop.pop(prompt_id, None)

    async def _take_out(self, prompt_id: str, place: QueuePlace) -> None:
        await (self._http.delete if place is QueuePlace.PENDING else self._http.interrupt)(prompt_id)

    async def _look_in_history(self, run: Run) -> None:
        """An interruption of our own is wiped out: the prompt may be sent again, and would seem to have ended by it."""
        entry = await self._http.history(run.prompt_id)
        was_given_up = run.unwanted and isinstance(run.tracker.end, PromptLost)
        if was_given_up and entry is not None and entry.interrupted_node is not None:
            await self._http.delete_history(run.prompt_id)
        self.left_queue(run, entry)

    async def _in_queue(self, run: Run, place: QueuePlace) -> None:
        run.known, run.left = True, False
        run.tracker.on_queued(place, self._clock.now())
        if place is QueuePlace.RUNNING and self.stuck and run.tracker.end is None:
            logger.warning("prompt stalled", worker_id=self._worker_id, prompt_id=run.prompt_id)
            run.unwanted = True
            run.tracker.mark_lost("The prompt has shown no sign of life.")
        if run.unwanted:
            await self._take_out(run.prompt_id, place)
        self._runs.note(run)

    def _note_whether_stuck(self) -> None:
        """Logged once when it sticks, and once when it moves again."""
        was_stuck, quiet = bool(self.stuck), self._watch.quiet
        self.stuck = self._account_of(quiet) if quiet >= self._patience() else ""
        if bool(self.stuck) == was_stuck:
            return
        if self.stuck:
            logger.warning("queue stuck", worker_id=self._worker_id, reason=self.stuck)
        else:
            logger.info("queue moves again", worker_id=self._worker_id)
        self._changed()

    def _account_of(self, quiet: timedelta) -> str:
        running = ", ".join(sorted(self._watch.running))
        whose = "one of ours" if any(self._runs.get(prompt_id) for prompt_id in self._watch.running) else "not ours"
        what = f"the prompt '{running}' ({whose}) is running" if running else "none of its prompts is running"
        return f"its queue has not moved for {quiet.total_seconds():.0f} s: {what}"

    def _patience(self) -> timedelta:
        """Return how long a prompt may be silent: longer where our socket cannot hear it."""
        ours = [run for run in self._runs.followed if run.prompt_id in self._watch.running and not run.unwanted]
        is_blind = any(not run.is_heard_on(self._client_id()) for run in ours)
        return self._stall * (BLIND_FACTOR if is_blind else 1)

    async def withdraw(self, runs: Sequence[Run], reason: str) -> None:
        """Take prompts that wait out of the queue; those that are seen to be gone are lost to this server."""
        async with self._looking:
            await self._withdraw(runs, reason)

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
                self.left_queue(run, entry)

    def _out_of_reach(self, error: TransientError) -> None:
        for run in self._runs.followed:
            if not run.sending:
                run.tracker.on_unreachable(error.message, self._clock.now())
                self._runs.note(run)
