"""Find the embeddings that prompt texts name, as in ComfyUI (`embedding:x`) or as in A1111 (by a plain word)."""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache

from civitai_mock.generation.comfyui_facts import TEXT_INPUTS
from civitai_mock.generation.prompts.texts import embedding_text, with_escaped_brackets, with_replaced_words
from civitai_mock.providers.comfyui.graphs.file_names import Names

ENCODERS = "CLIPTextEncode"
LISTS_KEPT = 16
# As ComfyUI finds them: at the start, or after white space or a bracket; `embedding:x` glued to a comma is only text.
REFERENCE = re.compile(r"(?<![^\s()])embedding:(?P<name>(?:\\[()]|[^\s():])+)")
ESCAPED = re.compile(r"\\([()])")


def is_prompt_text(class_type: str, input_name: str) -> bool:
    return class_type.startswith(ENCODERS) and input_name in TEXT_INPUTS


def with_found_embeddings(text: str, find: Callable[[str], str | None]) -> str:
    """Replace the names behind `embedding:` by what `find` returns; a name that it does not know stays as it is."""

    def replace(reference: re.Match[str]) -> str:
        written = reference["name"]
        wanted = ESCAPED.sub(r"\1", written.strip(","))
        found = find(wanted) if wanted else None
        commas = written[len(written.rstrip(",")) :]
        return reference[0] if found is None else embedding_text(_path(found), 1) + commas

    return REFERENCE.sub(replace, text)


def with_whole_name(text: str, name: str, find: Callable[[str], str | None]) -> str:
    """Replace one known name like `with_found_embeddings`, which would read it only up to its first white space."""
    reference = embedding_text(name, 1)
    found = find(name) if reference in text else None
    return text if found is None else text.replace(reference, embedding_text(_path(found), 1))


def with_named_embeddings(text: str, names: Names) -> str:
    """Put `embedding:` before plain words that are names of embeddings."""
    words = _words(names.all)
    return with_replaced_words(text, _pattern(names.all), lambda word: words[word.casefold()]) if words else text


@lru_cache(maxsize=LISTS_KEPT)
def _words(names: tuple[str, ...]) -> Mapping[str, str]:
    """Return the reference that each word stands for: a path, or its last part where no other path has it first."""
    found: dict[str, str] = {}
    for path in sorted((_path(name) for name in names), key=lambda path: (path.count("/"), path)):
        reference = embedding_text(path, 1)
        for word in (path, path.rpartition("/")[2]):
            if not any(character.isspace() for character in path):
                found.setdefault(with_escaped_brackets(word).casefold(), reference)
    return found


@lru_cache(maxsize=LISTS_KEPT)
def _pattern(names: tuple[str, ...]) -> re.Pattern[str]:
    """Match whole words only: one with a hyphen, a slash or a colon beside it is part of another word."""
    choices = "|".join(re.escape(word) for word in sorted(_words(names), key=len, reverse=True))
    return re.compile(rf"embedding:[^\s]*|(?<![\w\-/\\:.])(?P<word>{choices})(?![\w\-/]|\.\w)", re.IGNORECASE)


def _path(name: str) -> str:
    return name.replace("\\", "/")
