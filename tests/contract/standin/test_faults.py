"""Faults of the stand-in on command, and its report of what really happened."""

import asyncio
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosedError

from civitai_mock.comfyui_standin.options import Durations, StandinOptions
from tests.support.comfyui_listener import Listener, is_end, listen_to
from tests.support.event_loop import settle, until_found
from tests.support.standin import PermitClock, plain_png
from tests.support.standin_session import StandinSession, last_message, standin_session, text_to_image, with_node


async def set_faults(session: StandinSession, **faults: Any) -> None:
    answer = await session.client.post("/standin/faults", json=faults)
    assert answer.status_code == 200
    assert answer.json().items() >= faults.items()


async def test_faults_are_set_read_and_cleared(session: StandinSession) -> None:
    nothing_wrong = (await session.client.get("/standin/faults")).json()
    await set_faults(session, deaf=True)
    await set_faults(session, prompt_errors=2)
    assert (await session.client.get("/standin/faults")).json() == {**nothing_wrong, "deaf": True, "prompt_errors": 2}
    await session.client.delete("/standin/faults")
    assert (await session.client.get("/standin/faults")).json() == nothing_wrong


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ('{"deff": true}', "Unknown fault 'deff'; the faults are deaf, "),
        ('{"deaf": 1}', "The fault 'deaf' must be true or false; found 1."),
        ('{"prompt_errors": true}', "The fault 'prompt_errors' must be a whole number; found True."),
        ('{"slow_seconds": "1"}', "The fault 'slow_seconds' must be a number; found '1'."),
        ("[]", "The body must be an object with any of deaf, "),
        ("{", "The body is not JSON."),
    ],
)
async def test_a_fault_that_cannot_be_set_is_explained(session: StandinSession, body: str, message: str) -> None:
    answer = await session.client.post("/standin/faults", content=body)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith(message)


async def test_prompts_fail_as_often_as_set(session: StandinSession) -> None:
    await set_faults(session, prompt_errors=2)
    statuses = [(await session.post(text_to_image(), prompt_id="p")).status_code for _ in range(3)]
    assert statuses == [500, 500, 200]
    assert session.server.prompt("p").accepted == 1


@pytest.mark.parametrize("fault", ["prompt_errors_after_queueing", "lost_answers"])
async def test_a_prompt_may_run_though_its_answer_fails(session: StandinSession, fault: str) -> None:
    await set_faults(session, **{fault: 1})
    try:
        assert (await session.post(text_to_image(), prompt_id="p")).status_code == 500
    except httpx.RemoteProtocolError:
        assert fault == "lost_answers"
    await session.listener.until_idle()
    assert session.server.prompt("p").outcomes == ["success"]


async def test_a_dropped_socket_gets_no_close_frame_and_may_come_back(session: StandinSession) -> None:
    async with listen_to(session.running, "c") as listener:
        assert (await session.client.post("/standin/drop_sockets")).status_code == 200
        with pytest.raises(ConnectionClosedError) as closed:
            await listener.next()
        assert closed.value.rcvd is None
    async with listen_to(session.running, "c") as listener:
        await session.submit(text_to_image(), prompt_id="p", client_id="c")
        await listener.until_ended("p")


async def test_a_deaf_server_keeps_its_sockets_open_and_says_nothing(session: StandinSession) -> None:
    async with listen_to(session.running, "c") as listener:
        await set_faults(session, deaf=True)
        await session.submit(text_to_image(), prompt_id="p", client_id="c")
        await until_found(lambda: _is_in_history(session, "p"))
        await session.client.delete("/standin/faults")
        await session.submit(text_to_image(), prompt_id="heard", client_id="c")
        await listener.until_ended("heard")
    assert (await session.history("p"))["status"]["completed"]
    assert "'p'" not in str(listener.heard)


async def _is_in_history(session: StandinSession, prompt_id: str) -> bool:
    return bool((await session.client.get(f"/history/{prompt_id}")).json())


async def test_an_unannounced_result_is_in_history_and_only_the_queue_is_announced(session: StandinSession) -> None:
    async with listen_to(session.running, "c") as listener:
        await set_faults(session, unannounced=True)
        await session.submit(text_to_image(), prompt_id="p", client_id="c")
        await listener.until_idle()
    assert set(listener.types) == {"status"}
    assert (await session.history("p"))["status"]["completed"]


