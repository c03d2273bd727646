"""The statements that answer questions about many jobs."""

from civitai_mock.storage.sqlite.jobs_sql import JOB
from civitai_mock.storage.sqlite.names import TableNames

WAITING = """SELECT {job} FROM "{jobs}" WHERE waits = 1 AND id > ? ORDER BY id LIMIT max(?, 0)"""
OUTCOME = """SELECT outcome FROM "{jobs}" WHERE id = ?"""
SPENDING = """
    SELECT
        coalesce(sum((SELECT count(*) FROM json_each(slots) WHERE json_extract(value, '$[2]')))
            FILTER (WHERE outcome = 'SUCCEEDED'), 0),
        coalesce(sum(cost) FILTER (WHERE charged = 1 AND (outcome IS NULL OR outcome = 'SUCCEEDED')), 0.0)
    FROM "{jobs}" WHERE created_at >= ? AND created_at < ?
"""
TO_CLAIM = """
    SELECT id, priority, created_at, cost FROM "{jobs}"
    WHERE worker_id IS NULL AND outcome IS NULL AND waits = 0 ORDER BY priority DESC, created_at, id
"""
# Told which index: SQLite takes that of all jobs by age, those that have ended among them.
STANDS_STILL = """
    SELECT EXISTS (SELECT 1 FROM "{jobs}" INDEXED BY "{jobs} to claim"
                   WHERE worker_id IS NULL AND outcome IS NULL AND waits = 0 AND created_at < ?)
        AND NOT EXISTS (SELECT 1 FROM "{jobs}" WHERE worker_id IS NOT NULL AND outcome IS NULL AND lease_until > ?)
"""
RECENT = """SELECT count(*) FROM "{jobs}" WHERE ended_at >= ?"""


class QuestionStatements:
    """With the names of the tables put in, and `jobs_sql.JOB` for `{job}`."""

    def __init__(self, names: TableNames) -> None:
        def fill(sql: str) -> str:
            return names.fill(sql.replace("{job}", JOB))

        self.waiting = fill(WAITING)
        self.outcome = fill(OUTCOME)
        self.spending = fill(SPENDING)
        self.spending_of = fill(f"{SPENDING} AND issued_by = ?")
        self.to_claim = fill(TO_CLAIM)
        self.stands_still = fill(STANDS_STILL)
        self.recent = fill(RECENT)
