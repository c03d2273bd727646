"""The providers of a fleet: what they cost, how long they take, and when they have no room."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from civitai_mock.domain.dataclass import dataclass

MICRODOLLARS: Final = 1_000_000  # in a dollar
BASELINE_PER_PICTURE: Final = 25_000  # microdollars: what a picture costs without a fleet


class ProviderKind(StrEnum):
    """Says how a provider works."""

    SPOT = "spot"  # pods that boot, are paid by the time, and can be preempted
    SERVERLESS = "serverless"  # workers that are always to be had, and are paid by the picture


class Capacity(StrEnum):
    """Says whether a provider has room: one without has no pod to boot, or refuses each job."""

    ALWAYS = "always"
    NEVER = "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class Preemption:
    """Says when a pod is taken away: by chance, in each minute of its life, and that many seconds after its start."""

    probability_per_minute: float = 0.0
    at_seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetProvider:
    """Is one provider; prices are in whole microdollars, times in seconds.

    The members from `price_per_hour` on are of pods alone. `cold_start_seconds` are what the first job takes longer on
    a worker that has not worked for `idle_shutdown_seconds`, or on a new pod. `engines` are ids of ComfyUI servers, of
    which each pod has one to itself; without any, pods run their jobs as all others do.
    """

    name: str
    kind: ProviderKind
    price_per_picture: int
    seconds_per_picture: float
    cold_start_seconds: float
    idle_shutdown_seconds: float
    max_concurrent: int
    capacity: Capacity = Capacity.ALWAYS
    price_per_hour: int = 0
    boot_min_seconds: float = 0.0
    boot_max_seconds: float = 0.0
    boot_timeout_seconds: float = 0.0
    warning_seconds: float = 0.0
    max_pods: int = 0
    preemption: Preemption = Preemption()
    engines: tuple[str, ...] = ()

    @property
    def has_pods(self) -> bool:
        return self.kind is ProviderKind.SPOT


# The wish list's numbers (docs/fleet.md): a picture for $0.0015 on a pod for $0.44 an hour takes 12.27 s.
SPOT: Final = FleetProvider(
    name="spot",
    kind=ProviderKind.SPOT,
    price_per_picture=1_500,
    seconds_per_picture=12.27,
    cold_start_seconds=0.0,
    idle_shutdown_seconds=300.0,
    max_concurrent=1,
    price_per_hour=440_000,
    boot_min_seconds=240.0,
    boot_max_seconds=300.0,
    boot_timeout_seconds=600.0,
    warning_seconds=30.0,
    max_pods=1,
)
SERVERLESS: Final = FleetProvider(
    name="serverless",
    kind=ProviderKind.SERVERLESS,
    price_per_picture=3_000,
    seconds_per_picture=4.0,
    cold_start_seconds=5.0,
    idle_shutdown_seconds=300.0,
    max_concurrent=10,
)
DEFAULTS: Final[Mapping[ProviderKind, FleetProvider]] = {ProviderKind.SPOT: SPOT, ProviderKind.SERVERLESS: SERVERLESS}
