"""Describe files that a graph wants and a server does not have, in the same words however that was found out."""

from collections.abc import Sequence
from dataclasses import field
from enum import StrEnum
from functools import cached_property

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import JobError
from civitai_mock.domain.job import JobResource
from civitai_mock.domain.json_types import JsonObject, ReadOnlyJson, as_object, as_text
from civitai_mock.providers.comfyui.graphs.catalogue import Catalogue, folder_of
from civitai_mock.providers.comfyui.graphs.file_names import (
    Names,
    Resources,
    base_name,
    find_ambiguous,
    find_name,
    nearest_names,
    normalized,
)

MOST_CANDIDATES = 10
NO_NAMES = Names(())


class MissingReason(StrEnum):
    """Says why no file was taken."""

    ABSENT = "absent"
    AMBIGUOUS = "ambiguous"
    UNFIT = "unfit"


@dataclass(frozen=True, kw_only=True)
class MissingFile:
    """Is a file that `names`, the server's list, does not have; `resource` is set if the job asked for it by an AIR.

    A `replaceable` file could be replaced by others in its role, of which there are none either. The `unfit` names
    are of files that are there, but that no prompt text can name.
    """

    wanted: str
    folder: str
    resource: JobResource | None
    names: Names = field(compare=False, repr=False)
    unfit: Names = field(default=NO_NAMES, compare=False, repr=False)
    replaceable: bool = False

    @property
    def reason(self) -> MissingReason:
        if self.candidates:
            return MissingReason.AMBIGUOUS
        return MissingReason.UNFIT if self._unfit_name else MissingReason.ABSENT

    @cached_property
    def nearest(self) -> tuple[str, ...]:
        """Return similar names, searched only when read: it takes long, and most jobs find their file elsewhere."""
        return nearest_names(self.wanted, self.names)

    @cached_property
    def candidates(self) -> tuple[str, ...]:
        """Return all names that are equally good."""
        return self._ambiguous[1]

    @cached_property
    def _ambiguous(self) -> tuple[str, tuple[str, ...]]:
        return find_ambiguous(self.wanted, self.names, self.resource)

    @cached_property
    def _unfit_name(self) -> str | None:
        return find_name(self.wanted, self.unfit, self.resource)

    @property
    def title(self) -> str:
        air = f" ({self.resource.air})" if self.resource else ""
        return f"'{self.wanted}'{air}"

    def __str__(self) -> str:
        match self.reason:
            case MissingReason.AMBIGUOUS:
                return f"{self.title} is in {self.folder} more than once{self._ambiguity}"
            case MissingReason.UNFIT:
                return (
                    f"{self.title} is in {self.folder} as '{self._unfit_name}', and no prompt can name a file with"
                    " white space in its name; rename it"
                )
            case MissingReason.ABSENT:
                substitutes = ", nor is anything that can take its place" if self.replaceable else ""
                nearest = f"nearest: {', '.join(self.nearest)}" if self.nearest else "nothing like it there"
                return f"{self.title} is not in {self.folder}{substitutes} ({nearest})"

    @property
    def _ambiguity(self) -> str:
        by, found = self._ambiguous
        more = f" and {len(found) - MOST_CANDIDATES} more" if len(found) > MOST_CANDIDATES else ""
        listed = f"{', '.join(found[:MOST_CANDIDATES])}{more}"
        if not by and all(base_name(name) == normalized(self.wanted) for name in found):
            return f": {listed}; give the folder {'in `fileName`' if self.resource else 'as well'}"
        found_by = f" by its {by}" if by else ""
        return f"{found_by}: {listed}; give one of them {'as `fileName`' if self.resource else 'in its place'}"

    @property
    def evidence(self) -> JsonObject:
        facts: JsonObject = {
            "file": self.wanted,
            "folder": self.folder,
            "reason": str(self.reason),
            "nearest": list(self.nearest),
        }
        air: JsonObject = {"air": str(self.resource.air)} if self.resource else {}
        candidates: JsonObject = {"candidates": list(self.candidates[:MOST_CANDIDATES])} if self.candidates else {}
        return {**facts, **air, **candidates}


def unrunnable_error(
    reasons: Sequence[str], missing: Sequence[MissingFile], unknown_classes: Sequence[str] = ()
) -> JobError:
    """Return the error that ends a job whose files or nodes no server has."""
    return JobError(
        "No ComfyUI server can run this graph: " + "; ".join(reasons) + ".",
        missing=[file.evidence for file in missing],
        unknown_classes=list(unknown_classes),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SentGraph:
    """Is a graph as it was sent, in a server's own names, with the lists and resources that the names came from."""

    graph: ReadOnlyJson
    catalogue: Catalogue
    resources: Resources

    def find_missing(self, node_id: str, input_name: str) -> MissingFile | None:
        """Return the file that an input names, as missing: the server says so, whatever its lists say."""
        node = as_object(self.graph.get(node_id))
        class_type, name = as_text(node.get("class_type")), as_text(as_object(node.get("inputs")).get(input_name))
        names = self.catalogue.choices.get(class_type, {}).get(input_name)
        if not name or names is None or not names.are_weights:
            return None
        resource = self._resource(name, names)
        return MissingFile(
            wanted=resource.file_name if resource else name,
            folder=folder_of(class_type, input_name),
            resource=resource,
            names=Names(tuple(other for other in names.all if other != name)),
        )

    def find_mentioned(self, node_id: str, text: str) -> MissingFile | None:
        """Return the file of a node that the text of an error mentions, as missing."""
        inputs = as_object(as_object(self.graph.get(node_id)).get("inputs"))
        bases = {name: base_name(as_text(value)) for name, value in inputs.items()}
        named = [name for name, base in bases.items() if base and base in text.casefold()]
        return next((found for name in named if (found := self.find_missing(node_id, name))), None)

    def _resource(self, name: str, names: Names) -> JobResource | None:
        resources = self.resources.values()
        return next((item for item in resources if find_name(item.file_name, names, item) == name), None)
