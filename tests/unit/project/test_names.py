"""No class and no module of the source has a name that says nothing, or one of a language of our own."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.paths import ROOT

SOURCE = ROOT / "src" / "civitai_mock"
VAGUE = frozenset({"manager", "helper", "helpers", "utils", "util", "common", "misc", "base"})
METAPHORS = frozenset({"messenger", "walk", "way", "told", "tenant", "backend"})
TERMS = frozenset({"base_path"})  # of HTTP: what stands before all paths of a server
WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+")


def words(name: str) -> set[str]:
    return {word.lower() for word in WORD.findall(name)}


def names() -> Iterator[tuple[Path, str]]:
    for path in SOURCE.rglob("*.py"):
        yield path, path.parent.name if path.stem == "__init__" else path.stem
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef):
                yield path, node.name


def test_names_say_what_they_are() -> None:
    refused = VAGUE | METAPHORS
    found = [(str(path.relative_to(SOURCE)), name) for path, name in names() if words(name) & refused]
    assert [place for place in found if place[1] not in TERMS] == []


@pytest.mark.parametrize("name", ["JobManager", "http_utils", "BaseStore", "GraphWay", "HTTPHelper"])
def test_the_words_of_a_name_are_found_in_either_spelling(name: str) -> None:
    assert words(name) & (VAGUE | METAPHORS)
