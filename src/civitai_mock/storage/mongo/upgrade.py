"""Jobs of an earlier version of this program."""

from collections.abc import Mapping
from typing import Any

from pymongo import UpdateOne

from civitai_mock.storage.mongo.collections import Collection, Document
from civitai_mock.storage.mongo.job_documents import job_document, job_of

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


async def upgrade(jobs: Collection) -> None:
    """Give them the fields that are new, as jobs that cost nothing and were each submitted alone.

    One that is changed meanwhile, by a process of the earlier version, is looked at again.
    """
    while old := await jobs.find({"position": None}).limit(JOBS_IN_ONE_WRITE).to_list():
        await jobs.bulk_write([_completion(document) for document in old], ordered=False)


def _completion(document: Document) -> UpdateOne:
    job = job_of({**NEW_MEMBERS, "submissionId": document["jobId"], **document})
    missing = {name: value for name, value in job_document(job).items() if name not in document}
    return UpdateOne({"_id": document["_id"], "seq": job.seq}, {"$set": missing})
