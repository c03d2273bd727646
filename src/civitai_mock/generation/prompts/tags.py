"""`<lora:name:0.8>` in a prompt text: A1111's way to ask for a network, by the name of its file."""

import re
from dataclasses import dataclass
from functools import reduce

from civitai_mock.generation.prompts.pieces import rejoined

TAG = re.compile(r"<(?:lora|lyco|hypernet):[^<>]*>", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class IgnoredTag:
    """A tag that changes nothing, and why."""

    tag: str
    reason: str


def without_tags(text: str) -> str:
    """Take every tag out, whether or not it can be applied; a text without any comes out as it is."""
    return reduce(rejoined, TAG.split(text))
