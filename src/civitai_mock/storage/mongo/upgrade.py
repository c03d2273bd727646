"""The upgrade of a MongoDB store that earlier versions have written to.

Each step looks for what it has not changed yet. So two processes may take them at once, and one that dies is made good
by the next that opens the store. One of an earlier version should not run meanwhile: what it writes is not seen before
the store is opened again.
"""

from collections.abc import Mapping
from typing import Any

from pymongo import ASCENDING, ReplaceOne, UpdateOne
from pymongo.errors import OperationFailure

from civitai_mock.domain.blob import blob_keys
from civitai_mock.domain.namespaces import FIRST_EPOCH, SHARED_EPOCH
from civitai_mock.storage.mongo.collections import Collection, Collections, Document, Pipeline
from civitai_mock.storage.mongo.job_documents import job_document, job_of
from civitai_mock.storage.mongo.resources import resource_of

INDEX_NOT_FOUND = 27
JOBS_IN_ONE_WRITE = RESOURCES_IN_ONE_WRITE = 500
OF_NO_EPOCH: Document = {"epoch": None}
ENTERS: Document = {"epoch": FIRST_EPOCH}
JOB_ENTERS: Pipeline = [
    {
        "$set": {
            **ENTERS,
            "queuedIn": {"$cond": ["$queued", FIRST_EPOCH, None]},
            "waitsIn": {"$cond": ["$waits", FIRST_EPOCH, None]},
            "openIn": {"$cond": [{"$eq": ["$outcome", None]}, FIRST_EPOCH, None]},
        }
    },
    {"$unset": ["queued", "waits", "expireAt"]},
]
WORKFLOW_ENTERS: Pipeline = [
    {"$set": {**ENTERS, "runningIn": {"$cond": ["$running", FIRST_EPOCH, "$$REMOVE"]}}},
    {"$unset": "running"},
]
# By collection, the names of the indexes up to version 9.
OLD_INDEXES: Mapping[str, frozenset[str]] = {
    "resources": frozenset({"airKey_1", "source_1_version_1", "source_1_resourceId_1"}),
    "jobs": frozenset(
        {
            "jobId_1",
            "queued_1_priority_-1_createdAt_1_jobId_1_cost_1",
            "waits_1_jobId_1",
            "claim.until_1",
            "outcome_1_deadline_1",
            "endedAt_1",
            "callback.dueAt_1",
            "position_1_spent_1_images_1",
            "type_1_position_1",
            "issuedBy_1_position_1_reservation_1_spent_1_images_1",
            "leaves_1_position_1",
            "expireAt_1",
        }
    ),
    "workflows": frozenset(
        {
            "owner_1_externalId_1",
            "owner_1_listed_1_position_1",
            "owner_1_listed_1_failed_1_position_1",
            "owner_1_tags_1_position_1",
            "running_1__id_1",
            "owner_1_reservation_1_spent.blue_1_spent.green_1_spent.yellow_1_spent.fakeRed_1",
            "keepUntil_1",
            "outbox.dueAt_1",
        }
    ),
    "reservations": frozenset({"issuedBy_1"}),
    "job_events": frozenset({"jobId_1_seq_1", "expireAt_1"}),
    "blobs": frozenset({"keepUntil_1"}),
    "blob_files": frozenset({"metadata.keepUntil_1"}),
}

NEW_MEMBERS: Mapping[str, Any] = {
    "name": None,
    "callbackUrl": None,
    "providers": [],
    "dependencies": [],
    "charged": False,
    "result": None,
    "taint": None,
}
FILES_IN_ONE_WRITE = 500
# Up to version 3 a blob was nothing but its newest file in GridFS, which had its members.
OLD_FILES: Document = {"metadata.contentType": {"$exists": True}}
NEWEST_LAST = [("filename", ASCENDING), ("uploadDate", ASCENDING), ("_id", ASCENDING)]
UNOWNED: Document = {**OLD_FILES, "metadata.owner": {"$exists": False}}
MAKER: Mapping[str, int] = {"jobId": 1, "issuedBy": 1, "slots": 1}


