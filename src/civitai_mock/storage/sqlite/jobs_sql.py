"""The statements about jobs and their events."""

from civitai_mock.storage.sqlite.names import TableNames

# What `job_rows.job_from` reads.
JOB = """
    id, type, issued_by, submission_id, cost, charged, priority, created_at, expire_at, keep_until, body,
    slots, stage, retry_attempt, outcome, provider, worker_id, claimed_at, lease_until, prompt_id,
    waits, result, taint, seq,
    (SELECT last.body FROM "{job_events}" AS last WHERE last.job_id = "{jobs}".id AND last.seq = "{jobs}".seq)
"""
INSERT = """
    INSERT INTO "{jobs}" (id, type, issued_by, submission_id, cost, charged, priority,
        created_at, expire_at, keep_until, body, taint,
        slots, seq, stage, retry_attempt, outcome, provider, worker_id, claimed_at, lease_until, prompt_id,
        waits, result, ended_at, callback_due_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
INSERT_EVENT = """INSERT INTO "{job_events}" (job_id, seq, body) VALUES (?, ?, ?)"""
INSERT_LEAF = """INSERT INTO "{jobs} leaves" (leaf, born, submission, job) VALUES (?, ?, ?, ?)"""
CHARGED = """
    SELECT coalesce(sum(cost), 0) FROM "{jobs}"
    WHERE issued_by = ? AND charged = 1 AND (outcome IS NULL OR outcome = 'SUCCEEDED')
"""
GET = """SELECT {job} FROM "{jobs}" WHERE id = ?"""
CLAIM = """
    UPDATE "{jobs}" SET provider = ?, worker_id = ?, claimed_at = ?, lease_until = ?
    WHERE rowid IN (
        SELECT rowid FROM "{jobs}" WHERE worker_id IS NULL AND outcome IS NULL AND waits = 0
        ORDER BY priority DESC, created_at, id LIMIT max(?, 0))
    RETURNING {job}
"""
REPLACE = """
    UPDATE "{jobs}" SET slots = ?, seq = ?, stage = ?, retry_attempt = ?, outcome = ?,
        provider = ?, worker_id = ?, claimed_at = ?, lease_until = ?, prompt_id = ?,
        waits = ?, result = ?, ended_at = ?, callback_due_at = coalesce(callback_due_at, ?)
    WHERE id = ? AND seq = ? AND worker_id IS ? AND outcome IS NULL AND lease_until IS coalesce(?, lease_until)
"""
RENEW = """
    UPDATE "{jobs}" SET lease_until = max(lease_until, ?)
    WHERE id IN (SELECT value FROM json_each(?)) AND worker_id = ? AND outcome IS NULL
    RETURNING id
"""
WORKERS = """SELECT DISTINCT worker_id FROM "{jobs}" WHERE worker_id IS NOT NULL AND outcome IS NULL"""
WITH_EXPIRED_LEASE = """
    SELECT {job} FROM "{jobs}" WHERE worker_id IS NOT NULL AND outcome IS NULL AND lease_until < ?
    ORDER BY lease_until LIMIT ?
"""
HELD_BY = (
    """SELECT {job} FROM "{jobs}" WHERE outcome IS NULL AND worker_id IN (SELECT value FROM json_each(?)) LIMIT ?"""
)
PAST_DEADLINE = """SELECT {job} FROM "{jobs}" WHERE outcome IS NULL AND expire_at <= ? ORDER BY expire_at LIMIT ?"""
EVENTS = """SELECT job_id, seq, body FROM "{job_events}" WHERE job_id = ? ORDER BY seq"""
SET_TAINT = """UPDATE "{jobs}" SET taint = ? WHERE id = ?"""
SWEEP = """
    DELETE FROM "{jobs}" WHERE rowid IN (
        SELECT rowid FROM "{jobs}" WHERE keep_until <= ? ORDER BY keep_until LIMIT ?)
    RETURNING created_at, submission_id, id, body
"""
SWEEP_EVENTS = """DELETE FROM "{job_events}" WHERE job_id IN (SELECT value FROM json_each(?))"""
SWEEP_LEAF = """DELETE FROM "{jobs} leaves" WHERE leaf = ? AND born = ? AND submission = ? AND job = ?"""


class JobStatements:
    """With the names of the tables put in, and `JOB` for `{job}`."""

    def __init__(self, names: TableNames) -> None:
        def fill(sql: str) -> str:
            return names.fill(sql.replace("{job}", JOB))

        self.insert = fill(INSERT)
        self.insert_event = fill(INSERT_EVENT)
        self.insert_leaf = fill(INSERT_LEAF)
        self.charged = fill(CHARGED)
        self.get = fill(GET)
        self.claim = fill(CLAIM)
        self.replace = fill(REPLACE)
        self.renew = fill(RENEW)
        self.workers = fill(WORKERS)
        self.with_expired_lease = fill(WITH_EXPIRED_LEASE)
        self.held_by = fill(HELD_BY)
        self.past_deadline = fill(PAST_DEADLINE)
        self.events = fill(EVENTS)
        self.set_taint = fill(SET_TAINT)
        self.sweep = fill(SWEEP)
        self.sweep_events = fill(SWEEP_EVENTS)
        self.sweep_leaf = fill(SWEEP_LEAF)
