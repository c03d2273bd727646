"""Time passes for prompts that are followed: a clock that is moved, and a server that says what a test says."""

from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from civitai_mock.clock import SeededIds, VirtualClock
from civitai_mock.providers.comfyui.address import parse_servers
from civitai_mock.providers.comfyui.options import ComfyOptions
from civitai_mock.providers.comfyui.protocol.messages import NodeStep, SocketImage
from civitai_mock.providers.comfyui.protocol.tracker import PromptDone, PromptInterrupted, PromptLost, PromptTracker
from civitai_mock.providers.comfyui.transport.http import ComfyHttp
from civitai_mock.providers.comfyui.workers.follower import Follower, PollSchedule
from civitai_mock.providers.comfyui.workers.runs import MOST_IMAGE_BYTES, Run, Runs

(SERVER,) = parse_servers("http://gpu:8188")
STALL = 600.0
LOOK = 10.0
LIVE = "live"


@dataclass
class Desk:
    """`running` and `history` are what the server says; `commands` what it was told."""

    clock: VirtualClock
    running: list[str] = field(default_factory=list)
    history: dict[str, Any] = field(default_factory=dict)
    is_away: bool = False
    commands: list[str] = field(default_factory=list)
    freed: int = 0

    def __post_init__(self) -> None:
        options = ComfyOptions()
        self.runs = Runs(freed=self._freed, ended=lambda _: None)
        self.follower = Follower(
            self.runs,
            worker_id=SERVER.id,
            http=ComfyHttp(SERVER, transport=httpx.MockTransport(self._answer)),
            clock=self.clock,
            options=options,
            timetable=PollSchedule(clock=self.clock, ids=SeededIds(), options=options),
            client_id=lambda: LIVE,
            changed=lambda: None,
        )

    def follow(self, *, client_id: str | None = LIVE) -> Run:
        run = Run(
            tracker=PromptTracker("p", now=self.clock.now()), graph={}, answer={}, client_id=client_id, known=True
        )
        self.follower.follow(run)
        return run

    async def look_after(self, seconds: float) -> None:
        """Look as often as a server that answers is looked at."""
        while seconds > LOOK:
            seconds -= LOOK
            await self.look_after(LOOK)
        self.clock.advance(seconds)
        self.follower.hurry()
        await self.follower.look()

    def _freed(self) -> None:
        self.freed += 1

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if self.is_away:
            raise httpx.ConnectError("refused")
        if request.method == "POST":
            self.commands.append(request.url.path)
            return httpx.Response(200)
        if request.url.path == "/queue":
            items = [[1, prompt_id, {}, {}, []] for prompt_id in self.running]
            return httpx.Response(200, json={"queue_running": items, "queue_pending": []})
        return httpx.Response(200, json=self.history)


@pytest.fixture
def desk(clock: VirtualClock) -> Desk:
    return Desk(clock, running=["p"])


@pytest.mark.parametrize(("client_id", "patience"), [(LIVE, STALL), ("dropped", 4 * STALL), (None, 4 * STALL)])
async def test_a_silent_prompt_is_given_up_later_if_it_could_not_be_heard(
    desk: Desk, client_id: str | None, patience: float
) -> None:
    run = desk.follow(client_id=client_id)
    await desk.look_after(0)
    await desk.look_after(patience - 1)
    assert run.tracker.end is None
    await desk.look_after(1)
    assert isinstance(run.tracker.end, PromptLost)
    assert desk.commands == ["/interrupt"]
    assert (
        desk.follower.stuck == f"its queue has not moved for {patience:.0f} s: the prompt 'p' (one of ours) is running"
    )


async def test_every_step_is_a_sign_of_life(desk: Desk) -> None:
    run = desk.follow()
    for step in range(5):
        await desk.look_after(STALL - 1)
        desk.follower.hear(NodeStep("p", "3", step, 20))
    assert run.tracker.end is None


async def test_a_stuck_server_is_free_again_once_it_has_let_go_of_the_prompt(desk: Desk) -> None:
    desk.follow()
    await desk.look_after(0)
    await desk.look_after(STALL)
    desk.running.clear()
    await desk.look_after(1)
    assert not desk.follower.stuck
    assert desk.runs.followed == ()


async def test_an_interruption_of_our_own_is_wiped_out_of_history(desk: Desk) -> None:
    desk.follow()
    await desk.look_after(0)
    await desk.look_after(STALL)
    desk.running.clear()
    stopped = ["execution_interrupted", {"prompt_id": "p", "node_id": "3"}]
    desk.history["p"] = {"status": {"status_str": "error", "messages": [stopped]}}
    await desk.look_after(1)
    assert desk.commands == ["/interrupt", "/history"]


async def test_a_server_out_of_reach_keeps_its_prompts_for_as_long_as_it_may(desk: Desk) -> None:
    run = desk.follow()
    desk.is_away = True
    await desk.look_after(0)
    await desk.look_after(29)
    assert (run.tracker.end, desk.freed) == (None, 0)
    await desk.look_after(1)
    assert isinstance(run.tracker.end, PromptLost)
    assert desk.freed == 1
    assert desk.runs.follows(run)
    assert desk.runs.in_flight == 0


async def test_a_prompt_on_its_way_to_the_server_is_not_missed(desk: Desk) -> None:
    run = desk.follow()
    run.sending, desk.running = True, []
    await desk.look_after(0)
    await desk.look_after(60)
    assert run.tracker.end is None


async def test_a_prompt_that_was_taken_out_of_the_queue_is_stopped_at_once(desk: Desk) -> None:
    run = desk.follow()
    run.unwanted, desk.running = True, []
    await desk.look_after(0)
    assert isinstance(run.tracker.end, PromptInterrupted)


async def test_nothing_is_asked_before_it_is_due(desk: Desk) -> None:
    run = desk.follow()
    await desk.look_after(0)
    desk.running.clear()
    desk.clock.advance(1.9)
    await desk.follower.look()
    assert not run.left
    desk.clock.advance(0.1)
    await desk.follower.look()
    assert run.left


async def test_the_latest_ended_runs_can_be_asked_for_and_older_ones_are_let_go(desk: Desk) -> None:
    desk.running.clear()
    for number in range(70):
        run = Run(tracker=PromptTracker(str(number), now=desk.clock.now()), graph={}, answer={})
        run.tracker.mark_stopped()
        desk.runs.add(run)
        desk.runs.note(run)
    assert desk.runs.get("0") is None
    assert desk.runs.get("69") is not None
    assert desk.runs.followed == ()


def test_of_ended_runs_with_images_in_memory_fewer_are_kept(desk: Desk) -> None:
    image = SocketImage("p", "9", "image/png", bytes(MOST_IMAGE_BYTES // 8))
    for number in range(20):
        run = Run(tracker=PromptTracker(str(number), now=desk.clock.now()), graph={}, answer={})
        run.tracker.state = PromptDone(results=(image, image), elapsed_ms=None)
        desk.runs.add(run)
        desk.runs.note(run)
    assert [number for number in range(20) if desk.runs.get(str(number))] == [16, 17, 18, 19]
