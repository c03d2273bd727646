"""What the report of a failed test shows of its namespace: the requests that came, and what became of the jobs."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from civitai_mock.pytest_plugin.control import CivitaiMockError, printable
from civitai_mock.pytest_plugin.mock import CivitaiMock

MOST_SHOWN = 20
LONGEST_CONTEXT = 500
CONTEXT_OF_A_FAILURE = ("error", "message", "node_id", "class_type", "reason")


def describe(mock: CivitaiMock) -> str:
    """Return the text of the section; where something cannot be had, it says why in one line."""
    lines = [f"{mock.url} (seed {mock.seed})"]
    for part in (_requests, _jobs):
        try:
            lines += part(mock)
        except CivitaiMockError as error:
            lines.append(str(error))
    return "\n".join(map(printable, lines))


def _requests(mock: CivitaiMock) -> Iterator[str]:
    calls = mock.control.get("/journal", take=MOST_SHOWN)
    yield _heading("request", calls)
    for call in reversed(calls["items"]):
        path = call["path"].removeprefix(f"/ns/{mock.namespace}")
        fault = f", fault {call['fault']}" if call.get("fault") else ""
        yield f"  {_time(call['time'])}  {call['method']} {path}  {call['status']}, {call['ms']:.0f} ms{fault}"


def _jobs(mock: CivitaiMock) -> Iterator[str]:
    jobs = mock.control.get("/jobs", take=MOST_SHOWN)
    yield _heading("job", jobs)
    for item in reversed(jobs["items"]):
        job = mock.job(item["jobId"])
        events = job["events"]
        walked = [f"{event['type']} {_time(event['dateTime'])}" for event in events]
        walked += [f"fault {fault['rule']}" for fault in job["faults"]]
        yield f"  {item['jobId']} ({item['type']})  {', '.join(walked)}"
        yield from _why(events[-1] if events else {})


def _why(event: Mapping[str, Any]) -> Iterator[str]:
    context = event.get("context") or {}
    told = {name: context[name] for name in CONTEXT_OF_A_FAILURE if context.get(name)}
    if told.get("reason") == told.get("message"):
        told.pop("reason", None)
    if told:
        yield f"    {json.dumps(told)[:LONGEST_CONTEXT]}"


def _heading(noun: str, page: Mapping[str, Any]) -> str:
    count = len(page["items"])
    words = f"{count} {noun}{'' if count == 1 else 's'}"
    return f"the last {words}:" if page.get("next") else f"{words}{':' if count else ''}"


def _time(date: str) -> str:
    """Return the time of the day, to the millisecond."""
    return date.partition("T")[2][:12]
