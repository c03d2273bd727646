"""The real clock and the real dice."""

import asyncio
import secrets
import uuid
from datetime import UTC, datetime


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class RandomIds:
    def uuid(self) -> str:
        return str(uuid.uuid4())

    def seed(self) -> int:
        return secrets.randbits(32)
