"""Events of a namespace that are about no single job have their place in the streams, between those of jobs."""

from datetime import datetime, timedelta

import pytest

from civitai_mock.domain.namespace_events import NamespaceEvent
from civitai_mock.services.event_stream.messages import MessageType
from tests.api.test_event_stream import EVERYTHING, MINE, claim, fail, heard, of_job, rest
from tests.support.event_loop import settle
from tests.support.listener import listening
from tests.support.served_app import JOBS, Served, serve, template


def event(
    kind: MessageType, key: str, *, at: datetime, job_ids: list[str] | None = None, **body: str
) -> NamespaceEvent:
    return NamespaceEvent(key=key, type=kind, at=at, body=body, job_ids=job_ids)


async def happen(
    served: Served, kind: MessageType, *, job_ids: list[str] | None = None, at: datetime | None = None, key: str = ""
) -> None:
    told = event(kind, key or kind, at=at or served.clock.now(), job_ids=job_ids, podId="spot-1")
    await served.use_cases.namespace_events.append([told])


async def run_on_pod(served: Served) -> str:
    """Have a job run on a pod that is taken away, and return its id; no time passes."""
    await happen(served, MessageType.POD_READY)
    job_id = await served.submit_one()
    job = await claim(served)
    await happen(served, MessageType.POD_PREEMPTION_WARNING, job_ids=[job_id])
    await fail(served, job)
    await happen(served, MessageType.POD_SHUTDOWN)
    return job_id


RUN_ON_POD = [
    ("pod_ready", None),
    ("job", 0),
    ("job", 1),
    ("pod_preemption_warning", None),
    ("job", 2),
    ("generation_failed", 2),
    ("pod_shutdown", None),
]


async def test_all_is_told_in_the_order_in_which_it_was_written_though_no_time_passes(served: Served) -> None:
    async with listening(served.app, MINE) as mine, listening(served.app, EVERYTHING) as everything:
        await mine.begun()
        await everything.begun()
        job_id = await run_on_pod(served)
        assert heard(await mine.hears(len(RUN_ON_POD))) == RUN_ON_POD
        told = await everything.hears(len(RUN_ON_POD))
    assert heard(told) == RUN_ON_POD
    warning = {name: value for name, value in told[3].data.items() if name not in {"at", "cursor"}}
    assert warning == {
        "type": "pod_preemption_warning",
        "namespace": "default",
        "podId": "spot-1",
        "jobIds": [job_id],
    }
    assert "jobIds" not in told[0].data


async def test_who_comes_back_misses_nothing_of_both_kinds_and_hears_at_most_one_event_of_a_job_again(
    served: Served,
) -> None:
    async with listening(served.app, MINE) as listener:
        await listener.begun()
        await run_on_pod(served)
        told = await listener.hears(len(RUN_ON_POD))
    first_of_two = 5  # messages about one event, both of which come again
    for count, message in enumerate(told, 1):
        left = told[count - 1 :] if count == first_of_two else told[count:]
        async with listening(served.app, MINE, last_event_id=message.id or "") as listener:
            await listener.hears(len(left))
            await settle()
        assert heard(listener.told) == heard(left)


async def test_only_the_types_that_are_asked_for_are_told_and_only_of_the_namespace(served: Served) -> None:
    await served.client.put("/_mock/namespaces/other", json={})
    async with (
        listening(served.app, EVERYTHING, query="types=pod_ready,pod_shutdown") as listener,
        listening(served.app, f"/ns/other{MINE}") as other,
    ):
        await listener.begun()
        await other.begun()
        await run_on_pod(served)
        assert heard(await listener.hears(2)) == [("pod_ready", None), ("pod_shutdown", None)]
        await settle()
        assert other.told == []


