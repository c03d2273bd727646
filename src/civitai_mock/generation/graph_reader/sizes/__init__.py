"""Size and number of the images, masks and latents that ComfyUI's own nodes give out, by the class of a node."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from civitai_mock.generation.graph_reader.facts import ImageBatch
from civitai_mock.generation.graph_reader.sizes import batches, images, latents, masks, videos
from civitai_mock.generation.graph_reader.sizes.node_view import NodeView

Rule: TypeAlias = Callable[[NodeView], ImageBatch]

RULES: Mapping[str, Rule] = {**batches.RULES, **images.RULES, **latents.RULES, **masks.RULES, **videos.RULES}
