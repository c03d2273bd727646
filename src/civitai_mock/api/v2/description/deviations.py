"""Where requests and answers of v2 differ from the official description: this table is the only place that says so.

`openapi-v2.json` is the official description of June 2026, untouched. `newer.json` has what the official client of
August 2026 (npm `@civitai/client` 0.2.0-beta.86) knows besides: types, members, words, six operations. The rows below
are what clients send and the real service answers although neither says so.
"""

from collections.abc import Mapping
from enum import Enum, StrEnum, auto
from typing import TypeAlias

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.json_types import Json, JsonObject

SCHEMAS_PATH = "#/components/schemas/"
# What says which of several schemas a value has, and which models it is made with, changes by the week: a word that is
# newer than the description is taken as it is sent, except for `$type` and `engine`.
AGEING_WORDS = frozenset({"ecosystem", "model", "modelVariant", "modelVersion", "version"})


class Side(StrEnum):
    """Says whether it is requests or answers that differ."""

    REQUESTS = "requests"
    ANSWERS = "answers"
    BOTH = "both"


class Change(Enum):
    """Says what is changed in the description."""

    LIMITED = auto()  # a value may not be as large, as small or as long as the description says
    OPTIONAL = auto()  # a required member may be missing
    REQUIRED = auto()  # a member may not be missing
    DECLARED = auto()  # a member is there, or has another schema
    DEFAULT = auto()  # a value is meant where a member is missing, or any member with words of this enum
    SPELLING = auto()  # a member has a second name; the value is the official one
    INFERRED = auto()  # a missing word that picks the schema is inferred from the other members
    LEAF = auto()  # one more word picks a schema, which is the value


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviation:
    """Changes one member of one schema; `why` says where that was seen."""

    schema: str
    member: str = ""
    change: Change
    value: Json = None
    side: Side = Side.BOTH
    why: str


Deviations: TypeAlias = tuple[Deviation, ...]


def _schema(name: str) -> JsonObject:
    return {"$ref": SCHEMAS_PATH + name}


TEXT_OR_NULL: JsonObject = {"type": ["null", "string"]}
NUMBER_OR_NULL: JsonObject = {"type": ["null", "number"], "format": "double"}
ANY_OBJECT: JsonObject = {"type": "object", "additionalProperties": {}}
TEXTS_OR_NULL: JsonObject = {"type": ["null", "array"], "items": {"type": "string"}}
WARNINGS: JsonObject = {
    "type": "array",
    "items": {"type": "object", "required": ["message"], "properties": {"message": {"type": "string"}}},
}
PREPARATION: JsonObject = {
    "type": "object",
    "properties": {
        "resource": TEXT_OR_NULL,
        "progress": NUMBER_OR_NULL,
        "queuePosition": NUMBER_OR_NULL,
        "etaSeconds": NUMBER_OR_NULL,
        "lane": TEXT_OR_NULL,
    },
}
TEXT_OR_PARTS: JsonObject = {
    "oneOf": [{"type": "string"}, {"type": "array", "items": _schema("ChatCompletionContentPart")}]
}
TAG: JsonObject = {"type": "string", "minLength": 1, "maxLength": 200}
TAGS: JsonObject = {"maxItems": 10, "uniqueItems": True, "type": ["null", "array"], "items": TAG}

# Schemas that only the rows below refer to.
SCHEMAS: JsonObject = {
    "RepeatStepTemplate": {
        "allOf": [
            _schema("WorkflowStepTemplate"),
            {
                "type": "object",
                "required": ["$type", "input"],
                "properties": {"input": _schema("RepeatInput"), "$type": {"type": "string", "enum": ["repeat"]}},
                "additionalProperties": False,
            },
        ]
    },
    "RepeatStep": {
        "allOf": [
            _schema("WorkflowStep"),
            {
                "type": "object",
                "required": ["$type", "input"],
                "properties": {
                    "input": _schema("RepeatInput"),
                    "output": _schema("RepeatOutput"),
                    "$type": {"type": "string", "enum": ["repeat"]},
                },
                "additionalProperties": False,
            },
        ]
    },
    "BlobsTrainingData": {
        "allOf": [
            _schema("TrainingData"),
            {
                "type": "object",
                "required": ["type", "items"],
                "properties": {
                    "items": {"type": "array", "minItems": 1, "items": _schema("BlobsTrainingDataItem")},
                    "type": {"type": "string", "enum": ["blobs"]},
                },
                "additionalProperties": False,
            },
        ]
    },
    "BlobsTrainingDataItem": {
        "type": "object",
        "required": ["air"],
        "properties": {"air": {"type": "string"}, "caption": TEXT_OR_NULL},
        "additionalProperties": False,
    },
}

