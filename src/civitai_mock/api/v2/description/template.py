"""Read the template of a workflow: what a submission of v2 has to be."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from civitai_mock.api.v2.description.compiler import requests
from civitai_mock.api.v2.description.faults import Faults, with_template
from civitai_mock.domain.dotnet import parse_timespan
from civitai_mock.domain.errors import InvalidRequestError
from civitai_mock.domain.json_types import Json, JsonObject, as_list, as_number, as_object, as_text, as_texts

MOST_RETRIES = 100
MOST_OF_NAME = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadStep:
    """Is one step of a template; `input` is its echo (see `echo_input`), in which references are not resolved."""

    type: str
    name: str
    input: Json
    priority: str
    timeout: timedelta | None
    retries: int | None
    metadata: JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadCallback:
    """Is one receiver of a template; `types` are like `workflow:succeeded` or `step:*`. The URL is as it was sent."""

    url: str
    types: tuple[str, ...]
    is_detailed: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadTips:
    """Are rates of the base cost that are paid on top."""

    civitai: float
    creators: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadTemplate:
    """Is a template that has been checked, with its defaults."""

    steps: tuple[ReadStep, ...]
    tags: tuple[str, ...]
    metadata: JsonObject
    arguments: JsonObject
    callbacks: tuple[ReadCallback, ...]
    currencies: tuple[str, ...]
    tips: ReadTips
    upgrade_mode: str
    allow_mature_content: bool | None
    nsfw_level: str | None
    experimental: bool | None
    is_ephemeral: bool | None
    external_id: str | None


def read_template(body: JsonObject) -> ReadTemplate:
    """Read the body of a submission; raise `InvalidRequestError` that has all faults, each by its path."""
    try:
        return _read(body)
    except InvalidRequestError as error:
        raise with_template(error) from error


def _read(body: JsonObject) -> ReadTemplate:
    faults = Faults()
    template = as_object(requests().reader("WorkflowTemplate")(body, None, faults))
    steps = [as_object(step) for step in as_list(template.get("steps"))]
    _check_steps(steps, faults)
    faults.check()
    tips = as_object(template.get("tips"))
    return ReadTemplate(
        steps=tuple(_step(step, index) for index, step in enumerate(steps)),
        tags=as_texts(template.get("tags")),
        metadata=as_object(template.get("metadata")),
        arguments=as_object(template.get("arguments")),
        callbacks=tuple(_callback(as_object(callback)) for callback in as_list(template.get("callbacks"))),
        currencies=as_texts(template.get("currencies")),
        tips=ReadTips(
            civitai=as_number(tips.get("civitai")) or 0,
            creators=as_number(tips.get("creators")) or 0,
        ),
        upgrade_mode=as_text(template.get("upgradeMode")),
        allow_mature_content=_flag(template.get("allowMatureContent")),
        nsfw_level=_text(template.get("nsfwLevel")),
        experimental=_flag(template.get("experimental")),
        is_ephemeral=_flag(template.get("ephemeral")),
        external_id=_text(template.get("externalId")),
    )


def _check_steps(steps: Sequence[JsonObject], faults: Faults) -> None:
    names: set[str] = set()
    for index, step in enumerate(steps):
        place = ((None, "steps"), index)
        name = _name(step, index)
        if not 1 <= len(name) <= MOST_OF_NAME:
            faults.add((place, "name"), f"The field name must have 1 to {MOST_OF_NAME} characters; found {len(name)}.")
        elif name in names:
            faults.add((place, "name"), f"The name '{name}' is the one of an earlier step; names must differ.")
        names.add(name)
        retries = step.get("retries")
        if isinstance(retries, int) and not 0 <= retries <= MOST_RETRIES:
            faults.add((place, "retries"), f"The field retries must be between 0 and {MOST_RETRIES}; found {retries}.")


def _name(step: JsonObject, index: int) -> str:
    """Return the name of a step, which is its number if it has none (captures)."""
    name = step.get("name")
    return name if isinstance(name, str) else f"${index}"


def _step(step: JsonObject, index: int) -> ReadStep:
    timeout = _text(step.get("timeout"))
    retries = step.get("retries")
    return ReadStep(
        type=as_text(step["$type"]),
        name=_name(step, index),
        input=step["input"],
        priority=as_text(step["priority"]),
        timeout=None if timeout is None else parse_timespan(timeout),
        retries=retries if isinstance(retries, int) else None,
        metadata=as_object(step.get("metadata")),
    )


def _callback(callback: JsonObject) -> ReadCallback:
    return ReadCallback(
        url=as_text(callback["url"]), types=as_texts(callback["type"]), is_detailed=_flag(callback.get("detailed"))
    )


def _flag(value: Json) -> bool | None:
    return value if isinstance(value, bool) else None


def _text(value: Json) -> str | None:
    return value if isinstance(value, str) else None
