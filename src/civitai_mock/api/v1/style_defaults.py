"""Lay what a style says under a template of textToImage; the module is loaded for the first one that names a style."""

from collections.abc import Mapping

from civitai_mock.api.v1.any_case import member, with_defaults, with_inner
from civitai_mock.api.v1.job_types import parse_template, request_class
from civitai_mock.api.v1.job_types.image_params import (
    ImageJobHires,
    ImageJobParams,
    ImageJobRefiner,
    ImageJobUpscale,
)
from civitai_mock.api.v1.job_types.networks import ImageJobNetworkParams
from civitai_mock.api.v1.job_types.text_to_image import PARAMS, STYLE, TextToImageJobRequest
from civitai_mock.api.v1.wire import TYPE, RequestModel, names_in_json
from civitai_mock.domain.air import parse_reference
from civitai_mock.domain.changed import changed
from civitai_mock.domain.errors import InvalidRequestError, fault, invalid
from civitai_mock.domain.json_types import Json, JsonObject, ReadOnlyJson, as_object, as_text
from civitai_mock.domain.nearest import unknown_name
from civitai_mock.domain.styles import NETWORKS, Style
from civitai_mock.generation.job_types.text_to_image import TextToImageDraft
from civitai_mock.generation.text_to_image.spec import PromptFrame
from civitai_mock.services.job_template import JobTemplate

MODEL, PROMPT, NEGATIVE, ID = "model", "prompt", "negativePrompt", "id"
ANY_MODEL = "urn:air:sd1:checkpoint:civitai:4384@128713"  # where a style leaves the model to the request
OF_THE_REQUEST = (PROMPT, NEGATIVE, STYLE)  # params that a style says elsewhere, or not
MODELS: Mapping[str, type[RequestModel]] = {
    "hires": ImageJobHires,
    "upscale": ImageJobUpscale,
    "refiner": ImageJobRefiner,
}


def parse_with_defaults(template: JsonObject, *, path: str, styles: Mapping[str, Style]) -> JobTemplate:
    """Read a template with what its style says and it does not; raise `InvalidRequestError` as `parse_template` does.

    Templates of other types have no styles.
    """
    style = _style_of(template, path, styles)
    if style is None:
        return parse_template(template, path=path)
    parsed = parse_template(_laid_over(template, style), path=path)
    if not isinstance(parsed.draft, TextToImageDraft):
        return parsed
    frame = PromptFrame(before=style.before, after=style.after)
    return changed(parsed, draft=changed(parsed.draft, frame=frame))


def check_style(style: Style) -> None:
    """Raise `InvalidRequestError` for what no template could have, in the params and networks of a style, too."""
    faults: dict[str, list[str]] = {}
    _note_unknown(ImageJobParams, style.params, PARAMS, faults, unlike=OF_THE_REQUEST)
    for name, network in style.networks.items():
        _note_unknown(ImageJobNetworkParams, as_object(network), f"{NETWORKS}.{name}", faults)
    for name, model in MODELS.items():
        _note_unknown(model, as_object(style.params.get(name)), f"{PARAMS}.{name}", faults)
    try:
        parse_template(_laid_over({MODEL: ANY_MODEL, PARAMS: {"sourceImage": "any"}}, style))
    except InvalidRequestError as error:
        for path, messages in error.errors.items():
            faults.setdefault(path.replace(f"{PARAMS}.{NEGATIVE}", NEGATIVE), []).extend(messages)
    if faults:
        raise invalid(faults)


def _style_of(template: JsonObject, path: str, styles: Mapping[str, Style]) -> Style | None:
    """Return the style that a template names; what is wrong with the template itself is for others to say."""
    name = member(as_object(member(template, PARAMS)), STYLE)
    if not isinstance(name, str) or not takes_styles(template, path):
        return None
    if name not in styles:
        at = f"{PARAMS}.{STYLE}"
        raise fault(f"{path}.{at}" if path else at, unknown_name(STYLE, name, styles))
    return styles[name]


def takes_styles(template: JsonObject, path: str) -> bool:
    """Return whether a template is of a type that has styles; raise `InvalidRequestError` for an unknown type."""
    return request_class(template.get(TYPE), path=f"{path}.{TYPE}" if path else TYPE) is TextToImageJobRequest


def _laid_over(template: JsonObject, style: Style) -> JsonObject:
    """Return the template with what only the style says."""
    negative: JsonObject = {} if style.negative_prompt is None else {NEGATIVE: style.negative_prompt}
    defaults: JsonObject = {} if style.model is None else {MODEL: style.model}
    laid = with_defaults(template, defaults)
    laid = with_inner(laid, PARAMS, {**style.params, **negative})
    return with_inner(laid, NETWORKS, _unnamed(style.networks, member(template, NETWORKS)))


def _unnamed(networks: ReadOnlyJson, given: Json) -> ReadOnlyJson:
    """Return the networks of a style but for those that a template names as well, however it spells them."""
    if not networks:
        return networks
    named = {_air(name, network) for name, network in as_object(given).items()}
    return {name: network for name, network in networks.items() if _air(name, network) not in named}


def _air(name: str, network: Json) -> str:
    text = as_text(member(as_object(network), ID)) or name
    try:
        reference = parse_reference(text)
    except InvalidRequestError:
        return text  # which is told where the template is read
    return reference.version_id or str(reference).lower()


def _note_unknown(
    model: type[RequestModel],
    members: ReadOnlyJson,
    path: str,
    faults: dict[str, list[str]],
    *,
    unlike: tuple[str, ...] = (),
) -> None:
    """Note names that templates ignore: where they are set, a misspelt one must not silently do nothing."""
    known = [name for name in names_in_json(model) if name not in unlike]
    for name in members:
        if name not in known:
            faults[f"{path}.{name}"] = [unknown_name("member", name, known)]
