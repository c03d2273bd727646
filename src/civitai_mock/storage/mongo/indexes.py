"""The indexes of a store. Creating one that is there already, under its default name, does nothing."""

from pymongo import ASCENDING, DESCENDING, IndexModel

from civitai_mock.storage.mongo.collections import Collections

UP, DOWN = ASCENDING, DESCENDING

# The order in which jobs are claimed.
QUEUE_ORDER = [("priority", DOWN), ("createdAt", UP), ("jobId", UP)]
YOUNGEST_FIRST = [("position", DOWN)]  # walks an index on `position` backwards
LONGEST_DUE_FIRST = [("callback.dueAt", UP)]
# At the end of an index, for sums that need nothing else of the jobs.
SPENDING = [("spent", UP), ("images", UP)]

EXPIRY = IndexModel([("expireAt", UP)], expireAfterSeconds=0)
RESOURCES = [
    IndexModel([("airKey", UP)], unique=True),
    IndexModel([("source", UP), ("version", UP)]),
    IndexModel([("source", UP), ("resourceId", UP)]),
]
JOBS = [
    IndexModel([("jobId", UP)], unique=True),
    IndexModel([("queued", UP), *QUEUE_ORDER, ("cost", UP)], partialFilterExpression={"queued": True}),
    IndexModel([("waits", UP), ("jobId", UP)], partialFilterExpression={"waits": True}),
    IndexModel([("claim.workerId", UP), ("claim.token", UP)], sparse=True),
    IndexModel([("claim.until", UP)], sparse=True),
    IndexModel([("outcome", UP), ("deadline", UP)]),
    IndexModel([("endedAt", UP)], sparse=True),
    IndexModel(LONGEST_DUE_FIRST, sparse=True),
    IndexModel([("position", UP), *SPENDING]),
    IndexModel([("type", UP), ("position", UP)]),
    IndexModel([("issuedBy", UP), ("position", UP), ("reservation", UP), *SPENDING]),
    IndexModel([("leaves", UP), ("position", UP)], partialFilterExpression={"leaves": {"$exists": True}}),
    EXPIRY,
]
RESERVATIONS = [IndexModel([("issuedBy", UP)]), IndexModel([("at", UP)])]
JOB_EVENTS = [IndexModel([("jobId", UP), ("seq", UP)], unique=True), EXPIRY]
# GridFS's own two. Blobs have no TTL index: it would delete the files documents and leave the chunks; see
# `MongoBlobStore.sweep`.
BLOB_FILES = [
    IndexModel([("filename", UP), ("uploadDate", UP)]),
    IndexModel([("metadata.keepUntil", UP)]),
]
BLOB_CHUNKS = [IndexModel([("files_id", UP), ("n", UP)], unique=True)]


async def create_indexes(collections: Collections) -> None:
    for collection, models in (
        (collections.resources, RESOURCES),
        (collections.jobs, JOBS),
        (collections.job_events, JOB_EVENTS),
        (collections.reservations, RESERVATIONS),
        (collections.blob_files, BLOB_FILES),
        (collections.blob_chunks, BLOB_CHUNKS),
    ):
        await collection.create_indexes(models)
