"""Scene and colours of a picture."""

from collections.abc import Sequence
from dataclasses import dataclass

from civitai_mock.generation.graph_reader.facts import SamplerPass
from civitai_mock.providers.simulator.painter.dice import Dice
from civitai_mock.providers.simulator.painter.palette import Way
from civitai_mock.providers.simulator.painter.words import DARK, GREY, HUE_OF, LIGHT, SCENE_OF, words_of

TURNS = (-120, -85, -55, 55, 85, 120)
DRIFT = 12
PLEASANT_HUES = (5, 28, 45, 150, 175, 200, 230, 255, 280, 305, 330, 350)
MUD = (62, 125)  # hues that look dirty when they are dark


@dataclass(frozen=True, slots=True, kw_only=True)
class Mood:
    """`paper` is the way from the darkest to the lightest of what the caption is printed with."""

    scene: str
    art: Way
    paper: Way
    dark_paper: bool


def mood_of(sampled: SamplerPass, *, finish: Dice, scenes: Sequence[str]) -> Mood:
    """Words decide what they can, dice on the prompt text the rest; the model has its own way with colours."""
    words = words_of(sampled.prompt_text)
    by_text, by_model = Dice("text", sampled.prompt_text), Dice("model", sampled.model)
    scene = by_text.pick(scenes)
    scene = next((SCENE_OF[word] for word in words if word in SCENE_OF), scene)
    dark_hue, light_hue = _hues(words, by_text, turn=by_model.pick(TURNS))
    drift = finish.between(-DRIFT, DRIFT)
    darkest, lightest = _lightness(words)
    chroma = 0.012 if GREY.intersection(words) else by_model.between(0.11, 0.19)
    art = Way(dark_hue=dark_hue + drift, light_hue=light_hue + drift, chroma=chroma, darkest=darkest, lightest=lightest)
    paper = Way(dark_hue=dark_hue, light_hue=light_hue, chroma=min(chroma, 0.03), darkest=0.2, lightest=0.965)
    return Mood(scene=scene, art=art, paper=paper, dark_paper=by_model.chance(0.4))


def _hues(words: Sequence[str], by_text: Dice, *, turn: float) -> tuple[float, float]:
    """Two colours in the words are the ends; one, or none, is the middle of the turn."""
    named = list(dict.fromkeys(HUE_OF[word] for word in words if word in HUE_OF))
    if len(named) > 1:
        first, second = named[:2]
        return _clean(first), first + (second - first + 180) % 360 - 180
    middle = named[0] if named else by_text.pick(PLEASANT_HUES)
    return _clean(middle - turn / 2), middle + turn / 2


def _clean(hue: float) -> float:
    """A dark hue, moved to the nearer end of what looks dirty."""
    low, high = MUD
    within = hue % 360
    if not low < within < high:
        return hue
    return hue + (low if within < (low + high) / 2 else high) - within


def _lightness(words: Sequence[str]) -> tuple[float, float]:
    dark, light = bool(DARK.intersection(words)), bool(LIGHT.intersection(words))
    if dark == light:
        return 0.22, 0.96
    return (0.13, 0.87) if dark else (0.36, 0.985)
