"""Names of the files that a graph makes: as assets of its job, and as ComfyUI would call them on its disk."""

import re
from collections import Counter
from dataclasses import field
from urllib.parse import quote, unquote

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.json_types import as_object, as_text
from civitai_mock.generation.graph import Graph
from civitai_mock.generation.graph_reader.outputs import NO_OUTPUT, OUTPUTS

PREFIX_INPUT = "filename_prefix"
USUAL_PREFIX = "ComfyUI"
LONGEST_PREFIX = 40
UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")  # in the id of a blob
TRACE = "trace"  # the name of the asset that tells what happened
PREVIEW_CLASSES = "Preview"  # begin so, also in packs


def is_preview(class_type: str) -> bool:
    """Return whether the files of a node are only shown: ComfyUI keeps them in its temp folder."""
    return OUTPUTS.get(class_type, NO_OUTPUT).is_temp or class_type.startswith(PREVIEW_CLASSES)


def node_of_asset(name: str) -> str:
    """Return the id of the node that has made an asset."""
    return unquote(name.rpartition("_")[0])


@dataclass(slots=True, kw_only=True)
class OutputNames:
    """Gives names to the files of one graph, in their order."""

    graph: Graph
    _of_node: Counter[str] = field(default_factory=Counter)
    _of_prefix: Counter[str] = field(default_factory=Counter)

    def asset(self, node_id: str, suffix: str) -> str:
        """Return the name of an asset: its node, its place among the files of that node, and a suffix with a dot."""
        name = f"{quote(node_id, safe=':')}_{self._of_node[node_id]}{suffix}"
        self._of_node[node_id] += 1
        return name

    def file(self, node_id: str, suffix: str) -> str:
        """Return the name of a file as ComfyUI gives it in an empty folder; it may be part of a blob's id."""
        inputs = as_object(as_object(self.graph.get(node_id)).get("inputs"))
        last = as_text(inputs.get(PREFIX_INPUT)).rpartition("/")[2]
        prefix = UNSAFE.sub("_", last)[:LONGEST_PREFIX] or USUAL_PREFIX
        self._of_prefix[prefix] += 1
        return f"{prefix}_{self._of_prefix[prefix]:05}_{suffix}"
