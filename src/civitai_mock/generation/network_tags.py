"""The networks that a prompt text asks for by tags.

A prompt is text: a tag that cannot be applied is left out of the picture, as A1111 does it, and never refused.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from civitai_mock.generation.network import KINDS, Network, NetworkKind
from civitai_mock.generation.prompts.tags import TAG, IgnoredTag

KINDS_OF_TAGS = {"lora": KINDS["lora"], "lyco": KINDS["lycoris"], "hypernet": KINDS["hypernet"]}
MODEL_STRENGTH, TEXT_STRENGTH = "unet", "te"
MOST_TAGS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedTag:
    """A tag, and what it loads."""

    tag: str
    kind: NetworkKind
    network: Network


@dataclass(frozen=True, slots=True, kw_only=True)
class Tags:
    """The tags of one text in their order; one that stands there twice is applied twice, and told once if it is not."""

    applied: Sequence[AppliedTag]
    ignored: Sequence[IgnoredTag]


def read_tags(text: str) -> Tags:
    """Sort out the first `MOST_TAGS` that can be applied; all others are ignored."""
    applied: list[AppliedTag] = []
    ignored: dict[str, IgnoredTag] = {}
    for tag in TAG.findall(text):
        try:
            found = _applied(tag, room=MOST_TAGS - len(applied))
        except ValueError as error:
            ignored.setdefault(tag, IgnoredTag(tag=tag, reason=str(error)))
        else:
            applied.append(found)
    return Tags(applied=applied, ignored=tuple(ignored.values()))


def _applied(tag: str, *, room: int) -> AppliedTag:
    """Raise ValueError with the reason why it cannot be; arguments for extensions that ComfyUI lacks do not count."""
    kind_name, name, *arguments = (part.strip() for part in tag[1:-1].split(":"))
    if not name:
        raise ValueError("It names no file.")
    kind = KINDS_OF_TAGS[kind_name.lower()]
    model, text = _strengths(arguments)
    for strength in (model, text):
        if message := kind.fault(file_name=name, strength=strength):
            raise ValueError(message)
    if room <= 0:
        raise ValueError(f"Only the first {MOST_TAGS} networks of a prompt are applied.")
    network = Network(file_name=name, strength=model, text_strength=text, trigger_word=None, trained_words=())
    return AppliedTag(tag=tag, kind=kind, network=network)


def _strengths(arguments: Sequence[str]) -> tuple[float, float]:
    """On the model and on the text encoder, as A1111 reads them: the text encoder's comes first, and says both."""
    named = dict(pair for argument in arguments if len(pair := argument.lower().split("=", 1)) == 2)
    placed = [argument for argument in arguments if "=" not in argument]
    text = named.get(TEXT_STRENGTH) or (placed[0] if placed else "1")
    model = named.get(MODEL_STRENGTH) or (placed[1] if len(placed) > 1 else text)
    return _number(model), _number(text)


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"'{text}' is not a number.")
    return number
