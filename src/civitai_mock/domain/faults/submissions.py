"""What rules match in the body of a submission, of version 1 or 2, also in one that is refused: members by their names.

Neither is read as its API reads it, as what is wrong in a body has to be matched, too.
"""

from collections.abc import Iterator, Sequence
from typing import Self

from civitai_mock.domain.air import Air, parse_reference
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import InvalidRequestError
from civitai_mock.domain.json_types import Json

TYPE = "$type"
PROMPTS = frozenset({"prompt", "prompts", "positiveprompt", "sampleprompts", "text", "content"})  # not the negative one
MODELS = frozenset({"model", "checkpoint", "diffusionmodel"})
OTHER_RESOURCES = frozenset({"air", "loras", "additionalnetworks"})
ECOSYSTEMS = frozenset({"ecosystem", "engine", "basemodel"})
BASE_MODELS = {"sd_1_5": "sd1"}  # v1 description; the other name is that of its ecosystem
IMAGE_ENDINGS = ("image", "images", "imageurl", "imageurls", "image_url", "frame")
IMAGES = frozenset({"blobkey", "mediaurl", "mediaurls"})
AIR_BEGIN = "urn:air:"


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmittedWork:
    """Is what a body asks for: of all jobs or steps of it together, each as it was sent."""

    types: Sequence[str] = ()
    models: Sequence[str] = ()
    ecosystems: Sequence[str] = ()
    prompts: Sequence[str] = ()
    image_given: bool = False

    @property
    def texts(self) -> Sequence[str]:
        return (*self.types, *self.models, *self.ecosystems, *self.prompts)

    @classmethod
    def of(cls, body: Json) -> Self:
        """Read a decoded body; anything may stand in it."""
        members = list(_members("", body))
        named = [(name, value) for name, value in members if isinstance(value, str) and value]
        models = [value for name, value in named if name in MODELS]
        resources = [text for name, text in named if name in OTHER_RESOURCES or text.lower().startswith(AIR_BEGIN)]
        return cls(
            types=_each_once(value for name, value in named if name == TYPE),
            models=_each_once([*models, *resources]),
            ecosystems=_each_once(
                [
                    *(BASE_MODELS.get(value.lower(), value) for name, value in named if name in ECOSYSTEMS),
                    *(ecosystem for text in models if (ecosystem := _ecosystem(text))),
                ]
            ),
            prompts=_each_once(value for name, value in named if name in PROMPTS),
            image_given=any(_names_image(name) and bool(value) for name, value in members if not _is_number(value)),
        )


def _members(name: str, value: Json) -> Iterator[tuple[str, Json]]:
    """Yield each member with its name in lower case; what stands in a list has the name of the list.

    The names of an object of resources are resources themselves.
    """
    yield name, value
    if isinstance(value, dict):
        for member, inner in value.items():
            if name in OTHER_RESOURCES:
                yield name, member
            yield from _members(member.lower(), inner)
    elif isinstance(value, list):
        for item in value:
            yield from _members(name, item)


def _names_image(name: str) -> bool:
    return name in IMAGES or name.endswith(IMAGE_ENDINGS)


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float)


def _ecosystem(text: str) -> str | None:
    try:
        reference = parse_reference(text)
    except InvalidRequestError:
        return None
    return reference.ecosystem if isinstance(reference, Air) else None


def _each_once(texts: Iterator[str] | Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))
