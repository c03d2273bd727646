"""What the words of a prompt text say about the picture."""

import re
from collections.abc import Mapping, Sequence

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


def words_of(prompt_text: str) -> Sequence[str]:
    return WORD.findall(prompt_text.lower())
