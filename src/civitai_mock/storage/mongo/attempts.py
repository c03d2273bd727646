"""Attempts at callbacks in MongoDB, and their faults, in a job or a workflow.

The last attempts are an array in order, faults a member by `seq`. Both outboxes keep them, each in a member of its own.
"""

from civitai_mock.domain.callbacks import MOST_ATTEMPTS, CallbackAttempt, CallbackFaults, CallbackState
from civitai_mock.domain.json_types import ReadOnlyJson
from civitai_mock.storage.mongo.collections import Collection, Document
from civitai_mock.storage.mongo.encoding import json_text, moment_text, parse_json_object, parse_moment


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
        faults=faults_of(member),
    )


def attempts_of(member: Document) -> tuple[CallbackAttempt, ...]:
    return tuple(
        CallbackAttempt(seq=entry["seq"], at=parse_moment(entry["at"]), status=entry["status"], error=entry["error"])
        for entry in member.get("attempts", ())
    )


async def keep_fault(
    collection: Collection, itself: Document, member: str, *, seq: int, fault: ReadOnlyJson
) -> ReadOnlyJson | None:
    """Keep a fault with a document that has this member, unless that has one; return the one that is kept."""
    path, text = f"{member}.faults.{seq}", json_text(fault)
    decided = await collection.update_one(
        {**itself, f"{member}.told": {"$exists": True}, path: None}, {"$set": {path: text}}
    )
    if decided.matched_count == 1:
        return fault
    found = await collection.find_one({**itself, path: {"$exists": True}}, {path: 1})
    return None if found is None else faults_of(found[member])[str(seq)]


def faults_of(member: Document) -> CallbackFaults:
    return {seq: parse_json_object(text) for seq, text in member.get("faults", {}).items()}


def fault_texts(faults: CallbackFaults) -> Document:
    return {seq: json_text(fault) for seq, fault in faults.items()}


def attempt_entry(attempt: CallbackAttempt) -> Document:
    return {"seq": attempt.seq, "at": moment_text(attempt.at), "status": attempt.status, "error": attempt.error}
