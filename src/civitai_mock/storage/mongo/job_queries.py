"""Search of jobs in MongoDB: which jobs match, how they ended, and what they cost."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from civitai_mock.domain.job import Job
from civitai_mock.domain.namespaces import Epoch
from civitai_mock.domain.search import MOST_BYTES_FOUND, JobCriteria, Spending
from civitai_mock.domain.stages import Outcome
from civitai_mock.storage.mongo.collections import YOUNGEST_FIRST, Collection, Document
from civitai_mock.storage.mongo.encoding import is_storable, moment_text
from civitai_mock.storage.mongo.errors import raises_domain_errors
from civitai_mock.storage.mongo.job_documents import jobs_of, leaf_digests, position_text, text_size, with_ids

SUMS = {"_id": None, "images": {"$sum": "$images"}, "cost": {"$sum": "$spent"}}
OUTCOME = {"_id": 0, "jobId": 1, "outcome": 1}


class MongoJobSearch:
    """Implements `JobSearch` with queries that an index answers."""

    def __init__(self, *, epoch: Epoch, jobs: Collection) -> None:
        self._epoch = epoch
        self._jobs = jobs

    @raises_domain_errors
    async def find(self, criteria: JobCriteria, *, limit: int) -> Sequence[Job]:
        matching = criteria_filter(criteria)
        if limit < 1 or not _can_be_found(matching):
            return []
        found = self._jobs.find({"epoch": self._epoch.number, **matching}).sort(YOUNGEST_FIRST).limit(limit)
        documents, size = [], 0
        async for document in found:
            documents.append(document)
            size += text_size(document)
            if size >= MOST_BYTES_FOUND:
                break
        await found.close()
        return await jobs_of(documents)

    @raises_domain_errors
    async def outcomes(self, job_ids: Sequence[str]) -> Mapping[str, Outcome | None]:
        documents = self._jobs.find(with_ids(job_ids, self._epoch.number), OUTCOME)
        found = {document["jobId"]: document["outcome"] async for document in documents}
        return {job_id: Outcome(outcome) if outcome else None for job_id, outcome in found.items()}

    @raises_domain_errors
    async def spending(self, issued_by: str | None, *, since: datetime | None, until: datetime | None) -> Spending:
        consumer = {} if issued_by is None else {"issuedBy": issued_by}
        if not _can_be_found(consumer):
            return Spending(images=0, cost=0.0)
        of_epoch = {"epoch": self._epoch.number}
        return await spending_of(self._jobs, {**of_epoch, **consumer, **born_filter(since=since, until=until)})


async def spending_of(jobs: Collection, matching: Document) -> Spending:
    async for sums in jobs.aggregate([{"$match": matching}, {"$group": SUMS}]):
        return Spending(images=sums["images"], cost=sums["cost"])
    return Spending(images=0, cost=0.0)


def _can_be_found(matching: Document) -> bool:
    return all(is_storable(value) for value in matching.values() if isinstance(value, str))


def criteria_filter(criteria: JobCriteria) -> Document:
    conditions = {
        "issuedBy": criteria.issued_by,
        "type": criteria.job_type,
        "leaves": {"$all": leaf_digests(criteria.property_paths)} if criteria.property_paths else None,
        "position": {"$lt": position_text(criteria.before)} if criteria.before else None,
    }
    return {name: condition for name, condition in conditions.items() if condition is not None}


def born_filter(*, since: datetime | None, until: datetime | None) -> Document:
    """Match jobs by the time of their creation, with which their position begins."""
    bounds = {"$gte": since, "$lt": until}
    between = {operator: moment_text(bound) for operator, bound in bounds.items() if bound}
    return {"position": between} if between else {}
