"""Send prompts to one server, and find those that it knows from an earlier life of this process."""

from collections.abc import Mapping

from civitai_mock.domain.errors import JobError, TransientError
from civitai_mock.domain.json_types import JsonObject, ReadOnlyJson
from civitai_mock.ports import Submission
from civitai_mock.providers.comfyui.graphs.payload import base_models, prompt_payload, streaming_nodes
from civitai_mock.providers.comfyui.options import WorkerDependencies
from civitai_mock.providers.comfyui.protocol.tracker import PromptTracker
from civitai_mock.providers.comfyui.transport.http import ComfyHttp
from civitai_mock.providers.comfyui.workers.breaker import Breaker
from civitai_mock.providers.comfyui.workers.follower import Follower
from civitai_mock.providers.comfyui.workers.health import ServerHealth
from civitai_mock.providers.comfyui.workers.runs import Run
from civitai_mock.providers.comfyui.workers.uploads import UploadError, Uploads, has_lost_uploads, with_uploaded_names


class NotTakenError(TransientError):
    """Says that a server did not take a prompt: another one may have it."""


class PromptSender:
    """Sends prompts to one server, one POST each, and has their runs followed."""

    def __init__(
        self,
        *,
        http: ComfyHttp,
        health: ServerHealth,
        breaker: Breaker,
        follower: Follower,
        dependencies: WorkerDependencies,
    ) -> None:
        self.loaded_models: frozenset[str] = frozenset()
        self._http = http
        self._health = health
        self._breaker = breaker
        self._follower = follower
        self._dependencies = dependencies
        self._uploads = Uploads(http)

    async def find(self, prompt_id: str, graph: ReadOnlyJson) -> Run | None:
        """Follow a prompt that the server knows from before, unless it is being stopped there.

        The queue is read before history, which follows it. `graph` is what was sent if neither has it.
        """
        if self._follower.runs.is_stopping(prompt_id):
            return None
        queued = await self._http.queued(prompt_id)
        entry = None if queued else await self._http.history(prompt_id)
        found = queued or entry
        if found is None:
            return None
        run = self._make_run(prompt_id, found.graph or graph)
        run.is_known = True
        self._follower.follow(run)
        if entry is not None:
            self._follower.on_left_queue(run, entry)
        return run

    async def send(self, submission: Submission, graph: JsonObject) -> Run:
        """Upload the images that the graph reads, POST it under their names, and follow it.

        Raise `JobError` if the server refuses it, `NotTakenError` if it certainly does not have it, and any other
        `TransientError` if nobody can say whether it has.
        """
        names = await self._upload(submission, graph)
        graph = with_uploaded_names(graph, names)
        run = self._make_run(submission.prompt_id, graph)
        run.client_id, run.is_sending = self._follower.client_id or self._dependencies.ids.uuid(), True
        self._follower.follow(run)
        self.loaded_models = base_models(graph)
        try:
            run.response = await self._http.post_prompt(prompt_payload(submission, graph, client_id=run.client_id))
            run.is_known = True
            run.tracker.has_socket = run.is_heard_on(self._follower.client_id)
        except JobError as error:
            run.is_known = run.is_unwanted = True  # some of its outputs may be in the queue
            self._follower.poll_now()
            if has_lost_uploads(error, names.values()):
                raise NotTakenError(f"{self._http.server_id} has lost an image that it was sent.") from error
            raise
        except TransientError as error:
            self._health.recheck()
            if not await self._has_arrived(run):
                run.is_unwanted = True  # it may still arrive
                raise self._not_taken(run.prompt_id, error) from error
        finally:
            run.is_sending = False
        return run

    async def forget(self, prompt_id: str) -> None:
        """Delete a prompt from history, which would end its next run; raise `NotTakenError` if it stays there."""
        try:
            await self._http.delete_history(prompt_id)
        except TransientError as error:
            self._health.recheck()
            raise self._not_taken(prompt_id, error) from error

    async def _upload(self, submission: Submission, graph: ReadOnlyJson) -> Mapping[str, str]:
        try:
            return await self._uploads.upload(submission.files, graph)
        except UploadError as error:
            self._health.recheck()
            raise self._not_taken(submission.prompt_id, error) from error

    def _not_taken(self, prompt_id: str, error: TransientError) -> NotTakenError:
        """Count an answer that is not ComfyUI's against the server; silence is for its health to judge."""
        if "status" in error.evidence:
            self._breaker.record_failure(prompt_id, error.message)
        return NotTakenError(error.message, **error.evidence)

    async def _has_arrived(self, run: Run) -> bool:
        """Tell whether the server has a prompt although its POST failed."""
        try:
            queue = await self._http.queue()
            run.is_known = run.is_known or run.prompt_id in queue or await self._http.history(run.prompt_id) is not None
        except TransientError as error:
            self._health.mark_down(error)
            raise
        return run.is_known

    def _make_run(self, prompt_id: str, graph: ReadOnlyJson) -> Run:
        tracker = PromptTracker(
            prompt_id,
            now=self._dependencies.clock.now(),
            streaming=streaming_nodes(graph),
            limits=self._dependencies.options.loss_limits,
        )
        return Run(tracker=tracker, graph=graph, response={"prompt_id": prompt_id, "node_errors": {}})
