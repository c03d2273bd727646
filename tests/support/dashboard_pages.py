"""All addresses of the dashboard, as its own tables have them, and a namespace in which each of them has something."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from civitai_mock.api.ui.dashboard import assets
from tests.support.dashboard import Dashboard
from tests.support.served_app import JOBS, template

ENTRY = re.compile(r'\{ name: "([a-z]+)", title: "([^"]+)"(?:, key: "([a-z])")?')
RESOURCE = "urn:air:sdxl:checkpoint:civitai:101055@128078"
UNTIL_READY = "6m"  # a pod that was asked for
BROKEN = 503


class Entry(NamedTuple):
    """Is a page, or a tab of a job; `key` is the letter that leads to a page behind `g`."""

    name: str
    title: str
    key: str


def _entries(script: str) -> Sequence[Entry]:
    return [Entry(*found) for found in ENTRY.findall(assets()[script].content.decode())]


PAGES = _entries("js/pages.js")
TABS = _entries("js/job/tabs.js")


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Is a namespace in which something happened."""

    done: str  # job ids
    failed: str
    waits: str
    runs: str
    picture: str  # a key
    entry: str  # of the journal

    def address(self, name: str) -> tuple[str, Mapping[str, str]]:
        """Return path and query of a page, of a tab of a job, or of a thing, by its name in `ADDRESSES`."""
        page, _, what = name.partition(" ")
        if page == "job":
            return f"jobs/{self.done}", {"tab": what}
        things = {"picture": f"pictures/{self.picture}", "request": f"journal/{self.entry}", "new": "resources/new"}
        if page == "graph" and what:
            return "graph", {"a": self.done, "b": self.waits}
        return {**things, "resource": f"resources/{RESOURCE}"}.get(page, page), {}


THINGS = ("picture", "request", "resource", "new", "graph difference")
ADDRESSES = [*(page.name for page in PAGES), *(f"job {tab.name}" for tab in TABS), *THINGS]


def fill(dashboard: Dashboard, prompt: str = "a lighthouse at night") -> World:
    """Have something of each kind, by a clock that stands still, so that nothing goes away while somebody looks."""
    done = _run(dashboard, prompt)
    _run(dashboard, "a nude")
    dashboard.change("PUT", "clock", {"mode": "frozen"})
    dashboard.change("PUT", "fleet")
    dashboard.change("POST", "fleet/pods")
    dashboard.change("POST", "clock/advance", {"by": UNTIL_READY})
    failed, waits, runs = (dashboard.submit(progress="manual", params={"prompt": prompt}) for _ in range(3))
    dashboard.change("POST", f"jobs/{failed}/fail", {"error": "node_error", "message": "out of memory"})
    for _ in range(3):
        dashboard.change("POST", f"jobs/{runs}/advance")
    _break(dashboard, waits)
    (picture,) = (image["blobKey"] for image in dashboard.get("images")["items"] if image["jobId"] == done)
    entry = next(each["id"] for each in dashboard.get("journal")["items"] if each["status"] == BROKEN)
    return World(done=done, failed=failed, waits=waits, runs=runs, picture=picture, entry=entry)


def _break(dashboard: Dashboard, job_id: str) -> None:
    """Set rules and a scenario; one of the rules is used up, by a request for a job."""
    broken = {"match": {"route": f"{JOBS}/{{jobId}}"}, "action": {"status": BROKEN}, "times": 1}
    dashboard.change("POST", "faults", {"preset": "blob-late", "times": 3, "match": {"prompt": {"contains": "fox"}}})
    dashboard.change("POST", "faults", broken)
    assert dashboard.http.get(f"{JOBS}/{job_id}").status_code == BROKEN
    states = {"calm": {}, "storm": {"action": {"status": BROKEN}, "match": {"route": JOBS}}}
    dashboard.change("PUT", "scenarios/weather", {"start": "storm", "states": states})


def _run(dashboard: Dashboard, prompt: str) -> str:
    """Have a small picture made, and return the id of its job."""
    params = template()["params"] | {"prompt": prompt, "width": 64, "height": 64}
    answer = dashboard.http.post(f"{JOBS}?wait=true", json=template(params=params)).raise_for_status()
    return str(answer.json()["jobs"][0]["jobId"])
