"""The statements about callbacks; `callback_due_at` has a value as long as there are events to tell of."""

from civitai_mock.storage.sqlite.jobs_sql import JOB
from civitai_mock.storage.sqlite.names import TableNames

IS_DUE = """SELECT 1 FROM "{jobs}" WHERE callback_due_at <= ? LIMIT 1"""
DUE = """
    SELECT {job}, callback_told, callback_failures FROM "{jobs}" WHERE callback_due_at <= ?
    ORDER BY callback_due_at, id LIMIT max(?, 0)
"""
HOLD = """UPDATE "{jobs}" SET callback_due_at = ? WHERE id = ?"""
# Due since the first event that the receiver does not know of, if there is one.
TOLD = """
    UPDATE "{jobs}" SET callback_told = max(callback_told, ?), callback_failures = 0, callback_due_at = (
        SELECT json_extract(next.body, '$.at') FROM "{job_events}" AS next
        WHERE next.job_id = "{jobs}".id AND next.seq = max(callback_told, ?) + 1)
    WHERE id = ? AND callback_due_at IS NOT NULL
"""
TRY_AGAIN = """
    UPDATE "{jobs}" SET callback_failures = callback_failures + 1, callback_due_at = ?
    WHERE id = ? AND callback_due_at IS NOT NULL
"""
GIVE_UP = """
    UPDATE "{jobs}" SET callback_told = seq, callback_failures = 0, callback_due_at = NULL
    WHERE id = ? AND callback_due_at IS NOT NULL
"""


class CallbackStatements:
    """With the names of the tables put in, and `jobs_sql.JOB` for `{job}`."""

    def __init__(self, names: TableNames) -> None:
        def fill(sql: str) -> str:
            return names.fill(sql.replace("{job}", JOB))

        self.is_due = fill(IS_DUE)
        self.due = fill(DUE)
        self.hold = fill(HOLD)
        self.told = fill(TOLD)
        self.try_again = fill(TRY_AGAIN)
        self.give_up = fill(GIVE_UP)
