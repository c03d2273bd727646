"""This server's description, made sharper for questions that are drawn from it."""

from collections.abc import Mapping, Sequence
from typing import Any

from civitai_mock.api.v2.official_operations import official_schemas
from tests.fuzz.stock import Known, known_members, known_parameters
from tests.support.served_app import template

UNASKED = {"wait"}  # would hold the answer until a job ends
NULLABLE = {"ResourceDocument", "ResourceFields"}  # what is written is checked by them, and null counts as missing
REQUESTS = ("Request", "Params")  # how the names of their schemas end
JSON = "application/json"
TEMPLATE_IN_LIST = {"$ref": "#/components/schemas/TextToImageJobRequest"}  # the others are asked one by one
ECHO = {"$type": "echo", "input": {"message": "hi"}}
BODIES: Mapping[str, Sequence[Any]] = {
    "SubmitWorkflow": [{"steps": [ECHO]}, {"steps": [{"$type": "textToImage", "input": {"prompt": "a fox"}}]}],
    "PatchWorkflow": [
        [{"op": "add", "path": "/metadata/a", "value": 1}, {"op": "test", "path": "/tags/0", "value": ""}]
    ],
    "InvokeTextToImageStepTemplate": [{"prompt": "a fox"}],
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
    schemas |= {title: _as_read(schemas[title]) for title in official_schemas()}
    for title, schema in schemas.items():
        _sharpen_members(title, schema.get("properties", {}), narrow=narrow)
    return document


def _as_read(schema: Any) -> Any:
    """Take any text for a URL, as data URLs, base64 and AIRs stand there, too, and null for what may be missing."""
    if isinstance(schema, list):
        return [_as_read(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    read = {name: _as_read(item) for name, item in schema.items() if (name, item) != ("format", "uri")}
    if isinstance(members := read.get("properties"), dict):
        read["properties"] = {
            name: {"anyOf": [member, {"type": "null"}]}
            if "$ref" in member and name not in read.get("required", ())
            else member
            for name, member in members.items()
        }
    return read


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
