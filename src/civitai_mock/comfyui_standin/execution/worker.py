"""The one worker: takes prompts from the queue, one at a time, for all clients."""

import structlog

from civitai_mock.comfyui_standin import messages
from civitai_mock.comfyui_standin.execution.interrupt import Interrupt
from civitai_mock.comfyui_standin.execution.node_cache import NodeCache
from civitai_mock.comfyui_standin.execution.prompt_run import DeadlyPromptError, PromptRun
from civitai_mock.comfyui_standin.execution.run_context import ProgressBoard, PromptMessages, RunContext, StandinState
from civitai_mock.comfyui_standin.state.log import ServerLog
from civitai_mock.comfyui_standin.state.queue import History, PromptQueue, QueueItem
from civitai_mock.comfyui_standin.websockets import Hub

logger = structlog.stdlib.get_logger()


class PromptWorker:
    """`run` is the prompt that is being worked on."""

    def __init__(
        self, *, workshop: StandinState, queue: PromptQueue, history: History, hub: Hub, log: ServerLog
    ) -> None:
        self.run: PromptRun | None = None
        self._workshop = workshop
        self._queue = queue
        self._history = history
        self._hub = hub
        self._log = log
        self._cache = NodeCache(workshop.change_mark, workshop.options.cache)
        self._darkroom = workshop.darkroom()
        self.interrupt = Interrupt()

    async def work(self) -> None:
        """Until cancelled; or, while the fault `mortal` is on, until a prompt comes that ComfyUI's worker dies of.

        Then HTTP goes on without it.
        """
        while True:
            item = await self._queue.take()
            try:
                if item is not None:
                    await self._execute(item)
            except DeadlyPromptError as error:
                logger.warning("worker died", prompt_id=item and item.prompt_id, reason=str(error))
                return
            except Exception as error:  # noqa: BLE001 - the next prompt has nothing to do with it
                logger.warning("prompt lost", prompt_id=item and item.prompt_id, reason=repr(error))
                self._leave()
            await self._free(self._queue.take_flags())

    async def _execute(self, item: QueueItem) -> None:
        if item.is_foreign:
            await self._workshop.faults.until(lambda now: not now.foreign_prompt)
        self.interrupt.forget()
        started = self._workshop.clock.now()
        facts = self._workshop.ledger.of(item.prompt_id)
        run = self.run = PromptRun(scene=self._scene(item), cache=self._cache, facts=facts)
        ending = await run.run()
        await self._workshop.pause(self._workshop.options.durations.history_lag)
        self._history.add(item.prompt_id, run.history_entry(ending))
        facts.outcomes.append(ending)
        self._leave()
        if run.client_id is not None:
            self._hub.tell(messages.executing(item.prompt_id, None), run.client_id)
        seconds = (self._workshop.clock.now() - started).total_seconds()
        self._log.write(f"Prompt executed in {seconds:.2f} seconds")

    def _leave(self) -> None:
        self.run = None
        self._queue.finished()
        self._hub.broadcast(messages.status(self._queue.remaining))

    def _scene(self, item: QueueItem) -> RunContext:
        client_id = _client_of(item)
        voice = PromptMessages(
            hub=self._hub, prompt_id=item.prompt_id, client_id=client_id, now=self._workshop.clock.now
        )
        return RunContext(
            workshop=self._workshop,
            darkroom=self._darkroom,
            item=item,
            images=self._darkroom.images(item.graph),
            voice=voice,
            board=ProgressBoard(item.prompt_id),
            interrupt=self.interrupt,
        )

    async def _free(self, flags: set[str]) -> None:
        """While this takes its time, another wish is only heard after the next prompt, as in ComfyUI."""
        if flags:
            await self._workshop.pause(self._workshop.options.durations.unload)
        if "free_memory" in flags:
            self._cache.clear()


def _client_of(item: QueueItem) -> str | None:
    """Whatever can be a key, as in ComfyUI."""
    client_id = item.extra_data.get("client_id") if isinstance(item.extra_data, dict) else None
    return None if isinstance(client_id, list | dict) else client_id
