"""Show entries of the journal: what was recorded, read and without secrets."""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping

import orjson

from civitai_mock.domain.dotnet import format_date
from civitai_mock.domain.journal import Body, HeaderPairs, JournalEntry, LargeBody, shown_headers
from civitai_mock.domain.json_types import Json, JsonObject, as_list, as_object, as_text
from civitai_mock.domain.redaction import Redactor

JOB_IN_PATH = re.compile(r"/jobs/([0-9a-f-]{36})(?:/|\Z)")
UNPRINTABLE = re.compile(r"[\x00-\x08\x0e-\x1f]")


def render_entry(entry: JournalEntry, *, namespace: str, redactor: Redactor, has_messages: bool = True) -> JsonObject:
    """Render an entry of a namespace: what was sent before what was answered, which may repeat a secret.

    Without its messages, which may be long, it has neither headers nor bodies.
    """
    answered = read_body(entry.answer_body)
    document: JsonObject = {
        "id": entry.id,
        "time": format_date(entry.at),
        "namespace": namespace,
        "consumer": entry.consumer,
        "method": entry.method,
        "path": redactor.path(entry.path, entry.query),
        "route": entry.route,
        **(_messages(entry, answered, redactor) if has_messages else {}),
        "status": entry.status,
        "ms": round(entry.seconds * 1000, 3),
        "traceId": entry.trace_id,
        "jobIds": [*job_ids(entry, answered)],
        "rules": [_look(look.rule.id, look.failed) for look in entry.looks],
    }
    return document if entry.fault is None else {**document, "fault": entry.fault}


def read_body(body: Body) -> Json:
    """Return a body as decoded JSON; None for one that is none, or was too large to be kept."""
    return read_json(body) if isinstance(body, bytes) and body else None


def read_json(content: bytes) -> Json:
    """Return decoded JSON; None for anything else."""
    try:
        value: Json = orjson.loads(content)
    except orjson.JSONDecodeError:
        return None
    return value


def job_ids(entry: JournalEntry, answered: Json) -> Iterable[str]:
    """Return the jobs that a request named in its path, or that its answer tells of."""
    found, body = JOB_IN_PATH.search(entry.path), entry.answer_body
    told = body.job_ids if isinstance(body, LargeBody) else told_job_ids(answered)
    return dict.fromkeys([*([found[1]] if found else ()), *told])


def names_job(entry: JournalEntry, job_id: str) -> bool:
    """Return whether `job_ids` has a job; an answer is only read if its text has the id."""
    body = entry.answer_body
    if isinstance(body, LargeBody):
        return job_id in job_ids(entry, None)
    if job_id in entry.path:
        return job_id in job_ids(entry, None)
    return job_id.encode() in body and job_id in job_ids(entry, read_json(body))


def told_job_ids(answered: Json) -> Iterator[str]:
    """Yield the ids in an answer of version 1 (`jobId`), or in the steps of a workflow (`jobs`)."""
    if isinstance(answered, list):
        for item in answered:
            yield from told_job_ids(item)
    members = as_object(answered)
    if job_id := as_text(members.get("jobId")):
        yield job_id
    for name in ("jobs", "items", "steps"):
        for item in as_list(members.get(name)):
            yield from told_job_ids(item)
            if name == "jobs" and (job_id := as_text(as_object(item).get("id"))):
                yield job_id


def _messages(entry: JournalEntry, answered: Json, redactor: Redactor) -> JsonObject:
    asked = read_body(entry.request_body)
    return {
        "request": _message(entry.request_headers, entry.request_body, asked, redactor),
        "response": _message(entry.answer_headers, entry.answer_body, answered, redactor),
    }


def _message(headers: HeaderPairs, body: Body, decoded: Json, redactor: Redactor) -> JsonObject:
    shown = {name: redactor.header(name, value) for name, value in shown_headers(headers).items()}
    return {"headers": {**shown}, **_body(body, decoded, redactor)}


def _body(body: Body, decoded: Json, redactor: Redactor) -> Mapping[str, Json]:
    """Render a body: JSON as such, other text as a text, and of anything else how long it is, and its digest."""
    if isinstance(body, LargeBody):
        return {"body": None, "bodyIs": "large", "length": body.length, "sha256": body.digest}
    if not body:
        return {"body": None, "bodyIs": "empty"}
    if decoded is not None or body.strip() == b"null":
        return {"body": redactor.json(decoded), "bodyIs": "json"}
    try:
        text = body.decode()
    except UnicodeDecodeError:
        text = "\0"
    if UNPRINTABLE.search(text):
        digest = hashlib.sha256(body).hexdigest()
        return {"body": None, "bodyIs": "binary", "length": len(body), "sha256": digest}
    return {"body": redactor.text(text), "bodyIs": "text"}


def _look(rule_id: str, failed: str | None) -> JsonObject:
    look: JsonObject = {"id": rule_id, "matched": failed is None}
    return look if failed is None else {**look, "failed": failed}
