"""Attempts at callbacks in SQLite, and their faults.

The last attempts at those of a job or workflow are a JSON array in order, their faults a JSON object. Both outboxes
keep them, each in columns of its own.
"""

from collections.abc import Sequence
from typing import Any

import orjson

from civitai_mock.domain.callbacks import MOST_ATTEMPTS, CallbackAttempt, CallbackFaults, CallbackState
from civitai_mock.domain.json_types import ReadOnlyJson
from civitai_mock.domain.micros import from_micros, to_micros
from civitai_mock.storage.sqlite.encoding import Value, to_json

# The value of a column with one more attempt, the text `:attempt`; without one it stays.
NOTED = f"""
    CASE WHEN :attempt IS NULL THEN {{column}} ELSE json_insert(
        CASE WHEN json_array_length({{column}}) >= {MOST_ATTEMPTS} THEN json_remove({{column}}, '$[0]')
        ELSE coalesce({{column}}, '[]') END, '$[#]', json(:attempt)) END
"""

# The value of a column with one more fault, the text `:fault` with the name `:path`, unless there is one already.
DECIDED = "json_insert(coalesce({column}, json_object()), :path, json(:fault))"


def attempt_text(attempt: CallbackAttempt | None) -> str | None:
    """Return what `:attempt` stands for."""
    return None if attempt is None else to_json(_parts(attempt))


def attempts_text(attempts: Sequence[CallbackAttempt]) -> str | None:
    """Return the value of the column."""
    return to_json([_parts(attempt) for attempt in attempts]) if attempts else None


def attempts_from(text: str | None) -> tuple[CallbackAttempt, ...]:
    found: list[Any] = orjson.loads(text) if text else []
    return tuple(
        CallbackAttempt(seq=seq, at=from_micros(at), status=status, error=error) for seq, at, status, error in found
    )


def fault_values(seq: int, fault: ReadOnlyJson) -> dict[str, Value]:
    """Return what `:path` and `:fault` stand for."""
    return {"path": f'$."{seq}"', "fault": to_json(dict(fault))}


def faults_text(faults: CallbackFaults) -> str | None:
    """Return the value of the column of faults."""
    return to_json({seq: dict(fault) for seq, fault in faults.items()}) if faults else None


def faults_from(text: str | None) -> CallbackFaults:
    found: CallbackFaults = orjson.loads(text) if text else {}
    return found


def state_from(told: int, due_at: int | None, attempts: str | None, faults: str | None) -> CallbackState:
    return CallbackState(
        told=told,
        due_at=None if due_at is None else from_micros(due_at),
        attempts=attempts_from(attempts),
        faults=faults_from(faults),
    )


def _parts(attempt: CallbackAttempt) -> list[Value]:
    return [attempt.seq, to_micros(attempt.at), attempt.status, attempt.error]
