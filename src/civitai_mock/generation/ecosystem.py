"""An ecosystem: a model family with one graph shape."""

from dataclasses import dataclass

from civitai_mock.domain.sampling import SAMPLINGS, UNDEFINED, Sampling

CHECKPOINT = "checkpoint"


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """What a request gets that does not say; `scheduler` is one of v1's names."""

    width: int
    height: int
    steps: int
    cfg_scale: float
    scheduler: str
    clip_skip: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ecosystem:
    """The adapter of a skeleton that has the same name; `aliases` are ecosystems built on this one.

    `undefined` is the sampling of a request that leaves the choice to the server, `model_types` are the AIR types
    that its model loader takes. Where `has_clip_skip` is false a `clipSkip` changes nothing.
    """

    name: str
    aliases: tuple[str, ...]
    defaults: Defaults
    undefined: Sampling = SAMPLINGS[UNDEFINED]
    model_types: frozenset[str] = frozenset({CHECKPOINT})
    has_clip_skip: bool = True

    def sampling(self, scheduler: str) -> Sampling:
        return self.undefined if scheduler == UNDEFINED else SAMPLINGS[scheduler]
