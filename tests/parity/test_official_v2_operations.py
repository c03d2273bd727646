"""This server describes v2 as the official description does: the same operations and schemas under the same names."""

from functools import cache
from typing import Any

import pytest

from civitai_mock.api.app import ROUTES
from civitai_mock.api.fastapi_app import make_fastapi_app
from civitai_mock.api.v2.description.document import published
from civitai_mock.api.v2.official_operations import official_schemas

SHARED = {"ProblemDetails", "ResourceInfo"}  # ours say more
# What differs, and why, by the id of the operation.
STATUSES = {
    "GetBlob": ({"308"}, {"301"}),  # three independent clients have seen 301
    "GetBlobContent": (set(), {"206", "304"}),  # ranges and etags
}


def _operations(document: Any) -> dict[str, tuple[str, str, Any]]:
    return {
        operation["operationId"]: (method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


OFFICIAL = _operations(published())


@cache
def ours() -> Any:
    return make_fastapi_app(ROUTES, version="1", only_system=False).openapi()


def test_the_official_description_has_74_operations() -> None:
    assert len(OFFICIAL) == 74


@pytest.mark.parametrize("name", OFFICIAL)
def test_an_operation_is_described_as_the_official_one(name: str) -> None:
    method, path, official = OFFICIAL[name]
    found_method, found_path, found = _operations(ours())[name]
    assert (found_method, found_path) == (method, path)
    assert _parameters(found) == _parameters(official)
    missing, more = STATUSES.get(name, (set(), set()))
    assert _successes(official) - _successes(found) == missing
    assert _successes(found) - _successes(official) == more


def test_schemas_have_their_official_names() -> None:
    schemas = ours()["components"]["schemas"]
    assert schemas.keys() >= published()["components"]["schemas"].keys()
    assert {name for name, schema in official_schemas().items() if schemas[name] != schema} == SHARED


def test_schemas_of_v1_that_have_a_name_of_v2_have_another_one() -> None:
    assert {name for name in ours()["components"]["schemas"] if name.startswith("V1")} == {
        "V1ComfyNode",
        "V1ImageJobControlNet",
        "V1ImageJobNetworkParams",
        "V1JobSupport",
    }


def _parameters(operation: Any) -> set[tuple[str, str]]:
    return {(parameter["name"], parameter["in"]) for parameter in operation.get("parameters", [])}


def _successes(operation: Any) -> set[str]:
    return {status for status in operation["responses"] if status.isdecimal() and status < "400"}
