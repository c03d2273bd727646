"""The description of one recipe: whole by itself, the same in both formats."""

import json
from typing import Any

import pytest
import yaml

from civitai_mock.api.v2.description.deviations import SCHEMAS_PATH
from civitai_mock.api.v2.description.document import published, recipe_schemas
from civitai_mock.api.v2.description.recipe_document import (
    DocumentFormat,
    recipe_document,
    written_recipe_document,
)
from civitai_mock.domain.errors import NotFoundError


@pytest.mark.parametrize("name", sorted(recipe_schemas()))
def test_a_recipe_refers_to_nothing_that_it_does_not_have(name: str) -> None:
    document = recipe_document(name)
    assert list(document["paths"]) == [f"/v2/consumer/recipes/{name}"]
    text = json.dumps(document)
    missing = {
        word.split('"')[0] for word in text.split(SCHEMAS_PATH)[1:] if word.split('"')[0] not in _schemas(document)
    }
    assert missing == set()


def _schemas(document: Any) -> Any:
    return document["components"]["schemas"]


def test_a_recipe_has_only_what_it_reaches() -> None:
    assert _schemas(recipe_document("echo")).keys() == {"EchoInput", "EchoOutput", "ProblemDetails"}
    of_images = _schemas(recipe_document("imageGen"))
    assert "SdxlCreateImageGenInput" in of_images  # a word picks it
    assert "WanVideoGenInput" not in of_images


@pytest.mark.parametrize("name", ["echo", "comfy", "convertImage", "shieldstralModeration"])
def test_both_formats_say_the_same(name: str) -> None:
    document = recipe_document(name)
    assert json.loads(written_recipe_document(name, DocumentFormat.JSON)) == document
    assert yaml.safe_load(written_recipe_document(name, DocumentFormat.YAML)) == document


def test_an_unknown_recipe_is_not_found() -> None:
    with pytest.raises(NotFoundError):
        recipe_document("bake")


def test_all_operations_are_described() -> None:
    operations = [operation["operationId"] for path in published()["paths"].values() for operation in path.values()]
    assert len(operations) == len(set(operations)) == 74