async def test_the_stream_of_a_job_has_the_events_that_name_it(served: Served) -> None:
    job_id, other = await served.submit_one(), await served.submit_one()
    async with listening(served.app, of_job(job_id)) as listener, listening(served.app, of_job(other)) as elsewhere:
        await listener.hears(1)
        await elsewhere.hears(1)
        await happen(served, MessageType.POD_READY)
        await happen(served, MessageType.POD_PREEMPTION_WARNING, job_ids=[other, job_id])
        await served.client.delete(f"{JOBS}/{job_id}")
        told = (await listener.ended()).told
        await elsewhere.hears(2)
    assert [message.type for message in told] == ["job", "pod_preemption_warning", "job", "generation_failed"]
    assert told[1].data["jobIds"] == [job_id]
    for count, message in enumerate(told[:2], 1):
        assert await rest(served, of_job(job_id), last_event_id=message.id or "") == told[count:]


async def test_what_was_before_is_told_between_the_events_of_a_job_by_its_time(served: Served) -> None:
    job_id = await served.submit_one()
    served.clock.advance(1)
    between = served.clock.now()
    served.clock.advance(1)
    await fail(served, await claim(served))
    at = between.replace(year=2000)
    await happen(served, MessageType.FALLBACK_ACTIVATED, job_ids=[job_id], at=at, key="early")
    await happen(served, MessageType.FALLBACK_ACTIVATED, job_ids=[job_id], at=between.replace(year=2090), key="late")
    told = await rest(served, of_job(job_id))
    assert [message.type for message in told] == [
        "fallback_activated",
        "job",
        "job",
        "job",
        "generation_failed",
        "fallback_activated",
    ]


async def test_of_jobs_of_others_nobody_hears() -> None:
    async with serve(auth="any") as served:
        ids = []
        for name in ("alice", "bob"):
            headers = {"authorization": f"Bearer {name}"}
            ids.append((await served.client.post(JOBS, json=template(), headers=headers)).json()["jobId"])
        async with listening(served.app, MINE, authorization="Bearer alice") as alice:
            await alice.begun()
            await happen(served, MessageType.POD_PREEMPTION_WARNING, job_ids=ids)
            (told,) = await alice.hears(1)
    assert told.data["jobIds"] == ids[:1]


async def test_what_another_process_appends_is_told_within_half_a_second(served: Served) -> None:
    job_id = await served.submit_one()
    async with listening(served.app, of_job(job_id)) as one, listening(served.app, MINE) as all_jobs:
        await one.hears(1)
        await all_jobs.begun()
        await settle()
        now = served.clock.now()
        warning = event(MessageType.POD_PREEMPTION_WARNING, "1", at=now, job_ids=[job_id])
        await served.stores.namespace_events.append([warning], keep_until=now + timedelta(days=1))
        await settle()
        assert len(one.told) == 1
        served.clock.advance(0.5)
        assert heard(await one.hears(2))[1:] == [("pod_preemption_warning", None)]
        assert heard(await all_jobs.hears(1)) == [("pod_preemption_warning", None)]


async def test_an_event_that_was_appended_again_is_told_once(served: Served) -> None:
    async with listening(served.app, MINE) as listener:
        await listener.begun()
        for _ in range(3):
            await happen(served, MessageType.POD_READY)
        await happen(served, MessageType.POD_IDLE)
        assert heard(await listener.hears(2)) == [("pod_ready", None), ("pod_idle", None)]


async def test_costs_are_told_to_who_follows_all_and_are_not_stored(served: Served) -> None:
    job_id = await served.submit_one()
    async with listening(served.app, MINE) as listener, listening(served.app, of_job(job_id)) as one:
        await listener.begun()
        await one.hears(1)
        served.use_cases.event_streams.tell_passing(MessageType.COST, at=served.clock.now(), billed=7)
        (told,) = await listener.hears(1)
        await settle()
        assert len(one.told) == 1
    assert (told.data["billed"], told.id) == (7, None)


@pytest.mark.parametrize("hours", [23, 25])
async def test_events_are_swept_with_the_jobs_of_their_time(served: Served, hours: int) -> None:
    job_id = await served.submit_one()
    await happen(served, MessageType.POD_PREEMPTION_WARNING, job_ids=[job_id])
    served.clock.advance(hours * 3600)
    await served.stores.namespace_events.sweep(served.clock.now())
    found = await served.stores.namespace_events.of_jobs([job_id], after=0)
    assert len(found) == (hours < 24)
