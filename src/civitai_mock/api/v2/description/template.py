"""Read the template of a workflow: what a submission of v2 has to be."""

from collections.abc import Sequence

from civitai_mock.api.v2.description.compiler import requests
from civitai_mock.api.v2.description.faults import Faults, with_template
from civitai_mock.domain.cost import Tips
from civitai_mock.domain.dotnet import parse_timespan
from civitai_mock.domain.errors import InvalidRequestError
from civitai_mock.domain.json_types import Json, JsonObject, as_list, as_number, as_object, as_text, as_texts
from civitai_mock.domain.money import ACCOUNTS
from civitai_mock.domain.references import default_name
from civitai_mock.domain.workflow import UPGRADE_MODES, Callback
from civitai_mock.domain.workflow_template import StepTemplate, WorkflowTemplate

MOST_RETRIES = 100
MOST_OF_NAME = 128


def read_template(body: JsonObject, *, is_repeated: bool = False) -> WorkflowTemplate:
    """Read the body of a submission; raise `InvalidRequestError` that has all faults, each by its path.

    What is returned for one that `is_repeated` is given again for each equal body.
    """
    try:
        return _read(body, is_repeated=is_repeated)
    except InvalidRequestError as error:
        raise with_template(error) from error


def _read(body: JsonObject, *, is_repeated: bool) -> WorkflowTemplate:
    faults = Faults()
    template = as_object(requests().reader("WorkflowTemplate")(body, None, faults))
    steps = [as_object(step) for step in as_list(template.get("steps"))]
    _check_steps(steps, faults)
    faults.check()
    callbacks = [_callback(as_object(callback)) for callback in as_list(template.get("callbacks"))]
    return WorkflowTemplate(
        steps=[_step(step, index) for index, step in enumerate(steps)],
        tags=as_texts(template.get("tags")),
        metadata=as_object(template.get("metadata")),
        arguments=as_object(template.get("arguments")),
        callbacks=tuple(callbacks),
        currencies=tuple([ACCOUNTS[account] for account in as_texts(template.get("currencies"))]),
        upgrade_mode=UPGRADE_MODES[as_text(template["upgradeMode"])],
        tips=_tips(as_object(template.get("tips"))),
        experimental=_flag(template.get("experimental")),
        nsfw_level=_text(template.get("nsfwLevel")),
        allow_mature_content=_flag(template.get("allowMatureContent")),
        is_ephemeral=template.get("ephemeral") is True,
        external_id=_text(template.get("externalId")),
        is_repeated=is_repeated,
    )


def _check_steps(steps: Sequence[JsonObject], faults: Faults) -> None:
    """Check what the description does not say of steps, with limits of our own."""
    for index, step in enumerate(steps):
        place = ((None, "steps"), index)
        length = len(as_text(step["name"])) if "name" in step else 1
        if not 1 <= length <= MOST_OF_NAME:
            faults.add((place, "name"), f"The field name must have 1 to {MOST_OF_NAME} characters; found {length}.")
        retries = step.get("retries")
        if isinstance(retries, int) and not 0 <= retries <= MOST_RETRIES:
            faults.add((place, "retries"), f"The field retries must be between 0 and {MOST_RETRIES}; found {retries}.")


def _step(step: JsonObject, index: int) -> StepTemplate:
    timeout, retries = _text(step.get("timeout")), step.get("retries")
    return StepTemplate(
        type=as_text(step["$type"]),
        name=as_text(step["name"]) if "name" in step else default_name(index),
        input=step["input"],
        priority=as_text(step["priority"]),
        timeout=None if timeout is None else parse_timespan(timeout),
        retries=retries if isinstance(retries, int) else None,
        metadata=as_object(step.get("metadata")),
    )


def _callback(callback: JsonObject) -> Callback:
    return Callback(
        url=as_text(callback["url"]), types=as_texts(callback["type"]), detailed=callback.get("detailed") is True
    )


def _tips(tips: JsonObject) -> Tips:
    return Tips(civitai=as_number(tips.get("civitai")) or 0, creators=as_number(tips.get("creators")) or 0)


def _flag(value: Json) -> bool | None:
    return value if isinstance(value, bool) else None


def _text(value: Json) -> str | None:
    return value if isinstance(value, str) else None
