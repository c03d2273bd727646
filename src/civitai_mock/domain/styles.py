"""Styles: how a prompt text is framed, with which model it is drawn, and with what else, by a name of one word."""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from civitai_mock.domain.air import parse_reference
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import InvalidRequestError
from civitai_mock.domain.json_types import Json, JsonObject, ReadOnlyJson
from civitai_mock.domain.members import Members, read_members

FILE = "styles.json"
TITLE, MODEL, TEMPLATE, NEGATIVE = "title", "model", "promptTemplate", "negativePrompt"
NETWORKS, PARAMS = "additionalNetworks", "params"
PROMPT = "{prompt}"
LONGEST_TITLE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """Is what a request gets that names the style and does not say it itself.

    `before` and `after` stand around its prompt text. `networks` and `params` are as a template of v1 has them.
    """

    name: str
    title: str
    model: str | None
    before: str
    after: str
    negative_prompt: str | None
    networks: ReadOnlyJson
    params: ReadOnlyJson

    def document(self) -> JsonObject:
        """Return the style as it is set and told."""
        members: JsonObject = {
            TITLE: self.title,
            MODEL: self.model,
            TEMPLATE: f"{self.before}{PROMPT}{self.after}",
            NEGATIVE: self.negative_prompt,
            NETWORKS: dict(self.networks) or None,
            PARAMS: dict(self.params) or None,
        }
        return {name: value for name, value in members.items() if value is not None}


def parse_style(value: Json, *, name: str) -> Style:
    """Read a style; raise `InvalidRequestError` with the paths of all that is wrong.

    What is in `additionalNetworks` and `params` is for those to check who know templates.
    """

    def parse(members: Members) -> Style:
        before, after = _read_template(members)
        return Style(
            name=name,
            title=members.text(TITLE, most=LONGEST_TITLE) or name,
            model=_read_model(members),
            before=before,
            after=after,
            negative_prompt=read_prompt_text(members, NEGATIVE),
            networks=members.parsed(NETWORKS, _object, expected="a JSON object") or {},
            params=members.parsed(PARAMS, _object, expected="a JSON object") or {},
        )

    return read_members(value, parse)


def read_prompt_text(members: Members, name: str) -> str | None:
    """Return a text that can be a part of a prompt."""
    text = members.text(name)
    if text is not None and "\0" in text:
        members.note(name, "NUL characters are not allowed.")
    return text


@cache
def built_in_styles() -> Mapping[str, Style]:
    """Return the styles that every namespace has, by their names."""
    documents = json.loads(files("civitai_mock.domain").joinpath(FILE).read_bytes())
    return {name: parse_style(document, name=name) for name, document in documents.items()}


def _read_template(members: Members) -> tuple[str, str]:
    template = members.required(TEMPLATE, read_prompt_text(members, TEMPLATE)) or ""
    found = template.count(PROMPT)
    if template and found != 1:
        members.note(TEMPLATE, f"Expected {PROMPT} exactly once; found it {found} times.")
    before, _, after = template.partition(PROMPT)
    return before, after


def _read_model(members: Members) -> str | None:
    model = members.text(MODEL)
    if model is not None:
        try:
            parse_reference(model)
        except InvalidRequestError as error:
            members.note(MODEL, error.message)
    return model


def _object(value: Json) -> JsonObject:
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")
    return value
