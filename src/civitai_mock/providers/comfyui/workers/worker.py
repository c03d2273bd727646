"""ImageContent on their way to one server."""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field

import httpx

from civitai_mock.domain.errors import JobError, TransientError
from civitai_mock.domain.json_types import JsonObject, ReadOnlyJson, as_object
from civitai_mock.generation.work import GraphWork
from civitai_mock.ports import Clock, Ids, Submission
from civitai_mock.providers.comfyui.address import ComfyServer
from civitai_mock.providers.comfyui.graphs.payload import (
    base_models,
    prompt_payload,
    streaming_nodes,
)
from civitai_mock.providers.comfyui.options import ComfyOptions
from civitai_mock.providers.comfyui.protocol.blame import Blame, blame_of, is_about_model_file
from civitai_mock.providers.comfyui.protocol.messages import NodeFailure
from civitai_mock.providers.comfyui.protocol.prompt_errors import error_of_failure
from civitai_mock.providers.comfyui.protocol.tracker import PromptFailed, PromptLost, PromptTracker
from civitai_mock.providers.comfyui.transport.http import ComfyHttp
from civitai_mock.providers.comfyui.transport.socket import ComfySocket
from civitai_mock.providers.comfyui.workers.breaker import Breaker
from civitai_mock.providers.comfyui.workers.follower import Follower, PollSchedule
from civitai_mock.providers.comfyui.workers.health import EcosystemSupport, ServerHealth
from civitai_mock.providers.comfyui.workers.runs import Run, Runs
from civitai_mock.providers.comfyui.workers.uploads import UploadError, Uploads, has_lost_uploads, with_uploaded_names


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerDependencies:
    """What all workers of a provider share; see `ComfyUI` for `needs`; `transport` replaces the network in tests."""

    clock: Clock
    ids: Ids
    options: ComfyOptions
    needs: Mapping[str, GraphWork] = field(default_factory=dict)
    transport: httpx.AsyncBaseTransport | None = None


class NotTakenError(TransientError):
    """A server did not take a prompt: another one may have it."""