async def _messages_about(session: StandinSession, prompt_id: str, **faults: bool) -> list[Any]:
    async with listen_to(session.running, "c") as listener:
        await set_faults(session, **faults)
        await session.submit(text_to_image(), prompt_id=prompt_id, client_id="c")
        await listener.until_ended(prompt_id)
        await _hear_the_rest(session, listener)
    messages = [message for message in listener.heard if isinstance(message, dict) and message["type"] != "status"]
    return [_summary(message) for message in messages]


async def _hear_the_rest(session: StandinSession, listener: Listener) -> None:
    """Run another prompt to its end, so that all earlier messages have been heard."""
    session.server.faults.clear()
    await session.submit({**text_to_image(), "9": text_to_image(prefix="witness")["9"]}, client_id="c")
    await listener.until_idle()
    last = max(place for place, message in enumerate(listener.heard) if _is_start(message))
    del listener.heard[last:]


def _is_start(message: Any) -> bool:
    return isinstance(message, dict) and message["type"] == "execution_start"


def _summary(message: dict[str, Any]) -> str:
    nodes = message["data"].get("nodes")
    done = [name for name, node in nodes.items() if node["state"] == "finished"] if isinstance(nodes, dict) else ""
    return f"{message['type']} {message['data'].get('node')} {done}"


async def test_duplicated_messages_come_twice_in_a_row(session: StandinSession) -> None:
    plain = await _messages_about(session, "plain")
    await session.client.post("/free", json={"free_memory": True})
    assert await _messages_about(session, "twice", duplicated=True) == [kind for kind in plain for _ in range(2)]


async def test_shuffled_messages_are_the_same_in_another_order(session: StandinSession) -> None:
    plain = await _messages_about(session, "plain")
    await session.client.post("/free", json={"free_memory": True})
    shuffled = await _messages_about(session, "shuffled", shuffled=True)
    assert shuffled != plain
    assert sorted(shuffled) == sorted(plain)


async def test_a_hanging_server_answers_when_the_fault_is_cleared(session: StandinSession) -> None:
    await set_faults(session, hang=True)
    asking = asyncio.create_task(session.client.get("/queue"))
    await settle()
    assert not asking.done()
    assert (await session.client.get("/standin")).status_code == 200
    await session.client.delete("/standin/faults")
    assert (await asking).status_code == 200


async def test_a_slow_server_takes_its_time_for_each_answer() -> None:
    clock = PermitClock()
    async with standin_session(clock=clock) as session:
        before = clock.now()
        await set_faults(session, slow_seconds=2)
        clock.allow(2)
        for _ in range(2):
            assert (await session.client.get("/queue")).status_code == 200
        assert (clock.now() - before).total_seconds() == 4


async def test_half_an_image_breaks_off(session: StandinSession) -> None:
    await session.run(text_to_image())
    await set_faults(session, half_images=1)
    with pytest.raises(httpx.RemoteProtocolError):
        await session.client.get("/view", params={"filename": "ComfyUI_00001_.png"})
    assert (await session.client.get("/view", params={"filename": "ComfyUI_00001_.png"})).status_code == 200


async def test_an_image_may_be_missing_for_a_while_or_for_good(session: StandinSession) -> None:
    await session.run(text_to_image())
    await set_faults(session, missing_images=1)
    statuses = [(await session.client.get("/view?filename=ComfyUI_00001_.png")).status_code for _ in range(2)]
    assert statuses == [404, 200]
    await session.client.post("/standin/forget_files")
    assert (await session.client.get("/view?filename=ComfyUI_00001_.png")).status_code == 404


