"""The counters of rules of faults in the store, by what is stored of the rules; nothing has to read these for it."""

from collections.abc import Sequence
from typing import Final

from civitai_mock.domain.json_types import Json, as_list, as_object

RULES: Final = "rules"  # the member of the documents of namespaces and server
MATCHES, HITS = "matches", "hits"  # what is counted of a rule, as `Counted` names it
LAST_HIT = "lastHit"  # a counter that is set, to the time of the last hit in microseconds


def rule_key(rule_id: Json, life: Json) -> str:
    """Return what the names of the counters of a rule begin with."""
    return f"faults/{rule_id}/{life}/"


def rule_counters(documents: Json) -> Sequence[str]:
    """Return the names of all counters of rules, by what is stored of them."""
    rules = [as_object(document) for document in as_list(documents)]
    keys = [rule_key(rule.get("id"), rule.get("life")) for rule in rules]
    return [key + counted for key in keys for counted in (MATCHES, HITS, LAST_HIT)]
