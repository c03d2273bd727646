"""How long simulated work takes."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Seconds: for each model that is not in memory yet, for each prompt, and by megapixel."""

    load: float
    prompt: float
    step_per_megapixel: float
    convert_per_megapixel: float


REALISTIC = Profile(load=1.8, prompt=0.35, step_per_megapixel=0.17, convert_per_megapixel=0.03)
INSTANT = Profile(load=0.0, prompt=0.0, step_per_megapixel=0.0, convert_per_megapixel=0.0)
PROFILES: Mapping[str, Profile] = {"realistic": REALISTIC, "instant": INSTANT}
# What the seconds of work outside of graphs are multiplied with.
PACES: Mapping[str, float] = {"realistic": 1.0, "instant": 0.0}
