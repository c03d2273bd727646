"""Faults that are kept with what they hit: which rule fired, and what it does, so that nobody has to decide again."""

from collections.abc import Sequence
from datetime import UTC, datetime

from civitai_mock.domain.errors import InvalidRequestError
from civitai_mock.domain.fault_presets import Hook
from civitai_mock.domain.faults.actions import Effect
from civitai_mock.domain.faults.rules import ACTION, PARAMS, PRESET, FaultRule, parse_rule
from civitai_mock.domain.json_types import JsonObject, ReadOnlyJson, as_object, as_text

RULE, DOES = "rule", "does"
ANY_TIME = datetime(1970, 1, 1, tzinfo=UTC)  # what a rule does is the same whenever it was set


def kept_fault(rule: FaultRule) -> JsonObject:
    """Return what is kept of a rule that fired."""
    return {RULE: rule.id, DOES: what_it_does(rule.document)}


def what_it_does(document: ReadOnlyJson) -> JsonObject:
    """Return the preset with its params, or the action, of the document of a rule."""
    return {name: document[name] for name in (PRESET, PARAMS, ACTION) if name in document}


def kept_rule(fault: ReadOnlyJson) -> FaultRule:
    """Return the rule of what `kept_fault` returned, without what it matched and how often it fired."""
    return parse_rule(as_object(fault[DOES]), rule_id=as_text(fault[RULE]), set_at=ANY_TIME)


def kept_effects(fault: ReadOnlyJson) -> Sequence[Effect]:
    """Return what a kept fault does; nothing for one that says only that nothing was to go wrong."""
    return kept_rule(fault).action.effects if DOES in fault else ()


def asked_rule(document: ReadOnlyJson) -> FaultRule:
    """Return the rule that a request asked for, whose document is kept with its jobs; its id is that of its preset."""
    return parse_rule(dict(document), rule_id=as_text(document.get(PRESET)), set_at=ANY_TIME)


def asked_rule_at(hook: Hook, document: ReadOnlyJson | None) -> FaultRule | None:
    """Return the rule that a request asked for, if it takes hold at a hook, and is one that this program knows."""
    try:
        rule = asked_rule(document) if document else None
    except InvalidRequestError:
        return None
    return rule if rule is not None and hook in rule.hooks else None


def told_fault(fault: ReadOnlyJson) -> JsonObject | None:
    """Return what the control plane tells of a kept fault; None for one that says that nothing was to go wrong."""
    return {RULE: fault[RULE], **as_object(fault[DOES])} if DOES in fault else None
