"""The roles of an open SQLite store, bound to the epoch of a namespace."""

from typing import TYPE_CHECKING

from civitai_mock.domain.namespaces import Epoch
from civitai_mock.ports import (
    FleetStore,
    NamespaceEventFeed,
    NamespaceEventStore,
    Stores,
    WorkflowOutbox,
    WorkflowStore,
    late,
)
from civitai_mock.storage.sqlite.blob_bytes import BlobContent
from civitai_mock.storage.sqlite.blobs import SqliteBlobStore
from civitai_mock.storage.sqlite.database import Database
from civitai_mock.storage.sqlite.event_feed import SqliteEventFeed
from civitai_mock.storage.sqlite.fresh_jobs import FreshJobs
from civitai_mock.storage.sqlite.health import SqliteHealth
from civitai_mock.storage.sqlite.job_queries import SqliteJobSearch
from civitai_mock.storage.sqlite.jobs import SqliteJobStore
from civitai_mock.storage.sqlite.namespaces import SqliteNamespaceStore
from civitai_mock.storage.sqlite.process_locks import ProcessLocks
from civitai_mock.storage.sqlite.queue import SqliteJobQueue
from civitai_mock.storage.sqlite.resources import KeptResources, SqliteResourceStore
from civitai_mock.storage.sqlite.schema import TableNames
from civitai_mock.storage.sqlite.secrets import SqliteSecretStore
from civitai_mock.storage.sqlite.settled import Settled
from civitai_mock.storage.sqlite.webhook_outbox import SqliteWebhookOutbox

if TYPE_CHECKING:
    from civitai_mock.ports.snapshots import SnapshotStore


class StoreParts:
    """Is what all epochs of an open store share; roles for one of them take microseconds to make."""

    def __init__(
        self, *, database: Database, names: TableNames, content: BlobContent, workers: ProcessLocks | None
    ) -> None:
        self._database = database
        self._names = names
        self._content = content
        self._workers = workers
        self._settled = Settled() if database.is_private else None
        self._kept: KeptResources | None = {} if database.is_private else None
        self._feed = SqliteEventFeed(database=database, names=names)
        self._namespace_feed = late(self._load_namespace_feed)
        self._namespaces = SqliteNamespaceStore(
            database=database, names=names, content=content, forget_resources=self._forget_resources
        )
        self._secrets = SqliteSecretStore(database=database)
        self._health = SqliteHealth(database=database, names=names, content=content)

    def in_epoch(self, epoch: Epoch) -> Stores:
        """Return the roles for an epoch; those of its workflows are loaded when something is asked of them."""
        database, names, fresh = self._database, self._names, FreshJobs()

        def load_workflows() -> WorkflowStore:
            from civitai_mock.storage.sqlite.workflows import SqliteWorkflowStore

            return SqliteWorkflowStore(database=database, names=names, epoch=epoch, settled=self._settled, fresh=fresh)

        def load_announcements() -> WorkflowOutbox:
            from civitai_mock.storage.sqlite.workflow_outbox import SqliteWorkflowOutbox

            return SqliteWorkflowOutbox(database=database, names=names, epoch=epoch)

        def load_namespace_events() -> NamespaceEventStore:
            from civitai_mock.storage.sqlite.namespace_events import SqliteNamespaceEventStore

            return SqliteNamespaceEventStore(database=database, names=names, epoch=epoch)

        def load_fleet() -> FleetStore:
            from civitai_mock.storage.sqlite.fleet import SqliteFleetStore

            return SqliteFleetStore(database=database, names=names, epoch=epoch)

        def load_snapshots() -> "SnapshotStore":
            from civitai_mock.storage.sqlite.snapshots import SqliteSnapshotStore

            return SqliteSnapshotStore(database=database, names=names, epoch=epoch)

        return Stores(
            jobs=SqliteJobStore(database=database, names=names, epoch=epoch, settled=self._settled, fresh=fresh),
            queue=SqliteJobQueue(database=database, names=names, epoch=epoch, workers=self._workers, fresh=fresh),
            search=SqliteJobSearch(database=database, names=names, epoch=epoch),
            webhooks=SqliteWebhookOutbox(database=database, names=names, epoch=epoch),
            workflows=late(load_workflows),
            announcements=late(load_announcements),
            resources=SqliteResourceStore(database=database, names=names, epoch=epoch, kept=self._kept),
            blobs=SqliteBlobStore(database=database, epoch=epoch, content=self._content),
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
        from civitai_mock.storage.sqlite.namespace_events import SqliteNamespaceEventFeed

        return SqliteNamespaceEventFeed(database=self._database, names=self._names)

    def _forget_resources(self) -> None:
        if self._kept is not None:
            self._kept.clear()
