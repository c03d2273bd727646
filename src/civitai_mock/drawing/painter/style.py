"""The style of a picture: its scene and colours, chosen by the words of the prompt text and by seeded chance."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from civitai_mock.drawing.painter.dice import Dice
from civitai_mock.generation.graph_reader.samplers import SamplerPass

Numbers: TypeAlias = NDArray[np.float64]

# OKLab to the cube roots of cone responses, and those to linear sRGB (Ottosson 2020).
ROOTS = np.array(
    [[1, 0.3963377774, 0.2158037573], [1, -0.1055613458, -0.0638541728], [1, -0.0894841775, -1.2914855480]]
)
LINEAR = np.array(
    [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010],
    ]
)
STEPS = (1 / 16, 1 / 256)  # of the search for the largest chroma that can be shown
TRIES = np.arange(17)[:, None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ColourRamp:
    """Hues in degrees; lightness 0-1; chroma is less where a screen has no such colour."""

    dark_hue: float
    light_hue: float
    chroma: float
    darkest: float
    lightest: float


def colours(way: ColourRamp, count: int) -> NDArray[np.uint8]:
    """`count` RGB triples, dark first."""
    part = np.linspace(0, 1, count)
    lightness = way.darkest + (way.lightest - way.darkest) * part
    hue = np.radians(way.dark_hue + (way.light_hue - way.dark_hue) * part)
    chroma = way.chroma * (1 - 0.75 * np.abs(2 * part - 0.9) ** 2.5)
    share = np.zeros(count)
    for step in STEPS:
        tried = np.minimum(share + step * TRIES, 1)
        linear = _linear(lightness, chroma * tried, hue)
        share = np.where(np.all((linear >= 0) & (linear <= 1), axis=0), tried, share).max(axis=0)
    return _screen(_linear(lightness, chroma * share, hue)).T


def _linear(lightness: Numbers, chroma: Numbers, hue: Numbers) -> Numbers:
    lab = (lightness, chroma * np.cos(hue), chroma * np.sin(hue))
    return _mixed(LINEAR, tuple(root**3 for root in _mixed(ROOTS, lab)))


def _mixed(matrix: Numbers, rows: tuple[Numbers, ...]) -> Numbers:
    """A matrix product in a fixed order of additions, the same on every machine."""
    return np.stack([sum(weight * row for weight, row in zip(weights, rows, strict=True)) for weights in matrix])


def _screen(linear: Numbers) -> NDArray[np.uint8]:
    shown = np.clip(linear, 0, 1)
    curved = np.where(shown <= 0.0031308, 12.92 * shown, 1.055 * shown ** (1 / 2.4) - 0.055)
    return np.round(curved * 255).astype(np.uint8)


WORD = re.compile(r"[a-z]+")

# Hues in degrees of OKLCH.
HUE_OF: Mapping[str, int] = {
    **dict.fromkeys(("red", "crimson", "scarlet", "blood", "ruby", "cherry", "mars"), 25),
    **dict.fromkeys(("orange", "fox", "autumn", "fire", "flame", "lava", "sunset", "copper", "ginger"), 50),
    **dict.fromkeys(("gold", "golden", "yellow", "sun", "sand", "desert", "blonde", "honey", "amber"), 85),
    **dict.fromkeys(("lime", "grass", "spring", "jungle"), 125),
    **dict.fromkeys(("green", "forest", "emerald", "leaf", "leaves", "tree", "trees", "jade", "garden"), 150),
    **dict.fromkeys(("teal", "turquoise", "mint", "lagoon"), 185),
    **dict.fromkeys(("cyan", "aqua", "ice", "icy", "sea", "ocean", "water", "beach"), 220),
    **dict.fromkeys(("blue", "sky", "snow", "winter", "rain", "night", "denim", "sapphire"), 255),
    **dict.fromkeys(("indigo", "galaxy", "space", "cosmic", "midnight", "cyberpunk"), 285),
    **dict.fromkeys(("purple", "violet", "lavender", "magic", "mystic", "amethyst"), 310),
    **dict.fromkeys(("pink", "magenta", "neon", "rose", "blossom", "sakura", "peach"), 350),
}
DARK = frozenset({"night", "dark", "midnight", "noir", "gothic", "horror", "cave", "space", "galaxy", "shadows"})
LIGHT = frozenset({"pastel", "snow", "bright", "light", "white", "morning", "cloud", "clouds", "ivory", "watercolor"})
GREY = frozenset({"monochrome", "grayscale", "greyscale", "noir", "ink", "sketch", "pencil"})

SCENE_OF: Mapping[str, str] = {
    **dict.fromkeys(("mountain", "mountains", "landscape", "valley", "hill", "hills", "desert", "dune"), "ridges"),
    **dict.fromkeys(("dunes", "canyon", "forest", "snow", "sunset", "sunrise", "field", "nature"), "ridges"),
    **dict.fromkeys(("sea", "ocean", "beach", "wave", "waves", "water", "river", "lake", "boat"), "tides"),
    **dict.fromkeys(("ship", "rain", "storm", "surf", "island", "fish", "harbor", "harbour"), "tides"),
    **dict.fromkeys(("city", "street", "building", "buildings", "urban", "cyberpunk", "tower"), "skyline"),
    **dict.fromkeys(("skyscraper", "house", "castle", "town", "architecture", "room", "car"), "skyline"),
    **dict.fromkeys(("space", "planet", "planets", "galaxy", "star", "stars", "moon", "robot"), "planets"),
    **dict.fromkeys(("cosmic", "astronaut", "bubble", "ball", "spaceship", "mech", "scifi"), "planets"),
    **dict.fromkeys(("flower", "flowers", "rose", "garden", "portrait", "face", "woman", "girl"), "bloom"),
    **dict.fromkeys(("man", "boy", "dress", "mandala", "petal", "petals", "blossom", "sakura"), "bloom"),
    **dict.fromkeys(("pattern", "geometric", "abstract", "tile", "logo", "minimal", "minimalist"), "tiles"),
    **dict.fromkeys(("poster", "retro", "bauhaus", "graphic", "mosaic", "vector"), "tiles"),
    **dict.fromkeys(("smoke", "silk", "flow", "dream", "fox", "fur", "hair", "marble", "wind"), "currents"),
    **dict.fromkeys(("dragon", "fantasy", "animal", "cat", "dog", "wolf", "fluid", "bird"), "currents"),
}


def prompt_words(prompt_text: str) -> Sequence[str]:
    return WORD.findall(prompt_text.lower())


TURNS = (-120, -85, -55, 55, 85, 120)
DRIFT = 12
PLEASANT_HUES = (5, 28, 45, 150, 175, 200, 230, 255, 280, 305, 330, 350)
MUD = (62, 125)  # hues that look dirty when they are dark


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """`paper` is the way from the darkest to the lightest of what the caption is printed with."""

    scene: str
    art: ColourRamp
    paper: ColourRamp
    dark_paper: bool


def style_of(sampled: SamplerPass, *, finish: Dice, scenes: Sequence[str]) -> Style:
    """Words decide what they can, dice on the prompt text the rest; the model has its own way with colours."""
    words = prompt_words(sampled.prompt_text)
    by_text, by_model = Dice("text", sampled.prompt_text), Dice("model", sampled.model)
    scene = by_text.pick(scenes)
    scene = next((SCENE_OF[word] for word in words if word in SCENE_OF), scene)
    dark_hue, light_hue = _hues(words, by_text, turn=by_model.pick(TURNS))
    drift = finish.between(-DRIFT, DRIFT)
    darkest, lightest = _lightness(words)
    chroma = 0.012 if GREY.intersection(words) else by_model.between(0.11, 0.19)
    art = ColourRamp(
        dark_hue=dark_hue + drift, light_hue=light_hue + drift, chroma=chroma, darkest=darkest, lightest=lightest
    )
    paper = ColourRamp(dark_hue=dark_hue, light_hue=light_hue, chroma=min(chroma, 0.03), darkest=0.2, lightest=0.965)
    return Style(scene=scene, art=art, paper=paper, dark_paper=by_model.chance(0.4))


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
