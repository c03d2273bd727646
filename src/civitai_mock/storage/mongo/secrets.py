"""Secrets in MongoDB."""

import secrets
from contextlib import suppress

from pymongo.errors import DuplicateKeyError

from civitai_mock.storage.mongo.collections import Collection
from civitai_mock.storage.mongo.errors import raises_domain_errors

SECRET_BYTES = 32


class MongoSecretStore:
    """Whoever draws first decides for all."""

    def __init__(self, *, collection: Collection) -> None:
        self._collection = collection

    @raises_domain_errors
    async def secret(self, name: str) -> bytes:
        while (stored := await self._collection.find_one({"_id": name})) is None:
            await self._draw(name)
        return bytes(stored["value"])

    async def _draw(self, name: str) -> None:
        drawn = {"$setOnInsert": {"value": secrets.token_bytes(SECRET_BYTES)}}
        with suppress(DuplicateKeyError):  # somebody else drew in the same instant
            await self._collection.update_one({"_id": name}, drawn, upsert=True)
