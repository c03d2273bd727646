"""A bit of everything that a namespace keeps, and each method of the roles of a store that work on one epoch."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, TypeAlias

from civitai_mock.domain.air import parse_reference
from civitai_mock.domain.blob import BlobFacts, UndrawnBlob
from civitai_mock.domain.claims import Claim
from civitai_mock.domain.fleet.costs import CostEntry
from civitai_mock.domain.job import Job
from civitai_mock.domain.job_fault import JobFault
from civitai_mock.domain.namespace_events import NamespaceEvent
from civitai_mock.domain.search import JobCriteria, property_paths
from civitai_mock.domain.stages import MovedBy, Outcome
from civitai_mock.domain.workflow import Workflow, WorkflowMemo, WorkflowStatus
from civitai_mock.domain.workflow_search import Announcement, WorkflowCriteria
from civitai_mock.ports import Stores
from civitai_mock.ports.snapshots import CounterRecord, JobRecord, ResourceRecord, WorkflowRecord
from tests.support.dates import START
from tests.support.jobs import (
    CHECKPOINT,
    LORA,
    SECOND,
    chunks,
    collect,
    job_id,
    make_blocked,
    make_claim,
    make_job,
    make_resource,
    succeeded,
)
from tests.support.workflows import MONTH, OWNER, first_jobs, make_workflow, make_workflow_job, workflow_id

YEAR = timedelta(days=365)
QUEUED, HELD, ENDED, BLOCKED, TIMED, NEW = range(1, 7)
OPEN, OVER, NEW_WORKFLOW = range(1, 4)
KEPT, UNDRAWN, NEW_BLOB = "kept.png", "undrawn.png", "new.png"
WORKER = "held-1"
IDS = [job_id(number) for number in range(1, NEW + 1)]
WORKFLOW_IDS = [workflow_id(number) for number in range(1, NEW_WORKFLOW + 1)]
CONTENT = b"content"


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Is what one epoch of a store holds, as it was written; `stores` work on that epoch."""

    stores: Stores
    queued: Job
    held: Job
    open: Workflow
    over: Workflow
    undrawn: UndrawnBlob


Call: TypeAlias = Callable[[World], Awaitable[Any]]


async def fill(stores: Stores) -> World:
    """Store one thing of each kind, with the same ids each time."""
    held = await _claimed(stores, make_job(HELD), make_claim(WORKER))
    claimed = await _claimed(stores, make_job(ENDED), make_claim("ended-1"))
    assert await stores.jobs.replace(claimed, succeeded(claimed))
    queued = replace(
        make_job(QUEUED),
        callback_url="http://localhost:1/hook",
        asked_fault={"preset": "stuck-queued"},
        result_key="0f/7",
        faults=(JobFault(attempt=1, rule="a", does={"preset": "stuck-queued"}),),
    )
    timed = replace(make_job(TIMED), moved_by=MovedBy.TIME)
    await stores.jobs.add([queued, make_blocked(BLOCKED, job_id(QUEUED)), timed])
    started = make_workflow(OPEN, tags=["a", "b"], external_id="external")
    running = await stores.workflows.add(started, first_jobs(started))
    finished = await stores.workflows.add(make_workflow(OVER, tags=["a"]), [])
    memo = WorkflowMemo(status=WorkflowStatus.SUCCEEDED, started_at=None, completed_at=START)
    over = finished.over(memo, keep_until=START + MONTH)
    assert await stores.workflows.replace(finished, over)
    assert await stores.announcements.announce(over.id, [announced(0), announced(1)])
    undrawn = undrawn_blob(UNDRAWN)
    await stores.blobs.put_undrawn([undrawn])
    await put(stores, KEPT)
    await stores.resources.add(make_resource(CHECKPOINT, trainedWords=["a"]))
    await stores.namespace_events.append([pod_event("a")], keep_until=START + MONTH)
    assert await stores.fleet.save(None, {"pods": 1}) == 1
    await stores.fleet.add_costs([cost("a")])
    return World(stores=stores, queued=queued, held=held, open=running, over=over, undrawn=undrawn)


async def _claimed(stores: Stores, job: Job, claim: Claim) -> Job:
    await stores.jobs.add([job])
    (claimed,) = await stores.queue.claim(claim, limit=1)
    return claimed


