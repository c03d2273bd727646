"""What a store keeps of a fleet: its pods, which batch is whose, and what runs where."""

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.fleet.costs import CostEntry, entry_json, stored_entry
from civitai_mock.domain.fleet.pods import Pod, pod_json, stored_pod
from civitai_mock.domain.json_types import Json, JsonObject, ReadOnlyJson, as_list, as_number, as_object, as_texts

NO_PODS: tuple[Pod, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Is whose the jobs of a batch are, and why.

    It was decided for so many `pictures`, of which so many are `done`. `waits_since` is when it began to wait for a pod
    to boot. One that `fell_back` stays where it is.
    """

    provider: str
    reason: str
    pictures: int
    done: int = 0
    waits_since: datetime | None = None
    fell_back: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Says where a job runs: on a pod, or on a worker that is always there, whose `worker` is its name."""

    job_id: str
    batch: str
    provider: str
    worker: str
    reason: str
    pictures: int
    at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetEvent:
    """Is what listeners hear of a fleet; `key` names the fact, so that it is not told twice."""

    key: str
    type: str
    at: datetime
    body: ReadOnlyJson
    job_ids: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetState:
    """Is a fleet at one moment; the next one is made of it by a `Turn`.

    `pods` has the last ones that are shut down, too. `workers` says when each of those that are always there had ended
    its last job, `waiting` how many jobs wait for each provider, `refused` until when nobody asks one again that had no
    room. `events` and `costs` are those of the last turn: after a crash they may have to be told again.
    """

    seed: str = ""
    pods: tuple[Pod, ...] = NO_PODS
    batches: Mapping[str, Batch] = field(default_factory=dict)
    placements: Mapping[str, Placement] = field(default_factory=dict)
    workers: Mapping[str, datetime] = field(default_factory=dict)
    waiting: Mapping[str, int] = field(default_factory=dict)
    refused: Mapping[str, datetime] = field(default_factory=dict)
    pods_made: int = 0
    fallbacks: int = 0
    events: tuple[FleetEvent, ...] = ()
    costs: tuple[CostEntry, ...] = ()


def state_json(state: FleetState) -> JsonObject:
    """Return a state as it is stored."""
    return {
        "seed": state.seed,
        "pods": [pod_json(pod) for pod in state.pods],
        "batches": {key: _batch_json(batch) for key, batch in state.batches.items()},
        "placements": [_placement_json(placement) for placement in state.placements.values()],
        "workers": {name: at.isoformat() for name, at in state.workers.items()},
        "waiting": dict(state.waiting),
        "refused": {name: at.isoformat() for name, at in state.refused.items()},
        "pods_made": state.pods_made,
        "fallbacks": state.fallbacks,
        "events": [_event_json(event) for event in state.events],
        "costs": [entry_json(entry) for entry in state.costs],
    }


def stored_state(members: ReadOnlyJson) -> FleetState:
    """Return the state that was stored as this."""
    placements = [_placement(as_object(each)) for each in as_list(members["placements"])]
    return FleetState(
        seed=str(members["seed"]),
        pods=tuple([stored_pod(as_object(pod)) for pod in as_list(members["pods"])]),
        batches={key: _batch(as_object(batch)) for key, batch in as_object(members["batches"]).items()},
        placements={placement.job_id: placement for placement in placements},
        workers=_dates(members["workers"]),
        waiting={name: _whole(count) for name, count in as_object(members["waiting"]).items()},
        refused=_dates(members["refused"]),
        pods_made=_whole(members["pods_made"]),
        fallbacks=_whole(members["fallbacks"]),
        events=tuple([_event(as_object(event)) for event in as_list(members["events"])]),
        costs=tuple([stored_entry(as_object(entry)) for entry in as_list(members["costs"])]),
    )


def _batch_json(batch: Batch) -> JsonObject:
    return {
        "provider": batch.provider,
        "reason": batch.reason,
        "pictures": batch.pictures,
        "done": batch.done,
        "waits_since": None if batch.waits_since is None else batch.waits_since.isoformat(),
        "fell_back": batch.fell_back,
    }


def _placement_json(placement: Placement) -> JsonObject:
    return {
        "job_id": placement.job_id,
        "batch": placement.batch,
        "provider": placement.provider,
        "worker": placement.worker,
        "reason": placement.reason,
        "pictures": placement.pictures,
        "at": placement.at.isoformat(),
        "ends_at": placement.ends_at.isoformat(),
    }


def _event_json(event: FleetEvent) -> JsonObject:
    return {
        "key": event.key,
        "type": event.type,
        "at": event.at.isoformat(),
        "body": dict(event.body),
        "job_ids": None if event.job_ids is None else list(event.job_ids),
    }


def _batch(members: JsonObject) -> Batch:
    since = members["waits_since"]
    return Batch(
        provider=str(members["provider"]),
        reason=str(members["reason"]),
        pictures=_whole(members["pictures"]),
        done=_whole(members["done"]),
        waits_since=None if since is None else _date(since),
        fell_back=members["fell_back"] is True,
    )


def _placement(members: JsonObject) -> Placement:
    return Placement(
        job_id=str(members["job_id"]),
        batch=str(members["batch"]),
        provider=str(members["provider"]),
        worker=str(members["worker"]),
        reason=str(members["reason"]),
        pictures=_whole(members["pictures"]),
        at=_date(members["at"]),
        ends_at=_date(members["ends_at"]),
    )


def _event(members: JsonObject) -> FleetEvent:
    job_ids = members["job_ids"]
    return FleetEvent(
        key=str(members["key"]),
        type=str(members["type"]),
        at=_date(members["at"]),
        body=as_object(members["body"]),
        job_ids=None if job_ids is None else as_texts(job_ids),
    )


def _date(value: Json) -> datetime:
    return datetime.fromisoformat(str(value))


def _dates(value: Json) -> Mapping[str, datetime]:
    return {name: _date(at) for name, at in as_object(value).items()}


def _whole(value: Json) -> int:
    return int(as_number(value) or 0)
