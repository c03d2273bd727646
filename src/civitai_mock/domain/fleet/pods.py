"""Pods and their states: what may follow what, as a table, and what one pod is."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.json_types import JsonObject, ReadOnlyJson, as_list, as_object, as_texts
from civitai_mock.domain.micros import MICROSECOND

MICROS_AN_HOUR: Final = timedelta(hours=1) // MICROSECOND


class PodState(StrEnum):
    """Says how a pod is."""

    BOOT_REQUESTED = "BOOT_REQUESTED"
    BOOTING = "BOOTING"
    READY = "READY"
    GENERATING = "GENERATING"
    PREEMPTION_WARN = "PREEMPTION_WARN"
    FALLBACK = "FALLBACK"
    IDLE = "IDLE"
    SHUTDOWN = "SHUTDOWN"


class Cause(StrEnum):
    """Says why a pod goes into another state."""

    REQUESTED = "requested"  # the policy chose its provider and no pod was up, or somebody asked for it
    CAPACITY = "capacity"
    NO_CAPACITY = "no_capacity"
    BOOTED = "booted"
    CLAIMED = "claimed"  # a job
    NOTHING_LEFT = "nothing_left"
    IDLE = "idle"  # for as long as the provider lets it
    PREEMPTED = "preempted"  # by chance, or because somebody asked for it
    HANDED_OVER = "handed_over"  # what it cannot finish
    WARNING_OVER = "warning_over"
    ENGINE_LOST = "engine_lost"  # it does not answer any more
    ENGINE_DRAINED = "engine_drained"  # it gets no new jobs, and has ended those that it had


# What may follow what, and why; anything else is a bug. A pod begins in SHUTDOWN, and each start is that of a new pod.
TRANSITIONS: Final[Mapping[PodState, Mapping[PodState, Cause]]] = {
    PodState.SHUTDOWN: {PodState.BOOT_REQUESTED: Cause.REQUESTED},
    PodState.BOOT_REQUESTED: {PodState.BOOTING: Cause.CAPACITY, PodState.SHUTDOWN: Cause.NO_CAPACITY},
    PodState.BOOTING: {PodState.READY: Cause.BOOTED, PodState.PREEMPTION_WARN: Cause.PREEMPTED},
    PodState.READY: {PodState.GENERATING: Cause.CLAIMED, PodState.PREEMPTION_WARN: Cause.PREEMPTED},
    PodState.GENERATING: {PodState.IDLE: Cause.NOTHING_LEFT, PodState.PREEMPTION_WARN: Cause.PREEMPTED},
    PodState.IDLE: {
        PodState.GENERATING: Cause.CLAIMED,
        PodState.SHUTDOWN: Cause.IDLE,
        PodState.PREEMPTION_WARN: Cause.PREEMPTED,
    },
    PodState.PREEMPTION_WARN: {PodState.FALLBACK: Cause.HANDED_OVER},
    PodState.FALLBACK: {PodState.SHUTDOWN: Cause.WARNING_OVER},
}


def may_follow(before: PodState, after: PodState) -> bool:
    """Return whether the table lets a pod go from one state into another."""
    return after in TRANSITIONS[before]


class CoarseState(StrEnum):
    """Says how a pod is in fewer words."""

    OFFLINE = "offline"
    BOOTING = "booting"
    READY = "ready"
    BUSY = "busy"
    PREEMPTION_WARNING = "preemption_warning"


COARSE: Final[Mapping[PodState, CoarseState]] = {
    PodState.SHUTDOWN: CoarseState.OFFLINE,
    PodState.BOOT_REQUESTED: CoarseState.BOOTING,
    PodState.BOOTING: CoarseState.BOOTING,
    PodState.READY: CoarseState.READY,
    PodState.IDLE: CoarseState.READY,
    PodState.GENERATING: CoarseState.BUSY,
    PodState.PREEMPTION_WARN: CoarseState.PREEMPTION_WARNING,
    PodState.FALLBACK: CoarseState.PREEMPTION_WARNING,
}
TAKES_JOBS: Final = frozenset({PodState.READY, PodState.GENERATING, PodState.IDLE})
ON_ITS_WAY: Final = frozenset({PodState.BOOT_REQUESTED, PodState.BOOTING})


class Use(StrEnum):
    """Says what the time of a pod is spent on."""

    BOOT = "boot"
    BUSY = "busy"
    IDLE = "idle"


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Is what a pod was used for from a moment on, until its next span begins."""

    use: Use
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    """Is one pod: `since` when it is in its state; from `requested_at` on it is billed by its price, in microdollars.

    `jobs` are those that run on it, `done` and `planned` count pictures: those that it has made, and all that it was
    given. Some things are due by their dates: `starts_at` the boot, `ready_at` its end, `preempted_at` the moment at
    which it is taken away, `ends_at` the end of the warning time. `transitions` counts the changes of its state.
    `engine` is the id of the ComfyUI server that runs its jobs, if one does, and `pace` how many seconds each picture
    of its last job took there.
    """

    pod_id: str
    provider: str
    state: PodState
    since: datetime
    requested_at: datetime
    price_per_hour: int
    starts_at: datetime
    ready_at: datetime
    preempted_at: datetime | None = None
    warning_seconds: float | None = None
    ends_at: datetime | None = None
    booted_at: datetime | None = None
    last_job_at: datetime | None = None
    shutdown_at: datetime | None = None
    reason: str | None = None
    jobs: tuple[str, ...] = ()
    done: int = 0
    planned: int = 0
    transitions: int = 0
    spans: tuple[Span, ...] = ()
    engine: str | None = None
    pace: float | None = None

    @property
    def coarse_state(self) -> CoarseState:
        return COARSE[self.state]

    @property
    def is_up(self) -> bool:
        """Return whether it is there, from the end of its boot to its shutdown."""
        return self.booted_at is not None and self.state is not PodState.SHUTDOWN

    @property
    def is_over(self) -> bool:
        return self.state is PodState.SHUTDOWN

    def entered(self, state: PodState, *, at: datetime) -> "Pod":
        """Return the pod in another state; raise `ValueError` for one that the table does not let follow."""
        if not may_follow(self.state, state):
            raise ValueError(f"a pod in {self.state} cannot enter {state}")
        return replace(self, state=state, since=at, transitions=self.transitions + 1)

    def used_for(self, use: Use, *, at: datetime) -> "Pod":
        """Return the pod as used for something from now on."""
        if self.spans and self.spans[-1].use is use:
            return self
        return replace(self, spans=(*self.spans, Span(use=use, at=at)))

    def seconds_of(
        self, use: Use, *, now: datetime, since: datetime | None = None, until: datetime | None = None
    ) -> float:
        """Return for how long it was used for something so far, between two dates."""
        total = timedelta()
        for begins, ends, what in self.uses(now):
            if what is use:
                total += max(min(ends, until or ends) - max(begins, since or begins), timedelta())
        return total.total_seconds()

    def uses(self, now: datetime) -> list[tuple[datetime, datetime, Use]]:
        """Return from when to when it was used for what, in order."""
        last = self.shutdown_at or now
        ends = [*[span.at for span in self.spans[1:]], last]
        return [(span.at, end, span.use) for span, end in zip(self.spans, ends, strict=True)]

    def billed(self, *, now: datetime, since: datetime | None = None, until: datetime | None = None) -> int:
        """Return what it has cost so far, between two dates, in microdollars, rounded half up."""
        ends = min(self.shutdown_at or now, until or self.shutdown_at or now)
        lasts = max(ends - max(self.requested_at, since or self.requested_at), timedelta())
        return (2 * self.price_per_hour * (lasts // MICROSECOND) + MICROS_AN_HOUR) // (2 * MICROS_AN_HOUR)

    def text(self, *, now: datetime) -> str:
        """Say to a user how it is."""
        if self.state in ON_ITS_WAY and self.engine is not None and now > self.ready_at:
            return "starting, later than planned"
        if self.state in ON_ITS_WAY:
            return f"starting, about {about(self.ready_at - now)}"
        if self.state is PodState.GENERATING:
            return f"{self.done + len(self.jobs)} of {self.planned}"
        if self.state is PodState.PREEMPTION_WARN:
            return f"stops in {about((self.ends_at or now) - now)}, switching"
        return TEXTS[self.state]


TEXTS: Final[Mapping[PodState, str]] = {
    PodState.READY: "ready",
    PodState.FALLBACK: "switched to the reserve",
    PodState.IDLE: "waits for work",
    PodState.SHUTDOWN: "shut down",
}


def about(duration: timedelta) -> str:
    """Say how long something takes: in minutes from two on, else in seconds."""
    seconds = max(round(duration.total_seconds()), 0)
    return f"{round(seconds / 60)} min" if seconds >= 120 else f"{seconds} s"


DATES: Final = (
    "since",
    "requested_at",
    "starts_at",
    "ready_at",
    "preempted_at",
    "ends_at",
    "booted_at",
    "last_job_at",
    "shutdown_at",
)
OF_ENGINE: Final = ("engine", "pace")  # which only pods have that have one
PLAIN: Final = ("pod_id", "provider", "price_per_hour", "warning_seconds", "reason", "done", "planned", "transitions")


def pod_json(pod: Pod) -> JsonObject:
    """Return a pod as it is stored."""
    dates: dict[str, datetime | None] = {name: getattr(pod, name) for name in DATES}
    return {
        **{name: getattr(pod, name) for name in PLAIN},
        **{name: at.isoformat() for name, at in dates.items() if at is not None},
        **{name: value for name in OF_ENGINE if (value := getattr(pod, name)) is not None},
        "state": pod.state.value,
        "jobs": list(pod.jobs),
        "spans": [{"use": span.use.value, "at": span.at.isoformat()} for span in pod.spans],
    }


def stored_pod(members: ReadOnlyJson) -> Pod:
    """Return the pod that was stored as this."""
    found = dict(members)
    spans = [as_object(span) for span in as_list(found.pop("spans"))]
    jobs, state = as_texts(found.pop("jobs")), PodState(str(found.pop("state")))
    values: dict[str, object] = {
        name: datetime.fromisoformat(str(value)) if name in DATES else value for name, value in found.items()
    }
    make: type = Pod
    pod: Pod = make(
        **values,
        state=state,
        jobs=jobs,
        spans=tuple([Span(use=Use(str(each["use"])), at=datetime.fromisoformat(str(each["at"]))) for each in spans]),
    )
    return pod
