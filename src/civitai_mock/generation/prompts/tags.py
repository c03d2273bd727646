"""`<lora:name:0.8>` in a prompt text: A1111's way to ask for a network, by the name of its file."""

import re
from functools import reduce

from civitai_mock.generation.prompts.pieces import rejoined

TAG = re.compile(r"<(?:lora|lyco|hypernet):[^<>]+>", re.IGNORECASE)


def without_tags(text: str) -> str:
    """A text without any comes out as it is."""
    return reduce(rejoined, TAG.split(text))
