"""Where a job stands among all, and the filters that find it there."""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime

from civitai_mock.domain.search import JobCriteria, Position
from civitai_mock.storage.mongo.collections import Document
from civitai_mock.storage.mongo.encoding import is_storable, moment_text

LEAF_BYTES = 16


def position_text(position: Position) -> str:
    """One text, so that one index field orders jobs; a space sorts before everything that ids are made of."""
    return f"{moment_text(position.created_at)} {position.submission_id} {position.job_id}"


def leaf_digests(texts: Iterable[str]) -> Sequence[bytes]:
    """What stands for leaves in a job: they may be long, and nobody reads them there."""
    return [hashlib.blake2b(text.encode(), digest_size=LEAF_BYTES).digest() for text in sorted(texts)]


def with_ids(job_ids: Iterable[str]) -> Document:
    return {"jobId": {"$in": [job_id for job_id in job_ids if is_storable(job_id)]}}


def search_filter(search: JobCriteria) -> Document:
    conditions = {
        "issuedBy": search.issued_by,
        "type": search.job_type,
        "leaves": {"$all": leaf_digests(search.property_paths)} if search.property_paths else None,
        "position": {"$lt": position_text(search.before)} if search.before else None,
    }
    return {name: condition for name, condition in conditions.items() if condition is not None}


def born_filter(*, since: datetime | None, until: datetime | None) -> Document:
    """A position begins with the time at which the job was created."""
    bounds = {"$gte": since, "$lt": until}
    between = {operator: moment_text(bound) for operator, bound in bounds.items() if bound}
    return {"position": between} if between else {}
