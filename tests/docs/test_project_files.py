"""Files for contributors agree with what CI runs."""

from typing import Any

import pytest
import yaml

from tests.support.paths import ROOT

CI = (ROOT / ".ci" / "run").read_text("utf-8")
FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))


def test_each_hook_is_a_check_of_ci() -> None:
    hooks: dict[str, Any] = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))
    (local,) = hooks["repos"]
    assert [hook["entry"] for hook in local["hooks"]] == ["ruff format --check", "ruff check", "mypy", "lint-imports"]
    assert [hook["entry"] for hook in local["hooks"] if f"\n{hook['entry']}" not in CI] == []


@pytest.mark.parametrize("form", FORMS, ids=lambda path: path.stem)
def test_an_issue_form_asks_for_something(form: Any) -> None:
    asked = yaml.safe_load(form.read_text("utf-8"))
    assert asked["name"]
    assert asked["description"]
    assert any(part.get("validations", {}).get("required") for part in asked["body"])
    assert len({part["id"] for part in asked["body"]}) == len(asked["body"])