def announced(seq: int) -> Announcement:
    return Announcement(seq=seq, callback=0, scope="workflow", subject="", status="processing", at=START + seq * SECOND)


def pod_event(key: str) -> NamespaceEvent:
    return NamespaceEvent(key=key, type="pod_ready", at=START, body={"podId": "1"}, job_ids=[job_id(QUEUED)])


async def events_of_jobs(world: World) -> list[NamespaceEvent]:
    return [logged.event for logged in await world.stores.namespace_events.of_jobs(IDS, after=0)]


def cost(entry_id: str) -> CostEntry:
    return CostEntry(id=entry_id, provider="spot", began_at=START, ended_at=START + SECOND, billed=7)


def undrawn_blob(key: str) -> UndrawnBlob:
    return UndrawnBlob(key=key, content_type="image/png", recipe="{}", keep_until=START + MONTH, owner=OWNER)


async def put(stores: Stores, key: str) -> Any:
    return await stores.blobs.put(key, chunks(CONTENT), content_type="image/png", keep_until=START + MONTH)


async def search(stores: Stores, criteria: WorkflowCriteria) -> Sequence[Workflow]:
    return (await stores.workflows.find(criteria, limit=9)).workflows


async def each(ask: Callable[[str], Awaitable[Any]], names: Sequence[str]) -> list[Any]:
    return [await ask(name) for name in names]


async def all_of(records: AsyncIterator[Any]) -> list[Any]:
    return [record async for record in records]


async def summaries(world: World) -> list[Any]:
    found = await each(world.stores.jobs.get_summary, IDS)
    return [None if summary is None else (summary.id, summary.outcome, summary.taint) for summary in found]


async def found_jobs(world: World) -> list[Any]:
    leaves = property_paths({"userId": 7})
    criteria = [JobCriteria(), JobCriteria(issued_by=OWNER), JobCriteria(property_paths=leaves)]
    return [await world.stores.search.find(each, limit=99) for each in criteria]


async def found_workflows(world: World) -> list[Any]:
    tags = [frozenset[str](), frozenset({"a"}), frozenset({"a", "b"})]
    criteria = [WorkflowCriteria(owner=OWNER, tags=each) for each in tags]
    queries = [WorkflowCriteria(owner=OWNER, query="imageid"), WorkflowCriteria(owner=OWNER, failed=False)]
    return [await search(world.stores, each) for each in [*criteria, *queries]]


async def found_resources(world: World) -> Any:
    references = [CHECKPOINT, CHECKPOINT.upper(), "@civitai/128078", "civitai:101055", LORA]
    return await world.stores.resources.find([parse_reference(text) for text in references])


async def contents(world: World) -> list[bytes]:
    kept = [key for key in (KEPT, UNDRAWN, NEW_BLOB) if await world.stores.blobs.stat(key) is not None]
    return [await content(world, key) for key in kept]


async def content(world: World, key: str) -> bytes:
    found = await world.stores.blobs.stat(key)
    if found is None or isinstance(found, UndrawnBlob):
        return b""
    return await collect(world.stores.blobs.read(key, start=0, stop=found.size))


async def end(world: World, job: Job) -> bool:
    return await world.stores.jobs.replace(job, job.ended(Outcome.DELETED, at=START + SECOND, context={}))


async def change_tags(world: World) -> bool:
    changed = replace(world.open, tags=("b", "c"), version=world.open.version + 1)
    return await world.stores.workflows.replace(world.open, changed)


async def take_webhooks(world: World) -> Any:
    return await world.stores.webhooks.take_due(START + YEAR, hold_until=START + 2 * YEAR, limit=9)


async def take_announcements(world: World) -> Any:
    return await world.stores.announcements.take_due(START + YEAR, hold_until=START + 2 * YEAR, limit=9)


