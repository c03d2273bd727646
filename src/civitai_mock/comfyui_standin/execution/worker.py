"""The one worker: takes prompts from the queue, one at a time, for all clients."""

import structlog

from civitai_mock.comfyui_standin import messages
from civitai_mock.comfyui_standin.execution.failures import Interrupt
from civitai_mock.comfyui_standin.execution.node_cache import NodeCache
from civitai_mock.comfyui_standin.execution.output_files import OutputWriter
from civitai_mock.comfyui_standin.execution.prompt_run import DeadlyPromptError, PromptRun
from civitai_mock.comfyui_standin.execution.run_context import ProgressRegistry, PromptMessages, RunContext
from civitai_mock.comfyui_standin.socket_hub import SocketHub
from civitai_mock.comfyui_standin.state.log import ServerLog
from civitai_mock.comfyui_standin.state.queue import History, PromptQueue, QueueItem
from civitai_mock.comfyui_standin.state.standin_state import StandinState

logger = structlog.stdlib.get_logger()


class PromptWorker:
    """Executes the prompts of a queue; `current_run` is the one that is being worked on."""

    def __init__(
        self, *, state: StandinState, queue: PromptQueue, history: History, hub: SocketHub, log: ServerLog
    ) -> None:
        self.current_run: PromptRun | None = None
        self.interrupt = Interrupt()
        self._state = state
        self._queue = queue
        self._history = history
        self._hub = hub
        self._log = log
        self._cache = NodeCache(state.fingerprint, state.options.cache)
        self._output_writer = OutputWriter(
            clock=state.clock,
            draw=state.draw,
            files=state.files,
            faults=state.faults,
            metadata=state.options.metadata,
        )

    async def run(self) -> None:
        """Run until cancelled.

        While the fault `mortal` is on, return when a prompt comes that ComfyUI's worker dies of; HTTP goes on.
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
                self._finish()
            await self._free(self._queue.take_flags())

    async def _execute(self, item: QueueItem) -> None:
        state = self._state
        if item.is_foreign:
            await state.faults.until(lambda faults: not faults.foreign_prompt)
        self.interrupt.clear()
        started = state.clock.now()
        facts = state.stats.facts_of(item.prompt_id)
        run = self.current_run = PromptRun(context=self._make_context(item), cache=self._cache, facts=facts)
        outcome = await run.run()
        await state.pause(state.options.durations.history_lag)
        self._history.add(item.prompt_id, run.history_entry(outcome))
        facts.outcomes.append(outcome)
        self._finish()
        if run.client_id is not None:
            self._hub.send_about_prompt(messages.executing(item.prompt_id, None), run.client_id)
        seconds = (state.clock.now() - started).total_seconds()
        self._log.write(f"Prompt executed in {seconds:.2f} seconds")

    def _finish(self) -> None:
        self.current_run = None
        self._queue.finish()
        self._hub.broadcast(messages.status(self._queue.remaining))

    def _make_context(self, item: QueueItem) -> RunContext:
        return RunContext(
            state=self._state,
            output_writer=self._output_writer,
            item=item,
            images=self._output_writer.images(item.graph),
            messages=PromptMessages(
                hub=self._hub, prompt_id=item.prompt_id, client_id=_client_id(item), now=self._state.clock.now
            ),
            progress=ProgressRegistry(item.prompt_id),
            interrupt=self.interrupt,
        )

    async def _free(self, flags: set[str]) -> None:
        """Unload models and empty the cache as requested.

        A request that comes while this takes its time is only served after the next prompt, as in ComfyUI.
        """
        if flags:
            await self._state.pause(self._state.options.durations.unload)
        if "free_memory" in flags:
            self._cache.clear()


def _client_id(item: QueueItem) -> str | None:
    """Return whatever can be a key, as in ComfyUI."""
    client_id = item.extra_data.get("client_id") if isinstance(item.extra_data, dict) else None
    return None if isinstance(client_id, list | dict) else client_id
