"""Find the styles of a namespace, built in or set for it, and set them."""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import structlog

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import ConflictError, InvalidRequestError, NotFoundError
from civitai_mock.domain.json_types import Json, JsonObject, ReadOnlyJson, as_object
from civitai_mock.domain.namespaces import check_name
from civitai_mock.domain.nearest import did_you_mean
from civitai_mock.domain.styles import Style, built_in_styles, parse_style
from civitai_mock.services.namespaces import ManageNamespaces

STYLES = "styles"  # the member of the documents of namespaces
MOST_STYLES = 200
MOST_BYTES = 1024 * 1024  # of all styles together: a document of MongoDB holds 16, with rules and scenarios

logger = structlog.stdlib.get_logger()


def styles_in(documents: Json) -> Mapping[str, Style]:
    """Return the styles of a namespace by their names: those that were set for it, before those that are built in."""
    found = dict(built_in_styles())
    for name, document in as_object(documents).items():
        try:
            found[name] = parse_style(document, name=name)
        except InvalidRequestError as error:
            logger.warning("style not known", style=name, error=str(error))
    return found


def check_styles(documents: Json) -> None:
    """Raise `InvalidRequestError` or `ValueError` for what cannot be the styles that were set for a namespace."""
    if not isinstance(documents, dict):
        raise ValueError("styles are an object")
    for name, document in documents.items():
        check_name(name, field=name)
        parse_style(document, name=name)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownStyle:
    """Is a style with where it comes from; `not_yet` names processes that have not confirmed a change in time."""

    style: Style
    is_built_in: bool
    not_yet: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EditStyles:
    """Changes the styles of a namespace.

    Raise `NotFoundError` for an unknown one, and `ConflictError` for too many or too large ones, or where one that is
    built in would be removed.
    """

    manage: ManageNamespaces

    async def all(self, namespace: str) -> Sequence[ShownStyle]:
        """Return all styles, by name."""
        documents = (await self.manage.get(namespace)).document.get(STYLES)
        return [_shown(style, documents) for _, style in sorted(styles_in(documents).items())]

    async def get(self, namespace: str, name: str) -> ShownStyle:
        documents = (await self.manage.get(namespace)).document.get(STYLES)
        found = styles_in(documents)
        if name not in found:
            raise NotFoundError(_unknown(name, found))
        return _shown(found[name], documents)

    async def put(self, namespace: str, style: Style) -> ShownStyle:
        """Set a style, in place of one that is built in, too."""
        changed = await self.manage.edit(namespace, partial(_with, style=style))
        return ShownStyle(style=style, is_built_in=False, not_yet=changed.not_yet)

    async def remove(self, namespace: str, name: str) -> Sequence[str]:
        """Remove what was set, and return the processes that do not obey yet; what is built in is there again."""
        remove: Callable[[ReadOnlyJson], ReadOnlyJson] = partial(_without, name=name)
        return (await self.manage.edit(namespace, remove)).not_yet


def _shown(style: Style, documents: Json) -> ShownStyle:
    return ShownStyle(style=style, is_built_in=style.name not in as_object(documents))


def _with(document: ReadOnlyJson, *, style: Style) -> ReadOnlyJson:
    styles: JsonObject = {**as_object(document.get(STYLES)), style.name: style.document()}
    if len(styles) > MOST_STYLES:
        raise ConflictError(f"There are {MOST_STYLES} styles already; remove one first.")
    if len(json.dumps(styles)) > MOST_BYTES:
        raise ConflictError(f"All styles together take more than {MOST_BYTES} bytes.")
    return {**document, STYLES: styles}


def _without(document: ReadOnlyJson, *, name: str) -> ReadOnlyJson:
    stored = as_object(document.get(STYLES))
    if name not in stored:
        found = styles_in(stored)
        if name in found:
            raise ConflictError(f"The style '{name}' is built in: it can be replaced, but not removed.")
        raise NotFoundError(_unknown(name, found))
    styles = {key: value for key, value in stored.items() if key != name}
    changed = {key: value for key, value in document.items() if key != STYLES}
    return {**changed, STYLES: styles} if styles else changed


def _unknown(name: str, known: Mapping[str, Style]) -> str:
    return f"There is no style '{name[:100]}' here.{did_you_mean(name, known)}"
