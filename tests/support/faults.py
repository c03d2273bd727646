"""Rules of faults as a namespace obeys them."""

from collections.abc import Mapping
from typing import Any

from civitai_mock.domain.faults.rules import parse_rule
from civitai_mock.domain.json_types import Json, JsonObject
from civitai_mock.domain.namespaces import Epoch
from civitai_mock.ports import Clock, Ids, Metrics, Stores
from civitai_mock.services.controls import Controls
from civitai_mock.services.faults.firing import Faults, ServerRules
from civitai_mock.services.faults.parsed_rules import StoredRule
from tests.support.dates import START


def stored_rule(rule_id: str, *, life: str = "1", **members: Any) -> JsonObject:
    """Return what is stored of a rule that was set at `START`."""
    return StoredRule(rule=parse_rule(members, rule_id=rule_id, set_at=START), life=life, set_at=START).document()


def set_rules(controls: Controls, *rules: Mapping[str, Any], life: str = "1") -> None:
    """Let a namespace obey rules, which are called `rule-1` and so on; their counts begin anew with each life."""
    documents: list[Json] = [stored_rule(f"rule-{number}", life=life, **rule) for number, rule in enumerate(rules, 1)]
    controls.update({"rules": documents}, {})


def faults_of(stores: Stores, *, clock: Clock, ids: Ids) -> Faults:
    """Return what chooses faults where no rule is set."""
    return Faults(
        controls=Controls(),
        server_rules=ServerRules(),
        store=stores.namespaces,
        epoch=Epoch(),
        clock=clock,
        system_clock=clock,
        ids=ids,
        metrics=Metrics(),
    )
