"""What users of A1111 write in prompt texts, as ComfyUI understands it."""

import re
from functools import partial, reduce

from civitai_mock.generation.prompts.brackets import with_round_brackets
from civitai_mock.generation.prompts.pieces import rejoined
from civitai_mock.generation.prompts.tags import without_tags

BREAK = re.compile(r"\bBREAK\b")


def comfyui_text(prompt_text: str) -> str:
    """A text without any of A1111's own syntax comes out as it is.

    `BREAK`, which begins a new chunk of tokens there, only separates.
    """
    pieces = BREAK.split(without_tags(prompt_text))
    return with_round_brackets(reduce(partial(rejoined, gap=", "), pieces))
