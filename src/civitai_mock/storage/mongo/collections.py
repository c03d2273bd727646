"""The collections of a MongoDB store: their names and indexes."""

from collections.abc import Sequence
from dataclasses import astuple
from typing import Any, TypeAlias

from motor.motor_asyncio import AsyncIOMotorCollection, AsyncIOMotorDatabase
from pymongo import ASCENDING, DESCENDING, IndexModel
from pymongo.errors import BulkWriteError

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.stages import MovedBy
from civitai_mock.storage.mongo.errors import only_duplicates

Document: TypeAlias = dict[str, Any]  # the driver knows no narrower type for what BSON may hold
Pipeline: TypeAlias = list[Document]
Collection: TypeAlias = AsyncIOMotorCollection[Document]
Database: TypeAlias = AsyncIOMotorDatabase[Document]

UP, DOWN = ASCENDING, DESCENDING

# The accounts that pay for workflows, as they are called in documents.
ACCOUNTS = ("blue", "green", "yellow", "fakeRed")
# Jobs are claimed in this order.
QUEUE_ORDER = [("priority", DOWN), ("createdAt", UP), ("jobId", UP)]
YOUNGEST_FIRST = [("position", DOWN)]  # as an index on `position` is read backwards
LONGEST_DUE_FIRST = [("callback.dueAt", UP)]
LONGEST_ANNOUNCED_FIRST = [("outbox.dueAt", UP)]
# There are no TTL indexes: the times of a document are those of the clock of its namespace.
FIRST_TO_SWEEP = [("epoch", UP), ("keepUntil", UP)]
TIMED: Document = {"movedBy": str(MovedBy.TIME)}
DUE_JOBS, DUE_WORKFLOWS = "due_jobs", "due_workflows"  # names of indexes
# These members end an index, for sums that need nothing else of the jobs.
SPENDING = [("spent", UP), ("images", UP)]

# What is true of a document for some time is a member that has the epoch as its value as long as it is: `queuedIn`,
# `waitsIn` and `openIn` of jobs, `runningIn` of workflows. So one look at an index finds those of one epoch, or the
# epochs of all of them. Ids come before the epoch, as hardly ever two namespaces have the same.
RESOURCES = [
    IndexModel([("epoch", UP), ("airKey", UP)], unique=True),
    IndexModel([("epoch", UP), ("identity", UP)]),
    IndexModel([("epoch", UP), ("source", UP), ("version", UP)]),
    IndexModel([("epoch", UP), ("source", UP), ("resourceId", UP)]),
]
JOBS = [
    IndexModel([("jobId", UP), ("epoch", UP)], unique=True),
    IndexModel([("queuedIn", UP), *QUEUE_ORDER, ("cost", UP)], partialFilterExpression={"queuedIn": {"$gt": 0}}),
    IndexModel(
        [("queuedIn", UP), ("movedBy", UP), *QUEUE_ORDER],
        partialFilterExpression={"queuedIn": {"$gt": 0}, **TIMED},
    ),
    IndexModel([("waitsIn", UP), ("jobId", UP)], partialFilterExpression={"waitsIn": {"$gt": 0}}),
    IndexModel([("openIn", UP), ("deadline", UP)], partialFilterExpression={"openIn": {"$gt": 0}}),
    IndexModel([("claim.workerId", UP), ("claim.token", UP)], sparse=True),
    IndexModel([("epoch", UP), ("claim.until", UP)], partialFilterExpression={"claim.until": {"$gt": ""}}),
    IndexModel([("epoch", UP), ("endedAt", UP)], partialFilterExpression={"endedAt": {"$gt": ""}}),
    IndexModel(
        [("epoch", UP), *LONGEST_DUE_FIRST], name=DUE_JOBS, partialFilterExpression={"callback.dueAt": {"$gt": ""}}
    ),
    IndexModel([("epoch", UP), ("position", UP), *SPENDING]),
    IndexModel([("epoch", UP), ("type", UP), ("position", UP)]),
    IndexModel([("epoch", UP), ("issuedBy", UP), ("position", UP), ("reservation", UP), *SPENDING]),
    IndexModel(
        [("epoch", UP), ("leaves", UP), ("position", UP)], partialFilterExpression={"leaves": {"$exists": True}}
    ),
    IndexModel([("workflow.id", UP)], sparse=True),
    IndexModel([("feedPosition", UP)], sparse=True),
    IndexModel(FIRST_TO_SWEEP),
]
WORKFLOWS = [
    IndexModel(
        [("epoch", UP), ("owner", UP), ("externalId", UP)],
        unique=True,
        partialFilterExpression={"externalId": {"$gte": ""}},
    ),
    IndexModel([("epoch", UP), ("owner", UP), ("listed", UP), ("position", UP)]),
    IndexModel([("epoch", UP), ("owner", UP), ("listed", UP), ("failed", UP), ("position", UP)]),
    IndexModel(
        [("epoch", UP), ("owner", UP), ("tags", UP), ("position", UP)],
        partialFilterExpression={"tags": {"$exists": True}},
    ),
    IndexModel([("runningIn", UP), ("_id", UP)], partialFilterExpression={"runningIn": {"$gt": 0}}),
    IndexModel(
        [("epoch", UP), ("owner", UP), ("reservation", UP), *[(f"spent.{account}", UP) for account in ACCOUNTS]]
    ),
    IndexModel(
        [("epoch", UP), *LONGEST_ANNOUNCED_FIRST],
        name=DUE_WORKFLOWS,
        partialFilterExpression={"outbox.dueAt": {"$gt": ""}},
    ),
    IndexModel(FIRST_TO_SWEEP),
]
RESERVATIONS = [IndexModel([("epoch", UP), ("issuedBy", UP)]), IndexModel([("at", UP)])]
JOB_EVENTS = [IndexModel([("jobId", UP), ("epoch", UP), ("seq", UP)], unique=True), IndexModel(FIRST_TO_SWEEP)]
BLOBS = [IndexModel(FIRST_TO_SWEEP)]
# The indexes of GridFS itself, and one for the sweep.
BLOB_FILES = [
    IndexModel([("filename", UP), ("uploadDate", UP)]),
    IndexModel([("metadata.epoch", UP), ("metadata.keepUntil", UP)]),
]
BLOB_CHUNKS = [IndexModel([("files_id", UP), ("n", UP)], unique=True)]
NAMESPACES = [IndexModel([("changed", UP)]), IndexModel([("epoch", UP)]), IndexModel([("usedAt", UP)])]
COUNTERS = [IndexModel([("epoch", UP)])]
NAMESPACE_EVENTS = [
    IndexModel([("epoch", UP), ("key", UP)], unique=True),
    IndexModel([("epoch", UP), ("jobIds", UP), ("_id", UP)]),
    IndexModel(FIRST_TO_SWEEP),
]
FLEET_COSTS = [IndexModel([("epoch", UP), ("endedAt", UP), ("_id", UP)])]


