"""Whether MongoDB answers."""

import asyncio

from civitai_mock.domain.errors import TransientError
from civitai_mock.storage.mongo.collections import Database
from civitai_mock.storage.mongo.errors import domain_errors

PING_SECONDS = 3.0


class MongoHealth:
    def __init__(self, *, database: Database, description: str) -> None:
        self.description = description
        self._database = database

    async def ping(self) -> None:
        try:
            with domain_errors():
                async with asyncio.timeout(PING_SECONDS):
                    await self._database.command("ping")
        except TimeoutError as error:
            raise TransientError(f"{self.description} does not answer.") from error
