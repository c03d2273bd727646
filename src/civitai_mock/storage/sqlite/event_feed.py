"""The feed of events in SQLite: which jobs got events, in the order in which they were written."""

from datetime import timedelta

from civitai_mock.domain.search import FeedEntry, FeedPage
from civitai_mock.storage.sqlite.database import Database
from civitai_mock.storage.sqlite.job_events import OUTCOMES
from civitai_mock.storage.sqlite.schema import TableNames, filled

LAST = """SELECT max(position) FROM "{jobs} {job_events}" WHERE position IS NOT NULL"""
# CROSS JOIN makes SQLite begin with the events, which are in the order that is asked for.
AFTER = """
    SELECT event.position, job.id, event.seq, job.outcome, job.waits, job.callback_due_at IS NOT NULL, job.epoch
    FROM "{jobs} {job_events}" AS event CROSS JOIN "{jobs}" AS job ON job.number = event.job
    WHERE event.position > ? ORDER BY event.position LIMIT max(?, 0)
"""


class FeedStatements:
    """The statements with the names of the tables filled in."""

    def __init__(self, names: TableNames) -> None:
        self.last = names.fill(LAST)
        self.after = names.fill(AFTER)


class SqliteEventFeed:
    """Implements `EventFeed`; an entry is a row of events, and nothing of it has to be read again.

    Positions follow one another as the transactions do that write them.
    """

    settling = timedelta(0)

    def __init__(self, *, database: Database, names: TableNames) -> None:
        self._database = database
        self._sql = filled(FeedStatements, names)

    async def last_position(self) -> str:
        ((last,),) = self._database.read(self._sql.last)
        return str(last or 0)

    async def after(self, position: str, *, limit: int) -> FeedPage:
        rows = self._database.read(self._sql.after, (int(position or 0), limit))
        reached = str(rows[-1][0]) if rows else position
        entries = [_entry(*row) for row in rows]
        return FeedPage(entries=entries, position=reached, is_last=len(rows) < limit, settled=reached)


def _entry(
    position: int, job_id: str, seq: int, outcome: str | None, waits: int, has_webhook: int, epoch: int
) -> FeedEntry:
    ended = OUTCOMES[outcome] if outcome else None
    return FeedEntry(job_id, seq, ended, waits == 1, has_webhook == 1, epoch, str(position))
