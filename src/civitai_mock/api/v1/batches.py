"""Lay what a batch says under each of its templates: one id, style, seed and character for all panels.

The module is loaded for the first batch.
"""

from collections.abc import Mapping

from civitai_mock.api.v1 import BATCH
from civitai_mock.api.v1.any_case import member, with_inner
from civitai_mock.api.v1.job_types import parse_template
from civitai_mock.api.v1.job_types.image_params import MAX_SEED, RANDOM_SEED
from civitai_mock.api.v1.job_types.text_to_image import PARAMS, STYLE
from civitai_mock.api.v1.style_defaults import parse_with_defaults, takes_styles
from civitai_mock.domain.changed import changed
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import fault
from civitai_mock.domain.json_types import Json, JsonObject, as_object
from civitai_mock.domain.members import Members
from civitai_mock.domain.nearest import unknown_name
from civitai_mock.domain.styles import Style, read_prompt_text
from civitai_mock.generation.job_types.draft import JobDraft
from civitai_mock.generation.job_types.text_to_image import TextToImageDraft
from civitai_mock.generation.text_to_image.spec import PromptFrame
from civitai_mock.services.job_template import BATCH_ID, JobTemplate

ID, SEED, CHARACTER, DESCRIPTION = "id", "seed", "character", "description"
MEMBERS = (ID, STYLE, SEED, CHARACTER)
PROPERTIES, PANEL_INDEX = "properties", "panelIndex"
LONGEST_ID = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Is what the templates of a submission get that do not say it; an `id` and a `seed` that are missing are drawn."""

    id: str | None
    style: str | None
    seed: int | None
    character: str | None
    styles: Mapping[str, Style]

    def parse_panel(self, template: Json, index: int, path: str) -> JobTemplate:
        """Read one template of the batch; raise `InvalidRequestError` as `parse_template` does."""
        if not isinstance(template, dict):
            return parse_template(template, path=path)
        own = member(template, PROPERTIES)
        numbered = self._numbered(template, index) if isinstance(own, dict | None) else template
        shares_id = self.id is None and BATCH_ID not in as_object(own)
        if not takes_styles(template, path):
            return changed(parse_template(numbered, path=path), shares_batch_id=shares_id)
        shares_seed = self.seed is None and member(as_object(member(template, PARAMS)), SEED) is None
        laid = with_inner(numbered, PARAMS, self._params())
        parsed = parse_with_defaults(laid, path=path, styles=self.styles)
        return changed(
            parsed, draft=self._with_character(parsed.draft), shares_batch_id=shares_id, shares_seed=shares_seed
        )

    def _numbered(self, template: JsonObject, index: int) -> JsonObject:
        """Return a template with its place in the batch, unless its own properties say another one."""
        place: JsonObject = {PANEL_INDEX: index} if self.id is None else {BATCH_ID: self.id, PANEL_INDEX: index}
        others = {name: value for name, value in template.items() if name.lower() != PROPERTIES}
        return {**others, PROPERTIES: {**place, **as_object(member(template, PROPERTIES))}}

    def _params(self) -> JsonObject:
        params: JsonObject = {STYLE: self.style, SEED: self.seed}
        return {name: value for name, value in params.items() if value is not None}

    def _with_character(self, draft: JobDraft) -> JobDraft:
        """Return a draft whose prompt text has the character before it, within what the style puts around it."""
        if self.character is None or not isinstance(draft, TextToImageDraft):
            return draft
        frame = draft.frame or PromptFrame()
        return changed(draft, frame=changed(frame, before=f"{frame.before}{self.character}, "))


def parse_batch(value: Json, *, styles: Mapping[str, Style]) -> Batch:
    """Read a batch; raise `InvalidRequestError` with the paths of all that is wrong."""
    if not isinstance(value, dict):
        raise fault(BATCH, "Expected a JSON object.")
    names = {name.lower(): name for name in MEMBERS}
    members = Members({names.get(name.lower(), name): found for name, found in value.items()}, path=BATCH)
    batch_id, style = members.text(ID, most=LONGEST_ID), members.text(STYLE)
    if style is not None and style not in styles:
        members.note(STYLE, unknown_name(STYLE, style, styles))
    seed = _read_seed(members)
    description, seed_of_character = _read_character(members)
    members.finish()
    return Batch(
        id=batch_id,
        style=style,
        seed=seed_of_character if seed is None else seed,
        character=description,
        styles=styles,
    )


def _read_seed(members: Members) -> int | None:
    """Return a seed; None stands for one that is drawn."""
    seed = members.whole(SEED, least=RANDOM_SEED, most=MAX_SEED)
    return None if seed == RANDOM_SEED else seed


def _read_character(members: Members) -> tuple[str | None, int | None]:
    """Return description and seed; a text is a description."""
    if isinstance(members.value(CHARACTER), str):
        return read_prompt_text(members, CHARACTER), None
    inner = members.inner(CHARACTER)
    if inner is None:
        return None, None
    found = read_prompt_text(inner, DESCRIPTION), _read_seed(inner)
    if DESCRIPTION not in inner and SEED not in inner:
        inner.note("", f"Expected a {DESCRIPTION}, a {SEED} or both.")
    return found
