"""What a model might say of a file that nobody looks at: plausible, and always the same for the same words."""

import math
from collections.abc import Sequence
from random import Random

EMBEDDING_SIZE = 768  # as many numbers as CLIP ViT-L/14 gives

SUBJECTS = ("a fox", "a lighthouse", "a sailing boat", "an old bridge", "a portrait of a woman", "a city street")
PLACES = ("in fresh snow", "at the edge of a forest", "under a starry sky", "beside a quiet river", "in morning mist")
STYLES = ("soft natural light", "dramatic shadows", "muted colours", "a shallow depth of field", "vivid colours")
MEDIA_TAGS = (
    *("animal", "architecture", "boat", "bridge", "city", "clouds", "forest", "fox", "landscape", "man", "mountain"),
    *("night", "person", "portrait", "river", "road", "sea", "sky", "snow", "sunset", "tree", "woman"),
)
BOORU_TAGS = (
    *(
        "1girl",
        "blue_sky",
        "brown_hair",
        "building",
        "cloud",
        "day",
        "flower",
        "grass",
        "long_hair",
        "looking_at_viewer",
    ),
    *(
        "mountain",
        "night",
        "no_humans",
        "outdoors",
        "scenery",
        "smile",
        "snow",
        "solo",
        "standing",
        "star_(sky)",
        "tree",
    ),
)
LEAST_TAGS, MOST_TAGS = 6, 12


def dice(*words: str) -> Random:
    """The same throws for the same words, in every process."""
    return Random("\n".join(words))


def confidences(vocabulary: Sequence[str], throws: Random) -> dict[str, float]:
    """Some of the words, each with how sure the model is of it (0 to 1), the surest first."""
    chosen = throws.sample(vocabulary, throws.randint(LEAST_TAGS, MOST_TAGS))
    sure = sorted((round(throws.uniform(0.35, 0.99), 4) for _ in chosen), reverse=True)
    return dict(zip(chosen, sure, strict=True))


def shares(names: Sequence[str], throws: Random) -> dict[str, float]:
    """Of one whole, most of it for the first name."""
    weights = [1.0, *(throws.uniform(0, 0.08) for _ in names[1:])]
    return {name: round(weight / sum(weights), 4) for name, weight in zip(names, weights, strict=True)}


def caption(throws: Random) -> str:
    return f"The image shows {throws.choice(SUBJECTS)} {throws.choice(PLACES)}, with {throws.choice(STYLES)}."


def embedding(throws: Random) -> list[float]:
    """A vector of length 1."""
    numbers = [throws.gauss(0, 1) for _ in range(EMBEDDING_SIZE)]
    length = math.hypot(*numbers)
    return [round(number / length, 6) for number in numbers]
