"""Put a graph into a server's own names, and see what keeps the server from running it."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from civitai_mock.domain.job import JobResource
from civitai_mock.domain.json_types import Json, JsonObject, ReadOnlyJson, as_object, as_text
from civitai_mock.generation.comfyui_facts import EMBEDDINGS
from civitai_mock.generation.graph import Link
from civitai_mock.generation.work import FileRole
from civitai_mock.providers.comfyui.graphs.catalogue import MODEL_FOLDERS, Catalogue, folder_of
from civitai_mock.providers.comfyui.graphs.embeddings import (
    is_prompt_text,
    with_found_embeddings,
    with_named_embeddings,
    with_whole_name,
)
from civitai_mock.providers.comfyui.graphs.file_names import (
    Names,
    Resources,
    in_role,
    is_weights,
    match,
    normal,
    stem_of,
)
from civitai_mock.providers.comfyui.graphs.missing import NO_NAMES, Missing


def without_nodes(graph: ReadOnlyJson, left_out: Collection[str]) -> JsonObject:
    """Have all that read an output of a node in `left_out` read its link in that place instead."""
    instead = {
        Link(node_id, place): link
        for node_id in left_out
        for place, link in enumerate(filter(Link.of, as_object(as_object(graph[node_id]).get("inputs")).values()))
    }
    return {node_id: _relinked(as_object(node), instead) for node_id, node in graph.items() if node_id not in left_out}


def _relinked(node: JsonObject, instead: Mapping[Link, Json]) -> JsonObject:
    inputs = {name: _source(value, instead) for name, value in as_object(node.get("inputs")).items()}
    return {**node, "inputs": inputs}


def _source(value: Json, instead: Mapping[Link, Json]) -> Json:
    """Past any number of nodes that are left out one behind the other."""
    while (link := Link.of(value)) is not None and link in instead:
        value = instead[link]
    return value


Roles: TypeAlias = Mapping[str, FileRole]

NO_ROLES: Roles = {}
NOTHING: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalizedGraph:
    """A graph in a server's own names, and what keeps it from being run.

    It is without the nodes that are `left_out`, each with its reason.
    """

    graph: JsonObject
    left_out: Mapping[str, str] = field(default_factory=dict)
    missing: tuple[Missing, ...] = ()
    unknown_classes: tuple[str, ...] = ()

    @property
    def runs(self) -> bool:
        return not self.missing and not self.unknown_classes

    @property
    def lack(self) -> tuple[int, int]:
        """How far it is from running: a node pack is more to ask for than a file."""
        return len(self.unknown_classes), len(self.missing)

    @property
    def lacking(self) -> list[str]:
        """For whoever reads why a job failed."""
        return [*map(self._no_node, self.unknown_classes), *map(str, self.missing)]

    def _no_node(self, class_type: str) -> str:
        """With its title, which says what the graph wants it for."""
        nodes = [as_object(node) for node in self.graph.values()]
        titles = [
            as_text(as_object(node.get("_meta")).get("title")) for node in nodes if node["class_type"] == class_type
        ]
        purpose = next((f" ({title})" for title in titles if title not in {"", class_type}), "")
        return f"it has no node '{class_type}'{purpose}"


def roles_by_file(roles: Iterable[FileRole]) -> Roles:
    return {role.name: role for role in roles}


def localize(
    graph: ReadOnlyJson,
    catalogue: Catalogue,
    resources: Resources,
    roles: Roles = NO_ROLES,
    *,
    words_name_embeddings: bool = False,
    optional: Collection[str] = (),
    dropped: Mapping[str, str] = NOTHING,
) -> LocalizedGraph:
    """`GraphWork` tells of `words_name_embeddings`, `Submission` of `optional` nodes; `dropped` ones have reasons."""
    fitting = Localizer(
        catalogue=catalogue, resources=resources, roles=roles, words_name_embeddings=words_name_embeddings
    )
    lacks = {
        node_id: dropped.get(node_id) or fitting.lack_for(as_object(graph[node_id]))
        for node_id in graph
        if node_id in optional
    }
    left_out = {node_id: lack for node_id, lack in lacks.items() if lack}
    rest = without_nodes(graph, left_out) if left_out else graph
    fitted = {node_id: fitting.node(as_object(node)) for node_id, node in rest.items()}
    classes = dict.fromkeys(as_text(node["class_type"]) for node in fitted.values())
    unknown = tuple(name for name in classes if name not in catalogue.choices)
    missing = tuple(dict.fromkeys(fitting.missing))
    return LocalizedGraph(graph=dict(fitted), left_out=left_out, missing=missing, unknown_classes=unknown)


def localize_best(
    graphs: Sequence[ReadOnlyJson],
    catalogue: Catalogue,
    resources: Resources,
    roles: Roles = NO_ROLES,
    *,
    words_name_embeddings: bool = False,
    optional: Collection[str] = (),
    dropped: Mapping[str, str] = NOTHING,
) -> LocalizedGraph:
    """Of graphs for the same image, the first that runs, or else the one that lacks the least."""
    fits = []
    for graph in graphs:
        found = localize(
            graph,
            catalogue,
            resources,
            roles,
            words_name_embeddings=words_name_embeddings,
            optional=optional,
            dropped=dropped,
        )
        if found.runs:
            return found
        fits.append(found)
    return min(fits, key=lambda found: found.lack)


@dataclass(frozen=True, slots=True, kw_only=True)
class Localizer:
    """One graph on its way into the names of one catalogue; what is not there is added to `missing`."""

    catalogue: Catalogue
    resources: Resources
    roles: Roles
    words_name_embeddings: bool = False
    missing: list[Missing] = field(default_factory=list)

    def lack_for(self, node: JsonObject) -> str:
        """Why the server cannot run a node by itself, or nothing; nothing is missed for that."""
        alone = replace(self, missing=[])
        class_type = as_text(alone.node(node)["class_type"])
        if class_type not in self.catalogue.choices:
            return f"the server has no node '{class_type}'"
        return "; ".join(map(str, alone.missing))

    def node(self, node: JsonObject) -> JsonObject:
        class_type = as_text(node.get("class_type"))
        choices = self.catalogue.choices.get(class_type, {})
        inputs: dict[str, Json] = {}
        for name, value in as_object(node.get("inputs")).items():
            if not isinstance(value, str):
                inputs[name] = value
            elif name in choices:
                inputs[name] = self._file(value, choices[name], folder_of(class_type, name))
            else:
                inputs[name] = self._text(self._worded(class_type, name, value))
        return {**node, "inputs": inputs}

    def _file(self, wanted: str, names: Names, folder: str) -> str:
        """Only model files: for any other list, the server's own complaint is the better one."""
        of_models = is_weights(wanted) or names.are_weights or folder in MODEL_FOLDERS
        if wanted in names.all or not of_models:
            return wanted
        return self._find(wanted, names, folder) or wanted

    def _worded(self, class_type: str, name: str, text: str) -> str:
        if self.words_name_embeddings and is_prompt_text(class_type, name):
            return with_named_embeddings(text, self.catalogue.embeddings)
        return text

    def _text(self, text: str) -> str:
        """A job's own embeddings first, whose names may have white space that ends a name in a text."""
        for resource in dict.fromkeys(self.resources.values()):
            if " " in resource.file_name:
                text = with_whole_name(text, resource.file_name, self._embedding)
        return with_found_embeddings(text, self._embedding)

    def _embedding(self, wanted: str) -> str | None:
        """Keep a name that is there, or that has to be; ComfyUI takes no notice of any other that a text names."""
        names = self.catalogue.embeddings
        if self._resource(wanted) is None and match(wanted, names) is None:
            return None
        return self._find(wanted, names, EMBEDDINGS)

    def _resource(self, wanted: str) -> JobResource | None:
        return self.resources.get(normal(wanted)) or self.resources.get(stem_of(wanted))

    def _find(self, wanted: str, names: Names, folder: str) -> str | None:
        """A resource that a job asked for by its AIR is that file, and not what else could play a part."""
        resource = self._resource(wanted)
        role = None if resource else self.roles.get(wanted)
        found = match(wanted, names, resource) or (in_role(role, names) if role else None)
        if found is None:
            self.missing.append(
                Missing(
                    wanted=wanted,
                    folder=folder,
                    resource=resource,
                    names=names,
                    unfit=self.catalogue.unfit_embeddings if folder == EMBEDDINGS else NO_NAMES,
                    replaceable=role is not None,
                )
            )
        return found
