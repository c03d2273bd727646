"""The command `fault`: see the rules of faults of a namespace, add one, and take one or all of them away."""

from collections.abc import Mapping
from urllib.parse import quote

from civitai_mock.cli.control.session import Session, UsageError
from civitai_mock.cli.control.tables import Row
from civitai_mock.domain.json_types import Json, JsonObject, as_object

PATH = "faults"
HEAD = ("rule", "what", "params", "match", "times", "hits", "left", "enabled")


def list_faults(session: Session) -> None:
    session.list(PATH, HEAD, _row)


def add_fault(session: Session) -> None:
    arguments = session.arguments
    match = match_of(arguments.method, arguments.route)
    params = _params(arguments.preset, arguments.param or [])
    rule: JsonObject = {"preset": arguments.preset}
    if match:
        rule["match"] = match
    if params:
        rule["params"] = params
    if arguments.times is not None:
        rule["times"] = arguments.times
    answer = session.server.change("POST", PATH, rule)
    session.done(answer, f"rule {as_object(answer).get('id')} is set")


def remove_fault(session: Session) -> None:
    rule_id = session.arguments.id
    session.done(session.server.change("DELETE", f"{PATH}/{quote(rule_id, safe='')}"), f"rule {rule_id} is gone")


def clear_faults(session: Session) -> None:
    answer = session.server.change("DELETE", PATH)
    session.done(answer, f"namespace {session.namespace} has no rules any more")


def match_of(method: str | None, route: str | None) -> JsonObject:
    return {name: value for name, value in (("method", method), ("route", route)) if value is not None}


def _params(preset: str, texts: list[str]) -> JsonObject:
    """Return params of the types that the preset has; what it does not know is left to the server, which says so."""
    from civitai_mock.domain.fault_presets import fault_presets
    from civitai_mock.domain.faults.rules import param_from_text

    found = fault_presets().get(preset)
    params: JsonObject = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise UsageError(f"argument --param: found '{text[:100]}', expected name=value")
        if name in params:
            raise UsageError(f"argument --param: '{name[:100]}' is there twice")
        known = None if found is None else found.params.get(name)
        params[name] = value if known is None else param_from_text(value, known)
    return params


def _row(rule: Mapping[str, Json]) -> Row:
    what = rule.get("preset") or rule.get("action")
    times, hits, left = rule.get("times"), rule.get("hits"), rule.get("left")
    is_enabled = rule.get("enabled") is not False
    return [rule.get("id"), what, rule.get("params"), rule.get("match"), times, hits, left, is_enabled]
