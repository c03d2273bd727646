"""Look into templates before they are read, whose members may be spelled in any case, and lay defaults under them."""

from civitai_mock.domain.json_types import Json, JsonObject, ReadOnlyJson


def with_inner(template: JsonObject, name: str, defaults: ReadOnlyJson) -> JsonObject:
    """Return the template with defaults in one of its members, unless that is not an object."""
    given = member(template, name)
    if not defaults or not isinstance(given, dict | None):
        return template
    others = {key: value for key, value in template.items() if key.lower() != name.lower()}
    return {**others, name: with_defaults(given or {}, defaults)}


def with_defaults(given: ReadOnlyJson, defaults: ReadOnlyJson) -> JsonObject:
    """Return what is given, in any case, with defaults for what is missing or null."""
    found = {name.lower() for name, value in given.items() if value is not None}
    return {**given, **{name: value for name, value in defaults.items() if name.lower() not in found}}


def member(members: ReadOnlyJson, name: str) -> Json:
    """Return a member in any case; of two spellings the official one counts."""
    if name in members:
        return members[name]
    return next((value for key, value in members.items() if key.lower() == name.lower()), None)
