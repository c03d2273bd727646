"""What a fleet has cost, entry by entry: a job by its pictures, a pod by its time."""

from datetime import datetime

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.fleet.pods import Pod, pod_json
from civitai_mock.domain.json_types import JsonObject, ReadOnlyJson, as_object


@dataclass(frozen=True, slots=True, kw_only=True)
class CostEntry:
    """Is one entry, of a job that has ended or a pod that is shut down; one with the same `id` is never added again.

    `pictures`, and what they cost by the price of a picture (`per_picture`), are of jobs, which name their `job_id` and
    `properties`; `billed` is what has to be paid, which for jobs on pods is nothing: their `pod` is billed, as it was
    when it was shut down. Amounts are microdollars.
    """

    id: str
    provider: str
    began_at: datetime
    ended_at: datetime
    billed: int
    pictures: int = 0
    per_picture: int = 0
    job_id: str | None = None
    properties: ReadOnlyJson | None = None
    pod: ReadOnlyJson | None = None


def pod_entry(pod: Pod, *, at: datetime) -> CostEntry:
    """Return what a pod has cost that is shut down."""
    return CostEntry(
        id=f"pod/{pod.pod_id}",
        provider=pod.provider,
        began_at=pod.requested_at,
        ended_at=at,
        billed=pod.billed(now=at),
        pod=pod_json(pod),
    )


def entry_json(entry: CostEntry) -> JsonObject:
    """Return an entry as it is stored."""
    optional = {"job_id": entry.job_id, "properties": entry.properties, "pod": entry.pod}
    return {
        "id": entry.id,
        "provider": entry.provider,
        "began_at": entry.began_at.isoformat(),
        "ended_at": entry.ended_at.isoformat(),
        "billed": entry.billed,
        "pictures": entry.pictures,
        "per_picture": entry.per_picture,
        **{
            name: dict(value) if not isinstance(value, str) else value
            for name, value in optional.items()
            if value is not None
        },
    }


def stored_entry(members: ReadOnlyJson) -> CostEntry:
    """Return the entry that was stored as this."""
    numbers = {name: int(str(members[name])) for name in ("billed", "pictures", "per_picture")}
    job_id, properties, pod = members.get("job_id"), members.get("properties"), members.get("pod")
    return CostEntry(
        id=str(members["id"]),
        provider=str(members["provider"]),
        began_at=datetime.fromisoformat(str(members["began_at"])),
        ended_at=datetime.fromisoformat(str(members["ended_at"])),
        billed=numbers["billed"],
        pictures=numbers["pictures"],
        per_picture=numbers["per_picture"],
        job_id=None if job_id is None else str(job_id),
        properties=None if properties is None else as_object(properties),
        pod=None if pod is None else as_object(pod),
    )
