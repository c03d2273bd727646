"""This server's description, made sharper for questions that are drawn from it."""

from collections.abc import Mapping, Sequence
from typing import Any

from tests.fuzz.stock import Known, known_members, known_parameters
from tests.support.served_app import template

UNASKED = {"wait"}  # would hold the answer until a job ends
NULLABLE = {"ResourceDocument", "ResourceFields"}  # what is written is checked by them, and null counts as missing
REQUESTS = ("Request", "Params")  # how the names of their schemas end
JSON = "application/json"
TEMPLATE_IN_LIST = {"$ref": "#/components/schemas/TextToImageJobRequest"}  # the others are asked one by one
BODIES: Mapping[str, Sequence[Any]] = {
    "postV1ConsumerJobs": [template(), {"jobs": [template(), template(quantity=3)]}],
    "CreateResource": [{"air": "urn:air:sd1:checkpoint:civitai:1@2"}],
}


def sharpened(document: Any, *, narrow: bool) -> Any:
    """Every status has to be told by its number, and values that are right are drawn now and then; `narrow`: always."""
    for operation in (operation for path in document["paths"].values() for operation in path.values()):
        asked = [told for told in operation.get("parameters", []) if told["name"] not in UNASKED]
        operation["parameters"] = [_parameter(told, known_parameters()) for told in asked]
        operation["responses"].pop("default")
        if "requestBody" in operation:
            _sharpen_body(operation["requestBody"], BODIES.get(operation["operationId"], ()))
    schemas = document["components"]["schemas"]
    schemas["JobTemplateList"]["properties"]["jobs"]["items"] = TEMPLATE_IN_LIST
    for title, schema in schemas.items():
        _sharpen_members(title, schema.get("properties", {}), narrow=narrow)
    return document


def _parameter(told: Any, known: Known) -> Any:
    values = known.get(told["name"])
    return told | {"schema": _or_known(told["schema"], values)} if values else told


def _sharpen_body(body: Any, examples: Sequence[Any]) -> None:
    """The other spellings of JSON have the same schema, and would take as long again; raw bytes stay as they are."""
    if JSON not in body["content"]:
        return
    named = {str(index): {"value": example} for index, example in enumerate(examples)}
    body["content"] = {JSON: body["content"][JSON] | {"examples": named}}


def _sharpen_members(title: str, members: dict[str, Any], *, narrow: bool) -> None:
    known = known_members() if title.endswith(REQUESTS) else {}
    for name in known.keys() & members.keys():
        members[name] = {"enum": known[name]} if narrow else _or_known(members[name], known[name])
    if title in NULLABLE:
        members |= {name: {"anyOf": [schema, {"type": "null"}]} for name, schema in members.items()}


def _or_known(schema: Any, values: Sequence[Any]) -> Any:
    return {"anyOf": [{"enum": values}, schema]}
