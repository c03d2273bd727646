"""Pictures from a prompt text: what such a job asks of an ecosystem, as a graph."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from civitai_mock.domain.dotnet import plain_number
from civitai_mock.domain.json_types import Json
from civitai_mock.generation.draft import Draft
from civitai_mock.generation.ecosystem import Ecosystem
from civitai_mock.generation.graph import Graph
from civitai_mock.generation.network import Network, NetworkKind
from civitai_mock.generation.network_tags import AppliedTag
from civitai_mock.generation.picture.params import CompleteParams
from civitai_mock.generation.prompts.brackets import shallow
from civitai_mock.generation.prompts.syntax import comfyui_text
from civitai_mock.generation.prompts.text import PromptTexts
from civitai_mock.generation.skeleton import Skeleton


class Feature(Protocol):
    """What a picture has beyond a prompt text and networks."""

    def apply(self, draft: Draft) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """`networks`, then those of the `tags`, and then the features, are applied in their order.

    `variants` are ways to do something more, each with features of its own, the best first: servers differ in what
    they can do. There is one that does nothing where nothing more is to be done.
    `file_prefix` keeps ComfyUI from answering with another job's file.
    """

    ecosystem: Ecosystem
    model_file: str
    params: CompleteParams
    networks: Sequence[tuple[NetworkKind, Network]]
    quantity: int
    file_prefix: str
    tags: Sequence[AppliedTag] = ()
    features: Sequence[Feature] = ()
    variants: Sequence[Sequence[Feature]] = ((),)

    def graphs(self, skeletons: Sequence[Skeleton]) -> tuple[Graph, ...]:
        """All for the same picture, the best first: each variant on each of the skeletons."""
        return tuple(self._graph(skeleton, variant) for skeleton in skeletons for variant in self.variants)

    def _graph(self, skeleton: Skeleton, variant: Sequence[Feature]) -> Graph:
        """A slot that the skeleton lacks is a value that the ecosystem has no use for (a negative prompt of FLUX.1)."""
        draft = Draft(skeleton)
        for slot, value in self._values().items():
            draft.fill(slot, value)
        self._load_networks(draft)
        self._skip_clip_layers(draft)
        for feature in (*variant, *self.features):
            feature.apply(draft)
        return draft.graph()

    def tags_by_node(self, skeleton: Skeleton) -> Mapping[str, str]:
        """Each tag by the node that loads what it asks for: the same in all graphs, as networks come first in them."""
        return self._load_networks(Draft(skeleton))

    def _load_networks(self, draft: Draft) -> Mapping[str, str]:
        """Return each tag by its node."""
        for kind, network in self.networks:
            if kind.load is not None:
                kind.load(draft, network)
        loaded = {found.kind.load(draft, found.network): found.tag for found in self.tags if found.kind.load}
        return {node_id: tag for node_id, tag in loaded.items() if node_id is not None}

    def _values(self) -> Mapping[str, Json]:
        """Sides that are no multiples of 8 stay as they are: ComfyUI rounds them down itself."""
        params, texts = self.params, self._texts()
        sampling = self.ecosystem.sampling(params.scheduler)
        return {
            "model": self.model_file,
            "prompt": texts.positive,
            "negative_prompt": texts.negative,
            "sampler": sampling.sampler,
            "noise_schedule": sampling.noise_schedule,
            "seed": params.seed,
            "steps": params.steps,
            "cfg_scale": plain_number(params.cfg_scale),
            "width": params.width,
            "height": params.height,
            "quantity": self.quantity,
            "file_prefix": self.file_prefix,
        }

    def _texts(self) -> PromptTexts:
        positive, negative = self.params.prompt or "", self.params.negative_prompt or ""
        texts = PromptTexts(positive=comfyui_text(positive), negative=comfyui_text(negative))
        for kind, network in self.networks:
            texts = kind.write(texts, network)
        return PromptTexts(positive=shallow(texts.positive), negative=shallow(texts.negative))

    def _skip_clip_layers(self, draft: Draft) -> None:
        """Behind the networks, which have to see the whole text encoder."""
        skip = self.params.clip_skip or 1
        if skip > 1 and self.ecosystem.has_clip_skip:
            draft.insert("CLIPSetLastLayer", {"stop_at_clip_layer": -skip}, behind={"clip": "clip"})
