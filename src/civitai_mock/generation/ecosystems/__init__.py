"""The ecosystems there are: one adapter a file, beside its skeletons."""

from collections.abc import Mapping

from civitai_mock.domain.air import Air
from civitai_mock.generation.ecosystem import CHECKPOINT, Ecosystem
from civitai_mock.generation.ecosystems.flux1 import FLUX1
from civitai_mock.generation.ecosystems.sd1 import SD1
from civitai_mock.generation.ecosystems.sdxl import SDXL

ADAPTERS = (SD1, SDXL, FLUX1)

ECOSYSTEMS: Mapping[str, Ecosystem] = {
    name: adapter for adapter in ADAPTERS for name in (adapter.name, *adapter.aliases)
}
MODEL_TYPES = frozenset[str]().union(*(adapter.model_types for adapter in ADAPTERS))


def find_ecosystem(air: Air) -> Ecosystem | None:
    """The adapter for a model, in any case of its AIR."""
    return ECOSYSTEMS.get((air.ecosystem or "").lower())


def is_model(air: Air) -> bool:
    """Whether it has to be of an ecosystem that is known here; upscalers, networks and so on go with several."""
    return (air.stated_type or CHECKPOINT) in MODEL_TYPES
