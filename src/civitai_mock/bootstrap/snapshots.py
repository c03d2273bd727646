"""Make what saves and restores namespaces; the module is loaded for the first of them."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from importlib.metadata import version

from civitai_mock.bootstrap.runtime import DISTRIBUTION, Runtime
from civitai_mock.services.blob_urls import OwnBlobLinks, WorkflowBlobUrls
from civitai_mock.services.blobs import BlobUrls
from civitai_mock.services.control_plane import ControlPlane
from civitai_mock.services.snapshots.restore import RestoreNamespace
from civitai_mock.services.snapshots.save import SaveNamespace
from civitai_mock.services.snapshots.use_cases import NamespaceSnapshots


def make_snapshots(runtime: Runtime, control: ControlPlane, *, on_left: Callable[[], None]) -> NamespaceSnapshots:
    """`on_left` is called when a restore that failed has left something to sweep."""
    stores, most_bytes = runtime.stores, runtime.settings.snapshot_max_bytes
    return NamespaceSnapshots(
        most_bytes=most_bytes,
        save=SaveNamespace(
            namespaces=stores.namespaces,
            in_epoch=stores.in_epoch,
            clock=runtime.clock,
            program=f"{DISTRIBUTION} {version(DISTRIBUTION)}",
            most_bytes=most_bytes,
        ),
        restore=RestoreNamespace(
            namespaces=stores.namespaces,
            in_epoch=stores.in_epoch,
            control=control,
            clock=runtime.clock,
            most_bytes=most_bytes,
            on_left=on_left,
            links_in=partial(_links_in, runtime),
        ),
    )


def _links_in(runtime: Runtime, name: str) -> OwnBlobLinks:
    """Return what signs URLs of a namespace again, for as long as they were signed before."""
    key, clock, unused = runtime.blob_key, runtime.clock, timedelta()
    return OwnBlobLinks(
        blob_urls=BlobUrls(key=key, lifetime=unused, clock=clock, namespace=name),
        workflow_blob_urls=WorkflowBlobUrls(key=key, lifetime=unused, clock=clock, namespace=name),
    )
