"""What moved time means for everything that is dated, lasts or expires, and for what happens meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from civitai_mock.domain.stages import Stage
from tests.support.event_loop import until, until_found
from tests.support.served_app import CHECKPOINT, JOBS, PATIENCE_SECONDS, Opened, serve_all, template

CLOCK, ADVANCE, WORKFLOWS = "/_mock/clock", "/_mock/clock/advance", "/v2/consumer/workflows"
NEW_YEAR = "2027-01-01T00:00:00.0000000Z"
SETTINGS: dict[str, Any] = {"simulation_profile": "realistic", "callback_allowed_hosts": "private"}
UNREACHABLE = "http://127.0.0.1:9/hook"
ANSWER = b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@dataclass
class SlowReceiver:
    """Is a receiver of callbacks that answers when it is told to."""

    url: str = ""
    asked: int = 0
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        self.asked += 1
        await self.may_answer.wait()
        writer.write(ANSWER)
        await writer.drain()
        writer.close()


@pytest.fixture
async def receiver() -> AsyncIterator[SlowReceiver]:
    made = SlowReceiver()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    yield made
    made.may_answer.set()
    server.close()


@asynccontextmanager
async def frozen(**settings: Any) -> AsyncIterator[Opened]:
    """Serve a default namespace whose clock stands, where jobs take ten minutes."""
    async with serve_all(**SETTINGS | settings) as opened:
        await change(opened, "/_mock/progress", {"mode": "time", "stages": {"SENT_TO_COMFY": "10m"}})
        await change(opened, CLOCK, {"mode": "frozen", "now": NEW_YEAR})
        yield opened


@pytest.fixture
async def served() -> AsyncIterator[Opened]:
    async with frozen() as opened:
        yield opened


async def change(served: Opened, path: str, body: dict[str, Any], *, method: str = "PUT") -> Any:
    answer = await served.client.request(method, path, json=body)
    assert answer.is_success, answer.text
    return answer.json()


async def advance(served: Opened, **body: Any) -> Any:
    return await change(served, ADVANCE, body, method="POST")


async def submit(served: Opened, **changes: Any) -> str:
    return str((await change(served, JOBS, template(**changes), method="POST"))["jobId"])


async def last_event(served: Opened, job_id: str) -> tuple[str, str]:
    event = (await served.client.get(f"{JOBS}/{job_id}")).json()["lastEvent"]
    return event["type"], event["dateTime"]


async def test_a_url_of_a_blob_works_as_long_as_the_clock_says(served: Opened) -> None:
    job_id = await submit(served)
    await advance(served, by="10m")
    url = (await served.client.get(f"{JOBS}/{job_id}")).json()["result"][0]["blobUrl"]
    assert (await served.client.get(url)).status_code == 200
    await advance(served, by="2d")
    assert (await served.client.get(url)).status_code == 403


async def test_a_job_is_gone_when_it_has_been_kept_long_enough(served: Opened) -> None:
    job_id = await submit(served)
    await advance(served, by="400d")
    assert (await served.client.get(f"{JOBS}/{job_id}")).status_code == 404


async def test_a_window_of_requests_is_over_when_the_clock_says_so() -> None:
    async with serve_all(rate_limit="2/hour", **SETTINGS) as served:
        await change(served, CLOCK, {"mode": "frozen", "now": NEW_YEAR})
        statuses = [(await served.client.get(f"{JOBS}/x")).status_code for _ in range(3)]
        assert statuses[-1] == 429
        await advance(served, by="1h")
        assert (await served.client.get(f"{JOBS}/x")).status_code != 429


async def test_a_workflow_is_over_with_its_last_step(served: Opened) -> None:
    image = {"engine": "sdcpp", "ecosystem": "sdxl", "operation": "createImage", "model": CHECKPOINT, "prompt": "a fox"}
    submitted = await served.client.post(WORKFLOWS, json={"steps": [{"$type": "imageGen", "input": image}]})
    workflow_id = submitted.json()["id"]
    await advance(served, by="10m")
    found = (await served.client.get(f"{WORKFLOWS}/{workflow_id}")).json()
    assert found["status"] == "succeeded", found


async def test_a_job_in_flight_stands_when_its_clock_is_stopped_and_runs_on_from_there() -> None:
    async with serve_all(**SETTINGS) as served:
        await change(served, "/_mock/progress", {"mode": "time", "stages": {"SENT_TO_COMFY": "5m"}})
        job_id = await submit(served)

        async def is_sent() -> bool:
            return (await served.use_cases.query.by_id(job_id)).stage is Stage.SENT_TO_COMFY

        await until_found(is_sent)
        await change(served, CLOCK, {"mode": "frozen"})
        await advance(served, by="4m59s")
        assert (await last_event(served, job_id))[0] == "Updated"
        await change(served, CLOCK, {"mode": "scaled", "rate": 10})
        await served.wait_until_ended(job_id)
        events = (await served.client.get(f"/_mock/jobs/{job_id}")).json()["events"]
        assert [event["type"] for event in events] == ["Initialized", "Claimed", "Updated", "Updated", "Succeeded"]


async def test_two_advances_at_once_are_as_long_as_both(served: Opened) -> None:
    job_ids = [await submit(served) for _ in range(3)]
    await asyncio.gather(advance(served, by="10m"), advance(served, by="10m"))
    shown = (await served.client.get(CLOCK)).json()
    assert (shown["now"], shown["status"]) == ("2027-01-01T00:20:00.0000000Z", "ready")
    assert {(await last_event(served, job_id)) for job_id in job_ids} == {("Succeeded", "2027-01-01T00:10:00.0000000Z")}


async def test_nothing_is_ready_before_its_callbacks_were_tried(served: Opened, receiver: SlowReceiver) -> None:
    await submit(served, callbackUrl=receiver.url)
    advancing = asyncio.create_task(advance(served, by="10m"))
    await until(lambda: receiver.asked > 0)
    assert (await served.client.get(CLOCK)).json()["status"] == "advancing"
    refused = await served.client.put(CLOCK, json={"mode": "real"})
    assert refused.status_code == 409
    receiver.may_answer.set()
    assert (await advancing)["status"] == "ready"
    assert receiver.asked == 5


async def test_an_advance_that_takes_long_is_answered_and_goes_on(served: Opened, receiver: SlowReceiver) -> None:
    job_id = await submit(served, callbackUrl=receiver.url)
    shown = await served.use_cases.control_clock.advance(by=timedelta(minutes=10), answers_after=timedelta())
    assert shown.is_advancing
    receiver.may_answer.set()
    await served.wait_until_ended(job_id)
    shown = await served.use_cases.control_clock.advance(by=timedelta())
    assert not shown.is_advancing


async def test_a_reset_ends_an_advance_at_once(served: Opened, receiver: SlowReceiver) -> None:
    await submit(served, callbackUrl=receiver.url)
    advancing = asyncio.create_task(served.client.post(ADVANCE, json={"by": "10m"}))
    await until(lambda: receiver.asked > 0)
    assert (await served.client.post("/_mock/reset", json={})).status_code == 204
    assert (await advancing).status_code == 409
    shown = (await served.client.get(CLOCK)).json()
    assert (shown["mode"], shown["status"]) == ("real", "ready")


async def test_what_is_submitted_while_the_clock_is_advanced_is_worked_on_too(served: Opened) -> None:
    early = [await submit(served) for _ in range(5)]
    advancing = asyncio.create_task(advance(served, by="30m"))
    late = [await submit(served) for _ in range(5)]
    await advancing
    await advance(served, by="10m")
    assert {(await last_event(served, job_id))[0] for job_id in [*early, *late]} == {"Succeeded"}


async def test_one_namespace_can_be_advanced_while_another_stands(served: Opened) -> None:
    in_other = {"X-Mock-Namespace": "other"}
    answer = await served.client.put(CLOCK, json={"mode": "frozen", "now": NEW_YEAR}, headers=in_other)
    assert answer.is_success
    await advance(served, by="1h")
    other = await served.client.get(CLOCK, headers=in_other)
    assert other.json()["now"] == NEW_YEAR


async def _do_something(served: Opened, random: Random, job_ids: list[str]) -> None:
    """Do one of the things that may happen while a clock is advanced."""
    match random.randrange(6):
        case 0 | 1:
            answer = await served.client.post(JOBS, json=template(callbackUrl=random.choice([None, UNREACHABLE])))
            job_ids.append(answer.json()["jobId"])
        case 2:
            answer = await served.client.post(ADVANCE, json={"by": f"{random.randrange(900)}s"})
            assert answer.status_code in {200, 202, 409}, answer.text
        case 3:
            answer = await served.client.post(ADVANCE, json={"toNext": True})
            assert answer.status_code in {200, 202, 409}, answer.text
        case 4 if job_ids:
            await served.client.delete(f"{JOBS}/{random.choice(job_ids)}")
        case _:
            body = random.choice([{"mode": "frozen"}, {"mode": "scaled", "rate": random.choice([1, 1000])}])
            answer = await served.client.put(CLOCK, json=body)
            assert answer.status_code in {200, 202, 409}, answer.text


@pytest.mark.parametrize("seed", range(12))
async def test_nothing_is_stuck_whatever_happens_while_the_clock_is_advanced(served: Opened, seed: int) -> None:
    random, job_ids = Random(seed), list[str]()
    async with asyncio.timeout(PATIENCE_SECONDS):
        for _ in range(6):
            await asyncio.gather(*[_do_something(served, random, job_ids) for _ in range(random.randrange(1, 8))])
        await advance(served, by="3h")
    for job_id in job_ids:
        answer = await served.client.get(f"/_mock/jobs/{job_id}")
        assert answer.status_code == 200, answer.text
        events = answer.json()["events"]
        assert events[-1]["type"] in {"Succeeded", "Deleted", "Failed"}, events
        assert [event["dateTime"] for event in events] == sorted(event["dateTime"] for event in events)
