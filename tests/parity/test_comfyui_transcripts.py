"""Recorded WebSocket scenarios, played again on the stand-in: each socket must hear the recorded messages."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from civitai_mock.comfyui_standin.options import Damage, Durations, StandinOptions
from civitai_mock.comfyui_standin.state.files import FilePlace
from tests.support.comfyui_listener import Heard, Listener, listen_to, remaining
from tests.support.dates import START
from tests.support.recordings import MODELS, base_graph, comparable, read_transcript
from tests.support.standin import PermitClock, RunningStandin, plain_png, running_standin

OPTIONS = StandinOptions(previews=True, durations=Durations(step=1.0), damage={"broken.safetensors": Damage.CORRUPT})
BINARY_SHOWN = 16
ENOUGH_SLEEPS = 1_000
LAST_FULL_STEP = 3  # the recordings of long runs leave out the steps between this one and the last


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscriptSession:
    """Plays recorded scenarios on a stand-in with a clock that the test moves."""

    standin: RunningStandin
    client: httpx.AsyncClient
    clock: PermitClock

    async def submit(self, graph: Mapping[str, Any], prompt_id: str, client_id: str | None = None) -> None:
        owner = {"client_id": client_id} if client_id else {}
        answer = await self.client.post("/prompt", json={"prompt": graph, "prompt_id": prompt_id, **owner})
        assert answer.status_code == 200

    async def warm_up(self, graph: Mapping[str, Any]) -> None:
        """Run what the recorded server had run just before, so that the same nodes are cached."""
        async with listen_to(self.standin) as listener:
            self.clock.allow(graph["3"]["inputs"]["steps"])
            await self.submit(graph, "before")
            await listener.until_idle()

    def save_file_before(self, counter: int) -> None:
        self.standin.server.state.files.put(
            FilePlace("output", "", f"ComfyUI_{counter - 1:05}_.png"), plain_png(), now=START
        )


@asynccontextmanager
async def transcript_session(*, next_file: int = 1) -> AsyncIterator[TranscriptSession]:
    clock = PermitClock()
    async with (
        running_standin(models=MODELS, clock=clock, options=OPTIONS) as standin,
        httpx.AsyncClient(base_url=standin.url, timeout=60) as client,
    ):
        session = TranscriptSession(standin=standin, client=client, clock=clock)
        session.save_file_before(next_file)
        yield session


def graph(*, seed: int, steps: int, size: int = 64, checkpoint: str = "sd15_slim.safetensors") -> dict[str, Any]:
    changed = base_graph()
    changed["3"]["inputs"] |= {"seed": seed, "steps": steps}
    changed["4"]["inputs"]["ckpt_name"] = checkpoint
    changed["5"]["inputs"] |= {"width": size, "height": size}
    changed["9"]["inputs"]["filename_prefix"] = "ComfyUI"
    return changed


def warm_up_graph(*, size: int = 64, checkpoint: str = "sd15_slim.safetensors") -> dict[str, Any]:
    changed = graph(seed=1, steps=1, size=size, checkpoint=checkpoint)
    changed["9"]["inputs"]["filename_prefix"] = "before"
    return changed


def as_recorded(heard: Sequence[Heard | str], client_id: str | None = "") -> list[Any]:
    """Return comparable messages; the id of a socket without a client id differs each time."""
    found = [message[:BINARY_SHOWN].hex() if isinstance(message, bytes) else comparable(message) for message in heard]
    for message in found:
        if isinstance(message, dict) and client_id is None:
            message["data"].pop("sid", None)
    return found


def prompt_ids(name: str) -> list[str]:
    """Return the prompt ids of a transcript in order of appearance."""
    messages = [message for heard in read_transcript(name).values() for message in heard if isinstance(message, dict)]
    ids = (message["data"].get("prompt_id") for message in messages)
    return list(dict.fromkeys(prompt_id for prompt_id in ids if prompt_id))


def check(listener: Listener, name: str, socket: str, *, anonymous: bool = False) -> None:
    client_id = None if anonymous else ""
    recorded = as_recorded(read_transcript(name)[socket], client_id)
    assert as_recorded(without_middle_steps(listener.heard), client_id) == recorded


def without_middle_steps(heard: Sequence[Heard]) -> list[Heard]:
    kept: list[Heard] = []
    is_middle = False
    for message in heard:
        if isinstance(message, dict):
            is_middle = _is_middle_step(message)
        if not is_middle:
            kept.append(message)
    return kept


def _is_middle_step(message: Mapping[str, Any]) -> bool:
    step = message["data"]["nodes"].get("3", {}) if message["type"] == "progress_state" else message["data"]
    if message["type"] not in {"progress", "progress_state"} or not step or step.get("max", 0) < 20:
        return False
    return bool(LAST_FULL_STEP < step["value"] < step["max"])


async def test_a_first_run_is_reported_to_its_client_and_the_queue_to_everybody() -> None:
    name = "01_normal_cold"
    (prompt_id,) = prompt_ids(name)
    async with (
        transcript_session(next_file=44) as session,
        listen_to(session.standin, "client-A") as owner,
        listen_to(session.standin, "client-OBS") as other,
        listen_to(session.standin) as nameless,
    ):
        session.clock.allow(ENOUGH_SLEEPS)
        await session.submit(graph(seed=5001, steps=3), prompt_id, "client-A")
        await owner.until_ended(prompt_id)
        for listener in (other, nameless):
            await listener.until_idle()
        check(owner, name, "A")
        check(other, name, "OBS")
        check(nameless, name, "NOID", anonymous=True)


async def test_the_same_graph_again_only_points_at_the_old_file() -> None:
    name = "02_fully_cached"
    (prompt_id,) = prompt_ids(name)
    async with transcript_session(next_file=44) as session, listen_to(session.standin, "client-A") as owner:
        session.clock.allow(ENOUGH_SLEEPS)
        await session.submit(graph(seed=5001, steps=3), "first", "client-A")
        await owner.until_ended("first")
        owner.heard.clear()
        await session.submit(graph(seed=5001, steps=3), prompt_id, "client-A")
        await owner.until_ended(prompt_id)
        check(owner, name, "A")


async def test_a_new_seed_runs_the_sampler_and_what_follows() -> None:
    name = "03_partially_cached_new_seed"
    (prompt_id,) = prompt_ids(name)
    async with transcript_session(next_file=45) as session:
        await session.warm_up(warm_up_graph())
        async with listen_to(session.standin, "client-A") as owner, listen_to(session.standin, "client-OBS") as other:
            owner.heard.clear()
            other.heard.clear()
            session.clock.allow(ENOUGH_SLEEPS)
            await session.submit(graph(seed=5002, steps=2), prompt_id, "client-A")
            await owner.until_ended(prompt_id)
            await other.until_idle()
            check(owner, name, "A")
            check(other, name, "OBS")


async def test_a_refused_prompt_causes_no_message() -> None:
    async with transcript_session() as session, listen_to(session.standin, "client-A") as owner:
        answer = await session.client.post("/prompt", json={"prompt": {}, "client_id": "client-A"})
        assert answer.status_code == 400
        session.clock.allow(ENOUGH_SLEEPS)
        await session.submit(graph(seed=1, steps=1), "next", "client-A")
        first = await owner.until_type("execution_start")
        assert first["data"]["prompt_id"] == "next"
        assert owner.types == ["status", "status", "status", "execution_start"]


async def test_an_error_names_the_node_and_ends_the_prompt() -> None:
    name = "05_execution_error"
    (prompt_id,) = prompt_ids(name)
    async with transcript_session() as session:
        await session.warm_up(warm_up_graph())
        async with listen_to(session.standin, "client-A") as owner, listen_to(session.standin, "client-OBS") as other:
            owner.heard.clear()
            other.heard.clear()
            await session.submit(graph(seed=5003, steps=1, checkpoint="broken.safetensors"), prompt_id, "client-A")
            await owner.until_ended(prompt_id)
            await other.until_idle()
            check(owner, name, "A")
            check(other, name, "OBS")


async def test_an_interrupt_is_noticed_at_the_next_step() -> None:
    name = "06_interrupted"
    (prompt_id,) = prompt_ids(name)
    async with transcript_session() as session, listen_to(session.standin, "client-A") as owner:
        owner.heard.clear()
        await session.submit(graph(seed=5004, steps=60, size=256), prompt_id, "client-A")
        session.clock.allow(3)
        await owner.until(lambda message: message["type"] == "progress" and message["data"]["value"] == 3)
        await session.client.post("/interrupt", json={})
        session.clock.allow(1)
        await owner.until_ended(prompt_id)
        check(owner, name, "A")


async def test_without_a_client_id_progress_goes_to_everybody_and_the_rest_to_nobody() -> None:
    name = "07_no_client_id"
    (prompt_id,) = prompt_ids(name)
    async with transcript_session() as session:
        await session.warm_up(warm_up_graph(size=256))
        async with listen_to(session.standin, "client-A") as some, listen_to(session.standin) as nameless:
            for listener in (some, nameless):
                listener.heard.clear()
            session.clock.allow(ENOUGH_SLEEPS)
            await session.submit(graph(seed=5005, steps=2), prompt_id)
            for listener in (some, nameless):
                await listener.until_idle()
            check(some, name, "A")
            check(nameless, name, "NOID")


async def test_a_targeted_interrupt_hits_only_its_own_prompt_and_is_sent_to_everybody_if_nobody_owns_it() -> None:
    name = "08_no_client_id_interrupted_targeted"
    (prompt_id,) = prompt_ids(name)
    async with transcript_session() as session:
        await session.warm_up(warm_up_graph())
        async with listen_to(session.standin, "client-A") as some, listen_to(session.standin) as nameless:
            for listener in (some, nameless):
                listener.heard.clear()
            await session.submit(graph(seed=5006, steps=60, size=256), prompt_id)
            session.clock.allow(1)
            await some.until_type("progress")
            assert (await session.client.post("/interrupt", json={"prompt_id": "not-this-one"})).status_code == 200
            assert (await session.client.post("/interrupt", json={"prompt_id": prompt_id})).status_code == 200
            session.clock.allow(1)
            for listener in (some, nameless):
                await listener.until_idle()
            check(some, name, "A")
            check(nameless, name, "NOID")


async def test_a_client_that_takes_metadata_gets_previews_with_metadata_before_progress() -> None:
    name = "09_feature_flags_preview_metadata"
    (prompt_id,) = prompt_ids(name)
    async with transcript_session(next_file=47) as session:
        await session.warm_up(warm_up_graph(size=256))
        async with listen_to(session.standin, "client-F", flags=True) as owner:
            session.clock.allow(ENOUGH_SLEEPS)
            await session.submit(graph(seed=5007, steps=2), prompt_id, "client-F")
            await owner.until_ended(prompt_id)
            check(owner, name, "F")


async def test_two_clients_each_hear_of_their_own_prompt() -> None:
    name = "10_two_prompts_two_clients"
    first, second = prompt_ids(name)
    async with transcript_session(next_file=48) as session:
        await session.warm_up(warm_up_graph())
        async with listen_to(session.standin, "client-A") as one, listen_to(session.standin, "client-B") as two:
            await session.submit(graph(seed=5201, steps=3), first, "client-A")
            await session.submit(graph(seed=5202, steps=3), second, "client-B")
            session.clock.allow(ENOUGH_SLEEPS)
            await two.until_ended(second)
            await one.until_idle()
            # That the second came before the worker had taken the first, which `status` tells, was chance.
            for listener, socket in ((one, "A"), (two, "B")):
                messages, recorded = as_recorded(listener.heard), as_recorded(read_transcript(name)[socket])
                assert without_status(messages) == without_status(recorded)


def without_status(messages: Sequence[Any]) -> list[Any]:
    return [message for message in messages if not isinstance(message, dict) or message["type"] != "status"]


async def test_coming_back_in_the_middle_sends_the_node_and_replays_nothing() -> None:
    name = "11_reconnect_mid_run"
    (prompt_id,) = prompt_ids(name)
    async with transcript_session(next_file=50) as session:
        await session.warm_up(warm_up_graph())
        async with listen_to(session.standin, "client-R") as before:
            await session.submit(graph(seed=5301, steps=40, size=256), prompt_id, "client-R")
            session.clock.allow(2)
            await before.until(lambda message: message["type"] == "progress" and message["data"]["value"] == 2)
            await before.next()  # the preview of that step
            check(before, name, "R1")
        async with listen_to(session.standin, "client-R") as after:
            session.clock.allow(ENOUGH_SLEEPS)
            await after.until_ended(prompt_id)
            check(after, name, "R2")


async def test_a_second_socket_of_a_client_takes_over_and_loses_its_place_when_the_first_one_closes() -> None:
    name = "12_same_client_id_two_sockets"
    (prompt_id,) = prompt_ids(name)
    async with transcript_session(next_file=51) as session:
        await session.warm_up(warm_up_graph(size=256))
        session.clock.allow(ENOUGH_SLEEPS)
        async with listen_to(session.standin, "client-D") as first, listen_to(session.standin, "client-D") as second:
            await session.submit(graph(seed=5401, steps=2), prompt_id, "client-D")
            await second.until_ended(prompt_id)
            check(first, name, "D1")
            check(second, name, "D2")
            await first.connection.close()
            async with listen_to(session.standin, "client-E") as witness:
                await session.submit(graph(seed=5402, steps=2), "later", "client-D")
                await witness.until_idle()
            await (await second.connection.ping())
            assert session.standin.server.prompt("later").outcomes == ["success"]
            check(second, name, "D2")


async def test_deleted_and_cleared_prompts_are_only_a_number_in_the_queue() -> None:
    name = "13_queue_delete_and_clear"
    (prompt_id,) = prompt_ids(name)
    async with transcript_session(next_file=53) as session:
        await session.warm_up(warm_up_graph())
        async with listen_to(session.standin, "client-Q") as owner:
            await session.submit(graph(seed=5500, steps=20, size=256), prompt_id, "client-Q")
            await owner.until(lambda message: message["data"].get("node") == "3")
            for number in range(3):
                await session.submit(graph(seed=5501 + number, steps=20, size=256), f"pending-{number}", "client-Q")
            await session.client.post("/queue", json={"delete": ["pending-0", prompt_id, "unknown"]})
            await session.client.post("/queue", json={"clear": True})
            await owner.until(lambda message: remaining(message) == 4)
            await owner.until(lambda message: remaining(message) == 1)
            session.clock.allow(ENOUGH_SLEEPS)
            await owner.until_ended(prompt_id)
            check(owner, name, "Q")
            assert (await session.client.get("/history/pending-0")).json() == {}


async def test_images_for_the_socket_are_sent_whole_each_time_and_leave_no_file() -> None:
    name = "14_save_image_websocket"
    first, second = prompt_ids(name)
    streaming = graph(seed=5601, steps=1)
    async with transcript_session() as session:
        await session.warm_up(streaming)
        streaming["9"] = {"class_type": "SaveImageWebsocket", "inputs": {"images": ["8", 0]}}
        async with listen_to(session.standin, "client-W") as owner:
            for prompt_id in (first, second):
                await session.submit(streaming, prompt_id, "client-W")
                await owner.until_ended(prompt_id)
            check(owner, name, "W")
        assert (await session.client.get(f"/history/{second}")).json()[second]["outputs"] == {}


async def test_an_interrupt_while_nothing_runs_does_not_hit_the_next_prompt() -> None:
    name = "15_interrupt_while_idle"
    (prompt_id,) = prompt_ids(name)
    async with transcript_session(next_file=54) as session:
        await session.warm_up(warm_up_graph())
        async with listen_to(session.standin, "client-I") as owner:
            assert (await session.client.post("/interrupt")).status_code == 200
            session.clock.allow(ENOUGH_SLEEPS)
            await session.submit(graph(seed=5701, steps=1), prompt_id, "client-I")
            await owner.until_ended(prompt_id)
            check(owner, name, "I")
