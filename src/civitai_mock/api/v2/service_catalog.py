"""The services of v2: every kind of step with the words that pick one of its kinds, and who does the work here.

They follow from the description: a service is a leaf of the input of a step type. Their ids, such as
`image/sdcpp/zImage/turbo/createImage`, are made as those of the real list (published in 2026).
"""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from functools import cache
from typing import TypeAlias

from civitai_mock.api.v2.description.deviations import SCHEMAS_PATH
from civitai_mock.api.v2.description.document import (
    RECIPES_PATH,
    ObjectSchema,
    Schema,
    Schemas,
    object_schema,
    published,
    recipe_schemas,
)
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.generation.ecosystems import ECOSYSTEMS

Words: TypeAlias = Mapping[str, str]

WORKFLOWS_PATH = "/v2/consumer/workflows"
IMAGE, VIDEO, CHAT, AUDIO = "image", "video", "chat", "audio"
TEXT, THREE_D, MODEL, UTILITY = "text", "3d", "model", "utility"
CATEGORY_OF: Mapping[str, str] = {
    **dict.fromkeys(
        (
            *("convertImage", "humanoidImageMask", "imageBackgroundRemoval", "imageGen", "imageToSvg", "imageUpload"),
            *("imageUpscaler", "preprocessImage", "textToImage", "tryOnU"),
        ),
        IMAGE,
    ),
    **dict.fromkeys(
        (
            *("composeMedia", "transcode", "videoBackgroundRemoval", "videoEnhancement", "videoFrameExtraction"),
            *("videoGen", "videoInterpolation", "videoMetadata", "videoUpscaler"),
        ),
        VIDEO,
    ),
    "chatCompletion": CHAT,
    "aceStepAudio": AUDIO,
    "textToSpeech": AUDIO,
    **dict.fromkeys(
        (
            *("ageClassification", "audioCaptioning", "batchOCRSafetyClassification", "mediaCaptioning", "mediaRating"),
            *("promptEnhancement", "qwenImageBench", "shieldstralModeration", "transcription", "wdTagging"),
            "xGuardModeration",
        ),
        TEXT,
    ),
    "model3DPreview": THREE_D,
    "polyGen": THREE_D,
    **dict.fromkeys(
        (
            *("comfyNodepackSnapshot", "imageResourceTraining", "modelClamScan", "modelHash", "modelParseMetadata"),
            *("modelPickleScan", "training"),
        ),
        MODEL,
    ),
}
"""The category of each step type; one that is not here is a utility."""

NAMED_IN_ID = frozenset({"xGuardModeration"})  # step types whose words another one has, too
NOT_IN_ID = frozenset({"preprocessImage"})  # step types whose kinds the real list has as one service
# Which member besides has a service for each of its words, by the words before (the real list).
VARIANTS: Mapping[tuple[str, ...], str] = {
    ("flux2", "klein"): "modelVersion",
    ("sdcpp", "flux2Klein"): "modelVersion",
    ("seedream",): "version",
    ("qwen",): "model",
}
RECIPES_ONLY = frozenset({"batchOCRSafetyClassification", "humanoidImageMask", "tryOnU"})
GRAPHS_OF_USERS = frozenset({"comfy", "customComfy"})
GRAPH_STEPS = GRAPHS_OF_USERS | {"textToImage"}
GRAPH_ENGINES = frozenset({"sdcpp", "comfy"})
TAGS: Mapping[str, str] = {
    "imageBackgroundRemoval": "background-removal",
    "videoBackgroundRemoval": "background-removal",
    "imageUpscaler": "upscaling",
    "videoUpscaler": "upscaling",
}
# Parts of the names of members that take something of that kind.
INPUTS: Mapping[str, Sequence[str]] = {
    "text": ("prompt", "text", "message", "instruction", "lyrics"),
    "image": ("image", "frame", "mediaUrl", "elements", "garment"),
    "video": ("video", "mediaUrl"),
    "audio": ("audio", "mediaUrl"),
    "model": ("trainingData", "model3D"),
}
OUTPUT_OF: Mapping[str, str] = {CHAT: "text", UTILITY: "file"}


