"""The clock of a namespace, as the control plane shows, sets and advances it."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.event_loop import until_found
from tests.support.served_app import JOBS, Opened, serve_all, template
from tests.support.v2_workflows import WORKFLOWS, image
from tests.support.v2_workflows import template as workflow

CLOCK, ADVANCE = "/_mock/clock", "/_mock/clock/advance"
NEW_YEAR = "2027-01-01T00:00:00.0000000Z"
SETTINGS = {"simulation_profile": "realistic", "simulation_load_ms": 0, "seed_resources": True}
LONG = {"mode": "time", "stages": {"SENT_TO_COMFY": "10m"}}


@pytest.fixture
async def served() -> AsyncIterator[Opened]:
    async with serve_all(**SETTINGS) as opened:
        yield opened


async def change(served: Opened, path: str, body: dict[str, Any], *, method: str = "PUT") -> dict[str, Any]:
    answer = await served.client.request(method, path, json=body)
    assert answer.status_code == 200, answer.text
    shown: dict[str, Any] = answer.json()
    return shown


async def advance(served: Opened, **body: Any) -> dict[str, Any]:
    return await change(served, ADVANCE, body, method="POST")


async def submit(served: Opened, **headers: str) -> str:
    answer = await served.client.post(JOBS, json=template(), headers=headers)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["jobId"])


async def status(served: Opened, job_id: str) -> dict[str, Any]:
    found: dict[str, Any] = (await served.client.get(f"{JOBS}/{job_id}")).json()
    return found


async def test_a_new_clock_is_real(served: Opened) -> None:
    shown = (await served.client.get(CLOCK)).json()
    assert {name: shown[name] for name in ("mode", "rate", "status")} == {"mode": "real", "rate": 1, "status": "ready"}
    assert abs(datetime.fromisoformat(shown["now"]) - datetime.now(UTC)) < timedelta(minutes=1)


async def test_a_frozen_clock_stands_and_dates_what_happens(served: Opened) -> None:
    shown = await change(served, CLOCK, {"mode": "frozen", "now": NEW_YEAR})
    assert shown == {"mode": "frozen", "now": NEW_YEAR, "rate": 0, "status": "ready"}
    await change(served, "/_mock/namespaces/default", {"progress": {"mode": "instant"}})
    job_id = await submit(served)
    await served.wait_until_ended(job_id)
    last = (await status(served, job_id))["lastEvent"]
    assert (last["type"], last["dateTime"]) == ("Succeeded", NEW_YEAR)


async def test_a_job_of_ten_minutes_is_over_when_the_clock_is_there(served: Opened) -> None:
    await change(served, "/_mock/namespaces/default", {"progress": LONG})
    await change(served, CLOCK, {"mode": "frozen", "now": NEW_YEAR})
    job_id = await submit(served)
    await advance(served, by="9m59s")
    assert (await status(served, job_id))["lastEvent"]["type"] != "Succeeded"
    shown = await advance(served, by="PT1S")
    assert (shown["now"], shown["status"]) == ("2027-01-01T00:10:00.0000000Z", "ready")
    assert (await status(served, job_id))["lastEvent"]["type"] == "Succeeded"


@pytest.mark.parametrize("now", ["2027-01-01T00:01:00Z", "2027-01-01T00:10:00Z", "2027-01-01T05:00:00Z"])
@pytest.mark.parametrize("version", [1, 2])
async def test_work_that_is_due_by_a_later_date_ends_before_its_time_is_over(
    served: Opened, now: str, version: int
) -> None:
    """A job takes a minute here, and has ten of them; the clock is set past both at once."""
    await change(served, "/_mock/namespaces/default", {"progress": {**LONG, "stages": {"SENT_TO_COMFY": "1m"}}})
    await change(served, CLOCK, {"mode": "frozen", "now": NEW_YEAR})
    if version == 1:
        job_id = await submit(served)
    else:
        job_id = (await served.client.post(WORKFLOWS, json=workflow(image()))).json()["steps"][0]["jobs"][0]["id"]

    async def is_running() -> bool:
        due = (await served.client.get(f"{CLOCK}/due")).json()["items"]
        return ("goesOn", job_id) in [(item["what"], item.get("jobId")) for item in due]

    await until_found(is_running)
    await change(served, CLOCK, {"mode": "frozen", "now": now})
    await served.wait_until_ended(job_id)
    events = (await served.client.get(f"/_mock/jobs/{job_id}")).json()["events"]
    assert [event["type"] for event in events if event["type"] in {"ClaimExpired", "Succeeded"}] == ["Succeeded"]
    assert datetime.fromisoformat(events[-1]["dateTime"]) == datetime.fromisoformat(now)


async def test_the_next_thing_that_falls_due_is_enough(served: Opened) -> None:
    await change(served, "/_mock/namespaces/default", {"progress": LONG})
    await change(served, CLOCK, {"mode": "frozen", "now": NEW_YEAR})
    assert (await advance(served, toNext=True))["now"] == NEW_YEAR
    await submit(served)
    assert (await advance(served, toNext=True))["now"] == "2027-01-01T00:10:00.0000000Z"


async def test_a_real_clock_that_is_advanced_goes_on_from_there(served: Opened) -> None:
    shown = await advance(served, by="2h")
    assert (shown["mode"], shown["rate"]) == ("scaled", 1)
    ahead = datetime.fromisoformat(shown["now"]) - datetime.now(UTC)
    assert timedelta(hours=1, minutes=59) < ahead <= timedelta(hours=2)
    assert (await change(served, CLOCK, {"mode": "real"}))["mode"] == "real"


async def test_each_namespace_has_a_clock_of_its_own(served: Opened) -> None:
    await change(served, CLOCK, {"mode": "frozen", "now": NEW_YEAR})
    other = (await served.client.get(CLOCK, headers={"X-Mock-Namespace": "other"})).json()
    assert other["mode"] == "real"


async def test_a_reset_makes_the_clock_real_again(served: Opened) -> None:
    await change(served, CLOCK, {"mode": "frozen", "now": NEW_YEAR})
    assert (await served.client.post("/_mock/reset", json={})).status_code == 204
    assert (await served.client.get(CLOCK)).json()["mode"] == "real"


@pytest.mark.parametrize(
    ("path", "body", "at"),
    [
        (CLOCK, {}, "mode"),
        (CLOCK, {"mode": "frosen"}, "mode"),
        (CLOCK, {"mode": "frozen", "now": "soon"}, "now"),
        (CLOCK, {"mode": "frozen", "now": "1969-12-31T23:59:59Z"}, "now"),
        (CLOCK, {"mode": "frozen", "now": "9999-12-31T23:59:59-12:00"}, "now"),
        (CLOCK, {"mode": "real", "now": NEW_YEAR}, "now"),
        (CLOCK, {"mode": "frozen", "rate": 2}, "rate"),
        (CLOCK, {"mode": "scaled", "rate": 0}, "rate"),
        (CLOCK, {"mode": "scaled", "rate": -1}, "rate"),
        (CLOCK, {"mode": "scaled", "rate": True}, "rate"),
        (CLOCK, {"mode": "frozen", "nwo": NEW_YEAR}, "nwo"),
        (ADVANCE, {}, "$"),
        (ADVANCE, {"by": "10m", "to": NEW_YEAR}, "to"),
        (ADVANCE, {"by": "-10m"}, "by"),
        (ADVANCE, {"by": "10 parsecs"}, "by"),
        (ADVANCE, {"by": 600}, "by"),
        (ADVANCE, {"by": "36500d", "tonext": True}, "tonext"),
        (ADVANCE, {"toNext": False}, "toNext"),
        (ADVANCE, {"to": "2020-01-01T00:00:00Z"}, "to"),
        (ADVANCE, {"to": "tomorrow"}, "to"),
    ],
)
async def test_what_makes_no_sense_is_refused_at_its_path(
    served: Opened, path: str, body: dict[str, Any], at: str
) -> None:
    answer = await served.client.request("PUT" if path == CLOCK else "POST", path, json=body)
    assert answer.status_code == 400, answer.text
    assert at in answer.json()["errors"]


async def test_real_servers_cannot_be_hurried() -> None:
    async with serve_all(comfy_http_url="http://127.0.0.1:9") as opened:
        for method, path, body in (("PUT", CLOCK, {"mode": "frozen"}), ("POST", ADVANCE, {"by": "1m"})):
            answer = await opened.client.request(method, path, json=body)
            assert (answer.status_code, "ComfyUI" in answer.json()["detail"]) == (409, True)
        assert (await opened.client.get(CLOCK)).json()["mode"] == "real"


async def test_what_falls_due_is_listed_in_its_order() -> None:
    async with serve_all(simulation_prompt_ms=60_000) as opened:
        await opened.client.put(CLOCK, json={"mode": "frozen", "now": "2031-01-31T12:00:00Z"})
        job_id = (await opened.client.post(JOBS, json=template())).json()["jobId"]

        due: list[Any] = []

        async def is_running() -> bool:
            due[:] = (await opened.client.get(f"{CLOCK}/due")).json()["items"]
            return len(due) > 1

        await until_found(is_running)
        assert [(item["what"], item["jobId"]) for item in due] == [("goesOn", job_id), ("expires", job_id)]
        await opened.client.post(f"{CLOCK}/advance", json={"to": due[0]["at"]})
        assert (await opened.use_cases.query.by_id(job_id)).outcome == "SUCCEEDED"
        assert (await opened.client.get(f"{CLOCK}/due")).json() == {"items": []}
