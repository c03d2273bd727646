"""Make what saves and restores namespaces; the module is loaded for the first of them."""

from collections.abc import Callable
from functools import partial
from importlib.metadata import version

from civitai_mock.bootstrap.blob_links import make_blob_links
from civitai_mock.bootstrap.runtime import DISTRIBUTION, Runtime
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
            most_namespaces=runtime.settings.namespaces_max,
            on_left=on_left,
            links_in=partial(make_blob_links, runtime, clock=runtime.clock),
        ),
    )
