"""Workflows in MongoDB: a document of each, beside the documents of its jobs.

Two writes cannot be one without a transaction, which a standalone server does not have. So a workflow is written first,
and what it says counts: jobs that it names and that are missing are added by whoever looks next.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress

from bson import ObjectId
from pymongo.errors import DuplicateKeyError, PyMongoError

from civitai_mock.domain.errors import ConflictError
from civitai_mock.domain.job import Job
from civitai_mock.domain.money import NO_LIMIT, Balances, Spent
from civitai_mock.domain.namespaces import Epoch
from civitai_mock.domain.workflow import Workflow, WorkflowSnapshot, jobs_by_workflow
from civitai_mock.domain.workflow_cost import charge
from civitai_mock.domain.workflow_search import FoundWorkflows, WorkflowCriteria
from civitai_mock.storage.mongo.budgets import Reservations
from civitai_mock.storage.mongo.collections import Collection, Document, insert_missing
from civitai_mock.storage.mongo.encoding import is_storable, key_in
from civitai_mock.storage.mongo.errors import AWAY, raises_domain_errors
from civitai_mock.storage.mongo.event_feed import noticed
from civitai_mock.storage.mongo.job_documents import job_document, jobs_of
from civitai_mock.storage.mongo.workflow_budgets import charged, charged_again, spent_by
from civitai_mock.storage.mongo.workflow_documents import change_of, workflow_document, workflow_of, workflows_of
from civitai_mock.storage.mongo.workflow_queries import find_workflows

UNDELETED: Document = {"deleted": None}


class MongoWorkflowStore:
    """Implements `WorkflowStore`; a change is one conditional update."""

    def __init__(self, *, epoch: Epoch, workflows: Collection, jobs: Collection, reservations: Reservations) -> None:
        self._epoch = epoch
        self._workflows = workflows
        self._jobs = jobs
        self._reservations = reservations

    @raises_domain_errors
    async def add(self, workflow: Workflow, jobs: Sequence[Job], *, balances: Balances = NO_LIMIT) -> Workflow:
        if balances.total is None:
            stored = await self._insert(charge(workflow, NO_LIMIT, Spent()), {})
        else:
            stored = await self._buy(workflow, balances)
        if stored.id == workflow.id:
            await self._add_jobs(jobs)
        return stored

    async def _buy(self, workflow: Workflow, balances: Balances) -> Workflow:
        """Look for a workflow with the external id before one is charged: there may be too little left for another."""
        async with self._reservations.turn(workflow.owner):
            existing = await self._with_external_id(workflow)
            if existing is not None:
                return existing
            async with charged(self._reservations, workflow, balances) as (paid, reservation):
                return await self._insert(paid, {"reservation": reservation})

    async def _insert(self, workflow: Workflow, named: Document) -> Workflow:
        """Insert a workflow, or return the one that has its external id; delete what may have been written in vain."""
        document = {**workflow_document(workflow, self._epoch.number), **named, "writeId": ObjectId()}
        this_write = {"_id": document["_id"], "writeId": document["writeId"]}
        try:
            await self._workflows.insert_one(document)
        except DuplicateKeyError as error:
            existing = await self._with_external_id(workflow)
            if existing is not None:
                return existing
            if await self._workflows.find_one(this_write, {"_id": 1}) is None:  # see `insert_in_order`
                raise ConflictError("A workflow with this id exists already.") from error
        except PyMongoError:
            await self._workflows.delete_one(this_write)
            raise
        return workflow

    async def _with_external_id(self, workflow: Workflow) -> Workflow | None:
        if workflow.external_id is None:
            return None
        named = {"epoch": self._epoch.number, "owner": workflow.owner, "externalId": workflow.external_id}
        found = await self._workflows.find_one(named)
        return None if found is None else workflow_of(found)

    async def _add_jobs(self, jobs: Sequence[Job]) -> None:
        """Add the jobs that a stored workflow names; while the store is away, that is left to whoever looks next."""
        with suppress(*AWAY):
            await self._insert_missing(jobs)

    @raises_domain_errors
    async def get(self, workflow_id: str) -> WorkflowSnapshot | None:
        """Read the workflow first: jobs that it does not name yet do not count."""
        if not is_storable(workflow_id):
            return None
        key = self._key(workflow_id)
        found = await self._workflows.find_one({"_id": key, **UNDELETED})
        if found is None:
            return None
        (workflow,) = await workflows_of([found])
        jobs = await jobs_of([document async for document in self._jobs.find({"workflow.id": key})])
        return WorkflowSnapshot(workflow=workflow, jobs=jobs_by_workflow(jobs).get(workflow_id, ()))

    @raises_domain_errors
    async def jobs_of(self, workflow_ids: Sequence[str]) -> Mapping[str, Sequence[Job]]:
        found = self._jobs.find({"workflow.id": {"$in": [self._key(workflow_id) for workflow_id in workflow_ids]}})
        return jobs_by_workflow(await jobs_of([document async for document in found]))

    @raises_domain_errors
    async def settled_version(self, workflow_id: str) -> int | None:
        if not is_storable(workflow_id):
            return None
        settled = {"_id": self._key(workflow_id), "runningIn": {"$exists": False}, **UNDELETED}
        found = await self._workflows.find_one(settled, {"version": 1})
        return None if found is None else int(found["version"])

    @raises_domain_errors
    async def replace(
        self, before: Workflow, after: Workflow, *, jobs: Sequence[Job] = (), balances: Balances = NO_LIMIT
    ) -> bool:
        async with self._paid_for(before, after, balances):
            changed = await self._workflows.update_one(self._unchanged(before), change_of(after, self._epoch.number))
        if changed.matched_count == 0:
            return False
        await self._add_jobs(jobs)
        return True

    @asynccontextmanager
    async def _paid_for(self, before: Workflow, after: Workflow, balances: Balances) -> AsyncIterator[None]:
        if balances.total is None or len(after.transactions) == len(before.transactions):
            yield
        else:
            async with charged_again(self._reservations, before, after, balances):
                yield

    @raises_domain_errors
    async def add_missing_jobs(self, jobs: Sequence[Job]) -> int:
        return await self._insert_missing(jobs)

    async def _insert_missing(self, jobs: Sequence[Job]) -> int:
        epoch = self._epoch.number
        async with noticed(self._jobs, [(epoch, job.id) for job in jobs]):
            return await insert_missing(self._jobs, [job_document(job, epoch) for job in jobs])

    @raises_domain_errors
    async def find(self, criteria: WorkflowCriteria, *, limit: int) -> FoundWorkflows:
        return await find_workflows(self._workflows, self._epoch.number, criteria, limit=limit)

    @raises_domain_errors
    async def delete(self, workflow: Workflow) -> bool:
        change = {"$set": {"deleted": True, "listed": False}, "$unset": dict.fromkeys(("externalId", "runningIn"), "")}
        deleted = await self._workflows.update_one(self._unchanged(workflow), change)
        return deleted.matched_count == 1

    @raises_domain_errors
    async def unfinished(self, *, after: str, limit: int) -> Sequence[Workflow]:
        if limit < 1:
            return []
        later = {"runningIn": self._epoch.number, "_id": {"$gt": self._key(after)}}
        found = self._workflows.find(later).sort("_id").limit(limit)
        return await workflows_of([document async for document in found])

    @raises_domain_errors
    async def spent(self, owner: str) -> Spent:
        return await spent_by(self._reservations, owner)

    def _unchanged(self, workflow: Workflow) -> Document:
        return {"_id": self._key(workflow.id), "version": workflow.version, **UNDELETED}

    def _key(self, workflow_id: str) -> str:
        return key_in(self._epoch.number, workflow_id)
