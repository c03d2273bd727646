"""Rules of faults as they are stored with a namespace, or for all: each with its id, and from when its counts begin."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import structlog

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import InvalidRequestError
from civitai_mock.domain.faults.rules import FaultRule, needs_of_requests, parse_rule
from civitai_mock.domain.json_types import Json, JsonObject, as_list, as_object, as_text
from civitai_mock.services.rule_counters import HITS, LAST_HIT, rule_key

ID, LIFE, SET_AT, RULE = "id", "life", "setAt", "rule"
PREFIX, SERVER_PREFIX = "fault-", "server-fault-"  # of ids

logger = structlog.stdlib.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRule:
    """Is a rule with what its counts go by: each begins anew with each of its lives, of which no two have one name."""

    rule: FaultRule
    life: str
    set_at: datetime

    @property
    def number(self) -> int:
        """Return how many rules there were before in the life of its namespace, and itself."""
        return number_of(self.rule.id)

    @property
    def hits_key(self) -> str:
        """Return the name of the counter of its hits."""
        return self.key + HITS

    @property
    def last_hit_key(self) -> str:
        """Return the name of the counter that has the time of its last hit."""
        return self.key + LAST_HIT

    @property
    def key(self) -> str:
        """Return what the names of its counters begin with."""
        return rule_key(self.rule.id, self.life)

    def document(self) -> JsonObject:
        """Return what is stored."""
        document: JsonObject = dict(self.rule.document)
        return {ID: self.rule.id, LIFE: self.life, SET_AT: self.set_at.isoformat(), RULE: document}


class ObeyedRules:
    """Holds the rules that hold at one time, those of the namespace first; `spent` has the ids of those that are."""

    def __init__(self, own: Sequence[StoredRule] = (), server: Sequence[StoredRule] = ()) -> None:
        self.rules = [each.rule for each in (*own, *server)]
        self.hooks = frozenset(hook for rule in self.rules for hook in rule.hooks)
        self.needs_of_requests = needs_of_requests(self.rules)
        self.keys = {each.rule.id: each.key for each in (*own, *server)}
        self.of_server = frozenset(each.rule.id for each in server)
        self.pattern_count = sum(rule.match.has_pattern for rule in self.rules)
        self.spent: set[str] = set()

    def followed_by(self, own: Sequence[StoredRule], server: Sequence[StoredRule]) -> "ObeyedRules":
        """Return the rules that hold next; what is spent stays so for the rest of its life."""
        after = ObeyedRules(own, server)
        after.spent |= {rule_id for rule_id in self.spent if after.keys.get(rule_id) == self.keys[rule_id]}
        return after


class ParsedRules:
    """Holds the rules of one document: each is read once, however often others change, and whoever asks for them."""

    def __init__(self) -> None:
        self._documents: Json = None
        self._known: Mapping[str, tuple[Json, StoredRule]] = {}

    def of(self, documents: Json) -> Sequence[StoredRule]:
        """Return the rules of what is stored, in their order."""
        if documents != self._documents:
            found = [(document, self._rule_of(document)) for document in as_list(documents)]
            self._documents = documents
            self._known = {rule.rule.id: (document, rule) for document, rule in found if rule is not None}
        return [rule for _, rule in self._known.values()]

    def _rule_of(self, document: Json) -> StoredRule | None:
        """Return a rule; None, which is logged, for one that this program does not know."""
        known, rule = self._known.get(as_text(as_object(document).get(ID)), (None, None))
        if known == document:
            return rule
        try:
            return parse_stored_rule(document)
        except (InvalidRequestError, ValueError) as error:
            logger.warning("rule of faults not known", rule=document, error=str(error))
            return None


def number_of(rule_id: Json) -> int:
    """Return the number in the id of a rule; raise `ValueError` if it has none."""
    return int(as_text(rule_id).rpartition("-")[2])


def parse_stored_rule(document: Json) -> StoredRule:
    """Read what `StoredRule.document` returns; raise `ValueError` or `InvalidRequestError` for anything else."""
    members = as_object(document)
    rule_id, life, set_at = members.get(ID), members.get(LIFE), datetime.fromisoformat(as_text(members.get(SET_AT)))
    if not isinstance(rule_id, str) or not isinstance(life, str) or set_at.tzinfo is None:
        raise ValueError("a rule is stored with its id, the name of its life, and a date with its zone")
    return StoredRule(rule=parse_rule(members.get(RULE), rule_id=rule_id, set_at=set_at), life=life, set_at=set_at)
