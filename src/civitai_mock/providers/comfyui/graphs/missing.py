"""The one account of a file that a graph wants and a server does not give, whatever way that was found out."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from civitai_mock.domain.errors import JobError
from civitai_mock.domain.job import JobResource
from civitai_mock.domain.json_types import JsonObject, ReadOnlyJson, as_object, as_text
from civitai_mock.providers.comfyui.graphs.catalogue import Catalogue, folder_of
from civitai_mock.providers.comfyui.graphs.file_names import Names, Resources, base_of, match, nearest, normal, several

MOST_CANDIDATES = 10
NO_NAMES = Names(())


class Reason(StrEnum):
    """Why a file was not taken."""

    ABSENT = "absent"
    AMBIGUOUS = "ambiguous"
    UNFIT = "unfit"


@dataclass(frozen=True, kw_only=True)
class Missing:
    """`names` is the list without it; `resource` is known for what a job asked for by an AIR.

    Where another file could have played its part, `replaceable`, there is none of those either. The `unfit` names are
    those of files that are there, and that no prompt text can name.
    """

    wanted: str
    folder: str
    resource: JobResource | None
    names: Names = field(compare=False, repr=False)
    unfit: Names = field(default=NO_NAMES, compare=False, repr=False)
    replaceable: bool = False

    @property
    def reason(self) -> Reason:
        if self.candidates:
            return Reason.AMBIGUOUS
        return Reason.UNFIT if self._unfit_name else Reason.ABSENT

    @cached_property
    def nearest(self) -> tuple[str, ...]:
        """Looked for only where somebody reads it: that takes long, and most jobs find their file on another server."""
        return nearest(self.wanted, self.names)

    @cached_property
    def candidates(self) -> tuple[str, ...]:
        """Return the candidates that are equally good."""
        return self._several[1]

    @cached_property
    def _several(self) -> tuple[str, tuple[str, ...]]:
        return several(self.wanted, self.names, self.resource)

    @cached_property
    def _unfit_name(self) -> str | None:
        return match(self.wanted, self.unfit, self.resource)

    @property
    def title(self) -> str:
        air = f" ({self.resource.air})" if self.resource else ""
        return f"'{self.wanted}'{air}"

    def __str__(self) -> str:
        match self.reason:
            case Reason.AMBIGUOUS:
                return f"{self.title} is in {self.folder} more than once{self._ambiguity}"
            case Reason.UNFIT:
                return (
                    f"{self.title} is in {self.folder} as '{self._unfit_name}', and no prompt can name a file with"
                    " white space in its name; rename it"
                )
            case Reason.ABSENT:
                substitutes = ", nor is anything that can take its place" if self.replaceable else ""
                nearest = f"nearest: {', '.join(self.nearest)}" if self.nearest else "nothing like it there"
                return f"{self.title} is not in {self.folder}{substitutes} ({nearest})"

    @property
    def _ambiguity(self) -> str:
        by, found = self._several
        more = f" and {len(found) - MOST_CANDIDATES} more" if len(found) > MOST_CANDIDATES else ""
        listed = f"{', '.join(found[:MOST_CANDIDATES])}{more}"
        if not by and all(base_of(name) == normal(self.wanted) for name in found):
            return f": {listed}; give the folder {'in `fileName`' if self.resource else 'as well'}"
        found_by = f" by its {by}" if by else ""
        return f"{found_by}: {listed}; give one of them {'as `fileName`' if self.resource else 'in its place'}"

    @property
    def evidence(self) -> JsonObject:
        told: JsonObject = {
            "file": self.wanted,
            "folder": self.folder,
            "reason": str(self.reason),
            "nearest": list(self.nearest),
        }
        air: JsonObject = {"air": str(self.resource.air)} if self.resource else {}
        candidates: JsonObject = {"candidates": list(self.candidates[:MOST_CANDIDATES])} if self.candidates else {}
        return {**told, **air, **candidates}


def cannot_run(lacking: Sequence[str], missing: Sequence[Missing], unknown_classes: Sequence[str] = ()) -> JobError:
    """What ends a job that no server has the files or the nodes for."""
    return JobError(
        "No ComfyUI server can run this graph: " + "; ".join(lacking) + ".",
        missing=[one.evidence for one in missing],
        unknown_classes=list(unknown_classes),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A graph in a server's names, and what it was made from."""

    graph: ReadOnlyJson
    catalogue: Catalogue
    resources: Resources

    def missed(self, node_id: str, input_name: str) -> Missing | None:
        """The file that an input names, if it is one, though the server says that it is not there."""
        node = as_object(self.graph.get(node_id))
        class_type, name = as_text(node.get("class_type")), as_text(as_object(node.get("inputs")).get(input_name))
        names = self.catalogue.choices.get(class_type, {}).get(input_name)
        if not name or names is None or not names.are_weights:
            return None
        resource = self._resource(name, names)
        return Missing(
            wanted=resource.file_name if resource else name,
            folder=folder_of(class_type, input_name),
            resource=resource,
            names=Names(tuple(other for other in names.all if other != name)),
        )

    def mentioned(self, node_id: str, text: str) -> Missing | None:
        """The file of a node that an error speaks of."""
        inputs = as_object(as_object(self.graph.get(node_id)).get("inputs"))
        bases = {name: base_of(as_text(value)) for name, value in inputs.items()}
        named = [name for name, base in bases.items() if base and base in text.casefold()]
        return next((found for name in named if (found := self.missed(node_id, name))), None)

    def _resource(self, name: str, names: Names) -> JobResource | None:
        found = (one for one in self.resources.values() if match(one.file_name, names, one) == name)
        return next(found, None)
