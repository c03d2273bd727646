"""Attempts at callbacks in SQLite: a JSON array for each job or workflow, with the last ones in order.

Both outboxes keep them, each in a column of its own.
"""

from typing import Any

import orjson

from civitai_mock.domain.callbacks import MOST_ATTEMPTS, CallbackAttempt, CallbackState
from civitai_mock.storage.sqlite.encoding import from_micros, to_json, to_micros

# The value of a column with one more attempt, the text `:attempt`; without one it stays.
NOTED = f"""
    CASE WHEN :attempt IS NULL THEN {{column}} ELSE json_insert(
        CASE WHEN json_array_length({{column}}) >= {MOST_ATTEMPTS} THEN json_remove({{column}}, '$[0]')
        ELSE coalesce({{column}}, '[]') END, '$[#]', json(:attempt)) END
"""


def attempt_text(attempt: CallbackAttempt | None) -> str | None:
    """Return what `:attempt` stands for."""
    if attempt is None:
        return None
    return to_json([attempt.seq, to_micros(attempt.at), attempt.status, attempt.error])


def state_from(told: int, due_at: int | None, attempts: str | None) -> CallbackState:
    found: list[Any] = orjson.loads(attempts) if attempts else []
    return CallbackState(
        told=told,
        due_at=None if due_at is None else from_micros(due_at),
        attempts=tuple(
            CallbackAttempt(seq=seq, at=from_micros(at), status=status, error=error) for seq, at, status, error in found
        ),
    )
