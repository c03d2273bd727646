"""An ecosystem is a model family, whose kinds of models have graph shapes of their own."""

import re
from collections.abc import Mapping

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.resource import NAME_FIELDS, Resource
from civitai_mock.domain.sampling import Sampling
from civitai_mock.generation.work import FileRole

CHECKPOINT = "checkpoint"
USUAL_SAMPLING = Sampling("dpmpp_2m", "karras")


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """Holds what a request gets where it says nothing."""

    width: int
    height: int
    steps: int
    cfg_scale: float
    sampling: Sampling
    clip_skip: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelKind:
    """Describes models that are used alike; `skeletons` names graphs for the same image, the best first.

    A resource is of this kind if one of its names has the `mark`, or if it is one of these `versions` of Civitai.
    """

    name: str
    skeletons: tuple[str, ...]
    defaults: Defaults
    mark: str | None = None
    versions: frozenset[str] = frozenset()

    def includes(self, resource: Resource) -> bool:
        if resource.air.version_id in self.versions:
            return True
        return self.mark is not None and re.search(self.mark, _names(resource), re.IGNORECASE) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ecosystem:
    """Describes a model family; `aliases` are ecosystems built on this one.

    A model that is of none of the other `kinds` is of the first one. `undefined` completes the sampling of a request
    that leaves the choice to the server. `model_types` are the AIR types that the model loaders take, `model_files` are
    the files that may be models, as a regular expression for each input that takes one, and `roles` are those of the
    other files that the skeletons name. Where `has_clip_skip` is false a `clipSkip` changes nothing; where
    `has_refiner`, there are checkpoints that only do the last steps.
    """

    name: str
    aliases: tuple[str, ...]
    kinds: tuple[ModelKind, ...]
    model_files: Mapping[str, str]
    roles: tuple[FileRole, ...] = ()
    undefined: Sampling = USUAL_SAMPLING
    model_types: frozenset[str] = frozenset({CHECKPOINT})
    has_clip_skip: bool = True
    has_refiner: bool = False

    def kind_of(self, model: Resource) -> ModelKind:
        """Return the kind of a model, which its names tell."""
        return next((kind for kind in self.kinds[1:] if kind.includes(model)), self.kinds[0])

    def kind(self, name: str | None) -> ModelKind:
        """Return the kind that a job was stored with; the first one for a job from before there were others."""
        return next((kind for kind in self.kinds if kind.name == name), self.kinds[0])


def _names(resource: Resource) -> str:
    names = (resource.fields.get(name) for name in ("fileName", *NAME_FIELDS))
    return "\n".join(name for name in names if isinstance(name, str))