class Worker(StrEnum):
    """Says who does the work of a service here."""

    COMFYUI = "comfyui"  # the provider, which may be its simulator, runs a graph
    STAND_IN = "stand-in"  # this server makes something up in the place of a model


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """Is one kind of a step; a worker has to have the `ecosystem` for its graphs, if there is one."""

    id: str
    category: str
    step: str
    parameters: Mapping[str, str]
    inputs: Sequence[str]
    worker: Worker
    ecosystem: str
    tags: Sequence[str]

    @property
    def name(self) -> str:
        """Return words for people, made of the id."""
        return self.id.partition("/")[2].replace("/", " ")

    @property
    def submit_path(self) -> str:
        return RECIPES_PATH + self.step if self.step in RECIPES_ONLY else WORKFLOWS_PATH

    def has_text(self, query: str) -> bool:
        """Return whether a text, in lower case, is in its id, name or tags."""
        return any(query in text.lower() for text in (self.id, self.name, *self.tags))

    @property
    def output(self) -> str:
        return OUTPUT_OF.get(self.category, self.category)


@cache
def services() -> Mapping[str, Service]:
    """Return all services by their ids, in order of id."""
    schemas: Schemas = published()["components"]["schemas"]
    found: dict[str, Service] = {}
    for step, recipe in recipe_schemas().items():
        for leaf, words in _leaves(schemas, recipe.input):
            service = _service(step, leaf, words)
            found[service.id] = service
    return dict(sorted(found.items()))


def _leaves(schemas: Schemas, schema: Schema) -> Iterator[tuple[ObjectSchema | None, Words]]:
    """Yield each kind of an input with the words that pick it, the outermost first."""
    if "$ref" not in schema:
        yield None, {}
        return
    yield from _leaves_of(schemas, schema["$ref"].removeprefix(SCHEMAS_PATH), {})


def _leaves_of(schemas: Schemas, name: str, words: Words) -> Iterator[tuple[ObjectSchema | None, Words]]:
    found = object_schema(schemas, name)
    if found.branch is None:
        variant = VARIANTS.get(tuple(words.values())[:2]) or VARIANTS.get(tuple(words.values())[:1])
        if variant is None:
            yield found, words
            return
        for word in _enum(schemas, found.members[variant]):
            yield found, {**words, variant: word}
        return
    for word, branch in found.branch.schemas.items():
        yield from _leaves_of(schemas, branch, {**words, found.branch.member: word})


def _enum(schemas: Schemas, schema: Schema) -> Sequence[str]:
    described = schemas[schema["$ref"].removeprefix(SCHEMAS_PATH)] if "$ref" in schema else schema
    words: Sequence[str] = described["enum"]
    return words


def _service(step: str, leaf: ObjectSchema | None, words: Words) -> Service:
    category = CATEGORY_OF.get(step, UTILITY)
    parameters = {} if step in NOT_IN_ID else words
    named = [step] if step in NAMED_IN_ID or not parameters else []
    ecosystem = words.get("ecosystem", "").lower() if words.get("engine") in GRAPH_ENGINES else ""
    runs_graph = step in GRAPH_STEPS or (step == "imageGen" and ecosystem in ECOSYSTEMS)
    worker = Worker.COMFYUI if runs_graph else Worker.STAND_IN
    return Service(
        id="/".join([category, *named, *parameters.values()]),
        category=category,
        step=step,
        parameters=parameters,
        inputs=_inputs(leaf),
        worker=worker,
        ecosystem=ecosystem if runs_graph else "",
        tags=[str(worker), *([TAGS[step]] if step in TAGS else [])],
    )


def _inputs(leaf: ObjectSchema | None) -> Sequence[str]:
    """Return what an input takes, by the names of its members."""
    if leaf is None:
        return [IMAGE]
    names = [name.lower() for name, schema in leaf.members.items() if _may_be_content(schema)]
    return [kind for kind, parts in INPUTS.items() if any(part.lower() in name for part in parts for name in names)]


def _may_be_content(schema: Schema | None) -> bool:
    """Return whether a member may be a text, a URL or a list of them; those that pick the schema have none."""
    return schema is not None and not any(kind in str(schema.get("type")) for kind in ("boolean", "integer", "number"))
