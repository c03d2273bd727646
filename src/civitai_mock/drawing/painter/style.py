"""The style of a picture: its scene and colours, chosen by the words of the prompt text and by seeded chance."""

import re
from collections.abc import Mapping, Sequence

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.drawing.painter.colour_ramp import ColourRamp
from civitai_mock.drawing.painter.seeded_random import SeededRandom
from civitai_mock.generation.graph_reader.samplers import SamplerPass

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


HUE_SPANS = (-120, -85, -55, 55, 85, 120)
MAX_DRIFT = 12
PLEASANT_HUES = (5, 28, 45, 150, 175, 200, 230, 255, 280, 305, 330, 350)
MUDDY_HUES = (62, 125)  # which look dirty when they are dark


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """Says how a picture looks: its scene, the colours of the art, and those of the caption."""

    scene: str
    art: ColourRamp
    paper: ColourRamp
    dark_paper: bool


def style_of(sampled: SamplerPass, *, finish: SeededRandom, scenes: Sequence[str]) -> Style:
    """Choose a style: by words of the prompt text where they say something, else by its seeded random numbers.

    Each model has colours of its own, and `finish` changes them a little.
    """
    words = prompt_words(sampled.prompt_text)
    by_text, by_model = SeededRandom("text", sampled.prompt_text), SeededRandom("model", sampled.model)
    scene = by_text.pick(scenes)
    scene = next((SCENE_OF[word] for word in words if word in SCENE_OF), scene)
    dark_hue, light_hue = _hues(words, by_text, span=by_model.pick(HUE_SPANS))
    drift = finish.between(-MAX_DRIFT, MAX_DRIFT)
    darkest, lightest = _lightness(words)
    chroma = 0.012 if GREY.intersection(words) else by_model.between(0.11, 0.19)
    art = ColourRamp(
        dark_hue=dark_hue + drift, light_hue=light_hue + drift, chroma=chroma, darkest=darkest, lightest=lightest
    )
    paper = ColourRamp(dark_hue=dark_hue, light_hue=light_hue, chroma=min(chroma, 0.03), darkest=0.2, lightest=0.965)
    return Style(scene=scene, art=art, paper=paper, dark_paper=by_model.chance(0.4))


def _hues(words: Sequence[str], by_text: SeededRandom, *, span: float) -> tuple[float, float]:
    """Return the dark and the light hue: two colours in the words, or the ends of a span around a single one."""
    in_words = list(dict.fromkeys(HUE_OF[word] for word in words if word in HUE_OF))
    if len(in_words) > 1:
        first, second = in_words[:2]
        return _clean(first), first + (second - first + 180) % 360 - 180
    middle = in_words[0] if in_words else by_text.pick(PLEASANT_HUES)
    return _clean(middle - span / 2), middle + span / 2


def _clean(hue: float) -> float:
    """Move a dark hue that looks dirty to the nearest one that does not."""
    low, high = MUDDY_HUES
    within = hue % 360
    if not low < within < high:
        return hue
    return hue + (low if within < (low + high) / 2 else high) - within


def _lightness(words: Sequence[str]) -> tuple[float, float]:
    dark, light = bool(DARK.intersection(words)), bool(LIGHT.intersection(words))
    if dark == light:
        return 0.22, 0.96
    return (0.13, 0.87) if dark else (0.36, 0.985)
