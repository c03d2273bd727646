"""The roles of a MongoDB store, for any epoch of any namespace."""

from typing import TYPE_CHECKING

from civitai_mock.domain.namespaces import Epoch
from civitai_mock.ports import (
    FleetStore,
    NamespaceEventFeed,
    NamespaceEventStore,
    StoreHealth,
    Stores,
    WorkflowOutbox,
    WorkflowStore,
    late,
)
from civitai_mock.storage.mongo.blob_files import BlobFiles
from civitai_mock.storage.mongo.blobs import MongoBlobStore, grouped_undrawn
from civitai_mock.storage.mongo.budgets import Reservations
from civitai_mock.storage.mongo.collections import Collections
from civitai_mock.storage.mongo.epoch_sweep import EpochSweep
from civitai_mock.storage.mongo.event_feed import MongoEventFeed
from civitai_mock.storage.mongo.job_queries import MongoJobSearch
from civitai_mock.storage.mongo.jobs import MongoJobStore, grouped_changes
from civitai_mock.storage.mongo.namespaces import MongoNamespaceStore
from civitai_mock.storage.mongo.queue import MongoJobQueue
from civitai_mock.storage.mongo.resources import MongoResourceStore
from civitai_mock.storage.mongo.revisions import Revisions
from civitai_mock.storage.mongo.secrets import MongoSecretStore
from civitai_mock.storage.mongo.webhook_outbox import MongoWebhookOutbox

if TYPE_CHECKING:
    from civitai_mock.ports.snapshots import SnapshotStore


class MongoStore:
    """Has what all epochs share, and makes the roles of one of them; whoever opened it drains it."""

    def __init__(self, *, collections: Collections, files: BlobFiles, health: StoreHealth) -> None:
        self._collections = collections
        self._files = files
        self._health = health
        self._changes = grouped_changes(jobs=collections.jobs, events=collections.job_events)
        self._undrawn = grouped_undrawn(collections.blobs)
        self._feed = MongoEventFeed(jobs=collections.jobs)
        self._namespace_feed = late(self._load_namespace_feed)
        self._secrets = MongoSecretStore(collection=collections.secrets)
        revisions = Revisions(settings=collections.secrets, namespaces=collections.namespaces)
        sweep = EpochSweep(collections=collections, revisions=revisions, files=files)
        self._namespaces = MongoNamespaceStore(collections=collections, revisions=revisions, sweep=sweep)

    async def drain(self) -> None:
        """Wait for writes whose callers may be gone."""
        await self._undrawn.drain()
        await self._changes.drain()

    def in_epoch(self, epoch: Epoch) -> Stores:
        collections = self._collections
        jobs, workflows = collections.jobs, collections.workflows
        reservations = Reservations(epoch=epoch, reservations=collections.reservations, jobs=jobs, workflows=workflows)

        def load_workflows() -> WorkflowStore:
            from civitai_mock.storage.mongo.workflows import MongoWorkflowStore

            return MongoWorkflowStore(epoch=epoch, workflows=workflows, jobs=jobs, reservations=reservations)

        def load_announcements() -> WorkflowOutbox:
            from civitai_mock.storage.mongo.workflow_outbox import MongoWorkflowOutbox

            return MongoWorkflowOutbox(epoch=epoch, workflows=workflows)

        def load_namespace_events() -> NamespaceEventStore:
            from civitai_mock.storage.mongo.namespace_events import MongoNamespaceEventStore

            return MongoNamespaceEventStore(epoch=epoch, collections=collections)

        def load_fleet() -> FleetStore:
            from civitai_mock.storage.mongo.fleet import MongoFleetStore

            return MongoFleetStore(epoch=epoch, collections=collections)

        def load_snapshots() -> "SnapshotStore":
            from civitai_mock.storage.mongo.snapshots import MongoSnapshotStore

            return MongoSnapshotStore(epoch=epoch, collections=collections)

        return Stores(
            jobs=MongoJobStore(
                epoch=epoch,
                jobs=jobs,
                events=collections.job_events,
                workflows=workflows,
                reservations=reservations,
                changes=self._changes,
            ),
            queue=MongoJobQueue(epoch=epoch, jobs=jobs),
            search=MongoJobSearch(epoch=epoch, jobs=jobs),
            webhooks=MongoWebhookOutbox(epoch=epoch, jobs=jobs),
            workflows=late(load_workflows),
            announcements=late(load_announcements),
            resources=MongoResourceStore(epoch=epoch, resources=collections.resources),
            blobs=MongoBlobStore(epoch=epoch, blobs=collections.blobs, files=self._files, undrawn=self._undrawn),
            snapshots=late(load_snapshots),
            namespace_events=late(load_namespace_events),
            fleet=late(load_fleet),
            in_epoch=self.in_epoch,
            feed=self._feed,
            namespace_feed=self._namespace_feed,
            namespaces=self._namespaces,
            secrets=self._secrets,
            health=self._health,
        )

    def _load_namespace_feed(self) -> NamespaceEventFeed:
        from civitai_mock.storage.mongo.namespace_events import MongoNamespaceEventFeed

        return MongoNamespaceEventFeed(collections=self._collections)
