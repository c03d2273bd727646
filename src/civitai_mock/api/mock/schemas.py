"""The bodies of the control plane, as its OpenAPI description has them."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NotRequired, Required

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict

from civitai_mock.api.health import WorkerHealth
from civitai_mock.api.v1.schemas import DateTime, JobEvent, Members
from civitai_mock.api.v2.resource_schemas import ResourceInfo
from civitai_mock.domain.clock_state import ClockMode
from civitai_mock.domain.fault_presets import Hook, ParamType, ParamValue, Target
from civitai_mock.domain.maturity import NsfwLevel
from civitai_mock.domain.progress_modes import ProgressModeName
from civitai_mock.domain.stages import JobEventType, Outcome, Stage
from civitai_mock.domain.workflow import WorkflowStatus
from civitai_mock.services.callback_views import Delivered
from civitai_mock.services.list_due import DueWhat
from civitai_mock.services.overview import WaitsFor
from civitai_mock.services.shown_settings import SettingOrigin


class WorkerItem(WorkerHealth):
    """A worker as health tells of it; a ComfyUI server has its page at `url`.

    Prompts of such a server, and how many it may have, are those of all processes. `notYet` names processes that do
    not obey a change yet. `hasFile` is told of workers that are ready, where `resource` says whose file is meant.
    """

    url: NotRequired[str]
    hasFile: NotRequired[bool]  # noqa: N815 - a TypedDict, which ruff does not see
    notYet: NotRequired[Sequence[str]]  # noqa: N815 - a TypedDict, which ruff does not see


class WorkerList(TypedDict):
    """A page of workers."""

    items: Sequence[WorkerItem]
    next: NotRequired[str]


class ProcessItem(TypedDict):
    """A process that works on the store; the one that is `answering` knows itself best.

    One that runs jobs works on so many `jobs`, whose claims hold for a lease: the first ends at `leasedUntil`, unless
    it is renewed.
    """

    id: str
    alive: bool
    answering: bool
    host: str
    pid: int
    startedAt: DateTime
    lastSeenAt: DateTime
    runsJobs: bool
    jobs: NotRequired[int]
    leaseSeconds: NotRequired[float]
    leasedUntil: NotRequired[DateTime]


class ProcessList(TypedDict):
    """A page of processes."""

    items: Sequence[ProcessItem]
    next: NotRequired[str]


class ResourceItemList(TypedDict):
    """A page of resources in the order of AIR: `first` is the place of its first item among the `total` that match."""

    items: Sequence[ResourceInfo]
    first: int
    total: int
    next: NotRequired[str]


class JobItem(TypedDict):
    """A job in a list: `status` is the type of its last event, which `changedAt` dates; `model` is its first resource.

    A job of a workflow has the place of its `step` there, and one that has made a file the `blobKey` of the first.
    """

    jobId: str
    status: JobEventType
    stage: Stage
    outcome: NotRequired[Outcome]
    type: str
    consumer: str
    createdAt: DateTime
    changedAt: DateTime
    expireAt: DateTime
    cost: float
    priority: int
    retryAttempt: int
    traceId: str
    prompt: NotRequired[str]
    model: NotRequired[str]
    provider: NotRequired[str]
    blobKey: NotRequired[str]
    workerId: NotRequired[str]
    workflowId: NotRequired[str]
    step: NotRequired[int]


class JobItemList(TypedDict):
    """A page of jobs."""

    items: Sequence[JobItem]
    next: NotRequired[str]


class JobCount(TypedDict):
    """How many jobs there are; if that is not `exact`, there may be more."""

    count: int
    exact: bool


class WorkflowItem(TypedDict):
    """A workflow in a list, with the types of its steps, and the ids of the jobs that it has so far."""

    workflowId: str
    status: WorkflowStatus
    consumer: str
    createdAt: DateTime
    steps: Sequence[str]
    jobIds: Sequence[str]
    tags: Sequence[str]
    traceId: str


@with_config(ConfigDict(extra="allow"))
class ShownWorkflow(TypedDict):
    """A workflow with all that version 2 shows of it (its schema `Workflow`)."""

    id: str
    status: WorkflowStatus


class WorkflowItemList(TypedDict):
    """A page of workflows."""

    items: Sequence[WorkflowItem]
    next: NotRequired[str]


class ImageItem(TypedDict):
    """An image that a job has made, the one at `index` among its results; `model` is the first resource of the job."""

    blobKey: str
    jobId: str
    index: int
    madeAt: DateTime
    contentType: str
    nsfwLevel: NsfwLevel
    seed: NotRequired[int]
    prompt: NotRequired[str]
    model: NotRequired[str]
    width: NotRequired[int]
    height: NotRequired[int]


class ImageItemList(TypedDict):
    """A page of images."""

    items: Sequence[ImageItem]
    next: NotRequired[str]


class HarFile(TypedDict):
    """An HTTP Archive, version 1.2."""

    log: Mapping[str, Any]


class DueItem(TypedDict):
    """Something that falls due: a job goes on, or expires."""

    at: DateTime
    what: DueWhat
    jobId: str


class DueItemList(TypedDict):
    """What falls due next, the first at the beginning."""

    items: Sequence[DueItem]


class Claiming(TypedDict):
    """Whether schedulers claim no jobs; those that they have go on."""

    paused: bool


class PriorityOrder(TypedDict):
    """The priority that a job is to have: the higher, the sooner it is claimed."""

    priority: Required[int]


class Resubmitted(TypedDict):
    """What was submitted again: a job, or the workflow of a job, with its first one if that was made at once."""

    jobId: NotRequired[str]
    workflowId: NotRequired[str]


class AttemptItem(TypedDict):
    """One attempt at a callback; `error` says why it failed."""

    at: DateTime
    status: NotRequired[int]
    error: NotRequired[str]


class CallbackItem(TypedDict):
    """An event that a receiver is to know: that of `seq`, by which `subject` (of a `scope`) got this `status`.

    Of old ones the `delivery` may be unknown, as only the last 50 attempts are kept. Secrets in the URL are `***`. The
    `fault` has the id of the `rule` that fired, and its preset or action.
    """

    url: str
    seq: int
    scope: str
    subject: str
    status: str
    delivery: Delivered
    dueAt: NotRequired[DateTime]
    attempts: Sequence[AttemptItem]
    fault: NotRequired[Members]


class ResultItem(TypedDict):
    """A file that a job makes, which `/_mock/blobs/{blobKey}` has once it is available."""

    blobKey: str
    available: bool
    seed: NotRequired[int]
    name: NotRequired[str]


class JobDetails(JobItem):
    """A job with its events in order; `spec` is what was asked for, complete, as it is stored.

    `results` are its files; `faults` are those of its attempts and, with their `blobKey`, those of its blobs. If it
    `runsGraph`, ComfyUI has a part in it, and it has a graph.
    """

    runsGraph: bool
    properties: Members
    spec: Members
    events: Sequence[JobEvent]
    results: Sequence[ResultItem]
    callbacks: Sequence[CallbackItem]
    faults: Sequence[Members]


class DelayRange(TypedDict):
    """A delay between two durations; each is as likely."""

    min: str
    max: str


class DelayPercentiles(TypedDict):
    """A log-normal delay."""

    p50: str
    p99: str


class ProgressModeDocument(TypedDict):
    """What moves jobs, and how.

    Durations are like `2s`, `10m` or `PT10M`. `notYet` names processes that do not obey a change yet.
    """

    mode: ProgressModeName
    each: NotRequired[int]
    stages: NotRequired[Mapping[Stage, str | DelayRange | DelayPercentiles]]
    notYet: NotRequired[Sequence[str]]


class ResultChange(TypedDict):
    """What is laid over one result; what is missing stays as it would be."""

    available: NotRequired[bool]
    seed: NotRequired[int]


class SucceedOrder(TypedDict):
    """How a job is to succeed."""

    result: NotRequired[Sequence[ResultChange]]


class FailOrder(TypedDict):
    """How a job is to fail: what ComfyUI says of a node that failed."""

    error: NotRequired[str]
    message: NotRequired[str]
    nodeId: NotRequired[str]
    classType: NotRequired[str]


class RejectOrder(TypedDict):
    """Why a job is to be refused."""

    reason: NotRequired[str]


@with_config(ConfigDict(extra="allow"))
class GraphNodes(TypedDict):
    """A ComfyUI graph in API format: nodes by their ids."""


class GraphChangeItem(TypedDict):
    """What is different at a place of two graphs; null is what is not there."""

    path: str
    a: object
    b: object


class GraphDiff(TypedDict):
    """The differences of two graphs; titles of nodes are none."""

    equal: bool
    changes: Sequence[GraphChangeItem]


class QueueItem(TypedDict):
    """A job that waits to be claimed."""

    jobId: str
    precedingJobs: int
    priority: int
    createdAt: DateTime
    cost: float


class QueueItemList(TypedDict):
    """A page of the queue."""

    items: Sequence[QueueItem]
    next: NotRequired[str]


class WaitingItem(JobItem):
    """A job that waits; one that a worker is to take has a place in the queue, from 1 on."""

    waitsFor: WaitsFor
    position: NotRequired[int]
    estimatedStartDate: NotRequired[DateTime]


class RunningItem(JobItem):
    """A job that runs, with how far it is, where that is known."""

    step: NotRequired[int]
    steps: NotRequired[int]


class OverviewCounts(TypedDict):
    """How many jobs wait and run."""

    waiting: int
    running: int


class OverviewDocument(TypedDict):
    """What goes on now."""

    waiting: Sequence[WaitingItem]
    running: Sequence[RunningItem]
    ended: Sequence[JobItem]
    counts: OverviewCounts
    perSecond: float


class ClientError(TypedDict):
    """What broke in the dashboard."""

    message: str
    kind: NotRequired[str]
    stack: NotRequired[str]
    page: NotRequired[str]


class SettingItem(TypedDict):
    """A setting by the name of its variable; a secret that is set is `***`."""

    name: str
    value: object
    origin: SettingOrigin


class SettingItemList(TypedDict):
    """A page of settings; `schemaVersion` is that of what the store holds."""

    items: Sequence[SettingItem]
    schemaVersion: int
    next: NotRequired[str]


class PresetParamItem(TypedDict):
    """A param of a fault preset; numbers have bounds."""

    type: ParamType
    default: ParamValue
    min: NotRequired[float]
    max: NotRequired[float]
    unit: NotRequired[str]
    docs: str


class PresetDocs(TypedDict):
    """What is seen on the wire of version 1 and of version 2; null if that is as ever."""

    v1: str | None
    v2: str | None


class PresetItem(TypedDict):
    """A fault preset: its `action` has the defaults of all `params` in it.

    It `fits` those requests alone that it names, if it names any. `evidence` tells of the incident that it comes from.
    Rules can use it once `isAvailable`.
    """

    name: str
    hook: Hook
    fits: Sequence[Target]
    action: Members
    params: Mapping[str, PresetParamItem]
    evidence: str
    docs: PresetDocs
    isAvailable: bool


class PresetItemList(TypedDict):
    """A page of fault presets."""

    items: Sequence[PresetItem]
    next: NotRequired[str]


class PromptMatch(TypedDict, total=False):
    """Exactly one of: a text that a prompt contains in any case, or a pattern of RE2 that it matches somewhere."""

    contains: str
    pattern: str


FaultMatch = TypedDict(
    "FaultMatch",
    {
        "method": NotRequired[str],
        "route": NotRequired[str],
        "$type": NotRequired[str],
        "model": NotRequired[str],
        "ecosystem": NotRequired[str],
        "prompt": NotRequired[PromptMatch],
        "header": NotRequired[Mapping[str, str]],
        "imageGiven": NotRequired[bool],
        "attempt": NotRequired[int],
    },
)


class FaultRuleSettings(TypedDict, total=False):
    """When something is to go wrong, and what: a `preset` with its `params`, or one `action`.

    All of `match` has to hold; `route` is a path of this description. A rule fires with this `probability`, so many
    `times`, `after` so many matches, on `every` so manyth one, `forSeconds` or `until` a date.
    """

    match: FaultMatch
    preset: str
    params: Mapping[str, ParamValue]
    action: Members
    probability: float
    times: int
    after: int
    every: int
    forSeconds: float
    until: DateTime
    enabled: bool


class FaultRuleDocument(FaultRuleSettings, total=False):
    """A rule of faults, with how often it has fired and when last, and how often it fires yet if that is limited.

    `lastHitAt` is by the clock of the namespace; for rules of the server by the real one. `notYet` names processes
    that do not obey a change yet.
    """

    id: Required[str]
    hits: Required[int]
    left: int
    lastHitAt: str
    notYet: Sequence[str]


class FaultRuleList(TypedDict):
    """A page of rules of faults."""

    items: Sequence[FaultRuleDocument]
    next: NotRequired[str]


class ScenarioStateItem(TypedDict, total=False):
    """A state of a scenario: what it matches, what goes wrong then, if anything, and which state has its turn next."""

    match: FaultMatch
    preset: str
    params: Mapping[str, ParamValue]
    action: Members
    next: str


class ScenarioSettings(TypedDict):
    """A scenario: its states by their names, and in which of them it begins."""

    start: str
    states: Mapping[str, ScenarioStateItem]


class ScenarioDocument(ScenarioSettings):
    """A scenario, and the state in which it is; `notYet` names processes that do not obey a change yet."""

    name: str
    state: str
    notYet: NotRequired[Sequence[str]]


class ScenarioStateChange(TypedDict):
    """The state in which a scenario is to be."""

    state: str


class ScenarioList(TypedDict):
    """A page of scenarios."""

    items: Sequence[ScenarioDocument]
    next: NotRequired[str]


class StyleSettings(TypedDict):
    """A style: what requests get that name it in `params.style`, where they say nothing themselves.

    The prompt text of a request takes the place of `{prompt}`, which `promptTemplate` has exactly once.
    `additionalNetworks` and `params` are as in a template of `textToImage`; without a `title` that is the name.
    """

    title: NotRequired[str]
    model: NotRequired[str]
    promptTemplate: str
    negativePrompt: NotRequired[str]
    additionalNetworks: NotRequired[Mapping[str, Members]]
    params: NotRequired[Members]


class StyleDocument(StyleSettings):
    """A style, and whether it is built in; `notYet` names processes that do not obey a change yet."""

    name: str
    builtIn: bool
    notYet: NotRequired[Sequence[str]]


class StyleList(TypedDict):
    """A page of styles."""

    items: Sequence[StyleDocument]
    next: NotRequired[str]


class NamespaceSettings(TypedDict, total=False):
    """What is special in a namespace.

    `balance` is how much Buzz each consumer has, for all accounts together or by account. `progress` is a mode, or its
    name. A Bearer token of `tokens` leads requests into the namespace.
    """

    seed: int
    tokens: Sequence[str]
    balance: float | Mapping[str, float]
    progress: str | Mapping[str, object]


class NamespaceDocument(NamespaceSettings, total=False):
    """A namespace, with what is set for it; `notYet` names processes that do not obey a change yet.

    `usedAt` is missing for the default one, which is never deleted.
    """

    name: Required[str]
    usedAt: str
    clock: Mapping[str, object]
    notYet: Sequence[str]


class NamespaceList(TypedDict):
    """A page of namespaces."""

    items: Sequence[NamespaceDocument]
    next: NotRequired[str]


class NotYet(TypedDict):
    """The processes that do not obey a change yet; they do soon, or count as dead."""

    notYet: Sequence[str]


class ClockDocument(TypedDict):
    """How a clock goes; it goes on by `rate` seconds in one of the machine. `status` says whether it is advanced."""

    mode: ClockMode
    now: DateTime
    rate: float
    status: Literal["ready", "advancing"]
    notYet: NotRequired[Sequence[str]]


class ScenarioInState(TypedDict):
    """A scenario in whose state something goes wrong."""

    name: str
    state: str


class StateDocument(TypedDict):
    """What is set for a namespace now."""

    namespace: str
    namespaces: Sequence[str]
    progress: ProgressModeDocument
    faults: Sequence[FaultRuleDocument]
    scenarios: Sequence[ScenarioInState]
    hasFleet: bool
    clock: ClockDocument
    version: str


class ClockSettings(TypedDict):
    """How a clock is to go: from `now`, or else from where it is, and if scaled at a `rate`, or else at 1."""

    mode: ClockMode
    now: NotRequired[DateTime]
    rate: NotRequired[float]


class ClockAdvance(TypedDict):
    """Exactly one of: a duration like `10m` or `PT10M`, a date, or true for what falls due next."""

    by: NotRequired[str]
    to: NotRequired[DateTime]
    toNext: NotRequired[bool]


class LookItem(TypedDict):
    """A rule of faults that was looked at; `failed` says what kept it from firing first, like `match.method`."""

    id: str
    matched: bool
    failed: NotRequired[str]


class JournalMessage(TypedDict):
    """A request or an answer; a body that is too large or binary is told by its length and its digest."""

    headers: Mapping[str, str]
    body: Any
    bodyIs: Literal["empty", "json", "text", "binary", "large"]
    length: NotRequired[int]
    sha256: NotRequired[str]


class BriefEntryItem(TypedDict):
    """A request and how it was answered; `consumer` follows from the token that was sent, and hides it.

    `route` is that of this description, if one was reached. `fault` is the id of the rule that fired.
    """

    id: str
    time: DateTime
    namespace: str
    consumer: str | None
    method: str
    path: str
    route: str | None
    status: int
    ms: float
    traceId: str
    jobIds: Sequence[str]
    fault: NotRequired[str]
    rules: Sequence[LookItem]


class JournalEntryItem(BriefEntryItem):
    """A request and its answer."""

    request: JournalMessage
    response: JournalMessage


class JournalEntryList(TypedDict):
    """A page of requests; it is `incomplete` if a process that may have had some does not live any more."""

    items: Sequence[JournalEntryItem | BriefEntryItem]
    next: NotRequired[str]
    incomplete: NotRequired[Literal[True]]


class TriedRule(TypedDict):
    """How many requests a rule would have hit, and the youngest of them; it is incomplete if others may have come."""

    count: int
    items: Sequence[JournalEntryItem]
    incomplete: NotRequired[bool]


class CountBounds(TypedDict, total=False):
    """How many requests are to match, at least and at most."""

    min: int
    max: int


class Expectation(TypedDict, total=False):
    """What is expected of requests: how many match, and which come one after the other.

    `within` is for how long those are waited for that are still to come, like `5s`.
    """

    match: FaultMatch
    count: int | CountBounds
    order: Sequence[FaultMatch]
    within: str


class VerifiedRequests(TypedDict):
    """How many requests match what was expected."""

    count: int
