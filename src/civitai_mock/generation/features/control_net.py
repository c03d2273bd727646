"""Pictures that guide the drawing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from civitai_mock.domain.dotnet import plain_number
from civitai_mock.generation.draft import Draft
from civitai_mock.generation.features.loading import load_picture
from civitai_mock.generation.features.preprocessors import Recipe, title_of
from civitai_mock.generation.graph import Link, Value


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlNet:
    """`picture` is the name that the graph reads it under; `start` and `end` are fractions of all steps."""

    picture: str
    preprocessor: str
    recipe: Recipe
    file_name: str
    weight: float
    start: float
    end: float

    @property
    def inputs(self) -> Mapping[str, Value]:
        """Those that are no links."""
        return {
            "strength": plain_number(self.weight),
            "start_percent": plain_number(self.start),
            "end_percent": plain_number(self.end),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlNets:
    """Each acts on what the one before made of the conditionings; `resolution` is the preprocessors' shorter side."""

    control_nets: Sequence[ControlNet]
    resolution: int

    def apply(self, draft: Draft) -> None:
        """What several have in common is done once."""
        for net in self.control_nets:
            picture = load_picture(draft, net.picture)
            file = draft.load("ControlNetLoader", {"control_net_name": net.file_name})
            _insert(draft, {**net.inputs, "control_net": file, "image": self._preprocessed(draft, net, picture)})

    def _preprocessed(self, draft: Draft, net: ControlNet, picture: Link) -> Link:
        for step in net.recipe:
            resolution = {"resolution": self.resolution} if step.has_resolution else {}
            inputs = {**step.inputs, **resolution, step.picture_input: picture}
            picture = draft.load(step.class_type, inputs, title=title_of(net.preprocessor, step))
        return picture


def _insert(draft: Draft, inputs: Mapping[str, Value]) -> None:
    """The node wants two conditionings; an ecosystem that has no negative one uses only the first that comes out."""
    inputs = {**inputs, "vae": draft.source("vae")}
    if draft.has("negative"):
        both = {"positive": "positive", "negative": "negative"}
        draft.insert("ControlNetApplyAdvanced", inputs, behind=both)
    else:
        alone = {**inputs, "negative": draft.source("positive")}
        draft.insert("ControlNetApplyAdvanced", alone, behind={"positive": "positive"})
