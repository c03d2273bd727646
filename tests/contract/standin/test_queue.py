"""Queue, interrupt, free and history on the stand-in."""

from typing import Any

import pytest

from civitai_mock.comfyui_standin.options import Durations, StandinOptions
from tests.support.standin import PermitClock, plain_png
from tests.support.standin_session import (
    SERVER_ERROR,
    StandinSession,
    last_message,
    standin_session,
    text_to_image,
    with_inputs,
    with_node,
)


async def _with_one_running(session: StandinSession, *pending: str) -> None:
    """Submit a prompt that runs until the faults are cleared, and others behind it."""
    session.server.faults.set(stuck=True)
    for prompt_id in ("running", *pending):
        await session.submit(text_to_image(), prompt_id=prompt_id)
    await session.listener.until_type("progress_state")


async def test_the_queue_shows_whole_prompts_with_their_secrets(session: StandinSession) -> None:
    await _with_one_running(session)
    extra = {"api_key_comfy_org": "secret", "client_id": "c"}
    await session.submit(text_to_image(seed=2), prompt_id="pending", extra_data=extra)
    queue = (await session.client.get("/queue")).json()
    assert queue["queue_pending"] == [[1, "pending", text_to_image(seed=2), extra, ["9"]]]
    assert queue["queue_running"] == [[0, "running", text_to_image(), {}, ["9"]]]
    assert (await session.client.get("/prompt")).json() == {"exec_info": {"queue_remaining": 2}}


async def test_only_the_first_of_several_pending_prompts_with_one_id_is_deleted(session: StandinSession) -> None:
    await _with_one_running(session, "twice", "other", "twice")
    answer = await session.client.post("/queue", json={"delete": ["twice", "unknown", "running"]})
    assert (answer.status_code, answer.text) == (200, "")
    assert await session.queue() == {"running": ["running"], "pending": ["other", "twice"]}


async def test_clearing_leaves_what_runs(session: StandinSession) -> None:
    await _with_one_running(session, "one", "two")
    assert (await session.client.post("/queue", json={"clear": True})).status_code == 200
    assert await session.queue() == {"running": ["running"], "pending": []}


async def test_clear_set_to_false_clears_nothing(session: StandinSession) -> None:
    await _with_one_running(session, "one")
    await session.client.post("/queue", json={"clear": False})
    assert (await session.queue())["pending"] == ["one"]


@pytest.mark.parametrize("path", ["/queue", "/history", "/free"])
@pytest.mark.parametrize("body", ["", "{", "7"])
async def test_a_body_that_is_not_json_or_a_number_is_a_server_error(
    session: StandinSession, path: str, body: str
) -> None:
    answer = await session.client.post(path, content=body)
    assert (answer.status_code, answer.text) == (500, SERVER_ERROR)


@pytest.mark.parametrize("path", ["/interrupt", "/interrupt?x=1"])
@pytest.mark.parametrize("body", ["", "{}"])
async def test_an_interrupt_without_an_id_is_for_whatever_runs(session: StandinSession, path: str, body: str) -> None:
    await _with_one_running(session)
    assert (await session.client.post(path, content=body)).status_code == 200
    session.server.faults.clear()
    await session.listener.until_idle()
    assert last_message(await session.history("running"))[0] == "execution_interrupted"


async def test_an_interrupt_for_a_pending_prompt_does_nothing(session: StandinSession) -> None:
    await _with_one_running(session, "pending")
    assert (await session.client.post("/interrupt", json={"prompt_id": "pending"})).status_code == 200
    session.server.faults.clear()
    await session.listener.until_idle()
    for prompt_id in ("running", "pending"):
        assert (await session.history(prompt_id))["status"]["status_str"] == "success"


async def test_the_next_prompt_runs_after_an_interrupt(session: StandinSession) -> None:
    await _with_one_running(session, "pending")
    await session.client.post("/interrupt", json={})
    session.server.faults.clear()
    await session.listener.until_idle()
    assert (await session.history("running"))["status"]["completed"] is False
    assert (await session.history("pending"))["status"]["completed"] is True


async def test_what_was_finished_before_an_interrupt_stays() -> None:
    graph = with_node(text_to_image(steps=2), "40", "EmptyImage", width=64, height=64, batch_size=1, color=0)
    graph = with_node(graph, "41", "SaveImage", filename_prefix="early", images=["40", 0])
    clock = PermitClock()
    options = StandinOptions(durations=Durations(step=1.0))
    async with standin_session(clock=clock, options=options) as session:
        await session.submit(graph, prompt_id="p")
        clock.allow(1)
        await session.listener.until_type("progress")
        await session.client.post("/interrupt", json={"prompt_id": "p"})
        clock.allow(1)
        await session.listener.until_idle()
        entry = await session.history("p")
    assert entry["status"]["status_str"] == "error"
    assert entry["outputs"] == {"41": {"images": [{"filename": "early_00001_.png", "subfolder": "", "type": "output"}]}}


def cached(entry: dict[str, Any]) -> list[str]:
    nodes: list[str] = entry["status"]["messages"][1][1]["nodes"]
    return nodes


