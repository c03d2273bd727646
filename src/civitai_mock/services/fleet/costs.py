"""What a fleet has cost, by its providers, and what the same pictures would have cost without it."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.fleet.costs import CostEntry
from civitai_mock.domain.fleet.pods import Pod, Use, stored_pod
from civitai_mock.domain.fleet.providers import BASELINE_PER_PICTURE
from civitai_mock.domain.json_types import Json, JsonObject

CURRENCY = "USD"  # of which amounts are in millionths
BY_PROVIDER, BY_JOB = "provider", "job"


@dataclass(frozen=True, slots=True, kw_only=True)
class CostPeriod:
    """Is what is asked for: from a date on, and until before another one; `now` bills pods that are still there."""

    since: datetime | None
    until: datetime | None
    now: datetime

    def has(self, at: datetime) -> bool:
        return (self.since is None or at >= self.since) and (self.until is None or at < self.until)


def fleet_costs(
    entries: Sequence[CostEntry], pods: Sequence[Pod], period: CostPeriod, *, names: Sequence[str], group_by: str
) -> JsonObject:
    """Return what jobs have cost that ended in a period, and pods by the time of it; amounts are microdollars.

    `pods` are those that are not shut down, `names` those of the fleet's providers, which are told first.
    """
    jobs = [entry for entry in entries if entry.pod is None and period.has(entry.ended_at)]
    gone = [stored_pod(entry.pod) for entry in entries if entry.pod is not None]
    all_pods = list({pod.pod_id: pod for pod in (*gone, *pods)}.values())
    others = sorted({entry.provider for entry in jobs} | {pod.provider for pod in all_pods if _billed(pod, period)})
    told = [
        _provider(
            name,
            [entry for entry in jobs if entry.provider == name],
            [pod for pod in all_pods if pod.provider == name],
            period,
        )
        for name in dict.fromkeys([*names, *others])
    ]
    baseline = BASELINE_PER_PICTURE * sum(entry.pictures for entry in jobs)
    billed = sum(entry.billed for entry in jobs) + sum(_billed(pod, period) for pod in all_pods)
    totals: JsonObject = {"currency": CURRENCY, "providers": list(told), "baseline": baseline}
    groups: JsonObject = {} if group_by == BY_PROVIDER else {"groups": _groups(jobs, group_by)}
    return {**totals, "billed": billed, "saved": baseline - billed, **groups}


def _provider(name: str, jobs: Sequence[CostEntry], pods: Sequence[Pod], period: CostPeriod) -> JsonObject:
    return {
        "name": name,
        "pictures": sum(entry.pictures for entry in jobs),
        "bootSeconds": _seconds(pods, Use.BOOT, period),
        "busySeconds": _seconds(pods, Use.BUSY, period) if pods else _seconds_of_jobs(jobs),
        "idleSeconds": _seconds(pods, Use.IDLE, period),
        "perPicture": sum(entry.per_picture for entry in jobs),
        "billed": sum(entry.billed for entry in jobs) + sum(_billed(pod, period) for pod in pods),
    }


def _seconds(pods: Iterable[Pod], use: Use, period: CostPeriod) -> float:
    found = sum(pod.seconds_of(use, now=period.now, since=period.since, until=period.until) for pod in pods)
    return round(found, 6)


def _seconds_of_jobs(jobs: Iterable[CostEntry]) -> float:
    """Return how long jobs took on workers that are always there."""
    return round(sum((entry.ended_at - entry.began_at).total_seconds() for entry in jobs), 6)


def _billed(pod: Pod, period: CostPeriod) -> int:
    return pod.billed(now=period.now, since=period.since, until=period.until)


def _groups(jobs: Iterable[CostEntry], group_by: str) -> list[Json]:
    """Return the pictures of each job, or of each value of a property; the time of pods is nobody's share of it."""
    groups: dict[str, list[CostEntry]] = defaultdict(list)
    for entry in jobs:
        groups[_group_of(entry, group_by)].append(entry)
    return [
        {
            "name": name,
            "pictures": sum(entry.pictures for entry in found),
            "perPicture": sum(entry.per_picture for entry in found),
            "billed": sum(entry.billed for entry in found),
        }
        for name, found in sorted(groups.items())
    ]


def _group_of(entry: CostEntry, group_by: str) -> str:
    if group_by == BY_JOB:
        return entry.job_id or ""
    value = (entry.properties or {}).get(group_by.removeprefix("properties."))
    return "" if value is None else str(value)