async def test_an_uploaded_image_can_be_read_until_the_input_folder_is_emptied(
    session: StandinSession,
) -> None:
    image = {"image": ("fox.png", plain_png(), "image/png")}
    stored = (await session.client.post("/upload/image", files=image, data={"subfolder": "in"})).json()
    graph = with_node(text_to_image(), "20", "LoadImage", image=f"{stored['subfolder']}/{stored['name']}")
    graph = with_node(graph, "21", "SaveImage", images=["20", 0], filename_prefix="copy")
    assert (await session.run(graph))["status"]["status_str"] == "success"
    assert (await session.client.post("/standin/forget_files?folder=input")).status_code == 200
    refused = await session.post(graph)
    (fault,) = refused.json()["node_errors"]["20"]["errors"]
    assert (fault["type"], fault["details"]) == (
        "custom_validation_failed",
        "image - Invalid image file: in/fox.png",
    )


async def test_an_unknown_folder_cannot_be_emptied(session: StandinSession) -> None:
    assert (await session.client.post("/standin/forget_files?folder=models")).status_code == 400


async def test_a_full_disk_takes_neither_prompts_nor_uploads_nor_images(session: StandinSession) -> None:
    session.server.faults.set(stuck=True)
    await session.submit(text_to_image(), prompt_id="p")
    await set_faults(session, disk_full=True, stuck=False)
    assert (await session.post(text_to_image())).status_code == 500
    assert (await session.client.post("/upload/image", files={"image": ("x.png", b"x")})).status_code == 500
    await session.listener.until_idle()
    _, fields = last_message(await session.history("p"))
    assert (fields["exception_type"], fields["exception_message"]) == (
        "OSError",
        "[Errno 28] No space left on device\n",
    )


async def test_a_class_of_nodes_fails_as_often_as_set(session: StandinSession) -> None:
    await set_faults(session, failing_class="VAEDecode", failing_times=1)
    kind, fields = last_message(await session.run(text_to_image()))
    assert (kind, fields["node_id"], fields["node_type"]) == ("execution_error", "8", "VAEDecode")
    assert (await session.run(text_to_image()))["status"]["completed"]


async def test_a_restart_loses_all_but_the_files(session: StandinSession) -> None:
    done = await session.run(text_to_image(), prompt_id="done")
    await set_faults(session, stuck=True)
    for prompt_id in ("running", "pending"):
        await session.submit(text_to_image(seed=2), prompt_id=prompt_id)
    await session.listener.until_type("progress_state")
    assert (await session.client.post("/standin/restart")).status_code == 200
    await session.client.delete("/standin/faults")
    assert await session.queue() == {"running": [], "pending": []}
    assert (await session.client.get("/history")).json() == {}
    image = done["outputs"]["9"]["images"][0]
    assert (await session.client.get("/view", params=image)).status_code == 200
    async with listen_to(session.running, "c") as listener:
        answer = await session.post(text_to_image(), prompt_id="again", client_id="c")
        assert answer.json()["number"] == 0
        await listener.until_ended("again")
    assert (await session.history("again"))["outputs"]["9"]["images"][0]["filename"] == "ComfyUI_00002_.png"


async def test_facts_count_what_was_accepted_and_run_over_all_restarts(session: StandinSession) -> None:
    await session.run(text_to_image(), prompt_id="p")
    session.server.restart()
    async with listen_to(session.running, "c") as listener:
        await session.submit(text_to_image(), prompt_id="p", client_id="c")
        await listener.until(lambda message: is_end(message, "p"))
        facts = (await session.client.get("/standin")).json()
    assert facts["prompts"] == {"p": {"accepted": 2, "started": 2, "nodes_run": 14, "outcomes": ["success", "success"]}}
    assert (facts["restarts"], facts["clients"]) == (1, ["c"])
    assert facts["requests"]["POST /prompt"] == 2


async def test_a_server_that_is_down_refuses_connections_and_comes_back_empty(session: StandinSession) -> None:
    await session.run(text_to_image(), prompt_id="p")
    session.running.go_down()
    async with httpx.AsyncClient(base_url=session.running.url, timeout=60) as fresh:
        with pytest.raises(httpx.ConnectError):
            await fresh.get("/queue")
    await session.running.come_back()
    async with httpx.AsyncClient(base_url=session.running.url, timeout=60) as fresh:
        assert (await fresh.get("/history/p")).json() == {}


