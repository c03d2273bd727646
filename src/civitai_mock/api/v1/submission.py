"""Read what is submitted to v1: one template or several, and what styles and a batch say that these do not."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, NoReturn, TypeAlias

from starlette.requests import Request

from civitai_mock.api.context import exchange, options
from civitai_mock.api.json_body import as_body, decode, read_as
from civitai_mock.api.v1 import BATCH, JOBS
from civitai_mock.api.v1.job_types import parse_template
from civitai_mock.api.v1.job_types.text_to_image import PARAMS, STYLE
from civitai_mock.api.v1.wire import MAX_VALUES
from civitai_mock.domain.changed import changed
from civitai_mock.domain.errors import MOST_FAULTS, InvalidRequestError, fault, invalid
from civitai_mock.domain.json_types import Json, JsonObject
from civitai_mock.domain.search import count_values
from civitai_mock.generation.job_types.draft import JobDraft
from civitai_mock.generation.job_types.text_to_image import SeededDrafts, TextToImageDraft
from civitai_mock.services.job_template import JobTemplate

if TYPE_CHECKING:  # what only those need who name a style is not loaded at the start
    from civitai_mock.domain.styles import Style

StylesByName: TypeAlias = "Callable[[], Mapping[str, Style]]"

ParseOne: TypeAlias = Callable[[Json, int, str], JobTemplate]

MAX_VALUES_IN_ALL = 20_000
MOST_REMEMBERED, MOST_SEEN = 64, 256


class StyleNamedError(Exception):
    """Raised where a submission cannot be read without the styles of its namespace."""


async def read_submission(request: Request) -> Sequence[JobTemplate]:
    """Return the templates of a request; raise what `read_as` and `parse_submission` do."""
    max_jobs, styles = options(request).max_jobs, styles_of(request)

    def parse(body: JsonObject) -> Sequence[JobTemplate]:
        return parse_submission(body, max_jobs=max_jobs, styles=styles)

    def parse_small(body: bytes) -> Sequence[JobTemplate]:
        remembered = _read_repeated(body, max_jobs) if _seen.has(body) else None
        return parse(as_body(decode(body))) if remembered is None else remembered

    return await read_as(request, parse, parse_small=parse_small)


@lru_cache(MOST_REMEMBERED)
def _read_repeated(body: bytes, max_jobs: int) -> Sequence[JobTemplate] | None:
    """Read a submission whose templates are remembered: whoever sends it again gets the same values.

    Return None for one that names a style: those change, and differ between namespaces.
    """
    try:
        templates = parse_submission(as_body(decode(body)), max_jobs=max_jobs, styles=_refuse_styles)
    except StyleNamedError:
        return None
    return [changed(template, draft=_remembered(template.draft)) for template in templates]


class SeenBodies:
    """Knows the last bodies that came, so that only those that come again are remembered.

    To remember each of them at once takes 5 % of a submission; a hash takes next to nothing. Of two bodies that share
    one, the second is remembered a time too early.
    """

    def __init__(self) -> None:
        self._hashes: dict[int, None] = {}

    def has(self, body: bytes) -> bool:
        """Return whether a body has come lately, and note that it has."""
        number = hash(body)
        if number in self._hashes:
            return True
        self._hashes[number] = None
        if len(self._hashes) > MOST_SEEN:
            del self._hashes[next(iter(self._hashes))]
        return False


_seen = SeenBodies()


def _remembered(draft: JobDraft) -> JobDraft:
    """Return a draft that is resolved once, for those of its kind that take long."""
    return SeededDrafts(draft)(draft.seed) if isinstance(draft, TextToImageDraft) else draft


def _refuse_styles() -> NoReturn:
    raise StyleNamedError


def styles_of(request: Request) -> StylesByName:
    """Return what finds the styles of the namespace of a request, once one is named."""
    controls = exchange(request).namespace.controls

    def find() -> "Mapping[str, Style]":
        from civitai_mock.services.styles import STYLES, styles_in  # noqa: PLC0415 - see above

        return styles_in(controls.get(STYLES))

    return find


def parse_submission(body: JsonObject, *, max_jobs: int, styles: StylesByName) -> Sequence[JobTemplate]:
    """Return the templates, a single one or those of a list; raise all faults at once, each by its path in the body."""
    name, batch = _member_names(body)
    if name is None:
        if batch is not None:
            raise fault(BATCH, f"A batch stands beside {JOBS}, a list of templates; there are none.")
        return [parse_styled(body, styles=styles)]
    templates = body[name]
    if not isinstance(templates, list) or not templates:
        raise fault(JOBS, "Expected a list of at least one template.")
    if len(templates) > max_jobs:
        raise fault(JOBS, f"{JOBS} must have at most {max_jobs} templates; found {len(templates)}.")
    return _parse_all(templates, _parser(None if batch is None else body[batch], styles))


def _member_names(body: JsonObject) -> tuple[str | None, str | None]:
    """Return how the list of templates and the batch are spelled, if they are there."""
    jobs = batch = None
    for name, value in body.items():
        if len(name) == len(JOBS) and name.lower() == JOBS:
            jobs = jobs or name
        elif len(name) == len(BATCH) and name.lower() == BATCH and value is not None:
            batch = batch or name
    return jobs, batch


def _parser(batch: Json, styles: StylesByName) -> ParseOne:
    """Return what reads the template at an index."""
    if batch is None:
        return lambda template, _, path: parse_styled(template, path=path, styles=styles)
    from civitai_mock.api.v1.batches import parse_batch  # noqa: PLC0415 - see above

    return parse_batch(batch, styles=styles()).parse_panel


def parse_styled(template: Json, *, path: str = "", styles: StylesByName) -> JobTemplate:
    """Read a template, with what the style that it names says and it does not; see `parse_template`."""
    if not isinstance(template, dict) or not _names_style(template):
        return parse_template(template, path=path)
    from civitai_mock.api.v1.style_defaults import parse_with_defaults  # noqa: PLC0415 - see above

    return parse_with_defaults(template, path=path, styles=styles())


def _names_style(template: JsonObject) -> bool:
    """Return whether there is a style, whatever case names have; this is asked for each template."""
    for name, params in template.items():
        if isinstance(params, dict) and name.lower() == PARAMS:
            return STYLE in params or STYLE in [member.lower() for member in params if len(member) == len(STYLE)]
    return False


def _parse_all(bodies: Sequence[Json], parse: ParseOne) -> Sequence[JobTemplate]:
    templates: list[JobTemplate] = []
    errors: dict[str, list[str]] = {}
    for index, body in enumerate(bodies):
        try:
            templates.append(parse(body, index, f"{JOBS}[{index}]"))
        except InvalidRequestError as error:
            errors |= error.errors
        if len(errors) > MOST_FAULTS:
            break
    if errors:
        raise invalid(errors)
    values = sum(count_values(template.properties, most=MAX_VALUES) for template in templates)
    if values > MAX_VALUES_IN_ALL:
        raise fault(JOBS, f"The properties of all jobs must have at most {MAX_VALUES_IN_ALL} values; found {values}.")
    return templates
