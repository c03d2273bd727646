"""The schema version of a MongoDB store, and the upgrade of jobs and blobs of earlier versions."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from pymongo import ASCENDING, ReplaceOne, UpdateOne
from pymongo.errors import DuplicateKeyError

from civitai_mock.domain.blob import blob_keys
from civitai_mock.ports import NewerSchemaError
from civitai_mock.storage.mongo.collections import Collection, Collections, Document
from civitai_mock.storage.mongo.job_documents import job_document, job_of

# 3 has the same members as SQLite's; databases before 3 do not store theirs. In 4 a job holds all events of its last
# change: a program that knows 3 would lose those before the last one if a crash left them out of their collection.
# In 5 a blob has a document, with its bytes in it or its recipe; before it was a file of GridFS. And the first event of
# a job is nowhere but in the job until that is changed. In 6 a job holds the long texts of its events, which only name
# them; events that were stored before hold theirs. In 7 blobs and slots may have facts, which earlier ones do not have.
# In 8 there are workflows, and jobs that belong to them. In 9 a job has its place in the feed of events; earlier ones
# get theirs with the next change.
VERSION = 9
ID = "schema"

JOBS_IN_ONE_WRITE = 500
NEW_MEMBERS: Mapping[str, Any] = {
    "name": None,
    "callbackUrl": None,
    "providers": [],
    "dependencies": [],
    "charged": False,
    "waits": False,
    "result": None,
    "taint": None,
}
FILES_IN_ONE_WRITE = 500
# Up to version 3 a blob was nothing but its newest file in GridFS, which had its members.
OLD_FILES: Document = {"metadata.contentType": {"$exists": True}}
NEWEST_LAST = [("filename", ASCENDING), ("uploadDate", ASCENDING), ("_id", ASCENDING)]
UNOWNED: Document = {**OLD_FILES, "metadata.owner": {"$exists": False}}
MAKER: Mapping[str, int] = {"jobId": 1, "issuedBy": 1, "slots": 1}


async def refuse_newer(settings: Collection) -> None:
    """Raise `NewerSchemaError` for a later schema, before any change."""
    stored = await settings.find_one({"_id": ID})
    if stored is not None and stored["version"] > VERSION:
        raise NewerSchemaError(f"its schema has version {stored['version']}, this program knows {VERSION}")


async def note_version(settings: Collection) -> None:
    """Note the version of a database that was upgraded."""
    with suppress(DuplicateKeyError):  # as another process noted it in the same instant
        await settings.update_one({"_id": ID}, {"$max": {"version": VERSION}}, upsert=True)


async def upgrade(collections: Collections) -> None:
    await _complete_jobs(collections.jobs)
    await _find_owners(collections)
    await _add_blobs_of_files(collections)


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
    missing = {name: value for name, value in job_document(job).items() if name not in document}
    return UpdateOne({"_id": document["_id"], "seq": job.seq}, {"$set": missing})
