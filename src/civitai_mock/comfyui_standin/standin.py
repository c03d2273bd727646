"""The stand-in as a whole: what lasts, and the life that a restart ends."""

import asyncio
import uuid
from collections.abc import Hashable

from civitai_mock.comfyui_standin import messages
from civitai_mock.comfyui_standin.execution.run_context import StandinState
from civitai_mock.comfyui_standin.execution.worker import PromptWorker
from civitai_mock.comfyui_standin.faults import FaultControl
from civitai_mock.comfyui_standin.options import Models, StandinOptions
from civitai_mock.comfyui_standin.prompt_stats import PromptFacts, PromptStats
from civitai_mock.comfyui_standin.state.disk import FilesOnDisk
from civitai_mock.comfyui_standin.state.installation import Installation
from civitai_mock.comfyui_standin.state.log import ServerLog
from civitai_mock.comfyui_standin.state.queue import History, PromptQueue, foreign_item
from civitai_mock.comfyui_standin.state.user_data import UserData
from civitai_mock.comfyui_standin.websockets import Hub
from civitai_mock.domain.json_types import JsonObject
from civitai_mock.drawing.png import Draw
from civitai_mock.ports import Clock


class ServerLife:
    """One start to the next: queue, history, sockets, and what nodes have made."""

    def __init__(self, workshop: StandinState) -> None:
        self.hub = Hub(workshop.faults)
        self.queue = PromptQueue(self._queue_changed)
        self.history = History(limit=workshop.options.max_history)
        self.log = ServerLog(now=workshop.clock.now, heard=self._printed)
        self.worker = PromptWorker(
            workshop=workshop, queue=self.queue, history=self.history, hub=self.hub, log=self.log
        )
        self._work = asyncio.create_task(self.worker.work(), name=f"stand-in worker {uuid.uuid4().hex[:8]}")
        self._intrusion = asyncio.create_task(self._intrude(workshop.faults), name="foreign prompts")

    async def _intrude(self, faults: FaultControl) -> None:
        """While the fault `foreign_prompt` is on, somebody else's prompt goes before all others, and does not end."""
        while True:
            await faults.until(lambda now: now.foreign_prompt)
            self.queue.put(foreign_item())
            await faults.until(lambda now: not now.foreign_prompt)

    def end(self) -> None:
        """At once, whatever is running, and sockets without a close frame."""
        self._work.cancel()
        self._intrusion.cancel()
        self.hub.drop_all()

    def _printed(self, entry: JsonObject, subscribers: set[Hashable]) -> None:
        """Whoever has left reads along no more."""
        subscribers.intersection_update(self.hub.client_ids)
        for client_id in self.hub.client_ids:
            if client_id in subscribers:
                self.hub.tell(messages.logs(entry), client_id)

    def _queue_changed(self) -> None:
        self.hub.broadcast(messages.status(self.queue.remaining))


class Standin:
    """Command faults and read facts here when it runs in the same process."""

    def __init__(self, *, clock: Clock, models: Models, draw: Draw, options: StandinOptions) -> None:
        self.workshop = StandinState(
            clock=clock,
            installation=Installation(models=models, options=options, now=clock.now()),
            draw=draw,
            options=options,
            faults=FaultControl(),
            files=FilesOnDisk(max_bytes=options.max_stored_bytes, directories=options.directories.files),
            ledger=PromptStats(),
            user_data=UserData(max_bytes=options.max_stored_bytes, multi_user=options.multi_user),
        )
        self._life: ServerLife | None = None

    @property
    def faults(self) -> FaultControl:
        return self.workshop.faults

    @property
    def life(self) -> ServerLife:
        if self._life is None:
            raise RuntimeError("the stand-in has not been started")
        return self._life

    def start(self) -> None:
        """Begin a life with an empty temp folder."""
        self.workshop.files.clear("temp")
        self._life = ServerLife(self.workshop)

    def stop(self) -> None:
        self.faults.lift()
        self.life.end()

    def restart(self) -> None:
        """Queue, history and temp files are gone, numbers start at 0; output files stay."""
        self.life.end()
        self.workshop.ledger.restarts += 1
        self.start()

    def drop_sockets(self) -> None:
        """All of them, without a close frame."""
        self.life.hub.drop_all()

    def forget_files(self, folder: str = "output") -> None:
        """As if somebody had emptied it."""
        self.workshop.files.clear(folder)

    def prompt(self, prompt_id: str) -> PromptFacts:
        """What happened to a prompt, over all restarts."""
        return self.workshop.ledger.prompts.get(prompt_id, PromptFacts())

    @property
    def facts(self) -> JsonObject:
        return {**self.workshop.ledger.wire, "clients": [*self.life.hub.client_ids]}
