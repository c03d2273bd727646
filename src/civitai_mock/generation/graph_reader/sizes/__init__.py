"""Size and number of the pictures, masks and latents that ComfyUI's own nodes give out, by the class of a node."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from civitai_mock.generation.graph_reader.facts import Frame
from civitai_mock.generation.graph_reader.sizes import batches, images, latents, masks, videos
from civitai_mock.generation.graph_reader.sizes.node_view import Sight

Rule: TypeAlias = Callable[[Sight], Frame]

RULES: Mapping[str, Rule] = {**batches.RULES, **images.RULES, **latents.RULES, **masks.RULES, **videos.RULES}
