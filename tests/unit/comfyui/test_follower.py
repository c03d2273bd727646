"""Prompts are followed to their ends on a clock that is moved, and on a server that says what a test says."""

from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from civitai_mock.clock import SeededIds, VirtualClock
from civitai_mock.providers.comfyui.address import parse_servers
from civitai_mock.providers.comfyui.options import WorkerDependencies
from civitai_mock.providers.comfyui.protocol.messages import NodeStep, SocketImage
from civitai_mock.providers.comfyui.protocol.tracker import PromptDone, PromptLost, PromptStopped, PromptTracker
from civitai_mock.providers.comfyui.transport.http import ComfyHttp
from civitai_mock.providers.comfyui.workers.follower import Follower
from civitai_mock.providers.comfyui.workers.runs import MOST_IMAGE_BYTES, Run, Runs

(SERVER,) = parse_servers("http://gpu:8188")
STALL = 600.0
POLL = 10.0
LIVE = "live"


@dataclass
class FollowerBench:
    """Follows prompts on a server that answers `running` and `history`; `commands` are the routes of POSTs."""

    clock: VirtualClock
    running: list[str] = field(default_factory=list)
    history: dict[str, Any] = field(default_factory=dict)
    is_away: bool = False
    commands: list[str] = field(default_factory=list)
    times_freed: int = 0

    def __post_init__(self) -> None:
        self.runs = Runs(on_end=lambda _: None, on_capacity=self._count_capacity)
        self.follower = Follower(
            self.runs,
            http=ComfyHttp(SERVER, transport=httpx.MockTransport(self._answer)),
            dependencies=WorkerDependencies(clock=self.clock, ids=SeededIds()),
            client_id=lambda: LIVE,
            on_change=lambda: None,
        )

    def follow(self, *, client_id: str | None = LIVE) -> Run:
        run = Run(
            tracker=PromptTracker("p", now=self.clock.now()), graph={}, response={}, client_id=client_id, is_known=True
        )
        self.follower.follow(run)
        return run

    async def poll_after(self, seconds: float) -> None:
        """Poll as often as a server that answers is polled."""
        while seconds > POLL:
            seconds -= POLL
            await self.poll_after(POLL)
        self.clock.advance(seconds)
        self.follower.poll_now()
        await self.follower.poll()

    def _count_capacity(self) -> None:
        self.times_freed += 1

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
def bench(clock: VirtualClock) -> FollowerBench:
    return FollowerBench(clock, running=["p"])


@pytest.mark.parametrize(("client_id", "patience"), [(LIVE, STALL), ("dropped", 4 * STALL), (None, 4 * STALL)])
async def test_a_silent_prompt_is_given_up_later_if_it_could_not_be_heard(
    bench: FollowerBench, client_id: str | None, patience: float
) -> None:
    run = bench.follow(client_id=client_id)
    await bench.poll_after(0)
    await bench.poll_after(patience - 1)
    assert run.tracker.end is None
    await bench.poll_after(1)
    assert isinstance(run.tracker.end, PromptLost)
    assert bench.commands == ["/interrupt"]
    assert (
        bench.follower.stuck_reason
        == f"its queue has not moved for {patience:.0f} s: the prompt 'p' (one of ours) is running"
    )


async def test_every_step_is_a_sign_of_life(bench: FollowerBench) -> None:
    run = bench.follow()
    for step in range(5):
        await bench.poll_after(STALL - 1)
        bench.follower.on_message(NodeStep("p", "3", step, 20))
    assert run.tracker.end is None


async def test_a_stuck_server_is_free_again_once_it_has_let_go_of_the_prompt(bench: FollowerBench) -> None:
    bench.follow()
    await bench.poll_after(0)
    await bench.poll_after(STALL)
    bench.running.clear()
    await bench.poll_after(1)
    assert not bench.follower.stuck_reason
    assert bench.runs.followed == ()


async def test_an_interruption_of_our_own_is_wiped_out_of_history(bench: FollowerBench) -> None:
    bench.follow()
    await bench.poll_after(0)
    await bench.poll_after(STALL)
    bench.running.clear()
    stopped = ["execution_interrupted", {"prompt_id": "p", "node_id": "3"}]
    bench.history["p"] = {"status": {"status_str": "error", "messages": [stopped]}}
    await bench.poll_after(1)
    assert bench.commands == ["/interrupt", "/history"]


async def test_a_server_out_of_reach_keeps_its_prompts_for_as_long_as_it_may(bench: FollowerBench) -> None:
    run = bench.follow()
    bench.is_away = True
    await bench.poll_after(0)
    await bench.poll_after(29)
    assert (run.tracker.end, bench.times_freed) == (None, 0)
    await bench.poll_after(1)
    assert isinstance(run.tracker.end, PromptLost)
    assert bench.times_freed == 1
    assert bench.runs.is_followed(run)
    assert bench.runs.in_flight == 0


async def test_a_prompt_on_its_way_to_the_server_is_not_missed(bench: FollowerBench) -> None:
    run = bench.follow()
    run.is_sending, bench.running = True, []
    await bench.poll_after(0)
    await bench.poll_after(60)
    assert run.tracker.end is None


async def test_a_prompt_that_was_taken_out_of_the_queue_is_stopped_at_once(bench: FollowerBench) -> None:
    run = bench.follow()
    run.is_unwanted, bench.running = True, []
    await bench.poll_after(0)
    assert isinstance(run.tracker.end, PromptStopped)


async def test_nothing_is_polled_before_it_is_due(bench: FollowerBench) -> None:
    run = bench.follow()
    await bench.poll_after(0)
    bench.running.clear()
    bench.clock.advance(1.9)
    await bench.follower.poll()
    assert not run.has_left_queue
    bench.clock.advance(0.1)
    await bench.follower.poll()
    assert run.has_left_queue


async def test_the_latest_ended_runs_can_be_asked_for_and_older_ones_are_let_go(bench: FollowerBench) -> None:
    bench.running.clear()
    for number in range(70):
        run = Run(tracker=PromptTracker(str(number), now=bench.clock.now()), graph={}, response={})
        run.tracker.mark_stopped()
        bench.runs.add(run)
        bench.runs.update(run)
    assert bench.runs.get("0") is None
    assert bench.runs.get("69") is not None
    assert bench.runs.followed == ()


def test_fewer_ended_runs_are_kept_if_their_images_are_in_memory(bench: FollowerBench) -> None:
    image = SocketImage("p", "9", "image/png", bytes(MOST_IMAGE_BYTES // 8))
    for number in range(20):
        run = Run(tracker=PromptTracker(str(number), now=bench.clock.now()), graph={}, response={})
        run.tracker.state = PromptDone(results=(image, image), elapsed_ms=None)
        bench.runs.add(run)
        bench.runs.update(run)
    assert [number for number in range(20) if bench.runs.get(str(number))] == [16, 17, 18, 19]
