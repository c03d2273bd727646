"""Attempts at callbacks in MongoDB: an array in a job or a workflow, with the last ones in order.

Both outboxes keep them, each in a member of its own.
"""

from civitai_mock.domain.callbacks import MOST_ATTEMPTS, CallbackAttempt, CallbackState
from civitai_mock.storage.mongo.collections import Document
from civitai_mock.storage.mongo.encoding import moment_text, parse_moment


def pushed(member: str, attempt: CallbackAttempt | None) -> Document:
    """Return the operator that appends an attempt; none where nothing was tried."""
    if attempt is None:
        return {}
    return {"$push": {f"{member}.attempts": {"$each": [attempt_entry(attempt)], "$slice": -MOST_ATTEMPTS}}}


def appended(member: str, attempt: CallbackAttempt | None) -> Document:
    """Return what a stage `$set` of a pipeline has to append an attempt."""
    if attempt is None:
        return {}
    known = {"$ifNull": [f"${member}.attempts", []]}
    return {
        f"{member}.attempts": {
            "$slice": [{"$concatArrays": [known, [{"$literal": attempt_entry(attempt)}]]}, -MOST_ATTEMPTS]
        }
    }


def state_of(member: Document) -> CallbackState:
    """Read the member of a job or a workflow that says how far its receivers are."""
    due_at = member.get("dueAt")
    return CallbackState(
        told=member["told"],
        due_at=None if due_at is None else parse_moment(due_at),
        attempts=attempts_of(member),
    )


def attempts_of(member: Document) -> tuple[CallbackAttempt, ...]:
    return tuple(
        CallbackAttempt(seq=entry["seq"], at=parse_moment(entry["at"]), status=entry["status"], error=entry["error"])
        for entry in member.get("attempts", ())
    )


def attempt_entry(attempt: CallbackAttempt) -> Document:
    return {"seq": attempt.seq, "at": moment_text(attempt.at), "status": attempt.status, "error": attempt.error}
