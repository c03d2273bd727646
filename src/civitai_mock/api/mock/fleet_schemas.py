"""The bodies of the control plane that are about the fleet."""

from collections.abc import Sequence
from typing import Literal, NotRequired

from typing_extensions import TypedDict


class SecondsRange(TypedDict):
    """A duration in seconds that is drawn between two."""

    min: float
    max: float


class FleetPreemption(TypedDict, total=False):
    """When pods are taken away: by chance in each minute, and so many seconds after their start."""

    probabilityPerMinute: float
    atSeconds: float


class FleetProviderItem(TypedDict, total=False):
    """A provider of a fleet; prices are dollars. What is left out is as the built-in one of its kind has it.

    `engines` are ComfyUI servers of COMFY_HTTP_URL, by address or `host:port`: each pod runs its jobs on one of them.
    """

    name: str
    kind: Literal["spot", "serverless"]
    pricePerHour: float
    pricePerPicture: float
    secondsPerPicture: float
    bootSeconds: SecondsRange
    bootTimeoutSeconds: float
    coldStartSeconds: float
    warningSeconds: float
    idleShutdownSeconds: float
    maxPods: int
    maxConcurrent: int
    capacity: Literal["always", "never"]
    preemption: FleetPreemption
    engines: Sequence[str]


class FleetCondition(TypedDict, total=False):
    """What a rule asks for; it fits if all of it holds."""

    urgent: bool
    picturesOver: int
    offline: bool


class FleetRule(TypedDict, total=False):
    """A rule of the policy: the first one that fits says who gets a batch."""

    when: FleetCondition
    use: str


class FleetSettings(TypedDict, total=False):
    """A fleet; what is left out is as in the built-in one, `hybrid`.

    A job is urgent if its priority is at least `urgentFrom`. `batchBy` says which jobs are counted together: those of
    one `submission`, or those with one value in a property like `properties.comicId`.
    """

    providers: Sequence[FleetProviderItem]
    policy: Sequence[FleetRule]
    urgentFrom: int
    batchBy: str


class FleetSettingsSet(FleetSettings, total=False):
    """A fleet that is set; `notYet` names processes that do not obey a change yet."""

    notYet: Sequence[str]


PodStateName = Literal[
    "BOOT_REQUESTED", "BOOTING", "READY", "GENERATING", "PREEMPTION_WARN", "FALLBACK", "IDLE", "SHUTDOWN"
]


class PodItem(TypedDict):
    """A pod; `status` is its state in fewer words, `text` what a user may be told, `jobsInQueue` what it has to do.

    `billed` is what it has cost so far, in microdollars. `engine` is the ComfyUI server that runs its jobs, if one
    does. `orders` are those that it obeys in its state.
    """

    podId: str
    provider: str
    state: PodStateName
    status: Literal["offline", "booting", "ready", "busy", "preemption_warning"]
    text: str
    since: str
    engine: NotRequired[str]
    bootedAt: NotRequired[str]
    lastJobAt: NotRequired[str]
    jobsInQueue: int
    billed: int
    orders: Sequence[Literal["preempt", "shutdown"]]


class PodList(TypedDict):
    """A page of pods."""

    items: Sequence[PodItem]
    next: NotRequired[str]


class PodOrder(TypedDict, total=False):
    """Which provider is to boot a pod; the first that has pods, if none is said."""

    provider: str


class PreemptOrder(TypedDict, total=False):
    """How long before it is taken away a pod is warned; as the provider has it, if that is not said."""

    warningSeconds: float


class ProviderCosts(TypedDict):
    """What a provider has cost in microdollars: `perPicture` by the price of a picture, and `billed` to be paid."""

    name: str
    pictures: int
    bootSeconds: float
    busySeconds: float
    idleSeconds: float
    perPicture: int
    billed: int


class CostGroup(TypedDict):
    """What the pictures of one job, or of those with one value in a property, have cost, without the time of pods."""

    name: str
    pictures: int
    perPicture: int
    billed: int


class FleetCosts(TypedDict):
    """What a fleet has cost; amounts are whole microdollars.

    `baseline` is what the same pictures had cost without a fleet, and `saved` what that is more than was `billed`.
    """

    currency: str
    providers: Sequence[ProviderCosts]
    baseline: int
    billed: int
    saved: int
    groups: NotRequired[Sequence[CostGroup]]
