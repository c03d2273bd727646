"""The use cases of snapshots, which are loaded together for the first of them."""

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.services.snapshots.restore import RestoreNamespace
from civitai_mock.services.snapshots.save import SaveNamespace


@dataclass(frozen=True, slots=True, kw_only=True)
class NamespaceSnapshots:
    """Saves and restores namespaces; neither a zip nor what it unpacks to may be larger than `most_bytes`."""

    most_bytes: int
    save: SaveNamespace
    restore: RestoreNamespace