OF_TEMPLATES: Deviations = (
    Deviation(
        schema="WorkflowTemplate",
        member="currencies",
        change=Change.OPTIONAL,
        side=Side.REQUESTS,
        why="Hardly a client sends it; a missing one is an empty list.",
    ),
    Deviation(
        schema="WorkflowTemplate",
        member="tags",
        change=Change.DECLARED,
        value=TAGS,
        side=Side.REQUESTS,
        why="The reference says 1 to 200 characters.",
    ),
    Deviation(
        schema="WorkflowStepTemplate",
        member="repeat",
        change=Change.LEAF,
        value="RepeatStepTemplate",
        why="Real workflows use it, though the union of steps does not have it.",
    ),
    Deviation(
        schema="WorkflowStep",
        member="repeat",
        change=Change.LEAF,
        value="RepeatStep",
        side=Side.ANSWERS,
        why="Real workflows use it, though the union of steps does not have it.",
    ),
    Deviation(
        schema="Priority",
        change=Change.DEFAULT,
        value="low",
        side=Side.REQUESTS,
        why="Captures of steps that set none.",
    ),
    Deviation(
        schema="WorkflowUpgradeMode",
        change=Change.DEFAULT,
        value="automatic",
        side=Side.REQUESTS,
        why="Captures of workflows that set none.",
    ),
)
OF_INPUTS: Deviations = (
    Deviation(
        schema="TextToImageInput",
        member="seed",
        change=Change.OPTIONAL,
        why="The official app SDK leaves it out, and an echo has a seed only if one was sent.",
    ),
    *(
        Deviation(
            schema=schema,
            member="seed",
            change=Change.OPTIONAL,
            why="As for textToImage: a seed that is left open is drawn, and is not in the echo.",
        )
        for schema in ("AceStepAudioInput", "MochiVideoGenInput", "TryOnUInput")
    ),
    Deviation(
        schema="MediaRatingInput",
        member="mediaUrl",
        change=Change.DECLARED,
        value=TEXT_OR_NULL,
        why="The website sends it in the place of `image`.",
    ),
    Deviation(
        schema="ComfyNode",
        member="class_type",
        change=Change.SPELLING,
        value="classType",
        side=Side.REQUESTS,
        why="The website sends graphs as ComfyUI has them.",
    ),
    Deviation(
        schema="ComfyNode",
        member="_meta",
        change=Change.SPELLING,
        value="meta",
        side=Side.REQUESTS,
        why="The website sends graphs as ComfyUI has them.",
    ),
    Deviation(
        schema="ComfyNode",
        member="inputs",
        change=Change.DECLARED,
        value=ANY_OBJECT,
        why='Links are `["4", 0]`, and nodes take lists and objects; the description has pairs of numbers only.',
    ),
    Deviation(
        schema="ComfyNode",
        member="meta",
        change=Change.DECLARED,
        value={"type": ["null", "object"], "additionalProperties": {}},
        why="ComfyUI's own page keeps more than texts there.",
    ),
    Deviation(
        schema="ComfyLtx23VideoGenInput",
        member="duration",
        change=Change.DECLARED,
        value={"type": "integer", "format": "int32", "minimum": 3, "maximum": 20, "default": 5},
        why="The description has 3 and 20 as the only values, and 5 as the default: they are the ends of a range.",
    ),
    Deviation(
        schema="ZipTrainingData",
        member="sourceUrl",
        change=Change.DECLARED,
        value={"type": "string", "format": "uri"},
        why="It is a URL by its name, and a signed one has a query, which the pattern of an AIR does not take.",
    ),
    Deviation(
        schema="TrainingData",
        member="blobs",
        change=Change.LEAF,
        value="BlobsTrainingData",
        why="The training page of September 2026 sends its images one by one, with their captions.",
    ),
    Deviation(
        schema="UserMessage",
        member="content",
        change=Change.DECLARED,
        value=TEXT_OR_PARTS,
        why="The documentation of chatCompletion has a bare text there, as OpenAI does.",
    ),
    *(
        Deviation(
            schema=schema,
            member=member,
            change=Change.SPELLING,
            value=official,
            side=Side.REQUESTS,
            why="The name that OpenAI has.",
        )
        for schema, member, official in (
            ("ChatCompletionContentPart", "image_url", "imageUrl"),
            ("ChatCompletionInput", "response_format", "responseFormat"),
            ("ChatCompletionInput", "max_tokens", "maxTokens"),
            ("ChatCompletionResponseFormat", "json_schema", "jsonSchema"),
        )
    ),
    Deviation(
        schema="Flux2ImageGenInput",
        member="modelVariant",
        change=Change.SPELLING,
        value="model",
        side=Side.REQUESTS,
        why="The echo calls it so, and an echo can be sent again.",
    ),
    Deviation(
        schema="Flux2ImageGenInput",
        member="modelVariant",
        change=Change.DECLARED,
        value={"type": "string"},
        side=Side.ANSWERS,
        why="The echo was measured to have it in the place of `model`.",
    ),
    Deviation(
        schema="Flux2ImageGenInput",
        member="model",
        change=Change.OPTIONAL,
        side=Side.ANSWERS,
        why="The echo was measured to have `modelVariant` in its place.",
    ),
    Deviation(
        schema="SdCppImageGenInput",
        member="operation",
        change=Change.INFERRED,
        side=Side.REQUESTS,
        why="The echo leaves it out, and an echo can be sent again.",
    ),
    Deviation(
        schema="SdCppImageGenInput",
        member="operation",
        change=Change.OPTIONAL,
        side=Side.ANSWERS,
        why="The echo was measured to leave it out.",
    ),
    Deviation(
        schema="SdCppSampleMethod", change=Change.DEFAULT, value="euler", side=Side.REQUESTS, why="Published examples."
    ),
    *(
        Deviation(
            schema=schema,
            member="schedule",
            change=Change.DEFAULT,
            value="discrete",
            side=Side.REQUESTS,
            why="Captured echo of a request without one, of sdxl; the documentation says the same of sd1.",
        )
        for schema in ("Sd1ImageGenInput", "SdxlImageGenInput")
    ),
    Deviation(
        schema="SdCppSchedule",
        change=Change.DEFAULT,
        value="simple",
        side=Side.REQUESTS,
        why="The documentation has it as the default of all other ecosystems.",
    ),
    Deviation(
        schema="SdCppUCacheMode",
        change=Change.DEFAULT,
        value="off",
        side=Side.REQUESTS,
        why="Captured echo of a request without one.",
    ),
    Deviation(
        schema="ImageGenOutputFormat",
        change=Change.DEFAULT,
        value="jpeg",
        side=Side.REQUESTS,
        why="Captured echo of a request without one.",
    ),
)
# By the documentation of the real service (developer.civitai.com, August 2026): what a table of parameters there has a
# default for may be left out, though the description calls it required.
ERNIE: JsonObject = {"sampler": "euler", "scheduler": "simple"}
FLUX3: JsonObject = {"duration": 5, "aspectRatio": "auto", "generateAudio": True, "draft": False}
DOCUMENTED_DEFAULTS: Mapping[str, JsonObject] = {
    "SeedreamImageGenInput": {"version": "v4.5"},
    "QwenApiImageGenInput": {"quantity": 1, "promptExtend": True, "watermark": False},
    "SeedanceVideoGenInput": {"resolution": "720p", "duration": 5, "aspectRatio": "adaptive"},
    "MiniMaxH3VideoGenInput": {"resolution": "2K", "duration": 5, "aspectRatio": "adaptive", "watermark": False},
    "HunyuanVdeoGenInput": {"width": 480, "height": 480},
    "Veo3VideoGenInput": {"generateAudio": True, "version": "3.1", "mode": "standard"},
    "KlingVideoGenInput": {"mode": "standard"},
    "KlingV3VideoGenInput": {"mode": "standard"},
    "ViduVideoGenInput": {"model": "default", "style": "general"},
    "Flux3V3TextToVideoInput": FLUX3,
    "Flux3V3ImageToVideoInput": FLUX3,
    "Flux3V3FirstLastFrameToVideoInput": FLUX3,
    "Flux3V3KeyframesToVideoInput": FLUX3,
    "Flux3V3ExtendVideoInput": FLUX3,
    "ComfyErnieStandardImageGenInput": ERNIE,
    "ComfyErnieTurboImageGenInput": ERNIE,
    "Hunyuan3dComfyPolyGenInput": {
        "modelVersion": "v2",
        "octreeResolution": 256,
        "sampler": "euler",
        "scheduler": "normal",
        "vaeNumChunks": 8000,
        "meshThreshold": 0.6,
        "shift": 1,
    },
    "Hunyuan3dImageTo3dComfyPolyGenInput": {"shouldTexture": True, "shouldRemesh": False, "enablePbr": True},
    "Hunyuan3dTexGenComfyPolyGenInput": {"shouldRemesh": False, "enablePbr": True},
    "TripoFalPolyGenInput": {
        "texture": "standard",
        "pbr": False,
        "autoSize": False,
        "quad": False,
        "textureAlignment": "original_image",
        "orientation": "default",
    },
}
DOCUMENTED = "The documentation has it as the default."
LEFT_TO_THE_SERVICE = "The documentation leaves it to the service, which chooses one."
OF_DOCUMENTED_INPUTS: Deviations = (
    *(
        Deviation(schema=schema, member=member, change=Change.OPTIONAL, why=LEFT_TO_THE_SERVICE)
        for schema, members in (
            ("Flux1SdCppImageGenInput", ("vaeModel", "clipLModel", "t5XXLModel")),
            ("QwenApiImageGenInput", ("width", "height")),
        )
        for member in members
    ),
    Deviation(
        schema="Krea2FalImageGenInput",
        member="imageStyleReferences",
        change=Change.OPTIONAL,
        side=Side.REQUESTS,
        why="The documentation has an empty list as the default, and the website leaves empty lists out.",
    ),
    *(
        Deviation(schema=schema, member=member, change=Change.DEFAULT, value=value, side=Side.REQUESTS, why=DOCUMENTED)
        for schema, defaults in DOCUMENTED_DEFAULTS.items()
        for member, value in defaults.items()
    ),
)
OF_LISTS: Deviations = tuple(
    Deviation(
        schema=schema,
        member="images",
        change=Change.REQUIRED,
        side=Side.REQUESTS,
        why="A missing list counts as an empty one, which may not be empty; the documentation of grok says so.",
    )
    for schema in ("GrokImageToVideoInput", "GrokV15ImageToVideoInput", "ComfyBooguEditImageInput")
)
# Of the limits in the documentation those that hold whatever else is sent.
SIDE: JsonObject = {"minimum": 512, "maximum": 2048}
FLUX3_LENGTH: JsonObject = {"duration": {"minimum": 5, "maximum": 20}}
REFERENCES: JsonObject = {"images": {"minItems": 1, "maxItems": 9}}
DOCUMENTED_LIMITS: Mapping[str, JsonObject] = {
    "QwenApiImageGenInput": {
        "prompt": {"maxLength": 5000},
        "negativePrompt": {"maxLength": 500},
        "quantity": {"minimum": 1, "maximum": 6},
        "width": SIDE,
        "height": SIDE,
    },
    "QwenApiEditImageGenInput": {"images": {"minItems": 1, "maxItems": 3}},
    "Flux3V3TextToVideoInput": FLUX3_LENGTH,
    "Flux3V3ImageToVideoInput": FLUX3_LENGTH,
    "Flux3V3FirstLastFrameToVideoInput": FLUX3_LENGTH,
    "Flux3V3KeyframesToVideoInput": {**FLUX3_LENGTH, "keyframes": {"minItems": 1, "maxItems": 10}},
    "Flux3V3ExtendVideoInput": FLUX3_LENGTH,
    "MiniMaxH3VideoGenInput": {
        "duration": {"minimum": 5, "maximum": 15},
        "referenceImages": {"maxItems": 9},
        "referenceVideos": {"maxItems": 3},
    },
    "HappyHorseV1ReferenceToVideoInput": REFERENCES,
    "HappyHorseV1_1ReferenceToVideoInput": REFERENCES,
    "HappyHorseV1VideoEditInput": {"referenceImages": {"maxItems": 5}},
    "ViduQ3VideoGenInput": {"images": {"maxItems": 2}},
}
OF_LIMITS: Deviations = tuple(
    Deviation(
        schema=schema,
        member=member,
        change=Change.LIMITED,
        value=value,
        side=Side.REQUESTS,
        why="The documentation has this limit, and the real service refuses what is beyond it.",
    )
    for schema, limits in DOCUMENTED_LIMITS.items()
    for member, value in limits.items()
)
OF_ANSWERS: Deviations = (
    Deviation(
        schema="CursedArrayOfTelemetryCursorAndWorkflow",
        member="next",
        change=Change.OPTIONAL,
        side=Side.ANSWERS,
        why="The last page of a real list has none.",
    ),
    Deviation(
        schema="Blob",
        member="type",
        change=Change.OPTIONAL,
        side=Side.ANSWERS,
        why="Captures of 2025 and 2026 have none; this server sends it.",
    ),
    *(
        Deviation(schema="WorkflowStep", member=member, change=Change.DECLARED, value=value, side=Side.ANSWERS, why=why)
        for member, value, why in (
            ("queuePosition", _schema("WorkflowStepJobQueuePosition"), "Capture of a queued workflow."),
            ("reason", TEXT_OR_NULL, "The website reads it."),
            ("errors", TEXTS_OR_NULL, "The website reads it."),
            ("warnings", WARNINGS, "The website reads it."),
            ("preparation", PREPARATION, "The website reads it."),
        )
    ),
    *(
        Deviation(
            schema="WorkflowStepJob",
            member=member,
            change=Change.DECLARED,
            value=TEXT_OR_NULL,
            side=Side.ANSWERS,
            why="The website reads it; the description has it only on the event.",
        )
        for member in ("reason", "blockedReason")
    ),
)
DEVIATIONS: Deviations = OF_TEMPLATES + OF_INPUTS + OF_DOCUMENTED_INPUTS + OF_LISTS + OF_LIMITS + OF_ANSWERS
