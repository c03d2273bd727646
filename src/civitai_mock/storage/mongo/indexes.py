"""The indexes of a store. Creating one that is there already, under its default name, does nothing."""

from pymongo import ASCENDING, DESCENDING, IndexModel

from civitai_mock.storage.mongo.collections import Collections

UP, DOWN = ASCENDING, DESCENDING

# The order in which jobs are claimed.
QUEUE_ORDER = [("priority", DOWN), ("createdAt", UP), ("jobId", UP)]

EXPIRY = IndexModel([("expireAt", UP)], expireAfterSeconds=0)
RESOURCES = [
    IndexModel([("airKey", UP)], unique=True),
    IndexModel([("source", UP), ("version", UP)]),
]
JOBS = [
    IndexModel([("jobId", UP)], unique=True),
    IndexModel([("queued", UP), *QUEUE_ORDER], partialFilterExpression={"queued": True}),
    IndexModel([("claim.workerId", UP), ("claim.token", UP)], sparse=True),
    IndexModel([("claim.until", UP)], sparse=True),
    IndexModel([("outcome", UP), ("deadline", UP)]),
    EXPIRY,
]
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
        (collections.blob_files, BLOB_FILES),
        (collections.blob_chunks, BLOB_CHUNKS),
    ):
        await collection.create_indexes(models)
