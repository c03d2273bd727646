"""The log of the stand-in: its lines, and clients that subscribe to them."""

import re

import pytest

from tests.support.comfyui_listener import listen_to
from tests.support.standin_session import standin_session, text_to_image


async def test_the_log_has_lines_about_prompts() -> None:
    async with standin_session() as session:
        await session.run(text_to_image())
        await session.client.post("/interrupt", json={"prompt_id": "nope"})
        entries = (await session.client.get("/internal/logs/raw")).json()["entries"]
        printed = (await session.client.get("/internal/logs")).json()
    lines = [entry["m"] for entry in entries]
    assert (lines[0], lines[-1]) == ("got prompt\n", "Prompt nope is not currently running, skipping interrupt\n")
    assert re.fullmatch(r"Prompt executed in \d+\.\d\d seconds\n", lines[1])
    assert printed == "".join(f"{entry['t']} - {entry['m']}" for entry in entries)


async def test_a_subscribed_client_gets_log_lines_until_it_unsubscribes() -> None:
    async with standin_session() as session, listen_to(session.running, "reader") as reader:
        for is_wanted, body in ((True, "{}"), (False, "[]")):
            asked = {"clientId": "reader", "enabled": is_wanted}
            assert (await session.client.patch("/internal/logs/subscribe", json=asked)).status_code == 200
            await session.client.post("/prompt", content=body)
        await session.client.post("/queue", json={"clear": True})  # a status to everybody
        await reader.until_type("status")
    logs = [message["data"] for message in reader.heard if isinstance(message, dict) and message["type"] == "logs"]
    assert [[entry["m"] for entry in log["entries"]] for log in logs] == [["got prompt\n"]]
    assert logs[0]["size"] == {"cols": 80, "rows": 24}


@pytest.mark.parametrize("body", ["", "[]", '{"clientId": "x"}', '{"enabled": true}', '{"clientId": [], "enabled": 1}'])
async def test_a_subscription_without_a_client_is_a_server_error(body: str) -> None:
    async with standin_session() as session:
        assert (await session.client.patch("/internal/logs/subscribe", content=body)).status_code == 500


async def test_files_of_a_folder_are_listed_from_the_newest_on() -> None:
    async with standin_session() as session:
        empty = {
            folder: await session.client.get(f"/internal/files/{folder}") for folder in ("input", "output", "temp")
        }
        for name in ("old.png", "new.png"):
            await session.client.post("/upload/image", files={"image": (name, name.encode())})
        names = (await session.client.get("/internal/files/input")).json()
    assert {folder: answer.status_code for folder, answer in empty.items()} == {
        "input": 200,
        "output": 200,
        "temp": 500,
    }
    assert names == ["new.png", "old.png"]
