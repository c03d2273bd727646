"""Ports: the protocols by which the core reaches stores, providers, the clock and random ids."""

from civitai_mock.ports.files import FileInspector
from civitai_mock.ports.fleet import FleetStore
from civitai_mock.ports.jobs import EventFeed, JobQueue, JobSearch, JobStore, WebhookOutbox
from civitai_mock.ports.late import late
from civitai_mock.ports.metrics import Metrics
from civitai_mock.ports.namespace_events import NamespaceEventFeed, NamespaceEventStore
from civitai_mock.ports.namespaces import NamespaceStore
from civitai_mock.ports.provider import (
    Artist,
    InputFile,
    LoadInput,
    Output,
    Outputs,
    Preview,
    Progress,
    Provider,
    Receipt,
    Servers,
    Submission,
    UndrawnOutput,
    WorkerReport,
    Workforce,
)
from civitai_mock.ports.stores import (
    BlobStore,
    NewerSchemaError,
    ResourcePage,
    ResourceStore,
    SecretStore,
    StoreHealth,
    Stores,
)
from civitai_mock.ports.system import Clock, Ids, MovedClock, Sleep, Timer
from civitai_mock.ports.tracing import RecordSpan, Span, SpanKind
from civitai_mock.ports.workflows import WorkflowOutbox, WorkflowStore

__all__ = [
    "Artist",
    "BlobStore",
    "Clock",
    "EventFeed",
    "FileInspector",
    "FleetStore",
    "Ids",
    "InputFile",
    "JobQueue",
    "JobSearch",
    "JobStore",
    "LoadInput",
    "Metrics",
    "MovedClock",
    "NamespaceEventFeed",
    "NamespaceEventStore",
    "NamespaceStore",
    "NewerSchemaError",
    "Output",
    "Outputs",
    "Preview",
    "Progress",
    "Provider",
    "Receipt",
    "RecordSpan",
    "ResourcePage",
    "ResourceStore",
    "SecretStore",
    "Servers",
    "Sleep",
    "Span",
    "SpanKind",
    "StoreHealth",
    "Stores",
    "Submission",
    "Timer",
    "UndrawnOutput",
    "WebhookOutbox",
    "WorkerReport",
    "WorkflowOutbox",
    "WorkflowStore",
    "Workforce",
    "late",
]
