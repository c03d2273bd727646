"""Translate a graph into a server's own file names, and say what keeps the server from running it."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import field, replace
from typing import TypeAlias

from civitai_mock.domain.dataclass import dataclass
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
    find_in_role,
    find_name,
    is_weights,
    normalized,
    stem_of,
)
from civitai_mock.providers.comfyui.graphs.missing import NO_NAMES, MissingFile

Roles: TypeAlias = Mapping[str, FileRole]  # by file name, see `roles_by_file`

NO_ROLES: Roles = {}
NO_REASONS: Mapping[str, str] = {}


def without_nodes(graph: ReadOnlyJson, left_out: Collection[str]) -> JsonObject:
    """Remove the nodes in `left_out`; who reads an output of one reads the link of its input in that place instead."""
    replacements = {
        Link(node_id, place): link
        for node_id in left_out
        for place, link in enumerate(filter(Link.of, as_object(as_object(graph[node_id]).get("inputs")).values()))
    }
    return {
        node_id: _relinked(as_object(node), replacements) for node_id, node in graph.items() if node_id not in left_out
    }


def _relinked(node: JsonObject, replacements: Mapping[Link, Json]) -> JsonObject:
    inputs = {name: _source(value, replacements) for name, value in as_object(node.get("inputs")).items()}
    return {**node, "inputs": inputs}


def _source(value: Json, replacements: Mapping[Link, Json]) -> Json:
    """Follow a link past any number of nodes that are left out one behind the other."""
    while (link := Link.of(value)) is not None and link in replacements:
        value = replacements[link]
    return value


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalizedGraph:
    """Is a graph in a server's own names, with what keeps the server from running it.

    It is without the nodes that are `left_out`, each with its reason.
    """

    graph: JsonObject
    left_out: Mapping[str, str] = field(default_factory=dict)
    missing: tuple[MissingFile, ...] = ()
    unknown_classes: tuple[str, ...] = ()

    @property
    def is_runnable(self) -> bool:
        return not self.missing and not self.unknown_classes

    @property
    def shortfall(self) -> tuple[int, int]:
        """Return a sort key: the more is missing the larger it is, and a node pack is more to ask for than a file."""
        return len(self.unknown_classes), len(self.missing)

    @property
    def reasons(self) -> list[str]:
        """Return why it cannot run, in words for users."""
        return [*map(self._describe_class, self.unknown_classes), *map(str, self.missing)]

    def _describe_class(self, class_type: str) -> str:
        """Describe an unknown class with the title of its node, which says what the graph wants it for."""
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
    dropped: Mapping[str, str] = NO_REASONS,
) -> LocalizedGraph:
    """Translate one graph. See `GraphWork` for `words_name_embeddings`, `Submission` for `optional` nodes.

    The `dropped` optional nodes are left out whatever the server has, each for its reason.
    """
    localizer = _Localizer(
        catalogue=catalogue, resources=resources, roles=roles, words_name_embeddings=words_name_embeddings
    )
    reasons = {
        node_id: dropped.get(node_id) or localizer.reason_to_leave_out(as_object(graph[node_id]))
        for node_id in graph
        if node_id in optional
    }
    left_out = {node_id: reason for node_id, reason in reasons.items() if reason}
    rest = without_nodes(graph, left_out) if left_out else graph
    nodes = {node_id: localizer.localize_node(as_object(node)) for node_id, node in rest.items()}
    classes = dict.fromkeys(as_text(node["class_type"]) for node in nodes.values())
    unknown = tuple(name for name in classes if name not in catalogue.choices)
    missing = tuple(dict.fromkeys(localizer.missing))
    return LocalizedGraph(graph=dict(nodes), left_out=left_out, missing=missing, unknown_classes=unknown)


def localize_best(
    graphs: Sequence[ReadOnlyJson],
    catalogue: Catalogue,
    resources: Resources,
    roles: Roles = NO_ROLES,
    *,
    words_name_embeddings: bool = False,
    optional: Collection[str] = (),
    dropped: Mapping[str, str] = NO_REASONS,
) -> LocalizedGraph:
    """Return the first of several graphs for one image that runs, or else the one that lacks the least."""
    candidates = []
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
        if found.is_runnable:
            return found
        candidates.append(found)
    return min(candidates, key=lambda found: found.shortfall)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Localizer:
    """Translates one graph into the names of one catalogue, and adds the files that are not there to `missing`."""

    catalogue: Catalogue
    resources: Resources
    roles: Roles
    words_name_embeddings: bool = False
    missing: list[MissingFile] = field(default_factory=list)

    def reason_to_leave_out(self, node: JsonObject) -> str:
        """Say why the server cannot run an optional node, or return ""; its files do not count as missing."""
        alone = replace(self, missing=[])
        class_type = as_text(alone.localize_node(node)["class_type"])
        if class_type not in self.catalogue.choices:
            return f"the server has no node '{class_type}'"
        return "; ".join(map(str, alone.missing))

    def localize_node(self, node: JsonObject) -> JsonObject:
        class_type = as_text(node.get("class_type"))
        choices = self.catalogue.choices.get(class_type, {})
        inputs: dict[str, Json] = {}
        for name, value in as_object(node.get("inputs")).items():
            if not isinstance(value, str):
                inputs[name] = value
            elif name in choices:
                inputs[name] = self._localize_file(value, choices[name], folder_of(class_type, name))
            else:
                inputs[name] = self._localize_text(self._name_embeddings(class_type, name, value))
        return {**node, "inputs": inputs}

    def _localize_file(self, wanted: str, names: Names, folder: str) -> str:
        """Find model files only: for any other list, the server's own complaint is the better one."""
        is_model = is_weights(wanted) or names.are_weights or folder in MODEL_FOLDERS
        if wanted in names.all or not is_model:
            return wanted
        return self._find(wanted, names, folder) or wanted

    def _name_embeddings(self, class_type: str, name: str, text: str) -> str:
        if self.words_name_embeddings and is_prompt_text(class_type, name):
            return with_named_embeddings(text, self.catalogue.embeddings)
        return text

    def _localize_text(self, text: str) -> str:
        """Find the job's own embeddings first: white space in their names would end them in a text."""
        for resource in dict.fromkeys(self.resources.values()):
            if " " in resource.file_name:
                text = with_whole_name(text, resource.file_name, self._find_embedding)
        return with_found_embeddings(text, self._find_embedding)

    def _find_embedding(self, wanted: str) -> str | None:
        """Find an embedding that is there, or that has to be; ComfyUI ignores any other that a text names."""
        names = self.catalogue.embeddings
        if self._resource(wanted) is None and find_name(wanted, names) is None:
            return None
        return self._find(wanted, names, EMBEDDINGS)

    def _resource(self, wanted: str) -> JobResource | None:
        return self.resources.get(normalized(wanted)) or self.resources.get(stem_of(wanted))

    def _find(self, wanted: str, names: Names, folder: str) -> str | None:
        """Return the server's name for a file; other files of its role will do unless a job asked for it by AIR."""
        resource = self._resource(wanted)
        role = None if resource else self.roles.get(wanted)
        found = find_name(wanted, names, resource) or (find_in_role(role, names) if role else None)
        if found is None:
            self.missing.append(
                MissingFile(
                    wanted=wanted,
                    folder=folder,
                    resource=resource,
                    names=names,
                    unfit=self.catalogue.unfit_embeddings if folder == EMBEDDINGS else NO_NAMES,
                    replaceable=role is not None,
                )
            )
        return found
