"""Open a MongoDB store: connect, check what is stored there, and bring it up to date."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from warnings import catch_warnings, filterwarnings

import structlog
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorGridFSBucket
from pymongo import ReadPreference, WriteConcern
from pymongo.errors import NotPrimaryError, OperationFailure, PyMongoError

from civitai_mock.domain.errors import InvalidRequestError, TransientError
from civitai_mock.domain.namespaces import Epoch
from civitai_mock.ports import Metrics, NewerSchemaError, Stores
from civitai_mock.storage.mongo.blob_files import BlobFiles
from civitai_mock.storage.mongo.collections import (
    CollectionNames,
    Collections,
    Database,
    Document,
    collections_of,
    create_indexes,
)
from civitai_mock.storage.mongo.command_meter import CommandMeter
from civitai_mock.storage.mongo.driver_threads import DriverThreads
from civitai_mock.storage.mongo.health import MongoHealth
from civitai_mock.storage.mongo.reachability import Reachability, is_about_names, reason_for
from civitai_mock.storage.mongo.revisions import store_first_records
from civitai_mock.storage.mongo.schema import note_version, refuse_newer
from civitai_mock.storage.mongo.stores import MongoStore
from civitai_mock.storage.mongo.upgrade import upgrade
from civitai_mock.storage.mongo.uri import UNKNOWN, describe, is_ambiguous, options_left_out, seeds_of, unknown_options

# A server that is away is noticed within seconds; one that is slow gets a minute, because the driver sends a command
# again after a socket timeout, while the first one may still run. (`timeoutMS` would wait for an absent server as long
# as for a slow one.) A connection fails before the selection of a server ends, so that its reason is known by then.
DEFAULT_OPTIONS: Mapping[str, Any] = {
    "appName": "civitai-mock",
    "serverSelectionTimeoutMS": 3_000,
    "connectTimeoutMS": 2_500,
    "socketTimeoutMS": 60_000,
}
BROKEN_URI = (
    "The MongoDB URI cannot be used; expected mongodb://[user:password@]host[:port][/?options] with special characters"
    " in user and password percent-encoded."
)
SRV_SCHEME = "mongodb+srv://"
# What to do about a refusal, by the server's error codes, as its words may quote a whole command.
REFUSALS: Mapping[int, str] = {
    13: "not authorized; MONGODB_URI names no user, or one without the role readWrite on this database.",
    18: "authentication failed; user, password or authSource in MONGODB_URI is wrong.",
}
DURABLE = WriteConcern(w="majority", j=True)

logger = structlog.stdlib.get_logger()


@asynccontextmanager
async def open_mongo(
    *, uri: str, database: str, names: CollectionNames, metrics: Metrics | None = None
) -> AsyncIterator[Stores]:
    """Open a store; raise `TransientError` if it does not let us in, `InvalidRequestError` for a broken URI."""
    if is_ambiguous(uri):
        raise InvalidRequestError(BROKEN_URI)
    reachability = Reachability(describe(uri, database), seeds=seeds_of(uri))
    threads = DriverThreads(is_away=reachability.is_away)
    async with _connected(uri, reachability, CommandMeter(metrics or Metrics()), threads) as client:
        # Reads go to the primary, whatever the URI prefers, as they must find what was just written.
        opened = client.get_database(database, write_concern=DURABLE, read_preference=ReadPreference.PRIMARY)
        collections = collections_of(opened, names)
        await _prepare(opened, collections, reachability)
        reachability.begin()
        bucket = threads.used_by(AsyncIOMotorGridFSBucket)(opened, names.blobs)
        store = MongoStore(
            collections=collections,
            files=BlobFiles(bucket=bucket, files=collections.blob_files, chunks=collections.blob_chunks),
            health=MongoHealth(collections=collections, reachability=reachability),
        )
        try:
            yield store.in_epoch(Epoch())
        finally:
            await store.drain()


@asynccontextmanager
async def _connected(
    uri: str, reachability: Reachability, meter: CommandMeter, threads: DriverThreads
) -> AsyncIterator[AsyncIOMotorClient[Document]]:
    options, unknown = options_left_out(uri, DEFAULT_OPTIONS), unknown_options(uri)
    if unknown:
        logger.warning("MONGODB_URI has options that mean nothing to the driver", options=unknown)
    try:
        with catch_warnings():
            filterwarnings("ignore", message=UNKNOWN)  # as the log says so already
            listeners = [reachability, meter]
            client: AsyncIOMotorClient[Document] = threads.used_by(AsyncIOMotorClient)(
                uri, event_listeners=listeners, **options
            )
    except (PyMongoError, ValueError, OSError) as error:
        if uri.startswith(SRV_SCHEME) and is_about_names(error):
            raise TransientError(reachability.explain("does not answer", reason=reason_for(error))) from None
        # Without the driver's own words, which may quote parts of the URI.
        raise InvalidRequestError(BROKEN_URI) from None
    reachability.topology = lambda: client.delegate.topology_description
    threads.patience = client.delegate.options.server_selection_timeout
    try:
        yield client
    finally:
        reachability.end()
        threads.close()
        await asyncio.to_thread(client.close)


async def _prepare(database: Database, collections: Collections, reachability: Reachability) -> None:
    try:
        await database.command("ping")
        await refuse_newer(collections.secrets)
        await create_indexes(collections)
        await upgrade(collections)
        await store_first_records(collections)
        await note_version(collections.secrets)
    except NewerSchemaError as error:
        raise TransientError(f"{reachability.description} cannot be used: {error}.") from error
    except OperationFailure as error:
        reason = REFUSALS.get(error.code or 0) or (error.details or {}).get("errmsg", "no reason given")
        raise TransientError(f"{reachability.description} refused: {reason}") from error
    except NotPrimaryError as error:
        raise TransientError(reachability.explain("takes no write", reason=reason_for(error))) from error
    except PyMongoError as error:
        raise TransientError(reachability.explain("does not answer", reason=reason_for(error))) from error
