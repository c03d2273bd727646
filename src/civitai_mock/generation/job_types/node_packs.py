"""Job types that prepare ComfyUI for graphs: snapshots of packs of nodes."""

import hashlib
from typing import ClassVar

from civitai_mock.domain.air import Air
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.generation.file_recipes import PlaceholderRecipe
from civitai_mock.generation.job_types.draft import CompleteSpec, PlannedFile
from civitai_mock.generation.work import MediaWork

TAR, JSON = "application/x-tar", "application/json"
FILE_TYPES = (TAR, JSON, TAR)  # the layer of an image, what its nodes are, and what the browser loads


@dataclass(frozen=True, slots=True, kw_only=True)
class NodePacksSpec(CompleteSpec):
    """Makes three small files for each pack of nodes: nothing is installed."""

    job_type: ClassVar[str] = "NodePacks"
    cost: ClassVar[float] = 1

    node_packs: tuple[str, ...]

    def files(self) -> tuple[PlannedFile, ...]:
        return tuple(PlannedFile(content_type=kind) for kind in FILE_TYPES * len(self.node_packs))

    def own_work(self) -> MediaWork:
        recipes = tuple(PlaceholderRecipe(content_type=kind) for kind in FILE_TYPES)
        return MediaWork(files=recipes * len(self.node_packs), seconds=2.0)


def layer_air(node_pack: str) -> Air:
    """Return what a graph names among its resources to have the nodes of a pack."""
    digest = hashlib.sha256(node_pack.encode()).hexdigest()
    return Air(ecosystem="comfy", type="nodepack", source="civitai", id=digest[:16], version="1")
