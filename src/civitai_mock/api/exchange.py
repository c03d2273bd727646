"""The exchange: one request and its answer, the namespace that it is for, and what all requests of an app share."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from civitai_mock.api.body_budget import BodyBudget
from civitai_mock.api.client_hints import ClientHints
from civitai_mock.api.rate_limit import RateLimit
from civitai_mock.api.recording import Recording
from civitai_mock.api.stream_slots import StreamSlots
from civitai_mock.api.vocabulary import ClientCompat, ResultFormat, Vocabularies
from civitai_mock.api.whole_answer import WHOLE_ANSWER, SendWhole
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import ConflictError
from civitai_mock.ports import Clock
from civitai_mock.services.availability import GetCoverage, GetJobSupport
from civitai_mock.services.blob_tokens import BlobTokens
from civitai_mock.services.blob_urls import WorkflowBlobUrls
from civitai_mock.services.blob_views import ViewBlobs
from civitai_mock.services.blobs import BlobAccess, BlobUrls
from civitai_mock.services.cancel import CancelJobs
from civitai_mock.services.consumers import GetConsumption
from civitai_mock.services.controls import Controls
from civitai_mock.services.faults.firing import Faults
from civitai_mock.services.faults.held_answers import HeldAnswers
from civitai_mock.services.fleet_policy import FleetPolicy
from civitai_mock.services.health import CheckReadiness, GetHealth
from civitai_mock.services.journal.recording import NamespaceJournal
from civitai_mock.services.namespace_events import TellNamespaceEvents
from civitai_mock.services.polls import PollJobs
from civitai_mock.services.query import ListRequests, QueryJobs, SearchJobs
from civitai_mock.services.queue_position import GetQueuePositions
from civitai_mock.services.resources import ManageResources
from civitai_mock.services.running_progress import GetRunningProgress
from civitai_mock.services.submit import SubmitJobs
from civitai_mock.services.taint import TaintJobs
from civitai_mock.services.wait import WaitForJobs

if TYPE_CHECKING:
    from civitai_mock.domain.faults.choice import Look
    from civitai_mock.domain.faults.rules import FaultRule
    from civitai_mock.domain.progress_modes import ProgressMode
    from civitai_mock.services.archives import BlobArchives
    from civitai_mock.services.control_plane import ControlPlane
    from civitai_mock.services.event_stream.streams import EventStreams
    from civitai_mock.services.faults.edit_rules import EditFaults
    from civitai_mock.services.faults.edit_scenarios import EditScenarios
    from civitai_mock.services.fleet.edit import EditFleet
    from civitai_mock.services.fleet.use_cases import FleetUseCases
    from civitai_mock.services.looking_in import LookingIn
    from civitai_mock.services.namespace_clock import ControlClock
    from civitai_mock.services.namespaces import ManageNamespaces
    from civitai_mock.services.order_jobs import OrderJobs
    from civitai_mock.services.processes import ListProcesses
    from civitai_mock.services.snapshots.use_cases import NamespaceSnapshots
    from civitai_mock.services.styles import EditStyles
    from civitai_mock.services.uploads import UploadBlobs
    from civitai_mock.services.workers import ManageWorkers
    from civitai_mock.services.workflows.use_cases import WorkflowUseCases

HeaderPairs = Sequence[tuple[bytes, bytes]]

NAMESPACE_PATH = "/ns/"
REAL_TIME = (
    "Jobs run on the ComfyUI servers of COMFY_HTTP_URL and take their time: no progress mode and no clock can be set."
    " Without that setting jobs are simulated."
)
FAULT_HEADER = "X-Mock-Fault"
FAULT_HEADER_NAME = FAULT_HEADER.lower().encode()
EXCHANGE = "civitai_mock.exchange"  # the key of the exchange in the scope of its request


@dataclass(frozen=True, slots=True, kw_only=True)
class UseCases:
    """Holds the use cases of one namespace, on stores that are open.

    `scrape` returns the metrics as a text. `rate_limit` is None for any number of requests.
    """

    submit: SubmitJobs
    query: QueryJobs
    search: SearchJobs
    cancel: CancelJobs
    wait: WaitForJobs
    polls: PollJobs
    queue_positions: GetQueuePositions
    support: GetJobSupport
    running_progress: GetRunningProgress
    taint: TaintJobs
    requests: ListRequests
    coverage: GetCoverage
    consumption: GetConsumption
    resources: ManageResources
    blob_urls: BlobUrls
    workflow_blob_urls: WorkflowBlobUrls
    blob_tokens: BlobTokens
    view_blobs: ViewBlobs
    blob_access: BlobAccess
    health: GetHealth
    readiness: CheckReadiness
    scrape: Callable[[], Awaitable[bytes]]
    clock: Clock
    provider_name: str
    rate_limit: RateLimit | None
    get_workflows: Callable[[], "WorkflowUseCases"]
    get_upload_blobs: Callable[[], "UploadBlobs"]
    get_archives: Callable[[], "BlobArchives"]
    get_orders: Callable[[], "OrderJobs"]
    get_looking_in: Callable[[], "LookingIn"]
    get_control_clock: Callable[[], "ControlClock"]
    get_event_streams: Callable[[], "EventStreams"]
    namespace_events: TellNamespaceEvents
    get_fleet: Callable[[], "FleetUseCases"]

    @property
    def workflows(self) -> "WorkflowUseCases":
        """Return the use cases of workflows, which are loaded at first use, as are those that follow."""
        return self.get_workflows()

    @property
    def upload_blobs(self) -> "UploadBlobs":
        return self.get_upload_blobs()

    @property
    def archives(self) -> "BlobArchives":
        return self.get_archives()

    @property
    def orders(self) -> "OrderJobs":
        return self.get_orders()

    @property
    def looking_in(self) -> "LookingIn":
        return self.get_looking_in()

    @property
    def control_clock(self) -> "ControlClock":
        return self.get_control_clock()

    @property
    def event_streams(self) -> "EventStreams":
        return self.get_event_streams()

    @property
    def fleet(self) -> "FleetUseCases":
        return self.get_fleet()


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiOptions:
    """Holds what the settings say about the API.

    `public_url` is the base of blob URLs; without one it is what the request was sent to. `max_jobs` limits a request.
    `is_simulated` says whether jobs run here, and not on ComfyUI servers.
    """

    public_url: str | None
    max_body_bytes: int
    max_bodies_bytes: int
    max_upload_bytes: int
    body_timeout: timedelta
    max_jobs: int
    max_streams: int
    vocabularies: Vocabularies
    version: str
    is_simulated: bool

    def check_simulated(self) -> None:
        """Raise `ConflictError` where jobs take the time that real servers need, which nobody can set."""
        if not self.is_simulated:
            raise ConflictError(REAL_TIME)


class ServedNamespace(Protocol):
    """Is a namespace as requests see it, from its beginning to its end or next reset."""

    @property
    def use_cases(self) -> UseCases: ...

    @property
    def controls(self) -> Controls: ...

    @property
    def fleet_policy(self) -> FleetPolicy: ...

    @property
    def faults(self) -> Faults: ...

    @property
    def held_answers(self) -> HeldAnswers: ...

    @property
    def journal(self) -> NamespaceJournal: ...

    @property
    def worker_name(self) -> str | None:
        """Return what all workers are called, where the same requests get the same answers; else None."""
        ...


class ServedNamespaces(Protocol):
    """Holds the namespaces that this process serves at present: the `default` one as long as it runs.

    `control` knows what is set for them, `manage` changes them, in all processes, `edit_faults` their rules,
    `edit_scenarios` their scenarios, `edit_styles` their styles, and `edit_fleet` their fleets, `manage_workers` what
    runs their jobs, which `processes` do; `snapshots` saves and restores them.
    """

    @property
    def default(self) -> ServedNamespace: ...

    @property
    def manage(self) -> "ManageNamespaces": ...

    @property
    def control(self) -> "ControlPlane": ...

    @property
    def snapshots(self) -> "NamespaceSnapshots": ...

    @property
    def edit_faults(self) -> "EditFaults": ...

    @property
    def edit_scenarios(self) -> "EditScenarios": ...

    @property
    def edit_styles(self) -> "EditStyles": ...

    @property
    def edit_fleet(self) -> "EditFleet": ...

    @property
    def manage_workers(self) -> "ManageWorkers": ...

    @property
    def processes(self) -> "ListProcesses": ...

    def find(self, name: str) -> ServedNamespace | None:
        """Return a namespace that is served already."""
        ...

    async def open(self, name: str, *, creates: bool) -> ServedNamespace:
        """Serve a namespace from now on.

        If it is unknown, make it, where this `creates` one and NAMESPACES allows it; else raise `NotFoundError`. Raise
        `ConflictError` if there are too many.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiContext:
    """Holds what all requests of one app share, as its `context`; `shows_page_to` says who may see the dashboard."""

    options: ApiOptions
    client_hints: ClientHints
    bodies: BodyBudget
    streams: StreamSlots
    namespaces: ServedNamespaces
    keeps_journal: bool
    shows_page_to: Callable[["Exchange"], bool]