class Worker:
    def __init__(
        self, server: ComfyServer, world: WorkerDependencies, *, freed: Callable[[], None], turned: Callable[[], None]
    ) -> None:
        """`freed` is called when there is room for one more prompt, `turned` when it goes away or comes back."""
        clock, ids, options = world.clock, world.ids, world.options
        self.id = server.id
        self.loaded: frozenset[str] = frozenset()
        self.runs = Runs(freed=freed, ended=self._ended)
        self.http = ComfyHttp(server, options=options, transport=world.transport)
        self.health = ServerHealth(
            worker_id=server.id, http=self.http, clock=clock, ids=ids, options=options, changed=self._up_or_down
        )
        self.breaker = Breaker(worker_id=server.id, clock=clock, options=options, changed=turned)
        self.follower = Follower(
            self.runs,
            worker_id=server.id,
            http=self.http,
            clock=clock,
            options=options,
            timetable=PollSchedule(clock=clock, ids=ids, options=options),
            client_id=lambda: self._socket.client_id,
            changed=turned,
        )
        self._socket = ComfySocket(
            server,
            clock=clock,
            ids=ids,
            options=options,
            on_message=self.follower.hear,
            on_change=self._reconnected,
            is_server_up=lambda: self.health.is_up,
        )
        self._uploads = Uploads(self.http)
        self._world = world
        self._served = EcosystemSupport(world.needs)
        self._freed = freed
        self._turned = turned
        self._reserved = 0

    @property
    def is_ready(self) -> bool:
        return self.takes_prompts and self.breaker.is_closed

    @property
    def takes_prompts(self) -> bool:
        """Tell whether prompts may be sent, be it one at a time, as trials."""
        return self.health.is_up and not self.follower.stuck and not self.breaker.is_resting

    @property
    def reason(self) -> str:
        """Why it is not ready."""
        return self.health.reason or self.breaker.reason or self.follower.stuck

    @property
    def ecosystems(self) -> Sequence[str]:
        """Those that it can serve, as far as is known."""
        return self._served.ecosystems(self.health.catalogue)

    @property
    def in_flight(self) -> int:
        return self.runs.in_flight + self._reserved

    @property
    def max_in_flight(self) -> int:
        return self._world.options.max_in_flight

    @property
    def has_room(self) -> bool:
        return self.takes_prompts and self.in_flight < (1 if self.breaker.on_trial else self.max_in_flight)

    def loops(self) -> Mapping[str, Coroutine[None, None, None]]:
        """What has to run beside everything else, by name."""
        return {
            f"health of {self.id}": self.health.run(),
            f"socket of {self.id}": self._socket.run(),
            f"prompts of {self.id}": self.follower.run(),
            f"breaker of {self.id}": self.breaker.run(),
        }

    def reserve(self) -> None:
        self._reserved += 1

    def release(self) -> None:
        self._reserved -= 1
        self._freed()

    async def find(self, prompt_id: str, graph: ReadOnlyJson) -> Run | None:
        """Follow a prompt that the server knows from before, unless it is being stopped there.

        The queue is asked before history, which follows it. `graph` is what was sent if neither tells.
        """
        if self.runs.is_stopping(prompt_id):
            return None
        queued = await self.http.queued(prompt_id)
        entry = None if queued else await self.http.history(prompt_id)
        found = queued or entry
        if found is None:
            return None
        run = self._run(prompt_id, found.graph or graph)
        run.known = True
        self.follower.follow(run)
        if entry is not None:
            self.follower.left_queue(run, entry)
        return run

    async def send(self, submission: Submission, graph: JsonObject) -> Run:
        """Upload the images that the graph reads, POST it under their names, and follow it.

        Raise `JobError` if the server refuses it, `NotTakenError` if it certainly does not have it, and any other
        `TransientError` if nobody can say whether it has.
        """
        names = await self._uploaded(submission, graph)
        graph = with_uploaded_names(graph, names)
        run = self._run(submission.prompt_id, graph)
        run.client_id, run.sending = self._socket.client_id or self._world.ids.uuid(), True
        self.follower.follow(run)
        self.loaded = base_models(graph)
        try:
            run.answer = await self.http.post_prompt(prompt_payload(submission, graph, client_id=run.client_id))
            run.known = True
            run.tracker.has_socket = run.is_heard_on(self._socket.client_id)
        except JobError as error:
            run.known = run.unwanted = True  # some of its outputs may be in the queue
            self.follower.hurry()
            if has_lost_uploads(error, names.values()):
                raise NotTakenError(f"{self.id} has lost an image that it was sent.") from error
            raise
        except TransientError as error:
            self.health.suspect()
            if not await self._has(run):
                run.unwanted = True  # it may still arrive
                raise self._not_taken(run.prompt_id, error) from error
        finally:
            run.sending = False
        return run

    async def forget(self, prompt_id: str) -> None:
        """Whatever the server's history says of a prompt would end its next run; raise `NotTakenError` if it stays."""
        try:
            await self.http.delete_history(prompt_id)
        except TransientError as error:
            self.health.suspect()
            raise self._not_taken(prompt_id, error) from error

    async def _uploaded(self, submission: Submission, graph: ReadOnlyJson) -> Mapping[str, str]:
        try:
            return await self._uploads.upload(submission.files, graph)
        except UploadError as error:
            self.health.suspect()
            raise self._not_taken(submission.prompt_id, error) from error

    def _not_taken(self, prompt_id: str, error: TransientError) -> NotTakenError:
        """An answer that is none of ComfyUI's own speaks against the server; silence is for its health to judge."""
        if "status" in error.evidence:
            self.breaker.failed(prompt_id, error.message)
        return NotTakenError(error.message, **error.evidence)

    async def _has(self, run: Run) -> bool:
        """Whether a prompt arrived although its POST failed."""
        try:
            queue = await self.http.queue()
            run.known = run.known or run.prompt_id in queue or await self.http.history(run.prompt_id) is not None
        except TransientError as error:
            self.health.distrust(error)
            raise
        return run.known

    def _run(self, prompt_id: str, graph: ReadOnlyJson) -> Run:
        world = self._world
        tracker = PromptTracker(
            prompt_id, now=world.clock.now(), streaming=streaming_nodes(graph), limits=world.options.loss_limits
        )
        return Run(tracker=tracker, graph=graph, answer={"prompt_id": prompt_id, "node_errors": {}})

    def _ended(self, run: Run) -> None:
        """A prompt that the server lost while it ran may have killed it, one that waited in its queue has not."""
        match run.tracker.end:
            case PromptFailed(failure=failure) if blame_of(failure) is not Blame.REQUEST:
                self.breaker.failed(_culprit(run, failure), error_of_failure(failure, self.id).message)
            case PromptLost(reason=reason, outputs_lost=False, is_unstarted=False) if not run.unwanted:
                self.breaker.failed(run.prompt_id, reason)

    def _up_or_down(self) -> None:
        if self.health.is_up:
            self._socket.connect_now()
            self.follower.hurry()
        self._turned()

    def _reconnected(self) -> None:
        """A socket that drops may be the first sign that its server is gone."""
        if self._socket.client_id is None:
            self.health.suspect()
        self.follower.hurry()


def _culprit(run: Run, failure: NodeFailure) -> str:
    """What the same fault comes from: the files of the node that could not read one, or else the prompt."""
    if not is_about_model_file(failure):
        return run.prompt_id
    inputs = as_object(as_object(run.graph.get(failure.node_id)).get("inputs"))
    return " ".join(value for value in inputs.values() if isinstance(value, str))
