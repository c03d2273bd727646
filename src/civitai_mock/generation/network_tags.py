"""The networks that a prompt text asks for by tags."""

import math
from collections.abc import Sequence

from civitai_mock.generation.network import KINDS, Network, NetworkKind
from civitai_mock.generation.prompts.tags import TAG

KINDS_OF_TAGS = {"lora": KINDS["lora"], "lyco": KINDS["lycoris"], "hypernet": KINDS["hypernet"]}
MODEL_STRENGTH, TEXT_STRENGTH = "unet", "te"
MOST_TAGS = 100


def networks_in(text: str) -> Sequence[tuple[NetworkKind, Network]]:
    """In their order; one that is named twice is applied twice. Raise ValueError for what cannot be applied."""
    tags = TAG.findall(text)
    if len(tags) > MOST_TAGS:
        raise ValueError(f"There are more than {MOST_TAGS} networks in this text.")
    return [_network(tag) for tag in tags]


def checked_prompt(text: str) -> str:
    networks_in(text)
    return text


def _network(tag: str) -> tuple[NetworkKind, Network]:
    """Arguments that are neither name nor strength are for extensions that ComfyUI has not."""
    kind_name, name, *arguments = (part.strip() for part in tag[1:-1].split(":"))
    if not name:
        raise ValueError(f"'{tag}' names no file.")
    kind = KINDS_OF_TAGS[kind_name.lower()]
    model, text = _strengths(tag, arguments)
    for strength in (model, text):
        if message := kind.fault(file_name=name, strength=strength):
            raise ValueError(f"{message} '{tag}' is beyond that.")
    return kind, Network(file_name=name, strength=model, text_strength=text, trigger_word=None, trained_words=())


def _strengths(tag: str, arguments: Sequence[str]) -> tuple[float, float]:
    """On the model and on the text encoder, as A1111 reads them: the text encoder's comes first, and says both."""
    named = dict(pair for argument in arguments if len(pair := argument.lower().split("=", 1)) == 2)
    placed = [argument for argument in arguments if "=" not in argument]
    text = named.get(TEXT_STRENGTH) or (placed[0] if placed else "1")
    model = named.get(MODEL_STRENGTH) or (placed[1] if len(placed) > 1 else text)
    return _number(tag, model), _number(tag, text)


def _number(tag: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"'{text}' in '{tag}' is no number.")
    return number
