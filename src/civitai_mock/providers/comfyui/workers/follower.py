"""Follow the prompts of one server to their ends: over the socket, and beside it in queue and history."""

import asyncio
from collections.abc import Callable

import structlog

from civitai_mock.domain.errors import TransientError
from civitai_mock.ports import Clock
from civitai_mock.providers.comfyui.options import ComfyOptions
from civitai_mock.providers.comfyui.protocol.messages import Message
from civitai_mock.providers.comfyui.protocol.records import Entry, Place
from civitai_mock.providers.comfyui.protocol.tracker import Lost
from civitai_mock.providers.comfyui.transport.http import ComfyHttp
from civitai_mock.providers.comfyui.waiting import Bell
from civitai_mock.providers.comfyui.workers.run import Run
from civitai_mock.providers.comfyui.workers.runs import Runs
from civitai_mock.providers.comfyui.workers.timetable import Timetable

logger = structlog.stdlib.get_logger()

BLIND_FACTOR = 4  # a prompt whose socket is gone shows no steps, so its silence means less
STOP_LOOKS = 6
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
        timetable: Timetable,
        client_id: Callable[[], str | None],
    ) -> None:
        """`client_id` is that of the open socket."""
        self._runs = runs
        self._worker_id = worker_id
        self._http = http
        self._clock = clock
        self._stall = options.stall
        self._timetable = timetable
        self._client_id = client_id
        self._bell = Bell(clock)
        self._looking = asyncio.Lock()

    def follow(self, run: Run) -> None:
        self._runs.add(run)
        self._bell.ring()

    def hear(self, message: Message) -> None:
        run = self._runs.get(message.prompt_id)
        if run is None or not self._runs.follows(run):
            return
        run.known = True
        run.tracker.hear(message, self._clock.now())
        if run.tracker.is_ending:
            self._bell.ring()
        self._runs.note(run)

    def hurry(self) -> None:
        """Something has changed: look at everything now."""
        self._timetable.hurry()
        self._bell.ring()

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

    def left_queue(self, run: Run, entry: Entry | None) -> None:
        """The queue has it not; history has `entry`."""
        run.left = True
        run.tracker.out_of_queue(entry, self._clock.now())
        if entry is None and run.unwanted and run.known:
            run.tracker.stop()
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
        queue = await self._http.queue() if runs else {}
        for run in runs:
            place = queue.get(run.prompt_id)
            if place is not None:
                await self._in_queue(run, place)
            else:
                await self._look_in_history(run)

    async def _look_in_history(self, run: Run) -> None:
        """An interruption of our own is wiped out: the prompt may be sent again, and would seem to have ended by it."""
        entry = await self._http.history(run.prompt_id)
        was_given_up = run.unwanted and isinstance(run.tracker.end, Lost)
        if was_given_up and entry is not None and entry.stopped_at is not None:
            await self._http.forget(run.prompt_id)
        self.left_queue(run, entry)

    async def _in_queue(self, run: Run, place: Place) -> None:
        run.known, run.left = True, False
        run.tracker.in_queue(place, self._clock.now())
        if place is Place.RUNNING and self._is_silent(run):
            logger.warning("prompt stalled", worker_id=self._worker_id, prompt_id=run.prompt_id)
            run.stalled = run.unwanted = True
            run.tracker.lose("The prompt has shown no sign of life.")
        if run.unwanted:
            await (self._http.delete if place is Place.PENDING else self._http.interrupt)(run.prompt_id)
        self._runs.note(run)

    def _is_silent(self, run: Run) -> bool:
        patience = self._stall if run.is_heard_on(self._client_id()) else self._stall * BLIND_FACTOR
        return run.tracker.end is None and self._clock.now() - run.tracker.last_sign >= patience

    def _out_of_reach(self, error: TransientError) -> None:
        for run in self._runs.followed:
            if not run.sending:
                run.tracker.out_of_reach(error.message, self._clock.now())
                self._runs.note(run)
