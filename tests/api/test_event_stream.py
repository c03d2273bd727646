"""The stream of events: what happens is told as it happens, to who may hear it, and again to who comes back."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from structlog.testing import capture_logs

from civitai_mock.domain.job import Job
from civitai_mock.domain.stages import Outcome, Stage
from civitai_mock.services.event_stream.reader import MOST_BYTES, MOST_MESSAGES
from tests.support import v2_workflows as v2
from tests.support.dates import START
from tests.support.event_loop import settle, until
from tests.support.jobs import LEASE, make_claim
from tests.support.listener import Listener, Told, listening
from tests.support.served_app import JOBS, Served, serve, serve_all, template

EVERYTHING, MINE = "/_mock/events", "/v1/consumer/events"
UNKNOWN = "00000000-0000-4000-8000-000000000000"


def of_job(job_id: str) -> str:
    return f"{JOBS}/{job_id}/events"


async def claim(served: Served) -> Job:
    """Claim the one queued job, and say so in this process."""
    (held,) = await served.stores.queue.claim(make_claim(at=served.clock.now()), limit=1)
    return await change(served, held, held.entered(Stage.CLAIMED, at=START, until=START + LEASE, context={}))


async def change(served: Served, before: Job, after: Job) -> Job:
    assert await served.stores.jobs.replace(before, after)
    served.namespace.event_bus.publish_changes([after])
    return after


async def progress(served: Served, job: Job, text: str = "") -> Job:
    return await change(served, job, job.progressed(at=START, context={"text": text}, slots=job.slots))


async def fail(served: Served, job: Job) -> Job:
    context: Mapping[str, Any] = {"error": "graph_failed", "message": "It broke."}
    return await change(served, job, job.ended(Outcome.FAILED, at=START, context=dict(context)))


async def rest(served: Served, path: str, **headers: str) -> Sequence[Told]:
    """Return what is told until the server ends the stream."""
    async with listening(served.app, path, **headers) as listener:
        return (await listener.ended()).told


def heard(told: Sequence[Told]) -> list[tuple[str, object]]:
    return [(message.type, message.seq) for message in told]


async def test_a_job_is_told_of_from_its_submission_to_its_end() -> None:
    async with serve_all() as opened:
        job_id = (await opened.client.post(JOBS, json=template(quantity=2))).json()["jobId"]
        async with listening(opened.app, of_job(job_id)) as listener:
            *jobs, last = (await listener.ended()).told
        stored = (await opened.client.get(f"/v1/producer/jobs/{job_id}/events")).json()
        status = (await opened.client.get(f"{JOBS}/{job_id}")).json()
    assert listener.status == 200
    assert listener.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert listener.headers["cache-control"] == "no-cache, no-transform"
    assert listener.headers["x-accel-buffering"] == "no"
    assert listener.text.startswith("retry: 2000\n\n")
    assert [message.data["event"] for message in jobs] == stored
    assert all(message.type == message.data["type"] for message in jobs)
    assert last.type == "generation_complete"
    urls = [image["blobUrl"].split("?")[0] for image in status["result"]]
    assert [str(url).split("?")[0] for url in last.data["imageUrls"]] == urls  # type: ignore[union-attr] # a list
    assert str(last.data["imageUrl"]).startswith(urls[0])
    assert (last.data["seed"], last.seq) == (7, jobs[-1].seq)


async def test_an_event_is_worded_as_its_callback_is(served: Served) -> None:
    answer = await served.client.post(f"/compat/official{JOBS}", json=template())
    async with listening(served.app, of_job(answer.json()["jobId"])) as listener:
        await listener.begun()
        job = await claim(served)
        told = (await listener.hears(2))[-1]
    assert served.use_cases.event_streams.render(job, job.last_event).decode() in listener.text
    assert told.data["event"]["provider"] == "Civitai"  # type: ignore[index,call-overload] # an object


async def test_who_comes_back_misses_nothing_and_hears_at_most_one_event_again(served: Served) -> None:
    job_id = await served.submit_one()
    await fail(served, await progress(served, await claim(served)))
    told = await rest(served, of_job(job_id))
    assert heard(told) == [("job", 0), ("job", 1), ("job", 2), ("job", 3), ("generation_failed", 3)]
    assert (told[-1].data["error"], told[-1].data["message"]) == ("graph_failed", "It broke.")
    for count, message in enumerate(told[:-1], 1):
        again = await rest(served, of_job(job_id), last_event_id=message.id or "")
        assert heard(again) == heard(told[3:] if count == 4 else told[count:])
        assert again == await rest(served, f"{of_job(job_id)}", last_event_id=message.id or "")
    async with listening(served.app, of_job(job_id), query=f"after={told[-1].id}") as listener:
        assert (await listener.ended()).status == 204


async def test_who_comes_back_to_all_jobs_misses_nothing(served: Served) -> None:
    async with listening(served.app, MINE) as listener:
        await listener.begun()
        for _ in range(3):
            await served.submit_one()
            await fail(served, await claim(served))
        told = await listener.hears(12)
    assert heard(told) == [("job", 0), ("job", 1), ("job", 2), ("generation_failed", 2)] * 3
    for count, message in enumerate(told[:-1], 1):
        async with listening(served.app, MINE, last_event_id=message.id or "") as listener:
            left = {message.data["jobId"] for message in told[count:]}
            again = await listener.hears(len(told) - count)
        known = [*told[:count], *again]
        for job_id in left:
            seqs = [each.seq for each in known if each.data["jobId"] == job_id and each.type == "job"]
            assert list(dict.fromkeys(seqs)) == [0, 1, 2]


async def test_what_another_process_does_is_told_within_half_a_second(served: Served) -> None:
    job_id = await served.submit_one()
    async with listening(served.app, of_job(job_id)) as one, listening(served.app, MINE) as all_jobs:
        await one.hears(1)
        await all_jobs.begun()
        await settle()
        await served.enter(await served.claim(), {})
        await settle()
        assert len(one.told) == 1
        served.clock.advance(0.5)
        assert heard(await one.hears(2)) == [("job", 0), ("job", 1)]
        assert heard(await all_jobs.hears(2)) == [("job", 0), ("job", 1)]


async def test_the_jobs_of_a_token_have_one_stream(served: Served) -> None:
    answer = await served.client.post(JOBS, json={"jobs": [template(), template()]})
    token = answer.json()["token"]
    async with listening(served.app, f"{JOBS}/events", query=f"token={token}") as listener:
        await listener.hears(2)
        await fail(served, (await _claim_all(served))[0])
        told = await listener.hears(4)
        assert not listener.task.done()
        await fail(served, (await served.stores.jobs.get_many([str(told[1].data["jobId"])]))[0])
        await listener.ended()
    assert [message.type for message in listener.told] == ["job"] * 3 + [
        "generation_failed",
        "job",
        "generation_failed",
    ]


async def _claim_all(served: Served) -> Sequence[Job]:
    return await served.stores.queue.claim(make_claim(at=served.clock.now()), limit=10)


@pytest.mark.parametrize(
    ("path", "query", "headers", "status"),
    [
        (of_job(UNKNOWN), "", {}, 404),
        (of_job("nonsense"), "", {}, 400),
        (of_job("{job}"), "", {"accept": "application/json"}, 406),
        (of_job("{job}"), "", {"accept": "text/event-stream;q=0"}, 406),
        (of_job("{job}"), "", {"last_event_id": "nonsense"}, 400),
        (of_job("{job}"), "", {"last_event_id": "é".encode().decode("latin-1")}, 400),
        (of_job("{job}"), "after=WzFd", {}, 400),
        (of_job("{other}"), "after={cursor}", {}, 400),
        (MINE, "after={cursor}", {}, 400),
        (f"{JOBS}/events", "", {}, 400),
        (f"{JOBS}/events", "token=nonsense", {}, 400),
        (EVERYTHING, "types=jobs", {}, 400),
        (EVERYTHING, "namespace=nobody", {}, 404),
        (EVERYTHING, "unknown=1", {}, 400),
    ],
)
async def test_what_cannot_be_streamed_is_refused_before_a_stream_begins(
    served: Served, path: str, query: str, headers: dict[str, str], status: int
) -> None:
    job_id, other = await served.submit_one(), await served.submit_one()
    async with listening(served.app, of_job(job_id)) as listener:
        cursor = (await listener.hears(1))[0].id
    filled = {"job": job_id, "other": other, "cursor": cursor}
    async with listening(served.app, path.format(**filled), query=query.format(**filled), **headers) as listener:
        assert (await listener.ended()).status == status
    assert served.app.context.streams.taken == 0


@pytest.mark.parametrize("accept", ["text/event-stream", "*/*", "application/json, text/event-stream;q=0.5"])
async def test_who_takes_the_stream_gets_it(served: Served, accept: str) -> None:
    async with listening(served.app, MINE, accept=accept) as listener:
        assert (await listener.begun()).status == 200


async def test_head_tells_what_get_would_be_and_ends(served: Served) -> None:
    async with listening(served.app, of_job(await served.submit_one()), method="HEAD") as listener:
        assert (await listener.ended()).status == 200
    assert served.use_cases.event_streams.count == 0


async def test_only_who_may_see_a_job_hears_of_it() -> None:
    async with serve(auth="any", admin="open") as served:
        answer = await served.client.post(JOBS, json=template(), headers={"authorization": "Bearer alice-secret"})
        job_id = answer.json()["jobId"]
        with capture_logs() as logs:
            for query, status in (("", 401), ("access_token=bob-secret", 404), ("access_token=alice-secret", 200)):
                async with listening(served.app, of_job(job_id), query=query) as listener:
                    assert (await listener.begun()).status == status
            async with listening(served.app, MINE, query="access_token=bob-secret") as bob:
                async with listening(served.app, MINE, authorization="Bearer alice-secret") as alice:
                    await bob.begun()
                    await alice.begun()
                    await claim(served)
                    await alice.hears(2)
                    await settle()
                assert bob.told == []
            elsewhere = await served.client.get(f"{JOBS}/{job_id}?access_token=alice-secret")
        assert elsewhere.status_code == 401
        assert "secret" not in str(logs)
        assert "secret" not in (await served.client.get("/_mock/journal")).text


async def test_two_namespaces_never_mix() -> None:
    async with serve() as served:
        for name in "ab":
            await served.client.put(f"/_mock/namespaces/{name}", json={"seed": 7})
        async with (
            listening(served.app, f"/ns/a{MINE}") as in_a,
            listening(served.app, f"/ns/b{MINE}") as in_b,
            listening(served.app, EVERYTHING) as everything,
            listening(served.app, EVERYTHING, query="namespace=b&types=job") as seen_in_b,
        ):
            for listener in (in_a, in_b, everything, seen_in_b):
                await listener.begun()
            ids = [(await served.client.post(f"/ns/{name}{JOBS}", json=template())).json()["jobId"] for name in "ab"]
            assert ids[0] == ids[1]
            told = await everything.hears(2)
            await seen_in_b.hears(1)
            await in_a.hears(1)
            await in_b.hears(1)
            await settle()
            assert [message.data["namespace"] for message in told] == ["a", "b"]
            assert len(in_a.told) == len(in_b.told) == len(seen_in_b.told) == 1


async def test_only_the_types_that_are_asked_for_are_told(served: Served) -> None:
    async with listening(served.app, EVERYTHING, query="types=generation_failed") as listener:
        await listener.begun()
        await served.submit_one()
        await fail(served, await claim(served))
        told = await listener.hears(1)
    assert heard(told) == [("generation_failed", 2)]


async def test_a_silent_stream_shows_each_15_seconds_that_it_is_there(served: Served) -> None:
    async with listening(served.app, of_job(await served.submit_one())) as listener:
        await listener.hears(1)
        for count in range(1, 4):
            await settle()
            served.clock.advance(14.9)
            await settle()
            assert heartbeats(listener) == count - 1
            served.clock.advance(0.1)
            await settle()
            assert heartbeats(listener) == count


def heartbeats(listener: Listener) -> int:
    return listener.text.split("\n").count(":")


@pytest.mark.parametrize("size", [1, MOST_BYTES // 100])
async def test_who_does_not_read_has_to_begin_again(served: Served, size: int) -> None:
    job_id = await served.submit_one()
    async with listening(served.app, of_job(job_id)) as listener, listening(served.app, of_job(job_id)) as other:
        await listener.hears(1)
        await other.hears(1)
        listener.may_take.clear()
        job = await claim(served)
        await settle()
        count = min(MOST_MESSAGES, 2 * MOST_BYTES // (100 * size) * 100) + 2
        for _ in range(count):
            job = await progress(served, job, "x" * size)
            await settle(5)  # in which the other one reads
        listener.may_take.set()
        await listener.ended()
        assert heard(other.told) == [("job", seq) for seq in range(job.seq + 1)]
    assert listener.told[-1].type == "resync"
    assert len(listener.told) < 10


async def test_of_many_jobs_who_does_not_read_costs_nothing_and_hears_all(served: Served) -> None:
    async with listening(served.app, MINE) as listener:
        await listener.begun()
        listener.may_take.clear()
        for _ in range(30):
            await served.submit_one()
        await settle()
        assert len(listener.told) <= 20
        listener.may_take.set()
        assert heard(await listener.hears(30)) == [("job", 0)] * 30


async def test_no_more_streams_are_open_than_there_may_be() -> None:
    async with serve(max_streams=1) as served:
        job_id = await served.submit_one()
        async with listening(served.app, of_job(job_id)) as first:
            await first.begun()
            async with listening(served.app, MINE) as second:
                assert (await second.ended()).status == 503
                assert second.headers["retry-after"] == "1"
        async with listening(served.app, MINE) as third:
            assert (await third.begun()).status == 200


async def test_a_stop_ends_all_streams_and_those_that_come_later(served: Served) -> None:
    job_id = await served.submit_one()
    async with listening(served.app, of_job(job_id)) as one, listening(served.app, MINE) as all_jobs:
        await one.hears(1)
        await all_jobs.begun()
        served.application.begin_stop()
        await one.ended()
        await all_jobs.ended()
    assert await rest(served, MINE) == []


async def test_nothing_runs_when_nobody_listens_any_more(served: Served) -> None:
    job_id = await served.submit_one()
    await rest_of_first(served, job_id)
    await settle()
    before = {task.get_name() for task in asyncio.all_tasks()}
    async with listening(served.app, of_job(job_id)) as one, listening(served.app, MINE) as two:
        await one.hears(1)
        await two.begun()
        assert served.use_cases.event_streams.count == 2
    await settle()
    assert {task.get_name() for task in asyncio.all_tasks() if not task.cancelling()} <= before
    assert served.use_cases.event_streams.count == served.app.context.streams.taken == 0


async def test_nothing_is_asked_of_the_store_when_nobody_listens_any_more(served: Served) -> None:
    job_id = await served.submit_one()
    idle = await asked_in_a_minute(served)
    for _ in range(20):
        async with listening(served.app, of_job(job_id)) as one, listening(served.app, MINE) as two:
            await one.hears(1)
            await two.begun()
    async with listening(served.app, of_job(job_id)) as one:
        await one.hears(1)
        assert await asked_in_a_minute(served) > idle
    assert await asked_in_a_minute(served) == idle


async def asked_in_a_minute(served: Served) -> int:
    """Return how many statements the store is sent in a minute without a request."""
    await settle()
    before = statements(served)
    for _ in range(60):
        served.clock.advance(1)
        await settle(20)
    return statements(served) - before


def statements(served: Served) -> int:
    return sum(count() for count in served.namespace.runtime.metrics.statement_counts)


async def rest_of_first(served: Served, job_id: str) -> None:
    async with listening(served.app, of_job(job_id)) as listener:
        await listener.hears(1)


async def test_a_reset_ends_the_streams_and_who_comes_back_is_told(served: Served) -> None:
    async with listening(served.app, MINE) as listener:
        await listener.begun()
        await served.submit_one()
        cursor = (await listener.hears(1))[0].id or ""
        await served.client.post("/_mock/reset", json={})
        await listener.ended()
    async with listening(served.app, MINE, last_event_id=cursor) as listener:
        assert heard(await listener.hears(1)) == [("resync", None)]


async def test_a_cursor_whose_jobs_may_be_gone_is_too_old(served: Served) -> None:
    async with listening(served.app, MINE) as listener:
        await listener.begun()
        await served.submit_one()
        cursor = (await listener.hears(1))[0].id or ""
    for hours, is_too_old in ((23, False), (2, True)):
        served.clock.advance(hours * 3600)
        async with listening(served.app, MINE, last_event_id=cursor) as listener:
            await listener.begun()
            await served.submit_one()
            assert ((await listener.hears(1))[0].type == "resync") is is_too_old


async def test_a_stream_is_one_entry_of_the_journal(served: Served) -> None:
    async with listening(served.app, of_job(await served.submit_one())) as listener:
        await listener.hears(1)
        assert len((await served.client.get("/_mock/journal")).json()["items"]) == 1
    items = (await served.client.get("/_mock/journal")).json()["items"]
    assert [item["status"] for item in items] == [200, 202]


async def test_each_step_of_a_job_is_told_by_the_clock_of_its_namespace() -> None:
    async with serve_all(simulation_profile="realistic") as opened:
        await opened.client.put("/_mock/clock", json={"mode": "frozen"})
        job_id = (await opened.client.post(JOBS, json=template(quantity=4))).json()["jobId"]
        async with listening(opened.app, of_job(job_id)) as listener, listening(opened.app, MINE) as all_jobs:
            await all_jobs.begun()
            await until(lambda: len(listener.told) == 4)
            await settle()
            assert passing(listener, "generation_progress") == []
            await opened.client.post("/_mock/clock/advance", json={"by": "5s"})
            half = [message["step"] for message in passing(listener, "generation_progress")]
            await opened.client.post("/_mock/clock/advance", json={"by": "10m"})
            await listener.ended()
            told = passing(listener, "generation_progress")
            assert passing(all_jobs, "generation_progress") == told
    assert 0 < len(half) < 20
    assert [message["step"] for message in told] == list(range(1, 21))
    assert {message["steps"] for message in told} == {20}
    assert [message["progress"] for message in told] == [round(step / 20, 4) for step in range(1, 21)]
    assert [message["current"] for message in told] == [min(step // 5 + 1, 4) for step in range(1, 21)]
    assert {message["total"] for message in told} == {4}
    assert len({message["at"] for message in told}) == 20
    assert [message.type for message in listener.everything_told[-2:]] == ["job", "generation_complete"]


async def test_the_last_step_is_told_before_the_end() -> None:
    async with serve_all() as opened:
        mode = {"mode": "time", "stages": {"SENT_TO_COMFY": "100ms"}}
        await opened.client.put("/_mock/progress", json=mode)
        job_id = (await opened.client.post(JOBS, json=template())).json()["jobId"]
        async with listening(opened.app, of_job(job_id)) as listener:
            await listener.ended()
    told = listener.everything_told[-3:]
    assert [message.type for message in told] == ["generation_progress", "job", "generation_complete"]
    assert (told[0].data["step"], told[0].data["progress"]) == (told[0].data["steps"], 1)


def passing(listener: Listener, kind: str) -> list[Any]:
    return [message.data for message in listener.everything_told if message.type == kind]


async def test_a_queued_job_is_told_its_place_whenever_that_changes(served: Served) -> None:
    first = await served.submit_one()
    served.clock.advance(0.001)
    second = await served.submit_one()
    async with listening(served.app, of_job(second)) as listener:
        await listener.hears(1)
        await settle()
        for _ in range(3):
            served.clock.advance(1)
            await settle()
        assert [message["position"] for message in passing(listener, "queue_position")] == [2]
        held = next(job for job in await _claim_one(served) if job.id == first)
        await fail(served, held)
        served.clock.advance(1)
        await settle()
        assert [message["position"] for message in passing(listener, "queue_position")] == [2, 1]
        assert passing(listener, "queue_position")[-1]["estimatedStartDate"].endswith("Z")


async def _claim_one(served: Served) -> Sequence[Job]:
    return await served.stores.queue.claim(make_claim(at=served.clock.now()), limit=1)


async def test_a_job_that_runs_when_somebody_begins_to_listen_is_told_of_from_there() -> None:
    async with serve_all(simulation_profile="realistic") as opened:
        await opened.client.put("/_mock/clock", json={"mode": "frozen"})
        job_id = (await opened.client.post(JOBS, json=template())).json()["jobId"]
        await opened.client.post("/_mock/clock/advance", json={"by": "3s"})
        async with listening(opened.app, of_job(job_id)) as listener:
            await until(lambda: len(listener.told) == 4)
            await opened.client.post("/_mock/clock/advance", json={"by": "10m"})
            await listener.ended()
    steps = [message["step"] for message in passing(listener, "generation_progress")]
    assert steps[0] > 1
    assert steps == list(range(steps[0], 21))


async def test_a_deaf_stream_says_hello_and_nothing_more_while_get_tells_the_truth(served: Served) -> None:
    job_id = await served.submit_one()
    await served.client.post("/_mock/faults", json={"preset": "stream-deaf", "times": 1})
    async with listening(served.app, of_job(job_id)) as deaf, listening(served.app, of_job(job_id)) as other:
        await deaf.begun()
        await fail(served, await claim(served))
        await other.ended()
        served.clock.advance(15)
        await settle()
        assert deaf.text == "retry: 2000\n\n:\n\n"
        assert deaf.headers["x-mock-fault"]
        assert (await served.client.get(f"{JOBS}/{job_id}")).json()["lastEvent"]["type"] == "Failed"
        served.application.begin_stop()
        await deaf.ended()
    assert served.app.context.streams.taken == served.use_cases.event_streams.count == 0


async def test_what_is_missing_in_a_stream_comes_to_who_comes_back(served: Served) -> None:
    job_id = await served.submit_one()
    job = await claim(served)
    for _ in range(4):
        job = await progress(served, job)
    await fail(served, job)
    async with listening(served.app, of_job(job_id), x_mock_fault="stream-gap; events=3") as listener:
        told = (await listener.ended()).told
    assert heard(told) == [("job", 0), ("job", 4), ("job", 5), ("job", 6), ("generation_failed", 6)]
    assert [message.id for message in told[1:]] == [None] * 4
    assert all("cursor" not in message.data for message in told[1:])
    again = await rest(served, of_job(job_id), last_event_id=told[0].id or "")
    assert heard(again) == [*(("job", seq) for seq in range(1, 7)), ("generation_failed", 6)]


async def test_a_status_shows_the_steps_that_a_stream_tells() -> None:
    async with serve_all(simulation_profile="realistic") as opened:
        await opened.client.put("/_mock/clock", json={"mode": "frozen"})
        job_id = (await opened.client.post(JOBS, json=template())).json()["jobId"]
        shown = []
        for _ in range(8):
            status = (await opened.client.get(f"{JOBS}/{job_id}")).json()
            shown.append(status.get("progress", {"step": 0})["step"])
            await opened.client.post("/_mock/clock/advance", json={"by": "450ms"})
        status = (await opened.client.get(f"{JOBS}/{job_id}")).json()
        events = (await opened.client.get(f"/v1/producer/jobs/{job_id}/events")).json()
    assert shown == sorted(shown)
    assert 0 < shown[6] < 20
    assert "progress" not in status
    assert [event["type"] for event in events] == ["Initialized", "Claimed", "Updated", "Updated", "Succeeded"]


async def test_a_workflow_follows_the_steps_that_the_stream_tells() -> None:
    async with serve_all(simulation_profile="realistic") as opened:
        await opened.client.put("/_mock/clock", json={"mode": "frozen"})
        workflow = (await opened.client.post(v2.WORKFLOWS, json=v2.template(v2.image()))).json()
        job_id = workflow["steps"][0]["jobs"][0]["id"]
        async with listening(opened.app, of_job(job_id)) as listener:
            await until(lambda: len(listener.told) == 4)
            await opened.client.post("/_mock/clock/advance", json={"by": "2s"})
            (step,) = (await opened.client.get(f"{v2.WORKFLOWS}/{workflow['id']}")).json()["steps"]
            rate = step["estimatedProgressRate"]
            assert 0 < rate < 1
            assert step["jobs"][0]["estimatedProgressRate"] == rate
            await until(lambda: rate in [told["progress"] for told in passing(listener, "generation_progress")])
            await opened.client.post("/_mock/clock/advance", json={"by": "10m"})
            await listener.ended()
        assert "estimatedProgressRate" not in (await opened.client.get(f"{v2.WORKFLOWS}/{workflow['id']}")).text
