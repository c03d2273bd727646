"""ComfyUI's shapes for what it will not run."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from civitai_mock.domain.json_types import Json, JsonObject


@dataclass(frozen=True, slots=True)
class Refusal:
    """One thing that is wrong, with a whole prompt or with one input of a node."""

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


NO_PROMPT = Refusal("no_prompt", "No prompt provided", "No prompt provided")
NO_OUTPUTS = Refusal("prompt_no_outputs", "Prompt has no outputs", "")


def no_class_type(node_id: str) -> Refusal:
    message = "Cannot execute because a node is missing the class_type property."
    return Refusal("invalid_prompt", message, f"Node ID '#{node_id}'")


def unknown_class(node_id: str, class_type: Json) -> Refusal:
    message = f"Cannot execute because node {class_type} does not exist."
    return Refusal("invalid_prompt", message, f"Node ID '#{node_id}'")


def outputs_failed(details: str) -> Refusal:
    return Refusal("prompt_outputs_failed_validation", "Prompt outputs failed validation", details)


def exception_name(error: BaseException) -> str:
    """As ComfyUI prints it: built-in ones without their module."""
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