READS: Mapping[str, Call] = {
    "jobs.get": lambda world: each(world.stores.jobs.get, IDS),
    "jobs.get_summary": summaries,
    "jobs.settled_at": lambda world: each(world.stores.jobs.settled_at, IDS),
    "jobs.get_many": lambda world: world.stores.jobs.get_many(IDS),
    "jobs.events": lambda world: each(world.stores.jobs.events, IDS),
    "jobs.spent": lambda world: world.stores.jobs.spent(OWNER),
    "jobs.latest_event_at": lambda world: world.stores.jobs.latest_event_at(),
    "jobs.has_open_workflows": lambda world: world.stores.jobs.has_open_workflows(),
    "queue.with_expired_lease": lambda world: world.stores.queue.with_expired_lease(START + YEAR, limit=9),
    "queue.held_by_dead": lambda world: world.stores.queue.held_by_dead(limit=9),
    "queue.past_deadline": lambda world: world.stores.queue.past_deadline(START + YEAR, limit=99),
    "queue.blocked": lambda world: world.stores.queue.blocked(after="", limit=9),
    "queue.snapshot": lambda world: world.stores.queue.snapshot(recent_since=START),
    "queue.backlog": lambda world: world.stores.queue.backlog(),
    "queue.is_stalled": lambda world: world.stores.queue.is_stalled(since=START + YEAR, now=START + YEAR),
    "search.find": found_jobs,
    "search.outcomes": lambda world: world.stores.search.outcomes(IDS),
    "search.spending": lambda world: world.stores.search.spending(OWNER, since=None, until=None),
    "webhooks.state": lambda world: each(world.stores.webhooks.state, IDS),
    "webhooks.next_due": lambda world: world.stores.webhooks.next_due(),
    "workflows.get": lambda world: each(world.stores.workflows.get, WORKFLOW_IDS),
    "workflows.settled_version": lambda world: each(world.stores.workflows.settled_version, WORKFLOW_IDS),
    "workflows.jobs_of": lambda world: world.stores.workflows.jobs_of(WORKFLOW_IDS),
    "workflows.find": found_workflows,
    "workflows.unfinished": lambda world: world.stores.workflows.unfinished(after="", limit=9),
    "workflows.spent": lambda world: world.stores.workflows.spent(OWNER),
    "announcements.announced": lambda world: each(world.stores.announcements.announced, WORKFLOW_IDS),
    "announcements.state": lambda world: each(world.stores.announcements.state, WORKFLOW_IDS),
    "announcements.next_due": lambda world: world.stores.announcements.next_due(),
    "resources.find": found_resources,
    "resources.search": lambda world: world.stores.resources.search("", offset=0, limit=9),
    "snapshots.workflows": lambda world: all_of(world.stores.snapshots.workflows()),
    "snapshots.jobs": lambda world: all_of(world.stores.snapshots.jobs()),
    "snapshots.resources": lambda world: all_of(world.stores.snapshots.resources()),
    "snapshots.blobs": lambda world: all_of(world.stores.snapshots.blobs()),
    "snapshots.counters": lambda world: all_of(world.stores.snapshots.counters()),
    "namespace_events.of_jobs": events_of_jobs,
    "fleet.read": lambda world: world.stores.fleet.read(),
    "fleet.costs": lambda world: world.stores.fleet.costs(),
    "blobs.stat": lambda world: each(world.stores.blobs.stat, [KEPT, UNDRAWN, NEW_BLOB]),
    "blobs.read": contents,
}
WRITES: Mapping[str, Call] = {
    "jobs.add": lambda world: world.stores.jobs.add([make_job(NEW)]),
    "jobs.replace": lambda world: end(world, world.queued),
    "jobs.change_slot": lambda world: world.stores.jobs.change_slot(
        world.queued.id, replace(world.queued.slots[0], available=True)
    ),
    "jobs.delete": lambda world: world.stores.jobs.delete(world.queued.id),
    "jobs.keep_faults": lambda world: world.stores.jobs.keep_faults(world.queued, [JobFault(attempt=1, rule="b")]),
    "jobs.set_taint": lambda world: world.stores.jobs.set_taint(IDS, {"reason": "x"}),
    "jobs.sweep": lambda world: world.stores.jobs.sweep(START + YEAR),
    "queue.claim": lambda world: world.stores.queue.claim(make_claim(), limit=9),
    "queue.claim_jobs": lambda world: world.stores.queue.claim_jobs(make_claim(), IDS),
    "queue.set_priority": lambda world: world.stores.queue.set_priority(job_id(QUEUED), 1),
    "queue.renew": lambda world: world.stores.queue.renew(WORKER, IDS, START + 2 * YEAR),
    "webhooks.take_due": take_webhooks,
    "webhooks.keep_fault": lambda world: world.stores.webhooks.keep_fault(job_id(QUEUED), seq=0, fault={"rule": "a"}),
    "webhooks.postpone": lambda world: world.stores.webhooks.postpone(job_id(QUEUED), until=START + YEAR),
    "webhooks.await_next": lambda world: world.stores.webhooks.await_next(job_id(QUEUED), seq=world.queued.seq),
    "webhooks.mark_delivered": lambda world: world.stores.webhooks.mark_delivered(job_id(QUEUED), seq=9),
    "webhooks.mark_failed": lambda world: world.stores.webhooks.mark_failed(job_id(QUEUED), retry_at=START + YEAR),
    "workflows.add": lambda world: world.stores.workflows.add(make_workflow(NEW_WORKFLOW, tags=["a"]), []),
    "workflows.replace": change_tags,
    "workflows.add_missing_jobs": lambda world: world.stores.workflows.add_missing_jobs(
        [make_workflow_job(world.open, index=1)]
    ),
    "workflows.delete": lambda world: world.stores.workflows.delete(world.open),
    "announcements.announce": lambda world: world.stores.announcements.announce(world.over.id, [announced(2)]),
    "announcements.take_due": take_announcements,
    "announcements.keep_fault": lambda world: world.stores.announcements.keep_fault(
        world.over.id, seq=0, fault={"rule": "a"}
    ),
    "announcements.postpone": lambda world: world.stores.announcements.postpone(
        world.over.id, seq=0, until=START + YEAR
    ),
    "announcements.await_next": lambda world: world.stores.announcements.await_next(world.over.id, seq=1),
    "announcements.mark_delivered": lambda world: world.stores.announcements.mark_delivered(world.over.id, seq=1),
    "announcements.mark_failed": lambda world: world.stores.announcements.mark_failed(
        world.over.id, seq=0, retry_at=START + YEAR
    ),
    "resources.add": lambda world: world.stores.resources.add(make_resource(LORA)),
    "resources.add_missing": lambda world: world.stores.resources.add_missing([make_resource(LORA)]),
    "resources.replace": lambda world: world.stores.resources.replace(make_resource(CHECKPOINT, trainedWords=["b"])),
    "resources.delete": lambda world: world.stores.resources.delete(make_resource(CHECKPOINT).air),
    "snapshots.write_workflows": lambda world: world.stores.snapshots.write_workflows(
        [WorkflowRecord(workflow=make_workflow(NEW_WORKFLOW, tags=["a"]))]
    ),
    "snapshots.write_jobs": lambda world: world.stores.snapshots.write_jobs([JobRecord(job=make_job(NEW))]),
    "snapshots.write_resources": lambda world: world.stores.snapshots.write_resources(
        [ResourceRecord(identity=make_resource(LORA).air.identity, resource=make_resource(LORA))]
    ),
    "snapshots.write_counters": lambda world: world.stores.snapshots.write_counters([CounterRecord(key="a", value=2)]),
    "namespace_events.append": lambda world: world.stores.namespace_events.append(
        [pod_event("b")], keep_until=START + MONTH
    ),
    "fleet.save": lambda world: world.stores.fleet.save(1, {"pods": 2}),
    "fleet.add_costs": lambda world: world.stores.fleet.add_costs([cost("b")]),
    "namespace_events.sweep": lambda world: world.stores.namespace_events.sweep(START + YEAR),
    "blobs.put": lambda world: put(world.stores, NEW_BLOB),
    "blobs.put_undrawn": lambda world: world.stores.blobs.put_undrawn([undrawn_blob(KEPT)]),
    "blobs.describe": lambda world: world.stores.blobs.describe(KEPT, BlobFacts(width=1), keep_until=START + YEAR),
    "blobs.set_fault": lambda world: world.stores.blobs.set_fault(KEPT, {"rule": "a"}, before=None),
    "blobs.fill": lambda world: world.stores.blobs.fill(world.undrawn, chunks(b"drawn")),
    "blobs.delete": lambda world: world.stores.blobs.delete(KEPT),
    "blobs.sweep": lambda world: world.stores.blobs.sweep(START + YEAR),
}
# A count of polls is only told to whoever raises it.
COUNTS: Mapping[str, Call] = {
    "jobs.count_poll": lambda world: world.stores.jobs.count_poll(world.queued.id, world.queued.seq)
}


async def observe(world: World) -> dict[str, Any]:
    """Ask everything that can be asked of the epoch of a world."""
    return {name: await read(world) for name, read in READS.items()}
