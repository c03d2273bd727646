"""Compare graphs: what is different in two complete ComfyUI node maps, by the places of the differences."""

from collections.abc import Iterator

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.json_types import Json, ReadOnlyJson, as_object


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphChange:
    """Is one difference: at `path` (`KSampler.inputs.seed`), `before` became `after`; None if it is not there."""

    path: str
    before: Json
    after: Json


def graph_changes(before: ReadOnlyJson, after: ReadOnlyJson) -> Iterator[GraphChange]:
    """Yield what has to be changed in one graph to get the other, node by node; titles change nothing."""
    for node_id in dict.fromkeys([*before, *after]):
        if node_id in before and node_id in after:
            yield from _node_changes(node_id, as_object(before[node_id]), as_object(after[node_id]))
        else:
            yield GraphChange(path=node_id, before=before.get(node_id), after=after.get(node_id))


def _node_changes(node_id: str, before: ReadOnlyJson, after: ReadOnlyJson) -> Iterator[GraphChange]:
    if before.get("class_type") != after.get("class_type"):
        path = f"{node_id}.class_type"
        yield GraphChange(path=path, before=before.get("class_type"), after=after.get("class_type"))
    old, new = as_object(before.get("inputs")), as_object(after.get("inputs"))
    for name in dict.fromkeys([*old, *new]):
        if old.get(name) != new.get(name) or (name in old) != (name in new):
            yield GraphChange(path=f"{node_id}.inputs.{name}", before=old.get(name), after=new.get(name))
