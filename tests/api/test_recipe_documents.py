"""Descriptions of recipes over HTTP, for whoever asks."""

import httpx
import pytest
import yaml

from civitai_mock.api.v2.description.document import recipe_schemas
from tests.support.served_app import serve

RECIPES = "/v2/consumer/recipes"


@pytest.mark.parametrize("name", ["imageGen", "imageUpload", "shieldstralModeration"])
async def test_both_forms_say_the_same(client: httpx.AsyncClient, name: str) -> None:
    as_json = await client.get(f"{RECIPES}/{name}/openapi.json")
    as_yaml = await client.get(f"{RECIPES}/{name}/openapi.yaml")
    assert (as_json.headers["content-type"], as_yaml.headers["content-type"]) == (
        "application/json",
        "application/yaml",
    )
    assert list(as_json.json()["paths"]) == [f"{RECIPES}/{name}"]
    assert yaml.safe_load(as_yaml.text) == as_json.json()


async def test_every_recipe_has_one(client: httpx.AsyncClient) -> None:
    assert len(recipe_schemas()) == 48
    for name in recipe_schemas():
        assert (await client.get(f"{RECIPES}/{name}/openapi.json")).status_code == 200


@pytest.mark.parametrize("path", ["nothing/openapi.json", "imageGen/openapi.xml", "imageGen/openapi"])
async def test_others_are_not_there(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(f"{RECIPES}/{path}")).status_code == 404


async def test_whoever_has_no_token_may_read_it() -> None:
    async with serve(auth="tokens", auth_tokens="alice") as served:
        assert (await served.client.get(f"{RECIPES}/echo/openapi.json")).status_code == 200
        assert (await served.client.post(f"{RECIPES}/echo", json={"message": "hi"})).status_code == 401