async def upgrade(collections: Collections) -> None:
    """Bring everything up to date, for which there have to be the indexes of this version."""
    await _enter_first_epoch(collections)
    await _share_resources(collections.resources)
    await _complete_jobs(collections.jobs)
    await _find_owners(collections)
    await _add_blobs_of_files(collections)
    await _drop_old_indexes(collections)


async def _enter_first_epoch(collections: Collections) -> None:
    """Put all that is of no epoch into the first one, and say by its number what was said by true and false."""
    await collections.jobs.update_many(OF_NO_EPOCH, JOB_ENTERS)
    await collections.job_events.update_many(OF_NO_EPOCH, {"$set": ENTERS, "$unset": {"expireAt": ""}})
    await collections.workflows.update_many(OF_NO_EPOCH, WORKFLOW_ENTERS)
    for collection in (collections.reservations, collections.blobs):
        await collection.update_many(OF_NO_EPOCH, {"$set": ENTERS})
    await collections.blob_files.update_many({"metadata.epoch": None}, {"$set": {"metadata.epoch": FIRST_EPOCH}})


async def _share_resources(resources: Collection) -> None:
    while old := await resources.find(OF_NO_EPOCH).limit(RESOURCES_IN_ONE_WRITE).to_list():
        writes = [
            UpdateOne(
                {"_id": document["_id"]},
                {"$set": {"epoch": SHARED_EPOCH, "identity": resource_of(document).air.identity}},
            )
            for document in old
        ]
        await resources.bulk_write(writes, ordered=False)


async def _drop_old_indexes(collections: Collections) -> None:
    """Drop the indexes of earlier versions, now that there are those that know epochs."""
    for role, names in OLD_INDEXES.items():
        collection: Collection = getattr(collections, role)
        async for index in collection.list_indexes():
            if index["name"] in names:
                await _drop(collection, index["name"])


async def _drop(collection: Collection, index: str) -> None:
    try:
        await collection.drop_index(index)
    except OperationFailure as error:
        if error.code != INDEX_NOT_FOUND:  # as it is if another process was faster
            raise


async def _complete_jobs(jobs: Collection) -> None:
    """Give old jobs the members that are new, as jobs that cost nothing and were each submitted alone.

    A job that a process of the earlier version changes meanwhile is looked at again.
    """
    while old := await jobs.find({"position": None}).limit(JOBS_IN_ONE_WRITE).to_list():
        await jobs.bulk_write([_completion(document) for document in old], ordered=False)


async def _find_owners(collections: Collections) -> None:
    """Set the owners of blobs by the jobs that can have made them; a pinned blob without a job gets none."""
    files = collections.blob_files
    if await files.find_one(UNOWNED) is None:
        return
    async for job in collections.jobs.find({}, MAKER):
        made = {"filename": {"$in": blob_keys(job["jobId"], len(job["slots"]))}}
        await files.update_many({**UNOWNED, **made}, {"$set": {"metadata.owner": job["issuedBy"]}})
    await files.update_many(UNOWNED, {"$set": {"metadata.owner": None}})


async def _add_blobs_of_files(collections: Collections) -> None:
    """Give each old file the document of a blob; of several with one name the newest counts, the others are swept.

    A file that a process of the earlier version stores meanwhile is looked at when a store is opened again.
    """
    files = collections.blob_files
    while old := await files.find(OLD_FILES).sort(NEWEST_LAST).limit(FILES_IN_ONE_WRITE).to_list():
        blobs = [_blob_document(file) for file in old]
        await collections.blobs.bulk_write([ReplaceOne({"_id": blob["_id"]}, blob, upsert=True) for blob in blobs])
        moved = dict.fromkeys(("metadata.contentType", "metadata.etag", "metadata.owner"), "")
        await files.update_many({"_id": {"$in": [file["_id"] for file in old]}}, {"$unset": moved})


def _blob_document(file: Document) -> Document:
    return {"_id": file["filename"], **file["metadata"], "size": file["length"], "file": file["_id"]}


def _completion(document: Document) -> UpdateOne:
    job = job_of({**NEW_MEMBERS, "submissionId": document["jobId"], **document})
    missing = {name: value for name, value in job_document(job, FIRST_EPOCH).items() if name not in document}
    return UpdateOne({"_id": document["_id"], "seq": job.seq}, {"$set": missing})
