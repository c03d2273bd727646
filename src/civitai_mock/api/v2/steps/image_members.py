"""Read the inputs of steps that make images: what each engine calls sizes, numbers, seeds, networks and input images.

An input that was read by the official description has members of the right types; one that is newer than it has its
members as they were sent, and a price is asked for while references are still open. What cannot be read is left out.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeGuard

from civitai_mock.api.v2.steps.step_type import StepInput
from civitai_mock.domain.air import Air, parse_reference
from civitai_mock.domain.errors import InvalidRequestError
from civitai_mock.domain.json_types import Json, JsonObject, as_list, as_number, as_object, as_text, as_texts
from civitai_mock.domain.references import is_reference
from civitai_mock.generation.control_nets.spec import ControlNetDraft
from civitai_mock.generation.media import ImageFile, ImageFormat
from civitai_mock.generation.networks.resources import NetworkDraft
from civitai_mock.generation.text_to_image.spec import Size
from civitai_mock.generation.work import is_url

COUNTS = ("quantity", "numImages", "n")
LORAS = ("loras", "additionalNetworks")
NETWORKS = (*LORAS, "embeddings", "vaeModel")
MOST_IMAGES = 100
SEED_END = 2**63  # seeds are int64
LEAST_SIDE, MOST_SIDE, MOST_PIXELS = 16, 8192, 4096 * 4096
USUAL_SIDE, SIDE_UNIT = 1024, 32
USUAL_SIZE = Size(USUAL_SIDE, USUAL_SIDE)
SIZE_TEXT = re.compile(r"(\d{1,5})\s*[x*]\s*(\d{1,5})", re.ASCII)
RATIO_TEXT = re.compile(r"(\d{1,4}(?:\.\d{1,4})?):(\d{1,4}(?:\.\d{1,4})?)", re.ASCII)
# Words of fal.ai for sizes (v2 description: `imageSize`).
SIZE_WORDS: Mapping[str, Size] = {
    "square_hd": Size(1024, 1024),
    "square": Size(512, 512),
    "portrait_4_3": Size(768, 1024),
    "portrait_16_9": Size(576, 1024),
    "landscape_4_3": Size(1024, 768),
    "landscape_16_9": Size(1024, 576),
}
# How many times as long as usual the sides are (v2 description: `resolution`, krea2's `size`).
RESOLUTIONS: Mapping[str, float] = {"1k": 1, "2k": 2, "4k": 4, "medium": 1, "large": 1.5}
FILES: Mapping[str, ImageFile] = {str(word): ImageFile(format=word) for word in ImageFormat}
USUAL_FILE = FILES["jpeg"]
MODEL_SUFFIX = "odel"
AIR_PREFIXES = ("urn:air:", "air:")
JPEG_EXTENSION = ".jpg"  # of the ids of imageGen's blobs (capture); others have the usual one


def whole(members: StepInput, name: str, *, low: int, high: int) -> int | None:
    """Return a number as a whole one within limits; None for anything else."""
    value = members.get(name) if isinstance(members, dict) else None
    if type(value) is int:  # as nearly all are
        return value if low <= value <= high else min(max(value, low), high)
    number = None if value is None else as_number(value)
    return None if number is None else min(max(int(number), low), high)


def image_count(members: StepInput) -> int:
    for name in COUNTS:
        count = whole(members, name, low=1, high=MOST_IMAGES)
        if count is not None:
            return count
    return 1


def image_seeds(members: StepInput, *, drawn: int, jobs: int, step: int = 1) -> Sequence[int]:
    """Return a seed for each job: the given one or, without one or with -1, the drawn one, and those that follow."""
    given = whole(members, "seed", low=-SEED_END, high=SEED_END - 1)
    first = drawn if given is None or given < 0 else given
    return [(first + place * step) % SEED_END for place in range(jobs)]


def image_size(members: StepInput, *, otherwise: Size | None = None) -> Size | None:
    """Return the size that is asked for in whatever words, within limits; `otherwise` where there are none."""
    width, height = whole(members, "width", low=0, high=MOST_SIDE), whole(members, "height", low=0, high=MOST_SIDE)
    if width and height:
        return _within_limits(width, height)
    named = _named_size(as_object(members)) or otherwise
    if named is None and not (width or height):
        return None
    usual = named or USUAL_SIZE
    return _within_limits(width or usual.width, height or usual.height)


def _named_size(members: JsonObject) -> Size | None:
    for name in ("size", "imageSize"):
        word = as_text(members.get(name))
        found = SIZE_TEXT.fullmatch(word)
        if found:
            return Size(int(found[1]), int(found[2]))
        if word in SIZE_WORDS:
            return SIZE_WORDS[word]
    ratio = RATIO_TEXT.fullmatch(as_text(members.get("aspectRatio")))
    words = (as_text(members.get(name)).lower() for name in ("resolution", "size"))
    scale = next((RESOLUTIONS[word] for word in words if word in RESOLUTIONS), None)
    if ratio is None and scale is None:
        return None
    across, down = (float(ratio[1]), float(ratio[2])) if ratio else (1, 1)
    return _of_ratio(across, down, USUAL_SIDE * (scale or 1))


def _of_ratio(across: float, down: float, side: float) -> Size | None:
    """Return a size with about as many pixels as a square of that side."""
    if not across or not down:
        return None
    width, height = side * math.sqrt(across / down), side * math.sqrt(down / across)
    return Size(*(max(round(length / SIDE_UNIT), 1) * SIDE_UNIT for length in (width, height)))


def _within_limits(width: int, height: int) -> Size:
    if LEAST_SIDE <= width <= MOST_SIDE and LEAST_SIDE <= height <= MOST_SIDE and width * height <= MOST_PIXELS:
        return Size(width, height)
    scale = min(1.0, math.sqrt(MOST_PIXELS / max(width * height, 1)))
    return Size(*(min(max(int(side * scale), LEAST_SIDE), MOST_SIDE) for side in (width, height)))


def image_file(members: StepInput) -> ImageFile:
    """Return how images are given out: as JPEG, unless another format is asked for."""
    known = as_object(members)
    file = FILES.get(as_text(known.get("outputFormat")).lower(), USUAL_FILE)
    note = as_text(known.get("imageMetadata"))
    return replace(file, note=note) if note else file


def network_drafts(members: StepInput) -> tuple[NetworkDraft, ...]:
    """Return LoRAs, embeddings and VAE; the name of each is its path in the input."""
    known = as_object(members)
    return tuple(_networks(known)) if any(map(known.get, NETWORKS)) else ()


def _networks(members: JsonObject) -> Iterator[NetworkDraft]:
    for name in LORAS:
        value = members.get(name)
        if isinstance(value, dict) and not is_reference(value):
            yield from (_network(air, item, f"{name}.{air}") for air, item in value.items())
        for index, item in enumerate(as_list(value)):
            if air := as_text(as_object(item).get("air")):
                yield _network(air, item, f"{name}[{index}].air")
    for index, air in enumerate(as_texts(members.get("embeddings"))):
        yield NetworkDraft(air=air, name=f"embeddings[{index}]", type="TextualInversion")
    if vae := as_text(members.get("vaeModel")):
        yield NetworkDraft(air=vae, name="vaeModel", type="Vae")


def _network(air: str, value: Json, path: str) -> NetworkDraft:
    """Return a network whose value is its strength, or an object that has it."""
    known = as_object(value)
    return NetworkDraft(
        air=air,
        name=path,
        type=as_text(known.get("type")) or "Lora",
        strength=as_number(known.get("strength") if known else value),
        trigger_word=as_text(known.get("triggerWord")) or None,
    )


def control_net_drafts(members: StepInput) -> tuple[ControlNetDraft, ...]:
    """Return ControlNets under the names that preprocessors have here: v2's begin with a small letter."""
    nets = as_list(as_object(members).get("controlNets"))
    return (
        ()
        if not nets
        else tuple(
            ControlNetDraft(
                preprocessor=name[:1].upper() + name[1:],
                weight=as_number(net.get("weight")),
                start_step=as_number(net.get("startStep")),
                end_step=as_number(net.get("endStep")),
                blob_key=None if is_url(image) or not image else image,
                image_url=image if is_url(image) else None,
            )
            for net in map(as_object, nets)
            for name, image in [(as_text(net.get("preprocessor")), as_text(net.get("image")))]
        )
    )


