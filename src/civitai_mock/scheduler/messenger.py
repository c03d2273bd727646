"""One POST to a receiver, and nowhere else."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import httpx

from civitai_mock.scheduler.absentees import Absentees, NotDeliveredError
from civitai_mock.scheduler.outbound import Message, Outbound, TooManyRedirectsError
from civitai_mock.services.reach import why


@dataclass(frozen=True, slots=True, kw_only=True)
class Messenger:
    """Waits no longer than `timeout` for all that one attempt takes."""

    outbound: Outbound
    timeout: timedelta
    absentees: Absentees = field(default_factory=Absentees, init=False)

    async def post(self, url: str, *, content: bytes, headers: Mapping[str, str]) -> int:
        """The status of a good answer; raise `NotDeliveredError`, or `ForbiddenError` for a host that is not allowed.

        No message tells the URL, which may hold a secret.
        """
        place = url.partition("://")[2].partition("/")[0]
        with self.absentees.attempt(place):
            return await self._post(url, Message(method="POST", content=content, headers=headers))

    async def _post(self, url: str, message: Message) -> int:
        try:
            async with asyncio.timeout(self.timeout.total_seconds()), self.outbound.send(url, message) as answer:
                status = answer.status_code
        except TimeoutError as error:
            raise NotDeliveredError("no answer in time") from error
        except TooManyRedirectsError as error:
            raise NotDeliveredError(error.message, status=error.status) from error
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            raise NotDeliveredError(why(error)) from error
        if not 200 <= status < 300:
            raise NotDeliveredError("the answer is no 2xx", status=status)
        return status
