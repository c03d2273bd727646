"""Take the screenshots of the documentation: `python -m tests.browser.screenshots` writes them to `assets/`."""

import io
import shutil
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, expect, sync_playwright

from civitai_mock.pytest_plugin.server import running_server
from tests.support.dashboard import Dashboard, open_dashboard
from tests.support.paths import ROOT

FOLDER = ROOT / "assets"
COLOURS = 256  # as a palette a picture has a third of the size
PROMPTS = (
    "a lighthouse over a stormy sea at night, oil painting",
    "a fox in the snow, morning light, 35 mm",
    "portrait of a watchmaker, warm lamp, shallow depth of field",
    "an old harbour in the rain, ink and watercolour",
    "a city on stilts above a green lagoon, concept art",
)


def _save(page: Page, name: str) -> Path:
    path = FOLDER / f"{name}.png"
    taken = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    taken.quantize(COLOURS).save(path, optimize=True)
    return path


def _seed(dashboard: Dashboard) -> str:
    """Submit jobs in all states; return one that has its pictures."""
    ids = [dashboard.submit(params={"prompt": prompt, "seed": seed}) for seed, prompt in enumerate(PROMPTS, 1)]
    failing = dashboard.submit(progress="manual", params={"prompt": "a cathedral of ice, 8k, very large"})
    dashboard.change("POST", f"jobs/{failing}/fail", {"error": "node_error", "message": "CUDA out of memory"})
    dashboard.submit(progress="manual", params={"prompt": "two cranes over rice fields, woodblock print"})
    running = dashboard.submit(progress="manual", params={"prompt": "a train crossing a viaduct, golden hour"})
    for _ in range(3):
        dashboard.change("POST", f"jobs/{running}/advance")
    dashboard.change("POST", "faults", {"preset": "blob-late"})
    return ids[1]


def take() -> None:
    program = shutil.which("chromium") or "chromium"
    settings = {"simulation_profile": "realistic"}
    with sync_playwright() as playwright, running_server(settings) as server:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        with open_dashboard(browser, server, viewport={"width": 1280, "height": 760}) as dashboard:
            page, chosen = dashboard.go(), _seed(dashboard)
            expect(page.get_by_label("Ended in the last minute").locator("tbody tr")).to_have_count(6)
            _save(page, "dashboard-queue")
            page.set_viewport_size({"width": 1440, "height": 860})
            dashboard.go(f"jobs/{chosen}")
            expect(page.locator("svg.waterfall")).to_be_visible()
            _save(page, "dashboard-job")
        browser.close()


if __name__ == "__main__":
    take()