@dataclass(frozen=True, slots=True)
class CollectionNames:
    """Names of the collections that users may choose; raise ValueError if two are the same.

    `blobs` is also a GridFS bucket with `blobs.files` and `blobs.chunks`; beside `jobs` stand `jobs.workflows`,
    `jobs.reservations`, and what is stored of namespaces: `jobs.namespaces`, `.namespaceEvents`, `.fleets`,
    `.fleetCosts`, `.epochs`, `.processes`, `.leases` and `.counters`.
    """

    resources: str = "resources"
    jobs: str = "jobs"
    job_events: str = "jobEvent"
    secrets: str = "settings"
    blobs: str = "blobs"

    def __post_init__(self) -> None:
        names: tuple[str, ...] = astuple(self)
        if len(set(names)) < len(names):
            raise ValueError(f"the names of the collections must differ, found {', '.join(names)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Collections:
    """The collections of one database, each under the name that the settings gave it.

    `epochs` has those that are over, and of which something may be left.
    """

    resources: Collection
    jobs: Collection
    job_events: Collection
    reservations: Collection
    workflows: Collection
    secrets: Collection
    blobs: Collection
    blob_files: Collection
    blob_chunks: Collection
    namespaces: Collection
    epochs: Collection
    processes: Collection
    leases: Collection
    counters: Collection
    namespace_events: Collection
    fleets: Collection
    fleet_costs: Collection


def collections_of(database: Database, names: CollectionNames) -> Collections:
    """Open the collections, with the read and write concerns of `database`."""
    jobs = database[names.jobs]
    return Collections(
        resources=database[names.resources],
        jobs=jobs,
        job_events=database[names.job_events],
        reservations=jobs.reservations,
        workflows=jobs.workflows,
        secrets=database[names.secrets],
        blobs=database[names.blobs],
        blob_files=database[names.blobs].files,
        blob_chunks=database[names.blobs].chunks,
        namespaces=jobs.namespaces,
        epochs=jobs.epochs,
        processes=jobs.processes,
        leases=jobs.leases,
        counters=jobs.counters,
        namespace_events=jobs.namespaceEvents,
        fleets=jobs.fleets,
        fleet_costs=jobs.fleetCosts,
    )


async def create_indexes(collections: Collections) -> None:
    """Create the indexes that are missing; one that exists under its default name stays as it is."""
    for collection, models in (
        (collections.resources, RESOURCES),
        (collections.jobs, JOBS),
        (collections.job_events, JOB_EVENTS),
        (collections.reservations, RESERVATIONS),
        (collections.workflows, WORKFLOWS),
        (collections.blobs, BLOBS),
        (collections.blob_files, BLOB_FILES),
        (collections.blob_chunks, BLOB_CHUNKS),
        (collections.namespaces, NAMESPACES),
        (collections.counters, COUNTERS),
        (collections.namespace_events, NAMESPACE_EVENTS),
        (collections.fleet_costs, FLEET_COSTS),
    ):
        await collection.create_indexes(models)


async def insert_missing(collection: Collection, documents: Sequence[Document]) -> int:
    """Insert documents that a unique index does not know yet, and return how many these are."""
    if not documents:
        return 0
    try:
        await collection.insert_many(documents, ordered=False)
    except BulkWriteError as error:
        if not only_duplicates(error):
            raise
        return int(error.details["nInserted"])
    return len(documents)


async def insert_in_order(collection: Collection, documents: Sequence[Document]) -> None:
    """Insert documents one after the other, and go on behind those that an earlier attempt has stored.

    The driver sends an insert again whose answer was lost. A server that forgets the first attempt when it is started
    again (MongoDB itself does not) refuses the second one, as the documents are there.
    """
    try:
        await collection.insert_many(documents)
    except BulkWriteError as error:
        if not only_duplicates(error):
            raise
        stored = await collection.count_documents(these(documents))
        if stored <= error.details["writeErrors"][0]["index"]:
            raise
        if stored < len(documents):
            await insert_in_order(collection, documents[stored:])


def these(documents: Sequence[Document]) -> Document:
    """Match the very documents that were inserted, by the `_id` that insert_many has given to each."""
    return {"_id": {"$in": [document["_id"] for document in documents if "_id" in document]}}
