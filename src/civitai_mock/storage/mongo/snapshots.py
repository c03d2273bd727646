"""Everything of one epoch in MongoDB, as records of a snapshot: read page by page, and written into another epoch."""

from collections import defaultdict
from collections.abc import AsyncIterator, Sequence

from civitai_mock.domain.blob import Blob, UndrawnBlob
from civitai_mock.domain.namespaces import Epoch
from civitai_mock.ports.snapshots import CounterRecord, Delivery, JobRecord, ResourceRecord, WorkflowRecord
from civitai_mock.storage.mongo.attempts import attempt_entry, attempts_of, fault_texts, faults_of
from civitai_mock.storage.mongo.blobs import blob_of
from civitai_mock.storage.mongo.collections import Collection, Collections, Document, insert_in_order
from civitai_mock.storage.mongo.encoding import moment_text, parse_moment
from civitai_mock.storage.mongo.errors import domain_errors, raises_domain_errors
from civitai_mock.storage.mongo.job_documents import (
    event_documents,
    event_of,
    held_events,
    job_document,
    job_of,
    long_texts,
    texts_of,
)
from civitai_mock.storage.mongo.resources import own_document, resource_of
from civitai_mock.storage.mongo.workflow_documents import workflow_document, workflow_of
from civitai_mock.storage.mongo.workflow_outbox import announcement_entry, announcement_of

PAGE = 100
NO_CONTENT = {"content": 0}


class MongoSnapshotStore:
    """Implements `SnapshotStore`; each document is read by itself, and events after their jobs."""

    def __init__(self, *, epoch: Epoch, collections: Collections) -> None:
        self._epoch = epoch
        self._collections = collections

    async def workflows(self) -> AsyncIterator[WorkflowRecord]:
        async for page in self._pages(self._collections.workflows, "_id"):
            for document in page:
                yield _workflow_record(document)

    async def jobs(self) -> AsyncIterator[JobRecord]:
        """Yield no job that is deleted while it is read."""
        async for page in self._pages(self._collections.jobs, "position"):
            events: defaultdict[str, list[Document]] = defaultdict(list)
            these = {"jobId": {"$in": [document["jobId"] for document in page]}, "epoch": self._epoch.number}
            with domain_errors():
                async for event in self._collections.job_events.find(these).sort("seq"):
                    events[event["jobId"]].append(event)
            for document in page:
                record = _job_record(document, events[document["jobId"]])
                if record.earlier or record.job.seq == 0:
                    yield record

    async def resources(self) -> AsyncIterator[ResourceRecord]:
        async for page in self._pages(self._collections.resources, "_id"):
            for document in page:
                resource = None if document.get("deleted") else resource_of(document)
                yield ResourceRecord(identity=document["identity"], resource=resource)

    async def blobs(self) -> AsyncIterator[Blob | UndrawnBlob]:
        async for page in self._pages(self._collections.blobs, "_id", NO_CONTENT):
            for document in page:
                yield blob_of(document)

    async def counters(self) -> AsyncIterator[CounterRecord]:
        async for page in self._pages(self._collections.counters, "_id"):
            for document in page:
                key = document["_id"].removeprefix(f"{document['epoch']}/")
                yield CounterRecord(key=key, value=document["value"])

    async def _pages(
        self, collection: Collection, member: str, projection: Document | None = None
    ) -> AsyncIterator[Sequence[Document]]:
        """Yield documents of the epoch in the order of a member, which is a text."""
        place = ""
        while True:
            later = {"epoch": self._epoch.number, member: {"$gt": place}}
            with domain_errors():
                page = await collection.find(later, projection).sort(member).limit(PAGE).to_list()
            if not page:
                return
            yield page
            place = page[-1][member]

    @raises_domain_errors
    async def write_workflows(self, records: Sequence[WorkflowRecord]) -> None:
        epoch = self._epoch.number
        await insert_in_order(self._collections.workflows, [_workflow_document(record, epoch) for record in records])

    @raises_domain_errors
    async def write_jobs(self, records: Sequence[JobRecord]) -> None:
        epoch = self._epoch.number
        events = [event for record in records for event in event_documents(record.job, record.earlier, epoch)]
        if events:
            await insert_in_order(self._collections.job_events, events)
        await insert_in_order(self._collections.jobs, [_job_document(record, epoch) for record in records])

    @raises_domain_errors
    async def write_resources(self, records: Sequence[ResourceRecord]) -> None:
        epoch = self._epoch.number
        documents = [own_document(record.identity, record.resource, epoch) for record in records]
        await insert_in_order(self._collections.resources, documents)

    @raises_domain_errors
    async def write_counters(self, records: Sequence[CounterRecord]) -> None:
        epoch = self._epoch.number
        documents = [{"_id": f"{epoch}/{each.key}", "epoch": epoch, "value": each.value} for each in records]
        await insert_in_order(self._collections.counters, documents)


def _job_record(document: Document, events: Sequence[Document]) -> JobRecord:
    held, texts = held_events(document), texts_of(document)
    known = [event for event in events if event["seq"] < held[0]["seq"]]
    earlier = [event_of(document["jobId"], fields, texts) for fields in [*known, *held[:-1]]]
    return JobRecord(
        job=job_of(document),
        earlier=tuple(earlier),
        delivery=_delivery(document["callback"]) if document.get("callback") else Delivery(),
        polls=document.get("polls", {}).get(str(document["seq"]), 0),
    )


def _job_document(record: JobRecord, epoch: int) -> Document:
    job, delivery = record.job, record.delivery
    texts = long_texts([*record.earlier, job.last_event])
    return {
        **job_document(job, epoch),
        **({"texts": texts} if texts else {}),
        **({"callback": _delivery_members(delivery)} if job.callback_url else {}),
        **({"polls": {str(job.seq): record.polls}} if record.polls else {}),
    }


def _workflow_record(document: Document) -> WorkflowRecord:
    outbox = document.get("outbox")
    return WorkflowRecord(
        workflow=workflow_of(document),
        is_deleted=bool(document.get("deleted")),
        announcements=tuple([announcement_of(entry) for entry in outbox["entries"]]) if outbox else (),
        delivery=_delivery(outbox) if outbox else None,
    )


def _workflow_document(record: WorkflowRecord, epoch: int) -> Document:
    document, announcements = workflow_document(record.workflow, epoch), record.announcements
    if record.is_deleted:
        document |= {"deleted": True, "listed": False}
        for member in ("externalId", "runningIn"):
            document.pop(member, None)
    if record.delivery is not None:
        entries = [announcement_entry(announcement) for announcement in announcements]
        last = {"last": announcements[-1].seq, "lastAt": moment_text(announcements[-1].at)}
        document["outbox"] = {**_delivery_members(record.delivery), **last, "entries": entries}
    return document


def _delivery(member: Document) -> Delivery:
    due_at = member.get("dueAt")
    return Delivery(
        told=member["told"],
        due_at=None if due_at is None else parse_moment(due_at),
        failures=member["failures"],
        attempts=attempts_of(member),
        faults=faults_of(member),
    )


def _delivery_members(delivery: Delivery) -> Document:
    due_at = {} if delivery.due_at is None else {"dueAt": moment_text(delivery.due_at)}
    attempts = {"attempts": [attempt_entry(each) for each in delivery.attempts]} if delivery.attempts else {}
    faults = {"faults": fault_texts(delivery.faults)} if delivery.faults else {}
    return {"told": delivery.told, "failures": delivery.failures, **due_at, **attempts, **faults}