def control_net_paths(members: StepInput) -> Mapping[str, str]:
    """Return the places of what can be wrong with ControlNets."""
    names = {"preprocessor": "preprocessor", "weight": "weight", "start_step": "startStep", "end_step": "endStep"}
    return {
        f"control_nets[{index}].{field}": f"controlNets[{index}].{name}"
        for index in range(len(as_list(as_object(members).get("controlNets"))))
        for field, name in {**names, "image_url": "image", "blob_key": "image"}.items()
    }


def lora_count(members: StepInput) -> int:
    """Return how many networks there are besides embeddings and the VAE."""
    values = [value for name in LORAS if (value := as_object(members).get(name))]
    return sum([len(value) for value in values if isinstance(value, (dict, list)) and not is_reference(value)])


def model_airs(members: StepInput) -> Mapping[str, str]:
    """Return the AIRs of models by the names of their members, but for the VAE, which is a network."""
    return {
        name: value
        for name, value in as_object(members).items()
        if name.endswith(MODEL_SUFFIX) and name != "vaeModel" and is_air(value)
    }


def is_reference_to_model(value: Json) -> TypeGuard[str]:
    """Return whether a text may be an AIR, also one without a prefix: words that name a variant of a model are not."""
    if not isinstance(value, str):
        return False
    try:
        return is_air(value) or bool(parse_reference(value))
    except InvalidRequestError:
        return False


def is_air(value: Json) -> TypeGuard[str]:
    return isinstance(value, str) and value.lower().startswith(AIR_PREFIXES)


def air_ecosystem(model: Json) -> str:
    """Return the ecosystem of an AIR in small letters; nothing if it tells none, or is no AIR."""
    try:
        reference = parse_reference(model) if isinstance(model, str) else None
    except InvalidRequestError:
        return ""
    return (reference.ecosystem or "").lower() if isinstance(reference, Air) else ""


def input_images(members: StepInput) -> Mapping[str, str]:
    """Return the images that an input starts from, by their paths, the one that matters most first."""
    known = as_object(members)
    found = {name: known.get(name) for name in ("image", "sourceImage")}
    found |= {f"images[{index}]": image for index, image in enumerate(as_list(known.get("images")))}
    found |= {
        f"imageStyleReferences[{index}].imageUrl": as_object(style).get("imageUrl")
        for index, style in enumerate(as_list(known.get("imageStyleReferences")))
    }
    found |= {name: known.get(name) for name in ("mask", "maskImage")}
    return {path: image for path, image in found.items() if isinstance(image, str) and image}