async def test_a_stuck_prompt_goes_on_when_the_fault_is_cleared() -> None:
    clock = PermitClock()
    async with standin_session(clock=clock, options=StandinOptions(durations=Durations(step=1.0))) as session:
        clock.allow(10)
        await set_faults(session, stuck=True)
        await session.submit(text_to_image(steps=3), prompt_id="p")
        await session.listener.until_type("progress_state")
        assert (await session.queue())["running"] == ["p"]
        await session.client.delete("/standin/faults")
        await session.listener.until_idle()
        assert session.server.prompt("p").outcomes == ["success"]


RULES: dict[str, tuple[Any, dict[str, Any]]] = {
    "status": ({"action": {"status": 500}, "match": {"route": "/prompt"}, "times": 2}, {"prompt_errors": 2}),
    "reset": ({"action": {"reset": True}, "times": 1}, {"lost_answers": 1}),
    "half body": ({"preset": "half-body", "times": 3}, {"half_images": 3}),
    "lost": ({"action": {"lost": True}, "times": 1}, {"missing_images": 1}),
    "delay": ({"action": {"delay": "2s"}}, {"slow_seconds": 2.0}),
    "stick": ({"preset": "stuck-running"}, {"stuck": True}),
    "duplicate": ({"action": {"duplicate": True}}, {"duplicated": True}),
    "reorder": ({"action": {"reorder": True}}, {"shuffled": True}),
    "drop": ({"action": {"drop": True}}, {"unannounced": True}),
    "fail": (
        {"action": {"fail": {"error": "E", "message": "m", "classType": "SaveImage"}}, "times": 1},
        {"failing_class": "SaveImage", "failing_times": 1, "failing_type": "E", "failing_message": "m"},
    ),
}


@pytest.mark.parametrize("name", RULES)
async def test_a_rule_of_the_control_plane_sets_a_fault(session: StandinSession, name: str) -> None:
    rule, faults = RULES[name]
    nothing_wrong = (await session.client.get("/standin/faults")).json()
    answer = await session.client.post("/standin/faults", json=rule)
    assert answer.status_code == 201, answer.text
    shown = answer.json()
    assert shown.items() >= {"id": "fault-1", **rule}.items()
    assert shown.get("left") == rule.get("times")
    current = (await session.client.get("/standin/faults")).json()
    assert current == {**nothing_wrong, **faults, "items": [shown]}
    assert (await session.client.get("/standin/faults/fault-1")).json() == shown
    assert (await session.client.delete("/standin/faults/fault-1")).status_code == 200
    assert (await session.client.get("/standin/faults")).json() == nothing_wrong
    assert (await session.client.get("/standin/faults/fault-1")).status_code == 404
    assert (await session.client.delete("/standin/faults/fault-1")).status_code == 404


async def test_a_rule_counts_what_it_has_hit(session: StandinSession) -> None:
    await session.client.post("/standin/faults", json={"action": {"status": 500}, "times": 2})
    statuses = [(await session.post(text_to_image(), prompt_id="p")).status_code for _ in range(3)]
    assert statuses == [500, 500, 200]
    shown = (await session.client.get("/standin/faults/fault-1")).json()
    assert (shown["hits"], shown["left"]) == (2, 0)


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"action": {"status": 502}}, "action: A stand-in has no such fault; it has status 500, "),
        ({"preset": "queue-flood"}, "action: A stand-in has no such fault"),
        ({"action": {"reset": True}, "probability": 0.5}, "probability: A stand-in takes no probability"),
        ({"action": {"reset": True}, "match": {"route": "/view"}}, "match.route: A stand-in matches the route /prompt"),
        ({"action": {"reset": True}, "match": {"method": "GET"}}, "match.method: A stand-in matches the route /prompt"),
        ({"action": {"stick": True}, "times": 1}, "times: This lasts until its rule is removed."),
        ({"preset": "halfbody"}, "preset: Unknown preset 'halfbody'"),
        ({"action": {"resett": True}}, "action: Expected exactly one of "),
        ({"match": {}}, "$: Expected exactly one of preset, action."),
    ],
)
async def test_a_rule_that_no_stand_in_can_obey_is_explained(session: StandinSession, rule: Any, message: str) -> None:
    answer = await session.client.post("/standin/faults", json=rule)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith(message)
    assert (await session.client.get("/standin/faults")).json()["items"] == []
