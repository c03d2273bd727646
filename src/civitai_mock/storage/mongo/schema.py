"""The schema version of a MongoDB store, and the upgrade of jobs and blobs of earlier versions."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from pymongo import UpdateOne
from pymongo.errors import DuplicateKeyError

from civitai_mock.domain.blob import blob_keys
from civitai_mock.ports import NewerSchemaError
from civitai_mock.storage.mongo.collections import Collection, Collections, Document
from civitai_mock.storage.mongo.job_documents import job_document, job_of

# 3 has the same members as SQLite's; databases before 3 do not store theirs. In 4 a job holds all events of its last
# change: a program that knows 3 would lose those before the last one if a crash left them out of their collection.
VERSION = 4
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
UNOWNED: Document = {"metadata.owner": {"$exists": False}}
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


def _completion(document: Document) -> UpdateOne:
    job = job_of({**NEW_MEMBERS, "submissionId": document["jobId"], **document})
    missing = {name: value for name, value in job_document(job).items() if name not in document}
    return UpdateOne({"_id": document["_id"], "seq": job.seq}, {"$set": missing})
