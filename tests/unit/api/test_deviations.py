"""The table of deviations: each row is needed, and requests deviate from the description in nothing else."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from civitai_mock.api.v2.description.compiler import Compiler
from civitai_mock.api.v2.description.deviations import (
    AGEING_WORDS,
    DEVIATIONS,
    DOCUMENTED_DEFAULTS,
    DOCUMENTED_LIMITS,
    Change,
    Deviation,
    Side,
)
from civitai_mock.api.v2.description.document import (
    Schema,
    Schemas,
    deviating_schemas,
    object_schema,
    published,
    schemas_for,
)
from civitai_mock.api.v2.description.faults import Faults
from civitai_mock.domain.errors import InvalidRequestError
from tests.support.v2_description import answer_faults, definitions_of, validator_of
from tests.support.v2_inputs import AIR, InputKind, input_kinds, make_object

ECHO = {"$type": "echo", "input": {"message": "hi"}}
FLUX2 = {"engine": "flux2", "operation": "createImage", "prompt": "a"}
SDCPP = {"engine": "sdcpp", "ecosystem": "sdxl", "model": AIR, "prompt": "a"}
MESSAGES = {"model": "a", "messages": [{"role": "user", "content": "hi"}]}
IMAGE_PART = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
PARTS = {"model": "a", "messages": [{"role": "user", "content": [IMAGE_PART]}]}
EACH = {"$ref": "$arguments", "path": "images", "as": "image"}
REPEATED = {"for": EACH, "template": ECHO}
NODE = {"inputs": {"model": ["5", 0]}, "classType": "KSampler"}
STEP = {
    "$type": "echo",
    "input": {"message": "hi"},
    "name": "$0",
    "priority": "low",
    "status": "failed",
    "metadata": {},
}
JOB = {"id": "1", "status": "failed", "cost": 1}
BLOB = {"id": "1.jpeg", "available": True}


def _template(step: Any = ECHO, **members: Any) -> Any:
    return {"steps": [step], "currencies": [], **members}


def _comfy(**node: Any) -> Any:
    return {"comfyWorkflow": {"4": NODE | node}}


def _without(members: Any, name: str) -> Any:
    return {member: value for member, value in members.items() if member != name}


def _least(schema: str, without: str) -> Any:
    return _without(make_object(schemas_for(Side.REQUESTS), schema, is_full=False), without)


# Of the schemas that others extend, one of these.
SMALLEST = {
    "QwenApiImageGenInput": "QwenApiCreateImageGenInput",
    "ComfyErnieStandardImageGenInput": "ComfyErnieStandardCreateImageGenInput",
    "ComfyErnieTurboImageGenInput": "ComfyErnieTurboCreateImageGenInput",
    "Hunyuan3dComfyPolyGenInput": "Hunyuan3dShapeGenComfyPolyGenInput",
}
UNIONS = {"PolyGenInput": "PolyGenInput", "VideoGenInput": "VideoGenInput", "VdeoGenInput": "VideoGenInput"}


def _union(schema: str) -> str:
    """Return the schema of all inputs of a kind."""
    if schema.startswith(("Flux3V3", "HappyHorse")):
        return "VideoGenInput"
    return next((union for end, union in UNIONS.items() if schema.endswith(end)), "ImageGenInput")


def _beyond(limits: Any) -> Any:
    """Return a value that is beyond the limits."""
    if "maxItems" in limits:
        return ["https://example.com/a.png"] * (limits["maxItems"] + 1)
    return "a" * (limits["maxLength"] + 1) if "maxLength" in limits else limits["maximum"] + 1


# Of each row: the schema of what it is seen in, and a request or an answer that another reading would refuse or change.
WITNESSES: dict[tuple[str, str, Change, Side], tuple[str, Any]] = {
    ("WorkflowTemplate", "currencies", Change.OPTIONAL, Side.REQUESTS): ("WorkflowTemplate", {"steps": [ECHO]}),
    ("WorkflowStepTemplate", "repeat", Change.LEAF, Side.BOTH): (
        "WorkflowTemplate",
        _template({"$type": "repeat", "input": REPEATED}),
    ),
    ("WorkflowStep", "repeat", Change.LEAF, Side.ANSWERS): (
        "WorkflowStep",
        STEP | {"$type": "repeat", "input": REPEATED, "output": {"steps": [STEP]}},
    ),
    ("Priority", "", Change.DEFAULT, Side.REQUESTS): ("WorkflowStepTemplate", ECHO),
    ("WorkflowUpgradeMode", "", Change.DEFAULT, Side.REQUESTS): ("WorkflowTemplate", _template()),
    ("TextToImageInput", "seed", Change.OPTIONAL, Side.BOTH): ("TextToImageInput", {"prompt": "a", "cfgScale": 7}),
    ("AceStepAudioInput", "seed", Change.OPTIONAL, Side.BOTH): (
        "AceStepAudioInput",
        _least("AceStepAudioInput", "seed"),
    ),
    ("MochiVideoGenInput", "seed", Change.OPTIONAL, Side.BOTH): (
        "VideoGenInput",
        _least("MochiVideoGenInput", "seed"),
    ),
    ("TryOnUInput", "seed", Change.OPTIONAL, Side.BOTH): ("TryOnUInput", _least("TryOnUInput", "seed")),
    ("MediaRatingInput", "mediaUrl", Change.DECLARED, Side.BOTH): ("MediaRatingInput", {"mediaUrl": "https://a.b/c"}),
    ("ComfyNode", "class_type", Change.SPELLING, Side.REQUESTS): (
        "ComfyInput",
        {"comfyWorkflow": {"4": {"inputs": {}, "class_type": "KSampler"}}},
    ),
    ("ComfyNode", "_meta", Change.SPELLING, Side.REQUESTS): ("ComfyInput", _comfy(_meta={"title": "a"})),
    ("ComfyNode", "inputs", Change.DECLARED, Side.BOTH): ("ComfyInput", _comfy()),
    ("ComfyNode", "meta", Change.DECLARED, Side.BOTH): ("ComfyInput", _comfy(meta={"size": [1, 2]})),
    ("ComfyLtx23VideoGenInput", "duration", Change.DECLARED, Side.BOTH): (
        "VideoGenInput",
        {"engine": "ltx2.3", "operation": "createVideo", "prompt": "a", "duration": 5},
    ),
    ("ZipTrainingData", "sourceUrl", Change.DECLARED, Side.BOTH): (
        "TrainingData",
        {"type": "zip", "sourceUrl": "https://example.com/images.zip?sig=a&exp=b", "count": 3},
    ),
    ("TrainingData", "blobs", Change.LEAF, Side.BOTH): (
        "TrainingData",
        {"type": "blobs", "items": [{"air": "https://example.com/a.png", "caption": "a fox"}]},
    ),
    ("UserMessage", "content", Change.DECLARED, Side.BOTH): ("ChatCompletionInput", MESSAGES),
    ("ChatCompletionContentPart", "image_url", Change.SPELLING, Side.REQUESTS): ("ChatCompletionInput", PARTS),
    ("ChatCompletionInput", "response_format", Change.SPELLING, Side.REQUESTS): (
        "ChatCompletionInput",
        MESSAGES | {"response_format": {"type": "json_object"}},
    ),
    ("ChatCompletionInput", "max_tokens", Change.SPELLING, Side.REQUESTS): (
        "ChatCompletionInput",
        MESSAGES | {"max_tokens": 5},
    ),
    ("ChatCompletionResponseFormat", "json_schema", Change.SPELLING, Side.REQUESTS): (
        "ChatCompletionInput",
        MESSAGES | {"responseFormat": {"type": "json_schema", "json_schema": {"name": "a", "schema": {}}}},
    ),
    ("Flux2ImageGenInput", "modelVariant", Change.SPELLING, Side.REQUESTS): (
        "ImageGenInput",
        FLUX2 | {"modelVariant": "klein"},
    ),
    ("Flux2ImageGenInput", "modelVariant", Change.DECLARED, Side.ANSWERS): (
        "ImageGenInput",
        FLUX2 | {"modelVariant": "klein"},
    ),
    ("Flux2ImageGenInput", "model", Change.OPTIONAL, Side.ANSWERS): (
        "ImageGenInput",
        FLUX2 | {"modelVariant": "klein"},
    ),
    ("SdCppImageGenInput", "operation", Change.INFERRED, Side.REQUESTS): ("ImageGenInput", SDCPP),
    ("SdCppImageGenInput", "operation", Change.OPTIONAL, Side.ANSWERS): ("ImageGenInput", SDCPP),
    **{
        (schema, "", Change.DEFAULT, Side.REQUESTS): ("ImageGenInput", SDCPP)
        for schema in ("SdCppSampleMethod", "SdCppUCacheMode", "ImageGenOutputFormat")
    },
    ("SdCppSchedule", "", Change.DEFAULT, Side.REQUESTS): (
        "ImageGenInput",
        _least("Flux1SdCppCreateImageInput", "schedule"),
    ),
    **{
        ("Flux1SdCppImageGenInput", member, Change.OPTIONAL, Side.BOTH): (
            "ImageGenInput",
            _least("Flux1SdCppCreateImageInput", member),
        )
        for member in ("vaeModel", "clipLModel", "t5XXLModel")
    },
    **{
        ("QwenApiImageGenInput", member, Change.OPTIONAL, Side.BOTH): (
            "ImageGenInput",
            _least("QwenApiCreateImageGenInput", member),
        )
        for member in ("width", "height")
    },
    ("Krea2FalImageGenInput", "imageStyleReferences", Change.OPTIONAL, Side.REQUESTS): (
        "ImageGenInput",
        _least("Krea2CreateFalImageGenInput", "imageStyleReferences"),
    ),
    **{
        (schema, member, Change.DEFAULT, Side.REQUESTS): (
            _union(schema),
            _least(SMALLEST.get(schema, schema), member),
        )
        for schema, defaults in DOCUMENTED_DEFAULTS.items()
        for member in defaults
    },
    **{
        (f"{ecosystem}ImageGenInput", "schedule", Change.DEFAULT, Side.REQUESTS): (
            "ImageGenInput",
            _least(f"{ecosystem}CreateImageGenInput", "schedule"),
        )
        for ecosystem in ("Sd1", "Sdxl")
    },
    ("CursedArrayOfTelemetryCursorAndWorkflow", "next", Change.OPTIONAL, Side.ANSWERS): (
        "CursedArrayOfTelemetryCursorAndWorkflow",
        {"items": []},
    ),
    ("Blob", "type", Change.OPTIONAL, Side.ANSWERS): ("Blob", BLOB),
    **{
        ("WorkflowStep", member, Change.DECLARED, Side.ANSWERS): ("WorkflowStep", STEP | {member: value})
        for member, value in {
            "queuePosition": {"support": "available", "precedingJobs": 0},
            "reason": "timeout",
            "errors": ["out of memory"],
            "warnings": [{"message": "slow"}],
            "preparation": {"resource": AIR, "progress": 0.5},
        }.items()
    },
    **{
        ("WorkflowStepJob", member, Change.DECLARED, Side.ANSWERS): (
            "WorkflowStep",
            STEP | {"jobs": [JOB | {member: "blocked"}]},
        )
        for member in ("reason", "blockedReason")
    },
}
# These refuse what the description takes.
REFUSED: dict[tuple[str, str, Change, Side], tuple[str, Any]] = {
    ("WorkflowTemplate", "tags", Change.DECLARED, Side.REQUESTS): ("WorkflowTemplate", _template(tags=[""])),
    **{
        (schema, "images", Change.REQUIRED, Side.REQUESTS): (union, _least(schema, "images"))
        for union, schema in (
            ("VideoGenInput", "GrokImageToVideoInput"),
            ("VideoGenInput", "GrokV15ImageToVideoInput"),
            ("ImageGenInput", "ComfyBooguEditImageInput"),
        )
    },
    **{
        (schema, member, Change.LIMITED, Side.REQUESTS): (
            _union(schema),
            _least(SMALLEST.get(schema, schema), member) | {member: _beyond(limits)},
        )
        for schema, limited in DOCUMENTED_LIMITS.items()
        for member, limits in limited.items()
    },
}


def _key(row: Deviation) -> tuple[str, str, Change, Side]:
    return row.schema, row.member, row.change, row.side


def _read(schemas: Schemas, name: str, value: Any) -> Any:
    """Return what is read, or what is wrong with it."""
    faults = Faults()
    result = Compiler(schemas).reader(name)(value, None, faults)
    try:
        faults.check()
    except InvalidRequestError as error:
        return set(error.errors)
    return result


@pytest.mark.parametrize("row", DEVIATIONS, ids=lambda row: f"{row.schema}.{row.member}-{row.change.name}-{row.side}")
def test_each_deviation_is_needed(row: Deviation) -> None:
    name, value = (WITNESSES | REFUSED)[_key(row)]
    others = [each for each in DEVIATIONS if each is not row]
    if row.side is Side.ANSWERS:
        assert answer_faults(name, value) == []
        assert list(validator_of(definitions_of(deviating_schemas(Side.ANSWERS, others)), name).iter_errors(value))
        return
    found = _read(schemas_for(Side.REQUESTS), name, value)
    assert isinstance(found, dict) is (_key(row) in WITNESSES)
    assert found != _read(deviating_schemas(Side.REQUESTS, others), name, value)


def test_each_witness_is_one_of_a_row() -> None:
    assert (WITNESSES | REFUSED).keys() == {_key(row) for row in DEVIATIONS}


@cache
def _official() -> Schemas:
    schemas: Schemas = published()["components"]["schemas"]
    return schemas


@cache
def _limited() -> Schemas:
    """Return the official schemas with our limits, which whole inputs keep to."""
    return deviating_schemas(Side.REQUESTS, [row for row in DEVIATIONS if row.change is Change.LIMITED])


@cache
def _strict_definitions() -> Schema:
    return definitions_of(_official(), is_strict=True)


STRICT_KINDS = [kind for kind in input_kinds() if kind.schema is not None]


@pytest.mark.parametrize("kind", STRICT_KINDS, ids=str)
def test_requests_deviate_in_nothing_else(kind: InputKind) -> None:
    """Change each member of a whole input: it is refused as the description says, or the table says otherwise."""
    assert kind.schema
    strict = validator_of(_strict_definitions(), kind.schema)
    readers = Compiler(schemas_for(Side.REQUESTS))
    for member, change, value in _changed(kind):
        faults = Faults()
        readers.reader(kind.schema)(value, None, faults)
        is_taken = True
        try:
            faults.check()
        except InvalidRequestError:
            is_taken = False
        if is_taken != strict.is_valid(value):
            says_so = _may_deviate(kind.schema, member, change) if is_taken else _has_row(kind.schema, member)
            assert says_so, f"{member} ({change}) is {'taken' if is_taken else 'refused'}"


def _changed(kind: InputKind) -> Iterator[tuple[str, str, Any]]:
    """Yield inputs with one member changed, the name of the member, and what was done to it."""
    assert kind.schema
    found = object_schema(_official(), kind.schema)
    whole = make_object(_limited(), kind.schema, is_full=True)
    for member, schema in found.members.items():
        if member not in whole or member in found.words:
            continue
        yield member, "left out", {name: value for name, value in whole.items() if name != member}
        wrong_values: list[Any] = ["", 7, 7.5, True, [7], {"a": {}}]
        for wrong in wrong_values:
            yield member, "another kind", whole | {member: wrong}
        for limit, step in (("maximum", 1), ("minimum", -1)):
            if limit in schema:
                yield member, "out of range", whole | {member: schema[limit] + step}
        if "maxLength" in schema:
            yield member, "too long", whole | {member: "a" * (schema["maxLength"] + 1)}
        if isinstance(whole[member], str):
            yield member, "another word", whole | {member: "neverHeardOf"}


def _may_deviate(schema: str, member: str, change: str) -> bool:
    """Return whether a rule of the readers or a row of the table takes what the description refuses."""
    found = object_schema(_official(), schema)
    described = found.members[member]
    if change == "left out":  # what .NET has for a member that was not sent
        return "default" in described or described.get("type") == "boolean" or _has_row(schema, member)
    if change in {"another word", "another kind"} and member in AGEING_WORDS:
        return True
    return _has_row(schema, member)


def _has_row(schema: str, member: str) -> bool:
    official, deviating = object_schema(_official(), schema), object_schema(schemas_for(Side.REQUESTS), schema)
    is_changed = _resolved(official.members[member]) != _resolved(deviating.members[member])
    return is_changed or (member in official.required) != (member in deviating.required)


def _resolved(schema: Any) -> Any:
    """Return what a member refers to, where a row changes that; it is the same text otherwise."""
    text = str(schema)
    changed = [row for row in DEVIATIONS if row.side is not Side.ANSWERS and f"/{row.schema}'" in text]
    return (text, [row.member for row in changed])
