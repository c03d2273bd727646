"""Secrets in MongoDB: random keys that all processes on one store share."""

import secrets
from contextlib import suppress

from pymongo.errors import DuplicateKeyError

from civitai_mock.storage.mongo.collections import Collection
from civitai_mock.storage.mongo.errors import raises_domain_errors

SECRET_BYTES = 32


class MongoSecretStore:
    """Draws a secret at first use; the first process to draw decides for all."""

    def __init__(self, *, collection: Collection) -> None:
        self._collection = collection

    @raises_domain_errors
    async def secret(self, name: str) -> bytes:
        while (stored := await self._collection.find_one({"_id": name})) is None:
            await self._draw(name)
        return bytes(stored["value"])

    async def _draw(self, name: str) -> None:
        drawn = {"$setOnInsert": {"value": secrets.token_bytes(SECRET_BYTES)}}
        with suppress(DuplicateKeyError):  # as another process drew in the same instant
            await self._collection.update_one({"_id": name}, drawn, upsert=True)
