"""The page on faults has every preset: what is seen of it, what it rehearses, and how a good client behaves."""

import re

import pytest

from civitai_mock.domain.fault_presets import fault_presets
from tests.support.docs import Page
from tests.support.paths import ROOT
from tests.support.presets_table import presets_table

PAGE = ROOT / "docs" / "qa.md"
ADVICE = re.compile(r"^\| `([a-z0-9-]+)` \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)


def test_the_table_of_presets_is_that_of_the_file(request: pytest.FixtureRequest) -> None:
    page = Page(PAGE)
    shown, expected = page.between("presets"), presets_table()
    if request.config.getoption("--rewrite"):
        begin = "<!-- presets: begin -->\n"
        PAGE.write_text(page.text.replace(f"{begin}{shown}", f"{begin}{expected}"), "utf-8")
    else:
        assert shown == expected


def test_there_is_advice_for_each_preset() -> None:
    advice = ADVICE.findall(Page(PAGE).text)
    assert [name for name, _, _ in advice] == list(fault_presets())
    assert [
        name for name, rehearses, behaves in advice if not (rehearses.endswith(".") and behaves.endswith("."))
    ] == []
