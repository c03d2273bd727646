"""Health check of a MongoDB store: whether it takes writes to all of its collections now."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime

from pymongo.errors import DuplicateKeyError, PyMongoError

from civitai_mock.domain.errors import TransientError
from civitai_mock.storage.mongo.collections import Collection, Collections, Document
from civitai_mock.storage.mongo.errors import domain_errors
from civitai_mock.storage.mongo.reachability import Reachability
from civitai_mock.storage.mongo.schema import VERSION

PING_SECONDS = 3.0
ID = "health"
NOTHING: Document = {"_id": ID}


class MongoHealth:
    """Writes durably, as every job does: a document of settings, and a chunk of a blob that belongs to no file.

    An update that matches nothing asks all other collections for the right to write.
    """

    def __init__(self, *, collections: Collections, reachability: Reachability) -> None:
        self.description = reachability.description
        self.schema_version = VERSION
        self._reachability = reachability
        self._collections = collections

    async def ping(self) -> None:
        try:
            with domain_errors():
                async with asyncio.timeout(PING_SECONDS):
                    await self._write()
        except TimeoutError as error:
            raise TransientError(self._reachability.explain("does not answer")) from error
        except TransientError as error:
            raise TransientError(self._reachability.explain("is away", reason=error.message.rstrip("."))) from error
        except PyMongoError as error:
            raise TransientError(
                f"{self.description} does not take what is written: {type(error).__name__}."
            ) from error

    async def _write(self) -> None:
        """Make all writes at once, as each waits for the server's disk."""
        collections, now = self._collections, datetime.now(UTC)
        await asyncio.gather(
            _put(collections.secrets, {"at": now}),
            _put(collections.blob_chunks, {"files_id": ID, "n": 0, "data": b"", "at": now}),
            *(collection.update_one(NOTHING, {"$set": {"checkedAt": now}}) for collection in _others(collections)),
        )


def _others(collections: Collections) -> Sequence[Collection]:
    return (
        collections.jobs,
        collections.workflows,
        collections.job_events,
        collections.reservations,
        collections.resources,
        collections.blobs,
        collections.blob_files,
        collections.namespaces,
        collections.epochs,
        collections.processes,
        collections.leases,
        collections.counters,
        collections.namespace_events,
        collections.fleets,
        collections.fleet_costs,
    )


async def _put(collection: Collection, members: Document) -> None:
    with suppress(DuplicateKeyError):  # as another process put it there in the same instant
        await collection.update_one({"_id": ID}, {"$set": members}, upsert=True)
