"""The table of metrics is made from what the server shows."""

from collections.abc import Iterator

from tests.support.golden import Golden
from tests.support.metrics import Scrape, example
from tests.support.paths import ROOT

START, END = "<!-- metrics: begin -->\n", "<!-- metrics: end -->"
ENDINGS = ("_bucket", "_count", "_sum")


def test_the_table_of_metrics_has_every_metric(golden: Golden) -> None:
    page = ROOT / "docs" / "operators.md"
    before, _, rest = page.read_text("utf-8").partition(START)
    after = rest.partition(END)[2]
    golden.check_text(page, before + START + _table(example()) + END + after)


def _table(found: Scrape) -> str:
    head = "| metric | labels | what it counts or measures |\n|---|---|---|\n"
    return head + "".join(f"{row}\n" for row in _rows(found))


def _rows(found: Scrape) -> Iterator[str]:
    """The metrics of ours; a histogram counts as well how often something was."""
    for name, about in found.about.items():
        if name.startswith("civitai_mock_"):
            samples = [sample for sample in found.samples if _family_of(sample.name) in {name, f"{name}_total"}]
            labels = sorted({label for sample in samples for label in sample.labels} - {"le"})
            shown = f"{name}_total" if found.types[name.removeprefix("civitai_mock_")] == "counter" else name
            yield f"| `{shown}` | {', '.join(f'`{label}`' for label in labels)} | {about} |"


def _family_of(name: str) -> str:
    return next((name.removesuffix(ending) for ending in ENDINGS if name.endswith(ending)), name)
