"""One ComfyUI server as a worker: whether it may get prompts, how many, and what runs beside them."""

from collections.abc import Callable, Coroutine, Mapping, Sequence

import structlog

from civitai_mock.domain.json_types import as_object
from civitai_mock.providers.comfyui.address import ComfyServer
from civitai_mock.providers.comfyui.options import WorkerDependencies
from civitai_mock.providers.comfyui.protocol.blame import Blame, blame_of, is_about_model_file
from civitai_mock.providers.comfyui.protocol.messages import NodeFailure
from civitai_mock.providers.comfyui.protocol.prompt_errors import error_of_failure
from civitai_mock.providers.comfyui.protocol.tracker import PromptFailed, PromptLost
from civitai_mock.providers.comfyui.transport.http import ComfyHttp
from civitai_mock.providers.comfyui.transport.socket import ComfySocket
from civitai_mock.providers.comfyui.workers.breaker import Breaker
from civitai_mock.providers.comfyui.workers.follower import Follower
from civitai_mock.providers.comfyui.workers.health import EcosystemSupport, ServerHealth
from civitai_mock.providers.comfyui.workers.runs import Run, Runs
from civitai_mock.providers.comfyui.workers.sender import PromptSender

logger = structlog.stdlib.get_logger()

DRAINING = "draining: it gets no new jobs until it is resumed"


class Worker:
    """Is one server with its connections, its health, its breaker and the prompts that it was given.

    While it `is_draining`, it gets no other ones.
    """

    def __init__(
        self,
        server: ComfyServer,
        dependencies: WorkerDependencies,
        *,
        on_capacity: Callable[[], None],
        on_availability: Callable[[], None],
    ) -> None:
        """Call `on_capacity` when there is room for one more prompt, `on_availability` when it goes away or is back."""
        self.id = server.id
        self.url = server.page_url
        self.is_draining = False
        self.max_in_flight = dependencies.options.max_in_flight
        self.changed_at = dependencies.clock.now()  # when it came, went away, began to drain or was resumed
        self._was_alive = False
        self._clock = dependencies.clock
        self.http = ComfyHttp(server, options=dependencies.options, transport=dependencies.transport)
        self.runs = Runs(on_end=self._on_end, on_capacity=on_capacity)
        self.health = ServerHealth(http=self.http, dependencies=dependencies, on_change=self._on_health_change)
        self.breaker = Breaker(worker_id=server.id, dependencies=dependencies, on_change=on_availability)
        self.follower = Follower(
            self.runs,
            http=self.http,
            dependencies=dependencies,
            client_id=self._client_id,
            on_change=self._on_life_change,
        )
        self.sender = PromptSender(
            http=self.http, health=self.health, breaker=self.breaker, follower=self.follower, dependencies=dependencies
        )
        self._socket = ComfySocket(
            server,
            dependencies=dependencies,
            on_message=self.follower.on_message,
            on_change=self._on_socket_change,
            is_server_up=lambda: self.health.is_up,
        )
        self._ecosystem_support = EcosystemSupport(dependencies.needs)
        self._on_capacity = on_capacity
        self._on_availability = on_availability
        self._reserved = 0

    @property
    def is_alive(self) -> bool:
        """It answers, and its queue moves."""
        return self.health.is_up and not self.follower.stuck_reason

    @property
    def is_ready(self) -> bool:
        return self.accepts_prompts and self.breaker.is_closed

    @property
    def accepts_prompts(self) -> bool:
        """Prompts may be sent, be it one at a time, as trials."""
        return self.is_alive and not self.breaker.is_open and not self.is_draining

    @property
    def reason(self) -> str:
        """Return why it is not ready; empty while it is."""
        found = self.health.reason or self.breaker.reason or self.follower.stuck_reason
        return found or (DRAINING if self.is_draining else "")

    @property
    def ecosystems(self) -> Sequence[str]:
        """Return the ecosystems that it can serve, as far as its lists of files tell."""
        return self._ecosystem_support.ecosystems(self.health.catalogue)

    @property
    def in_flight(self) -> int:
        return self.runs.in_flight + self._reserved

    @property
    def has_room(self) -> bool:
        return self.accepts_prompts and self.in_flight < (1 if self.breaker.is_half_open else self.max_in_flight)

    def loops(self) -> Mapping[str, Coroutine[None, None, None]]:
        """Return by name what has to run as long as the provider is open."""
        return {
            f"health of {self.id}": self.health.run(),
            f"socket of {self.id}": self._socket.run(),
            f"prompts of {self.id}": self.follower.run(),
            f"breaker of {self.id}": self.breaker.run(),
        }

    def drain(self, *, is_draining: bool) -> None:
        """Let it have no new prompts, or have some again; those that it has, or that are on their way, go on."""
        if is_draining != self.is_draining:
            self.is_draining = is_draining
            self.changed_at = self._clock.now()
            logger.info("server drains" if is_draining else "server resumed", worker_id=self.id)
            self._on_availability()

    def reserve(self) -> None:
        """Keep room for one prompt that is on its way here."""
        self._reserved += 1

    def release(self) -> None:
        self._reserved -= 1
        self._on_capacity()

    def _client_id(self) -> str | None:
        return self._socket.client_id

    def _on_end(self, run: Run) -> None:
        """Count a failed or lost prompt against the server.

        A prompt that it lost while it ran may have killed it, one that waited in its queue has not.
        """
        match run.tracker.end:
            case PromptFailed(failure=failure) if blame_of(failure) is not Blame.REQUEST:
                self.breaker.record_failure(_culprit(run, failure), error_of_failure(failure, self.id).message)
            case PromptLost(reason=reason, outputs_lost=False, is_unstarted=False) if not run.is_unwanted:
                self.breaker.record_failure(run.prompt_id, reason)

    def _on_health_change(self) -> None:
        if self.health.is_up:
            self._socket.connect_now()
            self.follower.poll_now()
        self._on_life_change()

    def _on_life_change(self) -> None:
        if self.is_alive != self._was_alive:
            self._was_alive, self.changed_at = self.is_alive, self._clock.now()
        self._on_availability()

    def _on_socket_change(self) -> None:
        """Check the server when its socket drops, which may be the first sign that it is gone."""
        if self._socket.client_id is None:
            self.health.recheck()
        self.follower.poll_now()


def _culprit(run: Run, failure: NodeFailure) -> str:
    """Return what the same fault comes from: the files of a node that could not read one, or else the prompt."""
    if not is_about_model_file(failure):
        return run.prompt_id
    inputs = as_object(as_object(run.graph.get(failure.node_id)).get("inputs"))
    return " ".join(value for value in inputs.values() if isinstance(value, str))
