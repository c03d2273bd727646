"""Read the inputs of steps, and show them: the echo of an input has its defaults and no unknown members."""

from functools import cache

from civitai_mock.api.v2.description.compiler import requests
from civitai_mock.api.v2.description.document import recipe_schemas
from civitai_mock.api.v2.description.faults import Faults
from civitai_mock.api.v2.description.values import Reader
from civitai_mock.domain.errors import NotFoundError
from civitai_mock.domain.json_types import Json, JsonObject
from civitai_mock.domain.references import INPUT, REPEAT, STEP_TYPE, TEMPLATE

ENGINE, OPERATION, MODEL, MODEL_VARIANT = "engine", "operation", "model", "modelVariant"
IMAGE_GEN = "imageGen"


def echo_input(step_type: str, value: Json, path: str = INPUT) -> Json:
    """Return an input as it is understood: with its defaults, without unknown members, each in its official spelling.

    A value that is a reference (`{"$ref", "path"}`) may stand in any place, and stays. Once it is resolved the input is
    read again, as what it was resolved to may be wrong; the echo of an echo is the same. Raise `InvalidRequestError`
    that has all faults, each by its path below `path`; `NotFoundError` for an unknown type.
    """
    faults = Faults(path)
    result = input_reader(step_type)(value, None, faults)
    faults.check()
    return result


def shown_input(step_type: str, value: Json) -> Json:
    """Return the echo of an input as answers have it: two engines of imageGen show it in another way (measured)."""
    if step_type == IMAGE_GEN and isinstance(value, dict):
        match value.get(ENGINE):
            case "sdcpp":
                shown = value.copy()
                shown.pop(OPERATION, None)
                return shown
            case "flux2":
                return {MODEL_VARIANT if name == MODEL else name: item for name, item in value.items()}
    if step_type == REPEAT and isinstance(value, dict):
        return value | {TEMPLATE: _shown_template(value.get(TEMPLATE))}
    return value


def input_reader(step_type: str) -> Reader:
    """Return the reader of the input of a step type or recipe; raise `NotFoundError` for an unknown one."""
    if step_type not in recipe_schemas():
        raise NotFoundError(f"There is no step type '{step_type[:100]}'.")
    return _input_reader(step_type)


@cache
def _input_reader(step_type: str) -> Reader:
    return requests().value_reader(recipe_schemas()[step_type].input)


def _shown_template(template: Json) -> Json:
    """Return the template of a step that is repeated, with its input as answers have it."""
    if not isinstance(template, dict) or not isinstance(template.get(STEP_TYPE), str):
        return template
    shown: JsonObject = template | {INPUT: shown_input(str(template[STEP_TYPE]), template.get(INPUT))}
    return shown
