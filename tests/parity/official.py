"""The official description of v1 as a JSON Schema, corrected where recordings of the same service contradict it."""

from collections.abc import Iterable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from jsonschema import Draft202012Validator

SCHEMAS_PATH = "#/components/schemas/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """`place` in `components.schemas` is not what the service sends; `schema` is."""

    place: tuple[str, ...]
    schema: Any
    reason: str


def _recorded(name: str, schema: Any) -> Correction:
    place = ("TextToImageJob", "properties", name)
    return Correction(place=place, schema=schema, reason="recorded, but not described")


CORRECTIONS: Sequence[Correction] = [
    Correction(
        place=("TimeSpan",),
        schema={"type": "string", "pattern": r"^(\d+\.)?\d\d:\d\d:\d\d(\.\d{7})?$"},
        reason="described as the fields of .NET's class, recorded as text",
    ),
    Correction(
        place=("TextToImageJob", "properties", "dependencies"),
        schema={"type": "object"},
        reason="described as an array, recorded as an object",
    ),
    Correction(
        place=("JobStatusCollection", "properties", "jobId"),
        schema={"type": "string"},
        reason="not described: older clients read it when there is one job",
    ),
    Correction(
        place=("JobStatus", "properties", "progress"),
        schema={"type": "object"},
        reason="not described: an addition of this server, there while a job tells of steps",
    ),
    _recorded("Type", {"type": "string"}),
    _recorded("slots", {"type": "array"}),
    _recorded("promptClassificationResult", {"type": "object"}),
    _recorded("version", {"type": "integer"}),
    _recorded("jobDependencies", {"type": "array"}),
    _recorded("resources", {"type": "array"}),
    _recorded("additionalResources", {"type": "array"}),
    _recorded("recovered", {"type": "boolean"}),
]


def faults(official: Any, name: str, value: Any, corrections: Iterable[Correction] = CORRECTIONS) -> list[str]:
    """Where `value` is not what the schema `name` says; `nullable` is not honoured, as answers have no nulls."""
    schemas = {key: _open_base(schema, official) for key, schema in official["components"]["schemas"].items()}
    for correction in corrections:
        _put(schemas, correction)
    whole = {"$ref": SCHEMAS_PATH + name, "components": {"schemas": schemas}}
    return [f"{error.json_path}: {error.message}" for error in Draft202012Validator(whole).iter_errors(value)]


def words_of(official: Any, name: str, value: Any, path: str = "$") -> Iterator[tuple[str, str, Any]]:
    """Each value that stands where the schema `name` has a list: its path, the name of the list, and the value.

    Whatever is not described, like members that are additions of ours, is passed over.
    """
    schema = _open_base(official["components"]["schemas"][name], official)
    if "enum" in schema:
        yield path, name, value
    for member, of in schema.get("properties", {}).items():
        if isinstance(value, dict) and member in value:
            yield from _words_inside(official, of, value[member], f"{path}.{member}")


def _words_inside(official: Any, schema: Any, value: Any, path: str) -> Iterator[tuple[str, str, Any]]:
    if "$ref" in schema:
        yield from words_of(official, schema["$ref"].removeprefix(SCHEMAS_PATH), value, path)
    elif "oneOf" in schema:
        yield from words_of(official, _schema_of_job(official, value), value, path)
    elif isinstance(value, dict) and isinstance(schema.get("additionalProperties"), dict):
        for key, item in value.items():
            yield from _words_inside(official, schema["additionalProperties"], item, f"{path}[{key}]")
    elif isinstance(value, list) and "items" in schema:
        for index, item in enumerate(value):
            yield from _words_inside(official, schema["items"], item, f"{path}[{index}]")


def _schema_of_job(official: Any, job: Any) -> str:
    """Some types of today are not described: they have only what all jobs have."""
    name = f"{str(job['type']).removesuffix('V2')}Job"
    return name if name in official["components"]["schemas"] else "Job"


def has_null(value: Any) -> bool:
    if isinstance(value, dict):
        return any(has_null(item) for item in value.values())
    return value is None or (isinstance(value, list) and any(has_null(item) for item in value))


def _open_base(schema: Any, official: Any) -> Any:
    """Bases are closed in the description (`additionalProperties`), so that what extends them could add nothing."""
    merged = deepcopy(schema)
    for base in merged.pop("allOf", []):
        inherited = official["components"]["schemas"][base["$ref"].removeprefix(SCHEMAS_PATH)]
        merged["properties"] = {**inherited.get("properties", {}), **merged.get("properties", {})}
    return merged


def _put(schemas: Any, correction: Correction) -> None:
    *above, last = correction.place
    place = schemas
    for step in above:
        place = place[step]
    place[last] = correction.schema
