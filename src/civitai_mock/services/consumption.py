"""Sum up what a consumer had and spent."""

from dataclasses import dataclass
from datetime import datetime

from civitai_mock.domain.errors import InvalidRequestError
from civitai_mock.domain.search import Spending
from civitai_mock.ports import JobSearch


@dataclass(frozen=True, slots=True, kw_only=True)
class SumConsumption:
    search: JobSearch

    async def __call__(self, *, owner: str | None, since: datetime | None, until: datetime | None) -> Spending:
        """Of the jobs that are still kept; raise `InvalidRequestError` for an end before the start."""
        if since and until and since > until:
            message = "The endDate is before the startDate."
            raise InvalidRequestError(message, errors={"endDate": [message]})
        return await self.search.spending(owner, since=since, until=until)
