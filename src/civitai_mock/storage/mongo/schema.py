"""The schema version of a MongoDB store."""

from contextlib import suppress

from pymongo.errors import DuplicateKeyError

from civitai_mock.ports import NewerSchemaError
from civitai_mock.storage.mongo.collections import Collection

# 3 has the same members as SQLite's; databases before 3 do not store theirs. In 4 a job holds all events of its last
# change: a program that knows 3 would lose those before the last one if a crash left them out of their collection.
# In 5 a blob has a document, with its bytes in it or its recipe; before it was a file of GridFS. And the first event of
# a job is nowhere but in the job until that is changed. In 6 a job holds the long texts of its events, which only name
# them; events that were stored before hold theirs. In 7 blobs and slots may have facts, which earlier ones do not have.
# In 8 there are workflows, and jobs that belong to them. In 9 a job has its place in the feed of events; earlier ones
# get theirs with the next change. In 10 everything is of an epoch of a namespace: what was
# stored before is of the first. In 11 the last attempts at callbacks are kept; of those before nobody knows. In 12 the
# faults of jobs, blobs and callbacks are kept; what nothing was decided for has none. In 13 there are events of
# namespaces. In 14 there are fleets, and what they have cost. In 15 a job may have the key of its results.
VERSION = 15
ID = "schema"


async def refuse_newer(settings: Collection) -> None:
    """Raise `NewerSchemaError` for a later schema, before any change."""
    stored = await settings.find_one({"_id": ID})
    if stored is not None and stored["version"] > VERSION:
        raise NewerSchemaError(f"its schema has version {stored['version']}, this program knows {VERSION}")


async def note_version(settings: Collection) -> None:
    """Note the version of a database that was upgraded."""
    with suppress(DuplicateKeyError):  # as another process noted it in the same instant
        await settings.update_one({"_id": ID}, {"$max": {"version": VERSION}}, upsert=True)
