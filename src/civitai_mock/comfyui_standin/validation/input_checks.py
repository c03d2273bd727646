"""ComfyUI's checks of one input of a node before it accepts a prompt, and its errors in ComfyUI's words."""

from collections.abc import Callable, Mapping
from dataclasses import field

from civitai_mock.comfyui_standin.validation.definitions import ANYTHING, InputDefinition, ListFolder
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.json_types import Json, JsonObject

MAX_ECHOED_LIST = 20
CONVERTERS: Mapping[str, Callable[..., Json]] = {"INT": int, "FLOAT": float, "STRING": str, "BOOLEAN": bool}
# Nodes check these inputs themselves (VALIDATE_INPUTS), in place of the check against the list.
CUSTOM_CHECKS: Mapping[tuple[str, str], str] = {
    ("LoadImage", "image"): "Invalid image file",
    ("LoadImageMask", "image"): "Invalid image file",
    ("LoadImageOutput", "image"): "Invalid image file",
    ("LoadAudio", "audio"): "Invalid audio file",
    ("LoadVideo", "file"): "Invalid video file",
    ("LoadLatent", "latent"): "Invalid latent file",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """Is an error of validation, about a whole prompt or about one input of a node."""

    type: str
    message: str
    details: str
    extra: Mapping[str, Json] = field(default_factory=dict)

    @property
    def wire(self) -> JsonObject:
        return {
            "type": self.type,
            "message": self.message,
            "details": self.details,
            "extra_info": dict(self.extra),
        }


def exception_name(error: BaseException) -> str:
    """Return the name as ComfyUI prints it: built-in exceptions without their module."""
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


class ConversionError(Exception):
    """ComfyUI cannot convert a value to the type of its input."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.details)
        self.refusal = refusal


def config_of(entry: InputDefinition, list_folder: ListFolder) -> JsonObject:
    return {"input_name": entry.name, "input_config": list(entry.wire(list_folder))}


def missing(entry: InputDefinition) -> Refusal:
    return Refusal("required_input_missing", "Required input is missing", entry.name, {"input_name": entry.name})


def bad_link(entry: InputDefinition, value: Json, list_folder: ListFolder) -> Refusal:
    message = "Bad linked input, must be a length-2 list of [node_id, slot_index]"
    return Refusal("bad_linked_input", message, entry.name, {**config_of(entry, list_folder), "received_value": value})


def mismatch(entry: InputDefinition, link: Json, received: Json, list_folder: ListFolder) -> Refusal | None:
    """Return None if an output of type `received` may be linked here; node packs may have a list as type."""
    wanted = entry.wire(list_folder)[0]
    if received in (ANYTHING, wanted):
        return None
    if isinstance(wanted, str) and isinstance(received, str) and _types_overlap(received, wanted):
        return None
    details = f"{entry.name}, received_type({received}) mismatch input_type({wanted})"
    extra = {**config_of(entry, list_folder), "received_type": received, "linked_node": link}
    return Refusal("return_type_mismatch", "Return type mismatch between linked nodes", details, extra)


def _types_overlap(received: str, wanted: str) -> bool:
    """Compare types, each of which may be several with commas between."""
    given, accepted = ({part.strip() for part in text.split(",")} for text in (received, wanted))
    return ANYTHING in given | accepted or bool(given & accepted)


def convert(entry: InputDefinition, value: Json, list_folder: ListFolder) -> Json:
    """Return the value as the node will get it; raise `ConversionError` where ComfyUI cannot convert it."""
    if isinstance(value, dict) and "__value__" in value:
        value = value["__value__"]
    converter = CONVERTERS.get(entry.type or "")
    if converter is None:
        return value
    try:
        return converter(value)
    except (TypeError, ValueError, OverflowError) as error:
        message = f"Failed to convert an input value to a {entry.type} value"
        extra = {**config_of(entry, list_folder), "received_value": value, "exception_message": str(error)}
        refusal = Refusal("invalid_input_type", message, f"{entry.name}, {value}, {error}", extra)
        raise ConversionError(refusal) from error


def out_of_range(entry: InputDefinition, value: Json, list_folder: ListFolder) -> Refusal | None:
    if not isinstance(value, int | float):
        return None
    low, high = entry.extra.get("min"), entry.extra.get("max")
    extra = {**config_of(entry, list_folder), "received_value": value}
    if isinstance(low, int | float) and value < low:
        return Refusal("value_smaller_than_min", f"Value {value} smaller than min of {low}", entry.name, extra)
    if isinstance(high, int | float) and value > high:
        return Refusal("value_bigger_than_max", f"Value {value} bigger than max of {high}", entry.name, extra)
    return None


def not_in_list(entry: InputDefinition, value: Json, list_folder: ListFolder) -> Refusal | None:
    """Check old-style lists only: ComfyUI 0.3.64 ignores the options of new-style ones."""
    if entry.type is not None:
        return None
    options = entry.options(list_folder)
    if value in options:
        return None
    is_long = len(options) > MAX_ECHOED_LIST
    listed = f"(list of length {len(options)})" if is_long else str(options)
    extra: JsonObject = {**config_of(entry, list_folder), "received_value": value}
    if is_long:
        extra["input_config"] = None
    return Refusal("value_not_in_list", "Value not in list", f"{entry.name}: '{value}' not in {listed}", extra)


def invalid_file(class_type: str, entry: InputDefinition, value: Json) -> Refusal:
    details = f"{entry.name} - {CUSTOM_CHECKS[class_type, entry.name]}: {value}"
    message = "Custom validation failed for node"
    return Refusal("custom_validation_failed", message, details, {"input_name": entry.name})


def missing_argument(class_type: str, entry: InputDefinition) -> str:
    """Return what Python says when ComfyUI calls a node's own check without its input."""
    return f"{class_type}.VALIDATE_INPUTS() missing 1 required positional argument: '{entry.name}'"
