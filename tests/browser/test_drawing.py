"""What the dashboard draws of jobs, as pictures that are files: `pytest -m browser --rewrite` writes them anew."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.dashboard import Dashboard
from tests.support.golden import Golden
from tests.support.paths import ROOT

pytestmark = pytest.mark.browser
FOLDER = ROOT / "tests/data/dashboard"
DRAW = """async ([root, job]) => {
    const { waterfallOf } = await import(root + "job/timeline-model.js");
    const { drawWaterfall } = await import(root + "draw/waterfall.js");
    const drawn = drawWaterfall(waterfallOf(job, Date.parse(job.now)), job.width);
    return new XMLSerializer().serializeToString(drawn);
}"""


def _drawn(dashboard: Dashboard, job: Any) -> str:
    page = dashboard.go("jobs")
    text: str = page.evaluate(DRAW, [f"{dashboard.url}/_mock/ui/assets/js/", job])
    return text.replace("><", ">\n<") + "\n"


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.json")), ids=lambda path: path.stem)
def test_a_timeline_is_drawn_as_it_always_was(dashboard: Dashboard, golden: Golden, path: Path) -> None:
    golden.check_text(path.with_suffix(".svg"), _drawn(dashboard, json.loads(path.read_text("utf-8"))))


def test_what_lasted_8_ms_is_seen_beside_what_lasted_for_ever(dashboard: Dashboard) -> None:
    job = json.loads((FOLDER / "short-steps.json").read_text("utf-8"))
    widths = [float(part.partition('"')[0]) for part in _drawn(dashboard, job).split(' width="')[2:]]
    assert min(widths) >= 3
