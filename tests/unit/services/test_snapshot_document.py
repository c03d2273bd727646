"""What a snapshot says is set for a namespace is checked before it is: rules of faults, scenarios, and styles."""

from typing import Any

import pytest

from civitai_mock.domain.errors import InvalidRequestError
from civitai_mock.services.snapshots.document import check_document
from tests.support.table import table

DATE = "2026-01-31T12:00:00+00:00"
RULE: dict[str, Any] = {"id": "fault-1", "life": "a", "setAt": DATE, "rule": {"action": {"status": 500}}}
SCENARIO: dict[str, Any] = {"life": "a", "scenario": {"start": "a", "states": {"a": {}}}}


def test_what_can_be_set_is_taken() -> None:
    second = RULE | {"id": "fault-10", "rule": {"preset": "html-error", "times": 2}}
    check_document({"rules": [RULE, second], "lastRule": 12, "scenarios": {"x": SCENARIO, "y": None}})
    check_document({"styles": {"mine": {"promptTemplate": "a sketch of {prompt}"}}})


@table(
    ("member", "value", "path"),
    [
        ("rules", [], "rules"),
        ("rules", {}, "rules"),
        ("rules", [1], "rules"),
        ("rules", [RULE | {"id": "server-fault-1"}], "rules"),
        ("rules", [RULE | {"id": "fault-0"}], "rules"),
        ("rules", [RULE | {"id": "fault-01"}], "rules"),
        ("rules", [RULE | {"id": f"fault-{10**16}"}], "rules"),
        ("rules", [RULE | {"id": "html-error"}], "rules"),
        ("rules", [RULE, RULE], "rules"),
        ("rules", [RULE | {"id": "fault-2"}, RULE], "rules"),
        ("rules", [RULE | {"life": 1}], "rules"),
        ("rules", [RULE | {"setAt": "2026-01-31T12:00:00"}], "rules"),
        ("rules", [RULE | {"rule": {"action": {"staus": 500}}}], "rules.action.staus"),
        ("lastRule", 0, "lastRule"),
        ("lastRule", True, "lastRule"),
        ("lastRule", 2**63, "lastRule"),
        ("scenarios", [], "scenarios"),
        ("scenarios", {"a b": SCENARIO}, "scenarios.a b"),
        ("scenarios", {"x": SCENARIO | {"life": None}}, "scenarios"),
        ("scenarios", {"x": {"life": "a", "scenario": {"start": "b", "states": {"a": {}}}}}, "scenarios.start"),
        ("styles", [], "styles"),
        ("styles", {"a b": {"promptTemplate": "{prompt}"}}, "styles.a b"),
        ("styles", {"mine": {"promptTemplate": "a sketch"}}, "styles.promptTemplate"),
    ],
)
def test_what_cannot_be_set_is_refused(member: str, value: Any, path: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        check_document({member: value})
    assert f"namespace.json.{path}" in caught.value.errors
