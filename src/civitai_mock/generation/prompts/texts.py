"""Put trigger words and embeddings of networks into prompt texts, in ComfyUI's notation."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Self

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.dotnet import plain_number

# ComfyUI takes `embedding:` only at the start of a text or of a bracket, or after a space or newline, and takes what
# follows up to the next white space for the name; it strips commas off that.
ENDS_NAME = re.compile(r"$|[\s,)]|:-?(?:\d+(?:\.\d+)?|\.\d+)\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptTexts:
    """Holds what goes into the two text encoders."""

    positive: str
    negative: str

    def with_trigger(self, word: str) -> Self:
        """Add `word` to the positive text, unless it is there."""
        return self if _pattern([word]).search(self.positive) else self._with_appended(word)

    def with_embedding(self, embedding: str, words: Sequence[str]) -> Self:
        """Put `embedding` in the places of its trigger words in either text; add it where there are none.

        So an embedding is a negative one exactly if the request has a trigger word of it in its negative prompt.
        """
        pattern = _pattern([embedding, *words])
        replaced = replace(
            self,
            positive=_substituted(pattern, embedding, self.positive),
            negative=_substituted(pattern, embedding, self.negative),
        )
        return (
            replaced
            if embedding in replaced.positive or embedding in replaced.negative
            else self._with_appended(embedding)
        )

    def _with_appended(self, word: str) -> Self:
        return replace(self, positive=f"{self.positive}, {word}" if self.positive.strip() else word)


def embedding_text(file_name: str, strength: float) -> str:
    """Write an embedding in ComfyUI's form, with its weight if that is not 1."""
    name = with_escaped_brackets(file_name)
    return f"embedding:{name}" if strength == 1 else f"(embedding:{name}:{plain_number(strength)})"


def with_escaped_brackets(text: str) -> str:
    """Put a backslash before round brackets, which else would stand for weights."""
    return re.sub(r"([()])", r"\\\1", text)


def with_replaced_words(text: str, pattern: re.Pattern[str], embedding_for: Callable[[str], str]) -> str:
    """Replace words by embeddings, with a space on either side where ComfyUI would not see them without.

    If the pattern has a group, what it finds without that group stays as it is.
    """

    def spaced(match: re.Match[str]) -> str:
        if pattern.groups and match[1] is None:
            return match[0]
        before = "" if _may_start(text, match.start()) else " "
        after = "" if ENDS_NAME.match(text, match.end()) else " "
        return f"{before}{embedding_for(match[0])}{after}"

    return pattern.sub(spaced, text)


def _pattern(words: Sequence[str]) -> re.Pattern[str]:
    """Match any of `words` as a whole word in any case, also where the user wrote ComfyUI's form of it."""
    choices = "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
    return re.compile(rf"(?<!\w)(?:embedding:)?(?:{choices})(?!\w)", re.IGNORECASE)


def _substituted(pattern: re.Pattern[str], embedding: str, text: str) -> str:
    return with_replaced_words(text, pattern, lambda _: embedding)


def _may_start(text: str, at: int) -> bool:
    return at == 0 or text[at - 1] in " \n" or (text[at - 1] == "(" and text[at - 2 : at - 1] != "\\")