class Exchange:
    """Is one request and its answer while it is served: what `RequestPipeline` knows of it.

    `path` is as it was sent. `headers` has the first of each name. `compat` is what the request asks for, and so is
    `namespace_name`, which is None for the default one; the `namespace` is known before the route is. `progress` is the
    mode in which jobs that it submits are to move, and `asked_fault` what is to go wrong with them, or with a blob.
    `fault` is the id of the rule that hit it, `looks` has all rules that were looked at, and `result_format` comes
    before that of the vocabulary. `consumer` is known on guarded paths. `answer_headers` go with whatever is answered.
    `status` is None until an answer begins. `scope` is the one that the route gets, `body_size` is in bytes, once the
    body was read. `response` is the answer if it was sent as a whole. If the request `is_recorded`, what comes in parts
    is in its `recording`. `on_end` is called when it is over.
    """

    __slots__ = (
        "_send",
        "answer_headers",
        "asked_fault",
        "body_size",
        "compat",
        "consumer",
        "context",
        "fault",
        "headers",
        "is_recorded",
        "looks",
        "method",
        "namespace",
        "namespace_name",
        "on_end",
        "path",
        "progress",
        "recording",
        "response",
        "result_format",
        "scope",
        "started",
        "status",
        "trace_id",
    )

    def __init__(self, scope: Scope, send: Send, *, started: float) -> None:
        """Begin at `started`, a reading of the performance counter."""
        self._send = send
        self.scope = scope
        self.context: ApiContext = scope["app"].context
        self.started = started
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.headers: Mapping[bytes, bytes] = dict(reversed(scope["headers"]))
        self.answer_headers: HeaderPairs = ()
        self.trace_id = ""
        self.namespace: ServedNamespace
        self.namespace_name: str | None = None
        self.compat: ClientCompat | None = None
        self.progress: ProgressMode | None = None
        self.asked_fault: FaultRule | None = None
        self.fault: str | None = None
        self.looks: Sequence[Look] = ()
        self.result_format: ResultFormat | None = None
        self.consumer: str | None = None
        self.on_end: Callable[[], None] | None = None
        self.status: int | None = None
        self.body_size = 0
        self.is_recorded = self.context.keeps_journal
        self.recording: Recording | None = None
        self.response: Response | None = None

    @property
    def caller_id(self) -> str:
        """Return the consumer; raise `RuntimeError` where nobody was asked who calls."""
        if self.consumer is None:
            raise RuntimeError(f"{self.path} is for everybody")
        return self.consumer

    def header(self, name: bytes) -> str | None:
        """Return the first header of this name, which is in lower case."""
        value = self.headers.get(name)
        return None if value is None else value.decode("latin-1")

    def note_looks(self, looks: "Sequence[Look]") -> None:
        """Note rules that were looked at for what the request asks for."""
        self.looks = (*self.looks, *looks)

    def note_fault(self, rule_id: str) -> None:
        """Note that a rule hit this request or what it asks for; the answer says so."""
        self.fault = rule_id
        self.answer_headers = (*self.answer_headers, (FAULT_HEADER_NAME, rule_id.encode()))

    def copied(self, receive: Receive) -> Receive:
        """Return what hands over the body of the request, which is copied for the journal."""
        self.recording = Recording()
        return self.recording.copying(receive)

    def let_go(self) -> None:
        """Drop what leads back here, as the scope does and what the server sends by.

        A request that is over is gone at once then. Left to the garbage collector, which comes rarely, each takes new
        memory (35 MB were), and its time is three times as long.
        """
        if self.on_end is not None:
            self.on_end()
        del self.scope, self._send, self.on_end

    async def send_ready(self, response: Response) -> None:
        """Send an answer that is there as a whole; it takes half the steps of calling it as an ASGI app."""
        self.status = int(response.status_code)  # an HTTPStatus would be logged by its name
        self.response = response
        headers = [*response.raw_headers, *self.answer_headers]
        extension: Mapping[str, SendWhole] | None = self.scope.get("extensions", {}).get(WHOLE_ANSWER)
        if extension is not None and extension["send"](self.status, headers, response.body):
            return
        await self._send({"type": "http.response.start", "status": self.status, "headers": headers})
        await self._send({"type": "http.response.body", "body": response.body})

    async def send(self, message: Message) -> None:
        """Send a part of the answer, with what every answer carries."""
        if message["type"] == "http.response.start":
            self.status = int(message["status"])  # as above
            message = {**message, "headers": [*message["headers"], *self.answer_headers]}
        if self.is_recorded:
            self._record(message)
        await self._send(message)

    def _record(self, message: Message) -> None:
        if self.recording is None:
            self.recording = Recording()
        self.recording.sent(message)