async def test_only_what_the_last_graph_had_is_still_cached(session: StandinSession) -> None:
    graph = text_to_image()
    await session.run(graph)
    await session.run(with_inputs(graph, "5", width=128))
    assert cached(await session.run(graph)) == ["4", "6", "7"]


async def test_another_prefix_makes_only_the_saving_run_again(session: StandinSession) -> None:
    await session.run(text_to_image())
    entry = await session.run(text_to_image(prefix="job-abc"))
    assert cached(entry) == ["4", "5", "6", "7", "3", "8"]
    assert entry["outputs"]["9"]["images"][0]["filename"] == "job-abc_00001_.png"


async def test_a_cached_image_whose_file_is_gone_is_reported_all_the_same(session: StandinSession) -> None:
    first = await session.run(text_to_image())
    session.server.forget_files()
    again = await session.run(text_to_image())
    assert again["outputs"] == first["outputs"]
    assert (await session.client.get("/view", params={"filename": "ComfyUI_00001_.png"})).status_code == 404


async def test_freeing_memory_empties_the_cache_and_keeps_the_files(session: StandinSession) -> None:
    await session.run(text_to_image())
    assert (await session.client.post("/free", json={"free_memory": True, "unload_models": True})).status_code == 200
    again = await session.run(text_to_image())
    assert cached(again) == []
    assert again["outputs"]["9"]["images"][0]["filename"] == "ComfyUI_00002_.png"


async def test_a_second_request_to_free_is_served_after_the_next_prompt_while_the_first_takes_its_time() -> None:
    clock = PermitClock()
    async with standin_session(clock=clock, options=StandinOptions(durations=Durations(unload=1.0))) as session:
        await session.run(text_to_image())
        for what in ("unload_models", "free_memory"):
            await session.client.post("/free", json={what: True})
        clock.allow(10)
        assert len(cached(await session.run(text_to_image()))) == 7
        assert cached(await session.run(text_to_image())) == []


async def test_an_image_that_was_replaced_is_loaded_again(session: StandinSession) -> None:
    graph = with_node(text_to_image(), "10", "LoadImage", image="in.png")
    graph = with_node(graph, "9", "SaveImage", filename_prefix="x", images=["10", 0])
    for tone, expected in ((1, False), (1, True), (2, False)):
        image = {"image": ("in.png", plain_png(tone=tone))}
        await session.client.post("/upload/image", files=image, data={"overwrite": "true"})
        assert ("10" in cached(await session.run(graph))) is expected


async def test_history_pages_count_from_the_end_without_an_offset(session: StandinSession) -> None:
    for number in range(4):
        await session.run(text_to_image(), prompt_id=f"p{number}")

    async def page(**query: Any) -> list[str]:
        return list((await session.client.get("/history", params=query)).json())

    assert await page() == ["p0", "p1", "p2", "p3"]
    assert await page(max_items=2) == ["p2", "p3"]
    assert await page(max_items=2, offset=0) == ["p0", "p1"]
    assert await page(max_items=9) == ["p0", "p1", "p2", "p3"]
    assert await page(offset=3) == ["p3"]
    assert await page(max_items=0) == []
    assert (await session.client.get("/history?max_items=abc")).status_code == 500


async def test_history_is_deleted_by_id_or_as_a_whole(session: StandinSession) -> None:
    for prompt_id in ("a", "b", "c"):
        await session.run(text_to_image(), prompt_id=prompt_id)
    assert (await session.client.post("/history", json={"delete": ["b", "unknown"]})).status_code == 200
    assert list((await session.client.get("/history")).json()) == ["a", "c"]
    await session.client.post("/history", json={"clear": True})
    assert (await session.client.get("/history")).json() == {}
    assert (await session.client.get("/view", params={"filename": "ComfyUI_00001_.png"})).status_code == 200


async def test_an_id_with_a_slash_is_found_and_an_empty_one_is_not(session: StandinSession) -> None:
    await session.run(text_to_image(), prompt_id="a/b?c")
    await session.submit(text_to_image(), prompt_id="")
    await session.listener.until_idle()
    assert list((await session.client.get("/history/a%2Fb%3Fc")).json()) == ["a/b?c"]
    assert (await session.client.get("/history/")).status_code == 404


async def test_the_oldest_history_goes_when_there_is_too_much() -> None:
    async with standin_session(options=StandinOptions(max_history=2)) as session:
        for number in range(5):
            await session.run(text_to_image(), prompt_id=f"p{number}")
        assert list((await session.client.get("/history")).json()) == ["p2", "p3", "p4"]


async def test_success_is_sent_before_there_is_a_history_entry() -> None:
    clock = PermitClock()
    options = StandinOptions(durations=Durations(history_lag=1.0))
    async with standin_session(clock=clock, options=options) as session:
        await session.submit(text_to_image(), prompt_id="p")
        await session.listener.until(lambda message: _is_done(message, "9"))
        assert (await session.client.get("/history/p")).json() == {}
        clock.allow(1)
        await session.listener.until_idle()
        assert (await session.history("p"))["status"]["completed"]


def _is_done(message: dict[str, Any], node_id: str) -> bool:
    nodes = message["data"].get("nodes", {}) if message["type"] == "progress_state" else {}
    return bool(nodes.get(node_id, {}).get("state") == "finished")
