"""Ports of a store for resources, blobs, secrets and its health, and all roles of an open store together."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from civitai_mock.domain.air import Air, Reference
from civitai_mock.domain.blob import Blob, BlobFacts, UndrawnBlob
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.json_types import ReadOnlyJson
from civitai_mock.domain.namespaces import Epoch
from civitai_mock.domain.resource import Resource
from civitai_mock.ports.fleet import FleetStore
from civitai_mock.ports.jobs import EventFeed, JobQueue, JobSearch, JobStore, WebhookOutbox
from civitai_mock.ports.namespace_events import NamespaceEventFeed, NamespaceEventStore
from civitai_mock.ports.namespaces import NamespaceStore
from civitai_mock.ports.workflows import WorkflowOutbox, WorkflowStore

if TYPE_CHECKING:
    from civitai_mock.ports.snapshots import SnapshotStore


class NewerSchemaError(Exception):
    """Raised for a store that a later version of this program has written to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourcePage:
    """A page of a search; `total` counts all that match."""

    total: int
    items: Sequence[Resource]


class ResourceStore(Protocol):
    """Stores resources by AIR, in any case. Every method raises `TransientError` while the store is away.

    There is never more than one resource with one `Air.identity`, however many processes add some at once.
    """

    async def add(self, resource: Resource) -> None:
        """Store a new resource; raise `ConflictError` if one with its identity exists already."""
        ...

    async def add_missing(self, resources: Sequence[Resource]) -> int:
        """Store the resources whose identity is new, and return how many these are."""
        ...

    async def find(self, references: Sequence[Reference]) -> Mapping[str, Resource]:
        """Return the known resources by `str(reference)`; see `domain.resource.named`."""
        ...

    async def replace(self, resource: Resource) -> bool:
        """Put a resource, with its spelling, in the place of the one with its identity; False if there is none."""
        ...

    async def delete(self, air: Air) -> bool:
        """Delete the resource with that identity; False if there is none."""
        ...

    async def search(self, query: str, *, offset: int, limit: int) -> ResourcePage:
        """Return resources in order of AIR whose `Resource.search_text` has `query` literally, in any case."""
        ...


class BlobStore(Protocol):
    """Stores bytes, and images to be drawn, by key. Every method raises `TransientError` while the store is away."""

    async def put(
        self,
        key: str,
        content: AsyncIterator[bytes],
        *,
        content_type: str,
        keep_until: datetime,
        owner: str | None = None,
        facts: BlobFacts | None = None,
        fault: ReadOnlyJson | None = None,
    ) -> Blob:
        """Store or replace a blob: all of it or nothing, durable on return; the etag is a digest of the bytes."""
        ...

    async def put_undrawn(self, blobs: Sequence[UndrawnBlob]) -> None:
        """Store or replace blobs, all of them or none, durable on return; what the keys had before is gone."""
        ...

    async def describe(self, key: str, facts: BlobFacts, *, keep_until: datetime) -> bool:
        """Change what is known of a blob, and how long it is kept; False if there is none."""
        ...

    async def fill(self, blob: UndrawnBlob, content: AsyncIterator[bytes]) -> Blob | None:
        """Put the bytes of an undrawn blob in the place of its recipe, as `put` does.

        Return None, and change nothing, if the key does not have this recipe any more.
        """
        ...

    async def set_fault(self, key: str, fault: ReadOnlyJson, *, before: ReadOnlyJson | None) -> bool:
        """Keep a fault with a blob that has the one of `before`, drawn or not; False if it has another, or is gone."""
        ...

    async def stat(self, key: str) -> Blob | UndrawnBlob | None: ...

    def read(self, key: str, *, start: int, stop: int) -> AsyncIterator[bytes]:
        """Yield bytes `start` to `stop` (exclusive) in bounded chunks; raise `NotFoundError` if there are none."""
        ...

    async def delete(self, key: str) -> bool:
        """Delete a blob; False if there is none."""
        ...

    async def sweep(self, now: datetime) -> int:
        """Delete blobs whose `keep_until` has passed, and return how many these are."""
        ...


class SecretStore(Protocol):
    """Keeps random keys that all processes on one store share."""

    async def secret(self, name: str) -> bytes:
        """Return 32 bytes, which are drawn at first use."""
        ...


class StoreHealth(Protocol):
    """Says whether the store can be used now; `description` names it to people, and `schema_version` what it holds."""

    description: str
    schema_version: int

    async def ping(self) -> None:
        """Raise `TransientError` within a few seconds if the store cannot be used."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """One open store by the roles that it plays; whoever opened it closes it.

    Those for workflows, snapshots, events of namespaces and fleets are `late`.

    All but the last five work on one epoch of a namespace; `in_epoch` returns the roles for another one. What `open`
    functions yield works on the first epoch of the default namespace.
    """

    jobs: JobStore
    queue: JobQueue
    search: JobSearch
    webhooks: WebhookOutbox
    workflows: WorkflowStore
    announcements: WorkflowOutbox
    resources: ResourceStore
    blobs: BlobStore
    snapshots: "SnapshotStore"
    namespace_events: NamespaceEventStore
    fleet: FleetStore
    in_epoch: Callable[[Epoch], "Stores"]
    feed: EventFeed
    namespace_feed: NamespaceEventFeed
    namespaces: NamespaceStore
    secrets: SecretStore
    health: StoreHealth
