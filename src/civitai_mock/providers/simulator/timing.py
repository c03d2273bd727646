"""How long simulated work takes, and what a worker tells about it."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from civitai_mock.domain.json_types import JsonObject
from civitai_mock.generation.graph_reader.output_images import OutputImages


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


MILLISECOND = timedelta(milliseconds=1)
LONGEST = timedelta(days=1)
MODELS_IN_MEMORY = 16

# MB of a model file by what its name says, the first that fits; of SDXL as in capture v1-job-succeeded.
SIZES: Sequence[tuple[str, int]] = (("flux", 11350), ("sd3", 5200), ("xl", 6616), ("pony", 6616), ("", 2034))


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """The members of `facts` are those of capture v1-job-succeeded."""

    duration: timedelta
    facts: JsonObject


class SimulatedWorker:
    """Keeps the models in memory that were used last."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._models: OrderedDict[str, None] = OrderedDict()

    def take(self, series: Sequence[OutputImages]) -> Workload:
        models = dict.fromkeys(one.model for of_node in series for one in of_node.passes if one.model)
        cached = [model for model in models if model in self._models]
        loaded = [model for model in models if model not in self._models]
        self._keep(models)
        load, run, convert = self._load_time(loaded), self._run_time(series), self._convert_time(series)
        facts: JsonObject = {}
        if cached:
            facts["comfy_mb_cached"] = _megabytes(cached)
        if loaded:
            facts |= {"comfy_mb_loaded": _megabytes(loaded), "comfy_load_ms": load // MILLISECOND}
        facts["middleware_duration_ComfyUI_ms"] = (load + run) // MILLISECOND
        facts["middleware_duration_ConvertImages_ms"] = convert // MILLISECOND
        return Workload(duration=load + run + convert, facts=facts)

    def _keep(self, models: Iterable[str]) -> None:
        for model in models:
            self._models[model] = None
            self._models.move_to_end(model)
        while len(self._models) > MODELS_IN_MEMORY:
            self._models.popitem(last=False)

    def _load_time(self, models: Sequence[str]) -> timedelta:
        return _seconds(self._profile.load * len(models))

    def _run_time(self, series: Sequence[OutputImages]) -> timedelta:
        """Two output nodes may share a sampler, which works only once."""
        effort = {node_id: effort for one in series for node_id, effort in one.effort.items()}
        return _seconds(self._profile.prompt + self._profile.step_per_megapixel * sum(effort.values()))

    def _convert_time(self, series: Sequence[OutputImages]) -> timedelta:
        return _seconds(self._profile.convert_per_megapixel * sum(one.batch.megapixels for one in series))


def _megabytes(models: Iterable[str]) -> int:
    return sum(next(size for hint, size in SIZES if hint in model.lower()) for model in models)


def _seconds(number: float) -> timedelta:
    return timedelta(seconds=min(number, LONGEST.total_seconds()))
