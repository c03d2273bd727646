"""Timing of simulated work: how long it takes, and what a worker reports about it."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from functools import lru_cache

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.json_types import JsonObject
from civitai_mock.generation.graph_reader.output_images import OutputImages

MILLISECOND = timedelta(milliseconds=1)
MAX_SECONDS = timedelta(days=1).total_seconds()
MODELS_IN_MEMORY = 16
KNOWN_SIZES = 1024

# The MB of a model file by a part of its name, of which the first that fits counts; SDXL's is that of capture
# v1-job-succeeded.
MODEL_SIZES: Sequence[tuple[str, int]] = (("flux", 11350), ("sd3", 5200), ("xl", 6616), ("pony", 6616), ("", 2034))


@dataclass(frozen=True, slots=True, kw_only=True)
class TimingProfile:
    """Says how many seconds it takes to load a model, to begin a prompt, and to sample and convert a megapixel."""

    load: float
    prompt: float
    step_per_megapixel: float
    convert_per_megapixel: float


REALISTIC = TimingProfile(load=1.8, prompt=0.35, step_per_megapixel=0.17, convert_per_megapixel=0.03)
INSTANT = TimingProfile(load=0.0, prompt=0.0, step_per_megapixel=0.0, convert_per_megapixel=0.0)
PROFILES: Mapping[str, TimingProfile] = {"realistic": REALISTIC, "instant": INSTANT}
# By the same names: the factor for the durations of work that no graph does, such as training.
PACES: Mapping[str, float] = {"realistic": 1.0, "instant": 0.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """Says how long a prompt takes, of which `load` comes before the `run`, and what is reported of it.

    `facts` has the members of capture v1-job-succeeded.
    """

    duration: timedelta
    facts: JsonObject
    load: timedelta
    run: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """Says when the steps of a prompt are done: each takes as long as the others, from `begins` (after its start) on.

    `nodes` are the samplers with their shares of the work, in their order.
    """

    begins: timedelta
    lasts: timedelta
    steps: int
    nodes: Mapping[str, float]

    def step_at(self, elapsed: timedelta) -> int:
        """Return how many steps are done so long after the start."""
        since = elapsed - self.begins
        if since < timedelta():
            return 0
        return self.steps if since >= self.lasts else since * self.steps // self.lasts

    def done_after(self, step: int) -> timedelta:
        """Return how long after the start a step is done, such that `step_at` says so."""
        return self.begins - (-self.lasts * step // self.steps)  # rounded up

    def node_at(self, step: int) -> str:
        """Return the sampler that does a step, which is not the first."""
        done, whole = 0.0, sum(self.nodes.values())
        *first, last = self.nodes
        for name in first:
            done += self.nodes[name]
            if step * whole <= done * self.steps:
                return name
        return last


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """Says what a prompt needs: which models, the effort of its samplers, and how many megapixels it converts.

    Two output nodes may share a sampler, which works only once.
    """

    models: tuple[str, ...]
    effort: float
    megapixels: float


def demand_of(outputs: Sequence[OutputImages]) -> Demand:
    passes = (sampler_pass for output in outputs for sampler_pass in output.passes)
    effort = {node_id: effort for output in outputs for node_id, effort in output.effort.items()}
    return Demand(
        models=tuple(dict.fromkeys(sampler_pass.model for sampler_pass in passes if sampler_pass.model)),
        effort=sum(effort.values()),
        megapixels=sum(output.batch.megapixels for output in outputs),
    )


class SimulatedWorker:
    """Works out the time of prompts; it keeps the models in memory that were used last."""

    def __init__(self, profile: TimingProfile) -> None:
        self._profile = profile
        self._models: OrderedDict[str, None] = OrderedDict()

    def take(self, demand: Demand, *, lasts: timedelta | None = None, has_all_models: bool = False) -> Workload:
        """Return the workload of a prompt, and have its models in memory from now on.

        Where somebody says how long it `lasts`, all of that is the run: nothing else takes time. One that
        `has_all_models` loads none, so that no prompt depends on those before it.
        """
        models = demand.models
        cached = [model for model in models if has_all_models or model in self._models]
        loaded = [model for model in models if model not in cached]
        self._keep_in_memory(models)
        if lasts is None:
            profile = self._profile
            load = _seconds(profile.load * len(loaded))
            run = _seconds(profile.prompt + profile.step_per_megapixel * demand.effort)
            convert = _seconds(profile.convert_per_megapixel * demand.megapixels)
        else:
            load, run, convert = timedelta(), lasts, timedelta()
        facts: JsonObject = {}
        if cached:
            facts["comfy_mb_cached"] = _megabytes(cached)
        if loaded:
            facts |= {"comfy_mb_loaded": _megabytes(loaded), "comfy_load_ms": load // MILLISECOND}
        facts["middleware_duration_ComfyUI_ms"] = (load + run) // MILLISECOND
        facts["middleware_duration_ConvertImages_ms"] = convert // MILLISECOND
        return Workload(duration=load + run + convert, facts=facts, load=load, run=run)

    def _keep_in_memory(self, models: Iterable[str]) -> None:
        for model in models:
            self._models[model] = None
            self._models.move_to_end(model)
        while len(self._models) > MODELS_IN_MEMORY:
            self._models.popitem(last=False)


def sampling_of(outputs: Sequence[OutputImages], workload: Workload) -> Sampling | None:
    """Return the steps of the output that has most of them, as others mostly share its samplers; None without any."""
    longest = max(outputs, key=_steps, default=None)
    steps = 0 if longest is None else _steps(longest)
    if longest is None or not steps:
        return None
    return Sampling(begins=workload.load, lasts=workload.run, steps=steps, nodes=longest.effort)


def _steps(output: OutputImages) -> int:
    passes = ((one.last_step or one.steps) - one.first_step for one in output.passes)
    return sum(max(steps, 0) for steps in passes) if output.effort else 0


def _megabytes(models: Iterable[str]) -> int:
    return sum(map(_size, models))


@lru_cache(KNOWN_SIZES)
def _size(model: str) -> int:
    return next(size for part, size in MODEL_SIZES if part in model.lower())


def _seconds(number: float) -> timedelta:
    return timedelta(seconds=min(number, MAX_SECONDS))
